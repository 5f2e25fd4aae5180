//! The end: what runs may finish, nothing new comes in.

use std::{io::ErrorKind, process::Stdio, time::Duration};

use reqwest::StatusCode;
use sequentum_mcp::demo::{Fault, FaultKind};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::Command,
    time::Instant,
};

use crate::support::{
    TestServer,
    server::call,
    waiting::{PATIENCE, quickly, skip, until},
};

#[tokio::test]
async fn running_calls_finish_and_new_ones_are_refused() {
    let mut server = TestServer::start().await;
    let hold = Duration::from_mins(1);
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 20,
        kind: FaultKind::Delay(hold),
    });
    let requests: Vec<_> = (0..20)
        .map(|_| tokio::spawn(server.post(Some(&server.token()), &call("list_spaces", json!({}))).send()))
        .collect();
    // All twenty are held by the platform before the server is asked to stop.
    until(|| server.platform.requests().len() == 20).await;
    server.begin_stop();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.clock.advance(hold);
    for request in requests {
        let answer = request.await.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(answer.text().await.unwrap().contains("structuredContent"), "every byte arrived");
    }
    server.stop().await;
}

#[tokio::test]
async fn balancers_are_given_notice_and_served_until_it_is_over() {
    let settings = [("SHUTDOWN_DELAY_SECONDS", "60")];
    let mut server = TestServer::with(&settings, sequentum_mcp::tools::Catalog::new()).await;
    let token = server.token();
    assert_eq!(server.get("/readyz").await.header("connection"), "", "connections are kept");
    server.begin_stop();
    while server.get("/readyz").await.status == StatusCode::OK {
        tokio::task::yield_now().await;
    }
    // A connection of its own, and the last request on it.
    let answer = server.send(server.post(Some(&token), &call("whoami", json!({})))).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("connection"), "close");
    let address = server.address;
    skip(Duration::from_mins(1)).await;
    quickly(server.stop()).await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_demo_says_what_to_paste_and_ends_with_zero_on_sigterm() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"))
        .args(["demo", "--port", "0", "--platform-port", "0"])
        .env("HOST", "localhost")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut printed = String::new();
    while !printed.contains("Stop with Ctrl-C") {
        printed.push_str(&lines.next_line().await.unwrap().expect("the demo goes on"));
        printed.push('\n');
    }
    let endpoint = printed.split_whitespace().find(|word| word.ends_with("/mcp")).unwrap();
    for wanted in [
        "alice@northwind.example",
        "bob@blueharbor.example",
        "claude mcp add",
        "\"mcpServers\"",
        "\"servers\"",
        "SEQUENTUM_API_KEY",
        "curl",
    ] {
        assert!(printed.contains(wanted), "{printed}");
    }
    let answer = reqwest::Client::builder().no_proxy().build().unwrap().post(endpoint).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);

    let pid = demo.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let ended = tokio::time::timeout(PATIENCE, demo.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn a_half_sent_header_does_not_stay_for_good() {
    let server =
        TestServer::with(&[("IDLE_TIMEOUT_SECONDS", "10")], sequentum_mcp::tools::Catalog::new()).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(b"POST /mcp HTTP/1.1\r\nhost: 127.0").await.unwrap();
    let mut rest = Vec::new();
    let begun = Instant::now();
    quickly(socket.read_to_end(&mut rest)).await.expect("the server closes the connection by itself");
    assert!((10..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_their_turn() {
    let server = TestServer::with(&[("MAX_CONNECTIONS", "1")], sequentum_mcp::tools::Catalog::new()).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    let ask = format!("GET /livez HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
    first.write_all(ask.as_bytes()).await.unwrap();
    let mut buffer = [0; 15];
    first.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"HTTP/1.1 200 OK");
    let mut second = TcpStream::connect(server.address).await.unwrap();
    second.write_all(ask.as_bytes()).await.unwrap();
    // However often the server looks around meanwhile, the second has no answer while the first is open.
    let mut heard = String::new();
    for answers in 1..=20 {
        first.write_all(ask.as_bytes()).await.unwrap();
        while heard.matches("HTTP/1.1 200 OK").count() < answers {
            let mut chunk = [0; 1024];
            let length = first.read(&mut chunk).await.unwrap();
            assert!(length > 0, "the first stays open");
            heard.push_str(std::str::from_utf8(&chunk[..length]).unwrap());
        }
        let early = second.try_read(&mut buffer).map_err(|error| error.kind());
        assert_eq!(early, Err(ErrorKind::WouldBlock));
    }
    drop(first);
    second.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"HTTP/1.1 200 OK");
}
