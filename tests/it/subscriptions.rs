//! Following a run: `subscriptions/listen` in the newer era, `resources/subscribe` on a live session in the older.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use sequentum_mcp::{
    demo::{Fault, FaultKind},
    tools::Catalog,
};
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, TestServer, events::Events, waiting::until};

fn listen(uris: &[&str]) -> Value {
    let filter = json!({"resourceSubscriptions": uris, "toolsListChanged": true});
    json!({"jsonrpc": "2.0", "id": "sub", "method": "subscriptions/listen", "params": {"notifications": filter}})
}

/// Starts a run and returns its URI.
async fn start(server: &TestServer, agent: u32) -> String {
    let run = server.ask("start_agent", json!({"agentId": agent})).await["run"]["id"].clone();
    format!("sequentum://agents/{agent}/runs/{run}")
}

/// A run that waits for a slot, so that nothing changes for a long time.
async fn waiting(server: &TestServer) -> String {
    let runs = server.ask("get_agent_runs", json!({"agentId": 7306, "maxRecords": 1})).await;
    assert_eq!(runs["runs"][0]["statusName"], "Queuing");
    format!("sequentum://agents/7306/runs/{}", runs["runs"][0]["id"])
}

async fn open(server: &TestServer, token: &str, uris: &[&str]) -> Events {
    Events::of(server.post_modern(token, &listen(uris)).send().await.unwrap())
}

async fn status(server: &TestServer, uri: &str) -> String {
    let read = json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}});
    let answer = server.send(server.post(Some(&server.token()), &read)).await.json();
    let run: Value = serde_json::from_str(answer["result"]["contents"][0]["text"].as_str().unwrap()).unwrap();
    run["statusName"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_run_is_followed_to_its_end() {
    let server = TestServer::start().await;
    let uri = start(&server, 7302).await;
    // Listed twice, with a resource that cannot be followed and one that is no URI of ours.
    let uris = [&*uri, &*uri, "sequentum://agents/7302", "https://elsewhere.example/"];
    let mut events = open(&server, &server.token(), &uris).await;
    let acknowledged = events.next().await.unwrap();
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"], json!({"resourceSubscriptions": [uri]}));
    assert_eq!(acknowledged["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "sub");
    let mut seen = Vec::new();
    let result = loop {
        let message = server.while_time_passes(events.next()).await.unwrap();
        if message.get("result").is_some() {
            break message;
        }
        assert_eq!(message["method"], "notifications/resources/updated", "{message}");
        assert_eq!(message["params"]["uri"], uri);
        assert_eq!(message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "sub");
        seen.push(status(&server, &uri).await);
    };
    assert_eq!((&result["id"], &result["result"]["resultType"]), (&json!("sub"), &json!("complete")));
    assert_eq!(events.next().await, None);
    seen.dedup();
    assert!(seen.len() >= 3, "{seen:?}");
    assert_eq!(seen.last().unwrap(), "Success");
}

#[tokio::test]
async fn a_subscription_ends_with_the_token() {
    let server = TestServer::start().await;
    let old = server.token();
    // A token lasts an hour.
    server.clock.advance(Duration::from_secs(3592));
    let uri = start(&server, 7302).await;
    let mut events = open(&server, &old, &[&uri]).await;
    events.next().await.unwrap();
    while server.while_time_passes(events.next()).await.unwrap().get("result").is_none() {}
    assert_ne!(status(&server, &uri).await, "Success", "it ended before the run");
    let refused = server.send(server.post_modern(&old, &listen(&[&uri]))).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nobody_follows_what_they_may_not_see() {
    let server = TestServer::start().await;
    let uri = waiting(&server).await;
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    // Foreign and unknown look the same: not honoured, and with nothing left the stream ends.
    for uri in [&*uri, "sequentum://agents/9101/runs/999999"] {
        let mut events = open(&server, &bob, &[uri]).await;
        let acknowledged = events.next().await.unwrap();
        assert_eq!(acknowledged["params"]["notifications"], json!({}), "{uri}");
        assert!(events.next().await.unwrap().get("result").is_some());
    }
    let without = server.token_for(&TestServer::alice(), "agents:read");
    let answer = server.send(server.post_modern(&without, &listen(&[&uri]))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.header("www-authenticate").contains("scope=\"agents:read runs:read\""));
}

#[tokio::test]
async fn a_run_that_cannot_be_read_any_more_ends_the_subscription() {
    let server = TestServer::start().await;
    let uri = waiting(&server).await;
    let mut events = open(&server, &server.token(), &[&uri]).await;
    events.next().await.unwrap();
    server.platform.faults().inject(Fault {
        path_contains: "/status".to_owned(),
        times: 50,
        kind: FaultKind::Status { status: 404, headers: Vec::new(), body: "{}".to_owned() },
    });
    assert!(server.while_time_passes(events.next()).await.unwrap().get("result").is_some());
}

#[tokio::test]
async fn a_bad_moment_of_the_platform_ends_nothing() {
    let server = TestServer::start().await;
    let uri = start(&server, 7302).await;
    let mut events = open(&server, &server.token(), &[&uri]).await;
    events.next().await.unwrap();
    server.platform.faults().inject(Fault {
        path_contains: "/status".to_owned(),
        times: 8,
        kind: FaultKind::Status { status: 503, headers: Vec::new(), body: String::new() },
    });
    let message = server.while_time_passes(events.next()).await.unwrap();
    assert_eq!(message["method"], "notifications/resources/updated");
}

#[tokio::test]
async fn streams_of_one_caller_share_a_poller_and_are_bounded() {
    let server = TestServer::start().await;
    let uri = waiting(&server).await;
    let mut open_streams = Vec::new();
    for _ in 0..5 {
        let mut events = open(&server, &server.token(), &[&uri]).await;
        events.next().await.unwrap();
        open_streams.push(events);
    }
    let refused = server.send(server.post_modern(&server.token(), &listen(&[&uri]))).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.json()["error"]["data"]["code"], "too_many_subscriptions");
    // Another caller has places of its own.
    let mut bobs = open(&server, &server.token_for(&TestServer::bob(), ALL_SCOPES), &[&uri]).await;
    bobs.next().await.unwrap();
    let looks = || server.platform.requests().iter().filter(|seen| seen.path.ends_with("/status")).count();
    let before = looks();
    server.clock.advance(Duration::from_secs(5));
    until(|| looks() > before).await;
    assert_eq!(looks(), before + 1, "one look for five streams");
    // A stream that is closed gives its place back.
    open_streams.pop();
    loop {
        let answer = server.post_modern(&server.token(), &listen(&[&uri])).send().await.unwrap();
        if answer.status() == StatusCode::OK {
            break;
        }
    }
}

#[tokio::test]
async fn the_end_of_the_process_ends_subscriptions_with_a_result() {
    let mut server = TestServer::start().await;
    let uri = waiting(&server).await;
    let mut events = open(&server, &server.token(), &[&uri]).await;
    events.next().await.unwrap();
    server.begin_stop();
    assert!(events.next().await.unwrap().get("result").is_some());
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_reads_no_streams_cannot_listen() {
    let server = TestServer::start().await;
    let request = server.post_modern(&server.token(), &listen(&["sequentum://agents/7301/runs/1"]));
    let (client, request) = request.build_split();
    let mut request = request.unwrap();
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    let answer = client.execute(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_ACCEPTABLE);
}

/// A live session: its id, and the stream of what it is sent without asking.
async fn live(server: &TestServer, token: &str) -> (String, Events, Value) {
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let answer = server.send(server.request(Method::POST, "/mcp").bearer_auth(token).json(&initialize)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let session = answer.header("mcp-session-id").to_owned();
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(within(server, token, &session, &ready).await.0, StatusCode::ACCEPTED);
    let stream = server.request(Method::GET, "/mcp").bearer_auth(token).header("mcp-session-id", &session);
    let events = Events::of(stream.header("accept", "text/event-stream").send().await.unwrap());
    (session, events, answer.json()["result"].clone())
}

/// Sends a message within a session and returns the answer, which may come as a stream.
async fn within(server: &TestServer, token: &str, session: &str, message: &Value) -> (StatusCode, Value) {
    let request = server.request(Method::POST, "/mcp").bearer_auth(token).header("mcp-session-id", session);
    let answer = server.send(request.json(message)).await;
    let json = answer.text.lines().rfind(|line| line.contains('{')).unwrap_or("null");
    (answer.status, serde_json::from_str(json.trim_start_matches("data:")).unwrap())
}

fn subscribe(method: &str, uri: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 5, "method": method, "params": {"uri": uri}})
}

#[tokio::test]
async fn a_live_session_hears_of_its_run_until_it_ends() {
    let server = TestServer::with(&[("SESSIONS", "live")], Catalog::new()).await;
    let token = server.token();
    let (session, mut events, welcome) = live(&server, &token).await;
    assert_eq!(welcome["capabilities"]["resources"], json!({"subscribe": true}));
    let uri = start(&server, 7302).await;
    let (status_code, answer) =
        within(&server, &token, &session, &subscribe("resources/subscribe", &uri)).await;
    assert_eq!((status_code, &answer["result"]), (StatusCode::OK, &json!({})), "{answer}");
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != "Success") {
        let message = server.while_time_passes(events.next()).await.unwrap();
        assert_eq!(message["method"], "notifications/resources/updated", "{message}");
        assert_eq!(message["params"], json!({"uri": uri}));
        seen.push(status(&server, &uri).await);
    }
    assert!(seen.len() >= 3, "{seen:?}");
    let (_, answer) = within(&server, &token, &session, &subscribe("resources/unsubscribe", &uri)).await;
    assert_eq!(answer["result"], json!({}));
    for (uri, code) in [("sequentum://agents/9101/runs/1", -32002), ("sequentum://agents/7302", -32002)] {
        let (_, answer) = within(&server, &token, &session, &subscribe("resources/subscribe", uri)).await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
}

#[tokio::test]
async fn a_live_stream_ends_with_the_token() {
    let server = TestServer::with(&[("SESSIONS", "live")], Catalog::new()).await;
    let token = server.token();
    let (session, mut events, _) = live(&server, &token).await;
    let uri = waiting(&server).await;
    within(&server, &token, &session, &subscribe("resources/subscribe", &uri)).await;
    // A token lasts an hour.
    server.clock.advance(Duration::from_secs(3595));
    while server.while_time_passes(events.next()).await.is_some() {}
    let renewed = server.token();
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "prompts/list"});
    assert_eq!(within(&server, &renewed, &session, &list).await.0, StatusCode::OK, "the session goes on");
}

#[tokio::test]
async fn without_a_live_session_nothing_is_promised() {
    let server = TestServer::start().await;
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let request = server.request(Method::POST, "/mcp").bearer_auth(server.token()).json(&initialize);
    let answer = server.send(request).await.json();
    assert_eq!(answer["result"]["capabilities"]["resources"], json!({}));
    let uri = "sequentum://agents/7301/runs/1";
    let answer =
        server.send(server.post(Some(&server.token()), &subscribe("resources/subscribe", uri))).await;
    assert_eq!(answer.json()["error"]["code"], -32601);
    let discover = json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover"});
    let answer = server.send(server.post_modern(&server.token(), &discover)).await.json();
    assert_eq!(answer["result"]["capabilities"]["resources"], json!({"subscribe": true}));
}
