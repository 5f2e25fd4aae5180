//! How long a connection may stay that asks for nothing.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, routing::get};
use futures_util::stream;
use sequentum_mcp::{
    config::Proxies,
    http::server::{self, Limits},
    tools::Catalog,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::timeout,
};

use crate::support::TestServer;

/// A net under tests that would wait for good; none of them takes as long.
const NET: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_millis(200);
const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// The accept loop with a short idle time. `/slow` sends the second half of its body when it is told to.
async fn start() -> (SocketAddr, Arc<Notify>) {
    let go = Arc::new(Notify::new());
    let told = Arc::clone(&go);
    let slow = move || async move {
        let halves = stream::unfold(0, move |sent| {
            let told = Arc::clone(&told);
            async move {
                match sent {
                    0 => Some((Ok::<_, std::io::Error>("first "), 1)),
                    1 => {
                        told.notified().await;
                        Some((Ok("second"), 2))
                    }
                    _ => None,
                }
            }
        });
        Body::from_stream(halves)
    };
    let router = Router::new().route("/", get(async || "ok")).route("/slow", get(slow));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits {
        connections: 100,
        proxies: Proxies::default(),
        idle: IDLE,
        notice: Duration::ZERO,
        grace: Duration::ZERO,
    };
    tokio::spawn(server::serve(listener, router, limits, std::future::pending(), || ()));
    (address, go)
}

/// Everything that comes until the server closes the connection.
async fn read_to_end(socket: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    timeout(NET, socket.read_to_end(&mut rest)).await.expect("the server closes the connection").unwrap();
    String::from_utf8(rest).unwrap()
}

#[tokio::test]
async fn silent_connections_do_not_keep_others_out() {
    let settings = [("MAX_CONNECTIONS", "3"), ("IDLE_TIMEOUT_SECONDS", "1")];
    let server = TestServer::with(&settings, Catalog::new()).await;
    let mut silent = Vec::new();
    for begun in ["", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(begun.as_bytes()).await.unwrap();
        silent.push(socket);
    }
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let ask = format!("GET /livez HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address);
    socket.write_all(ask.as_bytes()).await.unwrap();
    assert!(read_to_end(&mut socket).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_connection_is_closed_some_time_after_its_last_request() {
    let (address, _) = start().await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(GET).await.unwrap();
    assert!(read_to_end(&mut socket).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn answering_pings_does_not_keep_a_connection_open() {
    /// Frame types of RFC 9113 section 6.
    const PING: u8 = 6;
    const GOAWAY: u8 = 7;
    const ACK: u8 = 1;
    let (address, _) = start().await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    // The preface with empty settings, and nothing after it.
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut kinds = Vec::new();
    let frames = async {
        let mut head = [0; 9];
        while socket.read_exact(&mut head).await.is_ok() {
            let [_, high, low, kind, flags, ..] = head;
            let mut payload = vec![0; usize::from(high) * 256 + usize::from(low)];
            socket.read_exact(&mut payload).await.unwrap();
            kinds.push(kind);
            if kind == PING && flags & ACK == 0 {
                head[4] = ACK;
                // The server may have closed by now, which the next read shows.
                let _ = socket.write_all(&[&head[..], &payload].concat()).await;
            }
        }
    };
    timeout(NET, frames).await.expect("the server closes the connection");
    assert!(kinds.contains(&GOAWAY), "the client is told: {kinds:?}");
}

#[tokio::test]
async fn an_answer_that_takes_long_is_not_cut() {
    let (address, go) = start().await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut head = [0; 15];
    timeout(NET, slow.read_exact(&mut head)).await.unwrap().unwrap();
    // In the meantime others are opened and closed for being idle, one after the other.
    for _ in 0..3 {
        let mut other = TcpStream::connect(address).await.unwrap();
        assert_eq!(read_to_end(&mut other).await, "");
    }
    go.notify_one();
    let rest = read_to_end(&mut slow).await;
    assert!(rest.contains("first ") && rest.ends_with("second\r\n0\r\n\r\n"), "{rest}");
}
