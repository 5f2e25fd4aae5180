//! Live sessions: bound to their opener, counted, ended when idle, and told about nothing that is not theirs.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use sequentum_mcp::{
    demo::{Fault, FaultKind},
    tools::Catalog,
};
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, Answer, TestServer, events::Events, server::call, waiting::until};

const LIVE: (&str, &str) = ("SESSIONS", "live");

pub async fn start(settings: &[(&str, &str)]) -> TestServer {
    let settings: Vec<_> = std::iter::once(LIVE).chain(settings.iter().copied()).collect();
    TestServer::with(&settings, Catalog::new()).await
}

async fn initialize(server: &TestServer, token: &str) -> Answer {
    initialize_able(server, token, &json!({"elicitation": {}})).await
}

async fn initialize_able(server: &TestServer, token: &str, capabilities: &Value) -> Answer {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"}}});
    server.send(server.request(Method::POST, "/mcp").bearer_auth(token).json(&message)).await
}

/// Opens a session of a client that shows forms, and completes the handshake.
pub async fn open(server: &TestServer, token: &str) -> String {
    open_able(server, token, &json!({"elicitation": {}})).await
}

/// The same of a client with these capabilities.
pub async fn open_able(server: &TestServer, token: &str, capabilities: &Value) -> String {
    let answer = initialize_able(server, token, capabilities).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["result"]["protocolVersion"], "2025-06-18");
    let session = answer.header("mcp-session-id").to_owned();
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(send(server, token, &session, &ready).await.status, StatusCode::ACCEPTED);
    session
}

pub fn within(server: &TestServer, token: &str, session: &str, method: Method) -> RequestBuilder {
    server.request(method, "/mcp").bearer_auth(token).header("mcp-session-id", session)
}

pub async fn send(server: &TestServer, token: &str, session: &str, message: &Value) -> Answer {
    server.send(within(server, token, session, Method::POST).json(message)).await
}

/// The answer in an event stream.
pub fn answer(text: &str) -> Value {
    let data =
        text.lines().filter_map(|line| line.strip_prefix("data:")).rfind(|data| !data.trim().is_empty());
    serde_json::from_str(data.unwrap_or_else(|| panic!("no answer: {text}"))).unwrap()
}

fn list() -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"})
}

async fn listen(server: &TestServer, token: &str, session: &str) -> Events {
    Events::of(within(server, token, session, Method::GET).send().await.unwrap())
}

#[tokio::test]
async fn the_revision_of_the_session_holds_for_listening_too() {
    let server = start(&[]).await;
    let session = open(&server, &server.token()).await;
    let get = within(&server, &server.token(), &session, Method::GET);
    let answer = server.send(get.header("mcp-protocol-version", "2025-11-25")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["error"]["data"]["code"], "revision_mismatch");
}

#[tokio::test]
async fn a_session_belongs_to_its_opener_and_the_librarys_ids_open_nothing() {
    let server = start(&[]).await;
    let session = open(&server, &server.token()).await;
    let mine = send(&server, &server.token(), &session, &list()).await;
    assert!(answer(&mine.text)["result"]["tools"].is_array());
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let foreign = server.send(within(&server, &bob, &session, method.clone()).json(&list())).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{method}");
        assert_eq!(foreign.json()["error"]["data"]["code"], "session_not_found");
    }
    // A handle of our own sealing, whose live session is not here: another process, or one that was restarted.
    let key = "00".repeat(32);
    let first = start(&[("SESSION_KEY", &key)]).await;
    let orphan = open(&first, &first.token()).await;
    let audience = first.endpoint();
    let settings = [LIVE, ("SESSION_KEY", &*key), ("OAUTH_AUDIENCES", &*audience)];
    let second =
        TestServer::before(first.platform.clone(), first.clock.clone(), &settings, Catalog::new()).await;
    assert_eq!(send(&second, &first.token(), &orphan, &list()).await.status, StatusCode::NOT_FOUND);
    assert_eq!(send(&server, &server.token(), &session, &list()).await.status, StatusCode::OK, "still there");
}

#[tokio::test]
async fn calls_within_a_session_answer_as_they_do_without() {
    let server = start(&[]).await;
    let token = server.token();
    let session = open(&server, &token).await;
    let get_agent = call("get_agent", json!({"agentId": 7301}));
    let inside = answer(&send(&server, &token, &session, &get_agent).await.text);
    let outside = server.send(server.post(Some(&token), &get_agent)).await.json();
    assert_eq!(inside, outside);
    // A client that reads JSON only gets JSON.
    let plain = within(&server, &token, &session, Method::POST).header("accept", "application/json");
    let plain = server.send(plain.json(&get_agent)).await;
    assert_eq!(plain.header("content-type"), "application/json");
    assert_eq!(plain.json(), outside);
}

#[tokio::test]
async fn the_newer_era_has_no_sessions_here_either() {
    let server = start(&[]).await;
    let answer = server.send(server.post_modern(&server.token(), &list())).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("mcp-session-id"), "");
}

#[tokio::test]
async fn deleting_ends_the_session_and_its_stream() {
    let server = start(&[]).await;
    let token = server.token();
    let session = open(&server, &token).await;
    let mut events = listen(&server, &token, &session).await;
    let deleted = server.send(within(&server, &token, &session, Method::DELETE)).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(events.next().await, None);
    assert_eq!(send(&server, &token, &session, &list()).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn there_is_room_for_so_many_and_no_more() {
    let server = start(&[("MAX_SESSIONS", "2")]).await;
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    let first = open(&server, &server.token()).await;
    open(&server, &server.token()).await;
    insta::assert_snapshot!(initialize(&server, &bob).await.pinned(&server), @r#"
    503
    retry-after: 60
    {"jsonrpc":"2.0","id":1,"error":{"code":503,"message":"There is no room for another session.","data":{"code":"too_many_sessions","remedy":"Try again in a minute, or end a session that is not needed.","retryable":true,"retryAfterSeconds":60,"requestId":"<request-id>"}}}
    "#);
    // An ended one makes room.
    server.send(within(&server, &server.token(), &first, Method::DELETE)).await;
    open(&server, &bob).await;
}

#[tokio::test]
async fn the_quietest_session_of_a_caller_gives_way_and_one_that_is_listened_to_does_not() {
    let server = start(&[]).await;
    let token = server.token();
    let listened = open(&server, &token).await;
    let mut events = listen(&server, &token, &listened).await;
    let quiet = open(&server, &token).await;
    for _ in 0..18 {
        server.clock.advance(Duration::from_secs(1));
        open(&server, &token).await;
    }
    server.clock.advance(Duration::from_secs(1));
    let last = open(&server, &token).await;
    assert_eq!(send(&server, &token, &quiet, &list()).await.status, StatusCode::NOT_FOUND);
    for kept in [&listened, &last] {
        assert_eq!(send(&server, &token, kept, &list()).await.status, StatusCode::OK);
    }
    server.send(within(&server, &token, &listened, Method::DELETE)).await;
    assert_eq!(events.next().await, None, "it was open until now");
}

#[tokio::test]
async fn streams_that_nobody_listens_to_any_more_do_not_lock_their_caller_out() {
    let server = start(&[("MAX_STREAMS_PER_USER", "100")]).await;
    let token = server.token();
    let mut left_open = Vec::new();
    for _ in 0..21 {
        let session = open(&server, &token).await;
        left_open.push(listen(&server, &token, &session).await);
        server.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(left_open[0].next().await, None, "the oldest has given way");
}

#[tokio::test]
async fn a_stream_that_is_closed_keeps_no_session() {
    let server = start(&[("SESSION_IDLE_SECONDS", "60")]).await;
    let session = open(&server, &server.token()).await;
    drop(listen(&server, &server.token(), &session).await);
    loop {
        server.clock.advance(Duration::from_secs(61));
        if send(&server, &server.token(), &session, &list()).await.status == StatusCode::NOT_FOUND {
            break;
        }
    }
}

#[tokio::test]
async fn an_idle_session_ends_and_a_stream_or_a_long_call_keeps_it() {
    let server = start(&[("SESSION_IDLE_SECONDS", "600"), ("CALL_TIMEOUT_SECONDS", "3600")]).await;
    let (idle, listened, calling) = (
        open(&server, &server.token()).await,
        open(&server, &server.token()).await,
        open(&server, &server.token()).await,
    );
    let token = server.token();
    let _events = listen(&server, &token, &listened).await;
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 1,
        kind: FaultKind::Delay(Duration::from_secs(700)),
    });
    let status = async |session| send(&server, &token, session, &list()).await.status;
    let long = call("list_spaces", json!({}));
    let long = send(&server, &token, &calling, &long);
    let meanwhile = async {
        until(|| server.platform.requests().len() == 1).await;
        server.clock.advance(Duration::from_secs(650));
        // The sessions that are idle have been ended when this one is no longer counted.
        server.scrape_until(|page| page.contains("sequentum_mcp_live_sessions 2\n")).await;
        assert_eq!(status(&idle).await, StatusCode::NOT_FOUND);
        server.clock.advance(Duration::from_secs(50));
    };
    let (long, ()) = tokio::join!(long, meanwhile);
    assert_eq!(answer(&long.text)["result"]["isError"], false, "{}", long.text);
    assert_eq!(status(&listened).await, StatusCode::OK);
    assert_eq!(status(&calling).await, StatusCode::OK);
}

#[tokio::test]
async fn a_call_can_be_taken_back_by_its_own_session() {
    let server = start(&[]).await;
    let token = server.token();
    let (session, other) = (open(&server, &token).await, open(&server, &token).await);
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 1,
        kind: FaultKind::Hang,
    });
    let message = json!({"jsonrpc": "2.0", "id": "long", "method": "tools/call",
        "params": {"name": "list_spaces", "arguments": {}}});
    let mut hanging =
        Events::of(within(&server, &token, &session, Method::POST).json(&message).send().await.unwrap());
    let arrived = || server.platform.requests().iter().any(|seen| seen.path == "/api/v1/spaces");
    until(arrived).await;
    let cancel =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "long"}});
    // The same id in another session is another call.
    send(&server, &token, &other, &cancel).await;
    send(&server, &token, &session, &cancel).await;
    assert_eq!(hanging.next().await, None, "the stream ends without an answer");
    assert_eq!(server.ask("get_agent", json!({"agentId": 7301})).await["id"], 7301);
}

#[tokio::test]
async fn the_result_of_a_running_call_is_there_for_who_comes_back_after_the_connection_broke() {
    let server = start(&[]).await;
    let token = server.token();
    let session = open(&server, &token).await;
    let run = server.ask("start_agent", json!({"agentId": 7302})).await["run"]["id"].clone();
    let wait = json!({"jsonrpc": "2.0", "id": "long", "method": "tools/call", "params": {
        "name": "wait_for_run", "arguments": {"agentId": 7302, "runId": run}, "_meta": {"progressToken": "p"}}});
    let mut broken = within(&server, &token, &session, Method::POST).json(&wait).send().await.unwrap();
    let mut heard = String::new();
    while !heard.contains("notifications/progress") || !heard.ends_with("\n\n") {
        let chunk = server.while_time_passes(broken.chunk()).await.unwrap().expect("progress");
        heard.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    drop(broken);
    let last = heard.lines().filter_map(|line| line.strip_prefix("id:")).next_back().unwrap().trim();
    let resume = || within(&server, &token, &session, Method::GET).header("last-event-id", last);
    let mut events = Events::of(resume().send().await.unwrap());
    let result = loop {
        let message = server.while_time_passes(events.next()).await.expect("the result");
        if message.get("result").is_some() {
            break message;
        }
    };
    assert_eq!(result["id"], "long");
    assert_eq!(result["result"]["structuredContent"]["statusName"], "Success", "{result}");
    // Once it has been delivered it is not kept.
    assert_eq!(Events::of(resume().send().await.unwrap()).next().await, None);
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    let foreign = within(&server, &bob, &session, Method::GET).header("last-event-id", last);
    assert_eq!(server.send(foreign).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_get_without_a_session_is_no_stream() {
    let server = start(&[]).await;
    let get = server.send(server.request(Method::GET, "/mcp").bearer_auth(server.token())).await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    let anonymous = server.send(server.request(Method::GET, "/mcp")).await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
}
