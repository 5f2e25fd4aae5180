//! Calls that take long: notices while they go on, and what happens when their client is no longer there.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use sequentum_mcp::{
    demo::{Fault, FaultKind},
    tools::Catalog,
};
use serde_json::{Value, json};

use crate::support::{
    TestServer,
    events::Events,
    server::call,
    tools::{CALLS, Lingers},
    waiting::{hang_up, quickly, skip, until},
};

fn with_progress(tool: &str, arguments: Value) -> Value {
    let mut message = call(tool, arguments);
    message["params"]["_meta"]["progressToken"] = json!("p");
    message
}

/// The values of the notices, which must rise, and the answer.
fn rising(messages: &[Value]) -> Vec<f64> {
    let notices = messages.iter().filter(|message| message["method"] == "notifications/progress");
    let values: Vec<f64> = notices
        .map(|notice| {
            let (done, total) =
                (notice["params"]["progress"].as_f64().unwrap(), notice["params"]["total"].as_f64().unwrap());
            assert!(done <= total, "{notice}");
            done
        })
        .collect();
    assert!(values.windows(2).all(|pair| pair[0] < pair[1]), "{values:?}");
    values
}

async fn to_the_end(mut events: Events) -> Vec<Value> {
    let mut messages = Vec::new();
    while let Some(message) = events.next().await {
        messages.push(message);
    }
    messages
}

#[tokio::test]
async fn waiting_for_a_run_tells_how_far_it_is() {
    let server = TestServer::start().await;
    let waiting = server.ask("get_agent_runs", json!({"agentId": 7306, "maxRecords": 1})).await;
    let arguments = json!({"agentId": 7306, "runId": waiting["runs"][0]["id"], "timeout": 60});
    let request = server.post_modern(&server.token(), &with_progress("wait_for_run", arguments));
    let begun = server.clock.now();
    let messages = async { to_the_end(Events::of(request.send().await.unwrap())).await };
    let messages = server.while_time_passes(messages).await;
    assert!(server.clock.now().duration_since(begun).as_secs() >= 60);
    let values = rising(&messages);
    assert!(values.len() > 6, "{values:?}");
    assert!(
        values.windows(2).all(|pair| pair[1] - pair[0] < 10.0) && 60.0 - values[values.len() - 1] < 10.0,
        "{values:?}"
    );
    assert_eq!(messages.last().unwrap()["result"]["structuredContent"]["finished"], false);
}

/// The other three wait for one answer of the platform.
#[tokio::test]
async fn a_platform_that_takes_its_time_is_no_reason_for_silence() {
    let server = TestServer::start().await;
    for path in ["/start", "/run-all", "/status"] {
        let (path_contains, kind) = (path.to_owned(), FaultKind::Hang);
        server.platform.faults().inject(Fault { path_contains, times: 1, kind });
    }
    let first = async |tool: &str, arguments: Value| {
        let message = with_progress(tool, arguments);
        let request = server.post_modern(&server.token(), &message);
        let mut events = Events::of(request.send().await.unwrap());
        let notice = events.next().await.unwrap();
        assert_eq!(notice["method"], "notifications/progress", "{tool}: {notice}");
        rising(&[notice])[0]
    };
    let pass = async {
        until(|| server.platform.requests().len() == 3).await;
        skip(Duration::from_secs(5)).await;
    };
    let (start, space, wait, ()) = tokio::join!(
        first("start_agent", json!({"agentId": 7302, "isRunSynchronously": true})),
        first("run_space_agents", json!({"spaceId": 43})),
        first("wait_for_run", json!({"agentId": 7306, "runId": 1})),
        pass,
    );
    assert!([start, space, wait].iter().all(|value| *value > 0.0));
}

async fn open(server: &TestServer) -> String {
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let message = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
    let request = server.request(Method::POST, "/mcp").bearer_auth(server.token()).json(&message);
    let session = server.send(request).await.header("mcp-session-id").to_owned();
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(server.send(within(server, &session, &ready)).await.status, StatusCode::ACCEPTED);
    session
}

fn within(server: &TestServer, session: &str, message: &Value) -> reqwest::RequestBuilder {
    let request = server.request(Method::POST, "/mcp").bearer_auth(server.token());
    request.header("mcp-session-id", session).json(message)
}

#[tokio::test]
async fn who_hangs_up_stops_the_waiting() {
    let server = TestServer::with(&[], Catalog::new().with::<Lingers<0>>()).await;
    let session = open(&server).await;
    let plain = call("lingers", json!({}));
    let noticed = with_progress("lingers", json!({}));
    let requests = [
        server.post_modern(&server.token(), &plain),
        server.post_modern(&server.token(), &noticed),
        // In the older era that is no cancellation; but nobody can fetch the answer any more.
        within(&server, &session, &plain),
        within(&server, &session, &noticed),
    ];
    for (count, request) in requests.into_iter().enumerate() {
        hang_up(request, || CALLS[0].begun() > count).await;
        // Its deadline is further away than the patience of this.
        until(|| CALLS[0].ended() > count).await;
    }
}

/// 2025-11-25, "Transports": a connection that breaks is not to be taken for a cancellation. What is never taken back
/// ends with its deadline.
#[tokio::test]
async fn an_abandoned_call_of_a_live_session_ends_when_it_is_taken_back_or_its_time_is_up() {
    let settings = [("SESSIONS", "live"), ("CALL_TIMEOUT_SECONDS", "60")];
    let server = TestServer::with(&settings, Catalog::new().with::<Lingers<1>>()).await;
    let session = open(&server).await;
    let calls = &CALLS[1];
    hang_up(within(&server, &session, &call("lingers", json!({}))), || calls.begun() == 1).await;
    // The session is still good, and the call goes on while others are answered.
    let other = server.send(within(&server, &session, &call("get_agent", json!({"agentId": 7301})))).await;
    assert_eq!(other.status, StatusCode::OK);
    assert_eq!(calls.ended(), 0);
    skip(Duration::from_mins(1)).await;
    until(|| calls.ended() == 1).await;
    let mut message = call("lingers", json!({}));
    message["id"] = json!("second");
    hang_up(within(&server, &session, &message), || calls.begun() == 2).await;
    let cancel =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "second"}});
    server.send(within(&server, &session, &cancel)).await;
    until(|| calls.ended() == 2).await;
}

/// A server whose builds never end, and the request that starts one.
async fn building(settings: &[(&str, &str)]) -> (TestServer, Value) {
    let server = TestServer::with(settings, Catalog::new()).await;
    let mut message = call("start_agent_build", json!({"prompt": "titles on shop.example.com"}));
    message["id"] = json!("build");
    (server, message)
}

/// Waits until a request of this method and path has reached the platform.
async fn until_seen(server: &TestServer, wanted: impl Fn(&str) -> bool) {
    until(|| seen(server, &wanted)).await;
}

fn seen(server: &TestServer, wanted: impl Fn(&str) -> bool) -> bool {
    server.platform.requests().iter().any(|seen| wanted(&format!("{} {}", seen.method, seen.path)))
}

fn is_start(seen: &str) -> bool {
    seen == "POST /api/v1/agent-builder/start"
}

#[tokio::test]
async fn a_build_is_stopped_by_whoever_takes_its_call_back() {
    let is_stop = |seen: &str| seen.starts_with("POST /api/v1/agent-builder/") && seen.ends_with("/stop");
    // Hanging up in the newer era, on the hot path.
    let (server, message) = building(&[]).await;
    hang_up(server.post_modern(&server.token(), &message), || seen(&server, is_start)).await;
    until_seen(&server, is_stop).await;
    // Saying so in a session of the older era, sealed or live, with and without notices.
    for (sessions, notices) in [("sealed", false), ("sealed", true), ("live", false)] {
        let (server, mut message) = building(&[("SESSIONS", sessions)]).await;
        if notices {
            message["params"]["_meta"]["progressToken"] = json!(1);
        }
        let session = open(&server).await;
        let sending = tokio::spawn(within(&server, &session, &message).send());
        until_seen(&server, is_start).await;
        let cancel =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "build"}});
        server.send(within(&server, &session, &cancel)).await;
        until_seen(&server, is_stop).await;
        sending.abort();
    }
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_older_era_stops_no_build() {
    let is_look = |seen: &str| seen.starts_with("GET /api/v1/agent-builder/") && seen.ends_with("/status");
    let stopped =
        |server: &TestServer| server.platform.requests().iter().any(|seen| seen.path.ends_with("/stop"));
    let one = async |sessions: &str, notices: bool| {
        let (server, mut message) = building(&[("SESSIONS", sessions)]).await;
        if notices {
            message["params"]["_meta"]["progressToken"] = json!(1);
        }
        let session = open(&server).await;
        hang_up(within(&server, &session, &message), || seen(&server, is_start)).await;
        // It is followed all the same: the first look comes after five seconds.
        quickly(until_seen(&server, is_look)).await;
        assert!(!stopped(&server), "{sessions} {notices}");
    };
    for (sessions, notices) in [("sealed", false), ("sealed", true), ("live", true)] {
        one(sessions, notices).await;
    }
}
