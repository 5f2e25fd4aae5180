//! Sealed sessions: they belong to their opener, and prove nothing.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use sequentum_mcp::{
    demo::{Fault, FaultKind},
    tools::Catalog,
};
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, TestServer, waiting::until};

fn initialize() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {"elicitation": {}}, "clientInfo": {"name": "t", "version": "1"}}})
}

fn list() -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"})
}

async fn open(server: &TestServer, token: &str) -> String {
    let answer =
        server.send(server.request(Method::POST, "/mcp").bearer_auth(token).json(&initialize())).await;
    answer.header("mcp-session-id").to_owned()
}

fn within(server: &TestServer, token: &str, session: &str) -> RequestBuilder {
    server.request(Method::POST, "/mcp").bearer_auth(token).header("mcp-session-id", session).json(&list())
}

async fn status(server: &TestServer, token: &str, session: &str) -> StatusCode {
    server.send(within(server, token, session)).await.status
}

#[tokio::test]
async fn a_session_continues_with_a_refreshed_token_of_the_same_caller() {
    let server = TestServer::start().await;
    let session = open(&server, &server.token()).await;
    assert_eq!(status(&server, &server.token(), &session).await, StatusCode::OK);
    server.clock.advance(Duration::from_mins(30));
    let refreshed = server.token_for(&TestServer::alice(), "runs:read");
    assert_eq!(status(&server, &refreshed, &session).await, StatusCode::OK);
}

#[tokio::test]
async fn session_of_another_caller() {
    let server = TestServer::start().await;
    let session = open(&server, &server.token()).await;
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    insta::assert_snapshot!(server.send(within(&server, &bob, &session)).await.pinned(&server), @r#"
    404
    {"jsonrpc":"2.0","id":7,"error":{"code":404,"message":"There is no such session.","data":{"code":"session_not_found","remedy":"Start over with initialize.","retryable":false,"requestId":"<request-id>"}}}
    "#);
    let delete = server.request(Method::DELETE, "/mcp").bearer_auth(&bob).header("mcp-session-id", &session);
    assert_eq!(server.send(delete).await.status, StatusCode::NOT_FOUND);
    assert_eq!(status(&server, &server.token(), &session).await, StatusCode::OK, "and it was not ended");
}

#[tokio::test]
async fn altered_made_up_and_expired_sessions_are_unknown() {
    let server = TestServer::start().await;
    let session = open(&server, &server.token()).await;
    let mut altered = session.clone().into_bytes();
    for position in [0, 20, altered.len() / 2, altered.len() - 2] {
        altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered.clone()).unwrap();
        assert_eq!(status(&server, &server.token(), &altered).await, StatusCode::NOT_FOUND);
    }
    for made_up in ["x", "01a1fd9b-d3e9-7027-8ed7-069ec54ea48f", &"A".repeat(2000)] {
        assert_eq!(status(&server, &server.token(), made_up).await, StatusCode::NOT_FOUND);
    }
    server.clock.advance(Duration::from_hours(24));
    let fresh = server.token();
    assert_eq!(status(&server, &fresh, &session).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_ended_session_is_unknown() {
    let server = TestServer::start().await;
    let session = open(&server, &server.token()).await;
    let delete = || {
        server.request(Method::DELETE, "/mcp").bearer_auth(server.token()).header("mcp-session-id", &session)
    };
    assert_eq!(server.send(delete()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(status(&server, &server.token(), &session).await, StatusCode::NOT_FOUND);
    assert_eq!(server.send(delete()).await.status, StatusCode::NOT_FOUND);
    let none = server.request(Method::DELETE, "/mcp").bearer_auth(server.token());
    assert_eq!(server.send(none).await.status, StatusCode::BAD_REQUEST);
    let anonymous = server.request(Method::DELETE, "/mcp").header("mcp-session-id", &session);
    assert_eq!(server.send(anonymous).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_revision_of_the_session_holds() {
    let server = TestServer::start().await;
    let session = open(&server, &server.token()).await;
    let other = within(&server, &server.token(), &session).header("mcp-protocol-version", "2025-11-25");
    insta::assert_snapshot!(server.send(other).await.pinned(&server), @r#"
    400
    {"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"MCP-Protocol-Version differs from what this session negotiated.","data":{"code":"revision_mismatch","remedy":"Send the negotiated revision.","retryable":false,"requestId":"<request-id>","negotiated":"2025-06-18"}}}
    "#);
    let same = within(&server, &server.token(), &session).header("mcp-protocol-version", "2025-06-18");
    assert_eq!(server.send(same).await.status, StatusCode::OK);
}

#[tokio::test]
async fn replicas_with_the_same_key_share_sessions_and_others_do_not() {
    let key = "00".repeat(32);
    let rotated = format!("{},{key}", "11".repeat(32));
    let one = TestServer::with(&[("SESSION_KEY", &key)], Catalog::new()).await;
    let session = open(&one, &one.token()).await;
    let audience = one.endpoint();
    let start = |settings: Vec<(&'static str, String)>| {
        let (platform, clock, audience) = (one.platform.clone(), one.clock.clone(), audience.clone());
        async move {
            let settings: Vec<_> = settings
                .iter()
                .map(|(k, v)| (*k, v.as_str()))
                .chain([("OAUTH_AUDIENCES", audience.as_str())])
                .collect();
            TestServer::before(platform, clock, &settings, Catalog::new()).await
        }
    };
    let two = start(vec![("SESSION_KEY", key.clone())]).await;
    assert_eq!(status(&two, &one.token(), &session).await, StatusCode::OK);
    let three = start(vec![("SESSION_KEY", rotated)]).await;
    assert_eq!(status(&three, &one.token(), &session).await, StatusCode::OK, "old keys still open");
    let four = start(vec![]).await;
    assert_eq!(status(&four, &one.token(), &session).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sessions_can_be_switched_off() {
    let server = TestServer::with(&[("SESSIONS", "off")], Catalog::new()).await;
    assert_eq!(open(&server, &server.token()).await, "");
    assert_eq!(
        status(&server, &server.token(), "left over").await,
        StatusCode::OK,
        "a stale id does no harm"
    );
}

/// A call that the platform never answers, within a session; returns its answer once it was taken back.
async fn taken_back(server: &TestServer, session: &str, progress: bool) -> Value {
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 1,
        kind: FaultKind::Hang,
    });
    let asked = server.platform.requests().len();
    let mut message = json!({"jsonrpc": "2.0", "id": "long", "method": "tools/call",
        "params": {"name": "list_spaces", "arguments": {}}});
    if progress {
        message["params"]["_meta"] = json!({"progressToken": 1});
    }
    let post = |message: &Value, session: &str| {
        let request = server.request(Method::POST, "/mcp").bearer_auth(server.token());
        request.header("mcp-session-id", session).json(message)
    };
    let other = open(server, &server.token()).await;
    let call = server.send(post(&message, session));
    let cancel = async {
        until(|| server.platform.requests().len() > asked).await;
        let cancel =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "long"}});
        // The same id in another session, and another id in this one, are other calls.
        server.send(post(&cancel, &other)).await;
        let wrong =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "longer"}});
        server.send(post(&wrong, session)).await;
        assert_eq!(server.send(post(&cancel, session)).await.status, StatusCode::ACCEPTED);
    };
    tokio::join!(call, cancel).0.json()
}

#[tokio::test]
async fn a_call_can_be_taken_back_by_its_own_session() {
    let server = TestServer::start().await;
    let session = open(&server, &server.token()).await;
    for progress in [false, true] {
        let answer = taken_back(&server, &session, progress).await;
        let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let error: Value = serde_json::from_str(text).unwrap();
        assert_eq!(error["error"]["code"], "cancelled", "{answer}");
    }
    assert_eq!(server.ask("get_agent", json!({"agentId": 7301})).await["id"], 7301);
}
