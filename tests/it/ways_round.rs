//! Ways round a check: each was open once, and is tried here as it was found.

use std::{process::Stdio, time::Duration};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use reqwest::{RequestBuilder, StatusCode, header::HeaderValue};
use sequentum_mcp::{
    demo::{Fault, FaultKind, Platform},
    tools::Catalog,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::Command,
    sync::mpsc,
};

use crate::{
    identity::{claims, ping, signed},
    support::{
        TestServer, child,
        events::Events,
        server::{call, start_platform},
    },
};

fn replaced(request: RequestBuilder, name: &'static str, value: &str) -> RequestBuilder {
    let (client, request) = request.build_split();
    let mut request = request.unwrap();
    request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    RequestBuilder::from_parts(client, request)
}

/// Alice's token with other claims, signed anew.
fn resigned(server: &TestServer, alter: impl FnOnce(&mut Value)) -> String {
    let token = server.token();
    let payload = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let mut claims = serde_json::from_slice(&payload).unwrap();
    alter(&mut claims);
    server.platform.sign(&json!({"typ": "at+jwt"}), &claims).unwrap()
}

#[tokio::test]
async fn a_name_in_base64_is_a_name() {
    let server = TestServer::start().await;
    let coded = |name: &str| format!("=?base64?{}?=", BASE64.encode(name.as_bytes()));
    let start = call("start_agent", json!({"agentId": 7302}));
    let weak = server.token_for(&TestServer::alice(), "agents:read");
    let ask = |token: &str, name: &str| replaced(server.post_modern(token, &start), "mcp-name", name);
    let answer = server.send(ask(&weak, &coded("start_agent"))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    assert!(answer.header("www-authenticate").contains("insufficient_scope"));
    assert_eq!(answer.text, {
        let plain = server.send(ask(&weak, "start_agent")).await;
        plain.text.replace(plain.header("x-request-id"), answer.header("x-request-id"))
    });
    let uri = "sequentum://agents/7302/runs/1";
    let read = json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}});
    let request = server.post_modern(&weak, &read);
    let answer = server.send(replaced(request, "mcp-name", &coded(uri))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    // Another name, and what is no name in this form, are the library's to refuse.
    for other in [coded("list_agents"), "=?base64?!?=".to_owned(), coded("start_agent").replace("?=", "=?=")]
    {
        let answer = server.send(ask(&weak, &other)).await;
        assert_eq!(answer.json()["error"]["code"], -32020, "{other}: {}", answer.text);
    }
    let list = call("list_agents", json!({}));
    let good = replaced(server.post_modern(&server.token(), &list), "mcp-name", &coded("list_agents"));
    let answer: Value = server.send(good).await.json();
    assert_eq!(answer["result"]["isError"], false, "{answer}");
}

/// Reads a file that the platform says is elsewhere, and returns what the proxy of the environment was asked for.
async fn asked_of_the_proxy(location: &str) -> Vec<String> {
    let proxy = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let (tell, mut told) = mpsc::unbounded_channel();
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = proxy.accept().await {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            tell.send(line.trim().to_owned()).unwrap();
            stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    });
    let (platform, _clock) = start_platform().await;
    platform.faults().inject(Fault {
        path_contains: "/download".to_owned(),
        times: 10,
        kind: FaultKind::Status {
            status: 302,
            headers: vec![("location".to_owned(), location.to_owned())],
            body: String::new(),
        },
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"));
    for name in ["NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    command
        .arg("stdio")
        .env("SEQUENTUM_API_URL", platform.url().as_str())
        .env("SEQUENTUM_API_KEY", TestServer::alice().api_key)
        .env("HTTPS_PROXY", &address)
        .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut server = child::Server::start(command);
    server.initialize().await;
    let runs = server.ask(&call("get_agent_runs", json!({"agentId": 7301, "maxRecords": 1}))).await;
    let run = &runs["result"]["structuredContent"]["runs"][0]["id"];
    let read = json!({"agentId": 7301, "runId": run, "fileId": 1});
    let answer = server.ask(&call("read_run_file", read)).await;
    // So far it came, and no further.
    let said = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(said.contains("platform_unreachable"), "{said}");
    server.end().await;
    serving.abort();
    let mut lines = Vec::new();
    while let Ok(line) = told.try_recv() {
        lines.push(line);
    }
    lines
}

#[tokio::test]
async fn a_proxy_does_not_resolve_the_names_of_storage_hosts() {
    let inside = "https://metadata.corp.invalid/latest";
    assert_eq!(asked_of_the_proxy(inside).await, [""; 0]);
}

/// A server that exchanges tokens.
async fn with_exchange() -> TestServer {
    let [id, secret] = Platform::resource_server();
    let settings =
        [("UPSTREAM_CREDENTIAL", "exchange"), ("OAUTH_CLIENT_ID", id), ("OAUTH_CLIENT_SECRET", secret)];
    TestServer::with(&settings, Catalog::new()).await
}

#[tokio::test]
async fn the_last_moments_of_a_token_are_no_stream_of_exchanges() {
    let server = with_exchange().await;
    for left in [85, 29, 5] {
        let token = resigned(&server, |claims| claims["exp"] = json!(server.clock.unix_seconds() + left));
        let before = server.platform.oauth_requests("/api/oauth/token");
        for _ in 0..5 {
            let answer = server.send(server.post(Some(&token), &call("list_agents", json!({})))).await;
            assert_eq!(answer.json()["result"]["isError"], false, "{left}: {}", answer.text);
        }
        assert_eq!(server.platform.oauth_requests("/api/oauth/token"), before + 1, "{left} s before its end");
    }
}

#[tokio::test]
async fn a_member_that_is_null_is_there() {
    let server = TestServer::start().await;
    let refused = async |token: String| {
        let answer = server.send(server.post(Some(&token), &ping())).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
        answer.json()["error"]["data"]["code"].clone()
    };
    let critical = json!({"typ": "at+jwt", "crit": null});
    assert_eq!(refused(server.platform.sign(&critical, &claims(&server)).unwrap()).await, "token_type");
    for (claim, code) in [
        ("cnf", "token_sender_constrained"),
        ("nonce", "id_token"),
        ("at_hash", "id_token"),
        ("c_hash", "id_token"),
    ] {
        let token = signed(&server, |claims| claims[claim] = json!(null));
        assert_eq!(refused(token).await, code, "{claim}");
    }
}

#[tokio::test]
async fn a_client_cannot_be_counted_as_the_proxy() {
    for (named, wrote, other) in [
        ("x-forwarded-for", ["192.0.2.1", "192.0.2.2"], "forwarded"),
        ("forwarded", ["for=192.0.2.1", "for=192.0.2.2"], "x-forwarded-for"),
    ] {
        let settings = [("RATE_LIMIT_PER_ADDRESS", "2"), ("TRUST_PROXY", "1"), ("FORWARDED_HEADER", named)];
        let server = TestServer::with(&settings, Catalog::new()).await;
        let ask = async |wrote: &str, forged: &str| {
            let request = server.post(None, &ping()).header(named, wrote).header(other, forged);
            server.send(request).await.status
        };
        // Whatever the client writes into the other header, the failures stay its own.
        assert_eq!(ask(wrote[0], "x").await, StatusCode::UNAUTHORIZED);
        assert_eq!(ask(wrote[0], "for=192.0.2.2").await, StatusCode::UNAUTHORIZED);
        assert_eq!(ask(wrote[0], "192.0.2.2").await, StatusCode::TOO_MANY_REQUESTS, "{named}");
        assert_eq!(ask(wrote[1], wrote[0]).await, StatusCode::UNAUTHORIZED);
        let nobody = server.send(server.post(None, &ping())).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "nor are they the proxy's");
    }
}

#[tokio::test]
async fn a_client_follows_a_run_with_a_token_of_its_own() {
    let server = TestServer::start().await;
    let runs = server.ask("get_agent_runs", json!({"agentId": 7306, "maxRecords": 1})).await;
    let uri = format!("sequentum://agents/7306/runs/{}", runs["runs"][0]["id"]);
    let listen = json!({"jsonrpc": "2.0", "id": "sub", "method": "subscriptions/listen",
        "params": {"notifications": {"resourceSubscriptions": [uri]}}});
    let open = async |token: &str| {
        let mut events = Events::of(server.post_modern(token, &listen).send().await.unwrap());
        events.next().await.unwrap();
        events
    };
    let tokens =
        ["one", "other"].map(|client| resigned(&server, |claims| claims["client_id"] = json!(client)));
    let mut streams = [open(&tokens[0]).await, open(&tokens[1]).await];
    let looks = || {
        let all = server.platform.requests().into_iter().filter(|seen| seen.path.ends_with("/status"));
        all.map(|seen| seen.authorization.unwrap_or_default()).collect::<Vec<_>>()
    };
    let opened = looks().len();
    server.clock.advance(Duration::from_secs(5));
    while looks().len() < opened + 2 {
        tokio::task::yield_now().await;
    }
    let mut used = looks().split_off(opened);
    used.sort();
    let mut expected = tokens.map(|token| format!("Bearer {token}"));
    expected.sort();
    assert_eq!(used, expected);
    // The platform takes the right of one away: the other hears on.
    server.platform.faults().inject(Fault {
        path_contains: "/status".to_owned(),
        times: 1,
        kind: FaultKind::Status { status: 401, headers: Vec::new(), body: "{}".to_owned() },
    });
    let [one, other] = &mut streams;
    let ended = server.while_time_passes(async {
        tokio::select! { message = one.next() => message, message = other.next() => message }
    });
    assert!(ended.await.unwrap().get("result").is_some());
    let before = looks().len();
    let looked_at = async {
        while looks().len() == before {
            tokio::task::yield_now().await;
        }
    };
    server.while_time_passes(looked_at).await;
}

/// Characters that are not shown.
const UNSEEN: &str = "\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}\u{3164}\u{ffa0}\u{1d173}\u{1d17a}";

#[tokio::test]
async fn characters_that_nobody_sees_are_taken_out_of_data_and_arguments() {
    let server = TestServer::start().await;
    let body = json!([{"id": 42, "name": format!("Re{UNSEEN}tail\u{2028}new\u{2029}line")}]);
    server.platform.faults().inject(Fault {
        path_contains: "GET /api/v1/spaces".to_owned(),
        times: 1,
        kind: FaultKind::Status { status: 200, headers: Vec::new(), body: body.to_string() },
    });
    let spaces = server.ask("list_spaces", json!({})).await;
    assert!(spaces.to_string().contains(r#""Retail\nnew\nline""#), "{spaces}");

    let arguments = json!({"spaceName": format!("Re{UNSEEN}tail\u{2028}new\u{2029}line")});
    let get = json!({"jsonrpc": "2.0", "id": 1, "method": "prompts/get",
        "params": {"name": "space-overview", "arguments": arguments}});
    let answer = server.send(server.post(Some(&server.token()), &get)).await;
    assert!(answer.text.contains("Retail new line"), "{}", answer.text);
}

/// What `serve` says to settings that it must refuse.
async fn refusal(settings: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"));
    command.arg("serve").env_clear().envs(settings.iter().copied()).env("PORT", "0").kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(20), command.output()).await.unwrap().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn nobody_serves_the_world_without_sign_in() {
    insta::assert_snapshot!(
        refusal(&[("REQUIRE_AUTH", "false"), ("PUBLIC_URL", "https://mcp.example.com")]).await,
        @r#"
    The configuration was refused:
      - REQUIRE_AUTH="false" (environment) is refused because PUBLIC_URL=https://mcp.example.com is not loopback: without sign-in only this machine is served, so leave PUBLIC_URL unset or set it to an origin on loopback
    Run `sequentum-mcp --help` for all settings.
    "#
    );
    // On this machine it may have a name.
    for origin in ["http://localhost:3000", "http://127.0.0.1:8080"] {
        let settings = [("REQUIRE_AUTH", "false"), ("PUBLIC_URL", origin)];
        TestServer::with(&settings, Catalog::new()).await.stop().await;
    }
}

#[tokio::test]
async fn a_host_that_nobody_can_ask_for_is_refused_at_start() {
    insta::assert_snapshot!(refusal(&[("ALLOWED_HOSTS", "[::1]x")]).await, @r#"
    The configuration was refused:
      - ALLOWED_HOSTS="[::1]x" (environment) is refused: expected a comma-separated list of host names, each with or without a port
    Run `sequentum-mcp --help` for all settings.
    "#);
}
