//! A sick platform: each failure has its answer, and nobody else suffers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Answer, TestServer,
    server::call,
    waiting::{hang_up, skip, until},
};
use sequentum_mcp::demo::{Fault, FaultKind};

fn status(status: u16, headers: &[(&str, &str)], body: &str) -> FaultKind {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    FaultKind::Status { status, headers, body: body.to_owned() }
}

/// What `list_spaces` answers while the platform fails like this.
async fn failing(server: &TestServer, kind: FaultKind) -> Answer {
    failing_for(server, &server.token(), kind).await
}

async fn failing_for(server: &TestServer, token: &str, kind: FaultKind) -> Answer {
    server.platform.faults().inject(Fault { path_contains: "/api/v1/".to_owned(), times: 4, kind });
    let answer = server.send(server.post(Some(token), &call("list_spaces", json!({})))).await;
    server.platform.faults().clear();
    answer
}

#[tokio::test]
async fn each_failure_has_its_answer() {
    let server = TestServer::start().await;
    let html = ("content-type", "text/html");
    let mut answers = String::new();
    for (label, kind) in [
        ("400", status(400, &[], r#"{"message":"Name is odd"}"#)),
        ("403", status(403, &[], r#"{"message":"internal"}"#)),
        (
            "404 of the platform's shape",
            status(404, &[], r#"{"statusCode":404,"message":"Space 1 does not exist"}"#),
        ),
        ("404 of RFC 7807", status(404, &[], r#"{"title":"Not Found","detail":"Space gone"}"#)),
        ("404 without a word", status(404, &[], "")),
        ("409", status(409, &[], r#"{"message":"The agent is running"}"#)),
        ("418", status(418, &[], "{}")),
        ("422", status(422, &[], r#"{"title":"One or more validation errors occurred."}"#)),
        ("429 in seconds", status(429, &[("retry-after", "700")], "{}")),
        ("429 until a date", status(429, &[("retry-after", "Sat, 21 Nov 2026 10:01:30 GMT")], "{}")),
        ("429 without a time", status(429, &[], "{}")),
        ("500", status(500, &[], r#"{"message":"at System.Data.SqlClient"}"#)),
        ("502", status(502, &[html], "<html>bad gateway</html>")),
        ("503", status(503, &[("retry-after", "60")], "")),
        ("504", status(504, &[], "")),
        ("an HTML page as success", status(200, &[html], "<html>sign in</html>")),
        ("broken JSON", status(200, &[], "{broken")),
        ("JSON of another type", status(200, &[], r#"[{"id":"not a number"}]"#)),
        ("a redirect", status(302, &[("location", "http://127.0.0.1:1/login")], "")),
        ("too large", FaultKind::Huge { bytes: 9_000_000 }),
        ("closed", FaultKind::Disconnect),
    ] {
        let answer = failing(&server, kind).await;
        assert_eq!(answer.status, 200, "{label}: {}", answer.text);
        let mut error = error_of(&answer.json()["result"]);
        assert!(error.as_object_mut().unwrap().remove("requestId").is_some(), "{label}");
        let text = error.to_string();
        for internal in ["SqlClient", "<html", "127.0.0.1", "internal\""] {
            assert!(!text.contains(internal), "{label}: {text}");
        }
        answers.extend([label, "\n  ", &text, "\n"]);
    }
    insta::assert_snapshot!(answers, @r#"
    400
      {"code":"rejected","message":"Name is odd.","remedy":"Correct the input and call the tool again.","retryable":false}
    403
      {"code":"forbidden","message":"The platform does not allow this to the signed-in user.","remedy":"Ask an administrator of the organisation for access.","retryable":false}
    404 of the platform's shape
      {"code":"not_found","message":"Space 1 does not exist.","remedy":"Check the ids: list_agents, list_spaces and get_agent_runs show valid ones.","retryable":false}
    404 of RFC 7807
      {"code":"not_found","message":"Not Found: Space gone.","remedy":"Check the ids: list_agents, list_spaces and get_agent_runs show valid ones.","retryable":false}
    404 without a word
      {"code":"not_found","message":"The platform knows no such object.","remedy":"Check the ids: list_agents, list_spaces and get_agent_runs show valid ones.","retryable":false}
    409
      {"code":"conflict","message":"The agent is running.","remedy":"Look at the present state (get_agent_runs), then decide whether to call again.","retryable":false}
    418
      {"code":"platform_status","message":"The platform answered with status 418.","remedy":"Check the arguments.","retryable":false}
    422
      {"code":"rejected","message":"One or more validation errors occurred.","remedy":"Correct the input and call the tool again.","retryable":false}
    429 in seconds
      {"code":"rate_limited","message":"The platform's request limit is used up for the moment.","remedy":"Wait before the next call.","retryAfterSeconds":700,"retryable":true}
    429 until a date
      {"code":"rate_limited","message":"The platform's request limit is used up for the moment.","remedy":"Wait before the next call.","retryAfterSeconds":90,"retryable":true}
    429 without a time
      {"code":"rate_limited","message":"The platform's request limit is used up for the moment.","remedy":"Wait before the next call.","retryAfterSeconds":60,"retryable":true}
    500
      {"code":"platform_error","message":"The platform failed with status 500.","remedy":"Try again in a minute.","retryable":true}
    502
      {"code":"platform_error","message":"The platform failed with status 502.","remedy":"Try again in a minute.","retryable":true}
    503
      {"code":"platform_error","message":"The platform failed with status 503.","remedy":"Try again in a minute.","retryAfterSeconds":60,"retryable":true}
    504
      {"code":"platform_error","message":"The platform failed with status 504.","remedy":"Try again in a minute.","retryable":true}
    an HTML page as success
      {"code":"platform_answer","message":"The platform sent an answer that cannot be used.","remedy":"Report it with the request id if it happens again.","retryable":false}
    broken JSON
      {"code":"platform_answer","message":"The platform sent an answer that cannot be used.","remedy":"Report it with the request id if it happens again.","retryable":false}
    JSON of another type
      {"code":"platform_answer","message":"The platform sent an answer that cannot be used.","remedy":"Report it with the request id if it happens again.","retryable":false}
    a redirect
      {"code":"platform_answer","message":"The platform sent an answer that cannot be used.","remedy":"Report it with the request id if it happens again.","retryable":false}
    too large
      {"code":"platform_answer","message":"The platform sent an answer that cannot be used.","remedy":"Report it with the request id if it happens again.","retryable":false}
    closed
      {"code":"platform_unreachable","message":"The platform cannot be reached at the moment.","remedy":"Try again in a minute.","retryable":true}
    "#);
}

fn error_of(result: &Value) -> Value {
    let text = result["content"][0]["text"].as_str().unwrap();
    serde_json::from_str::<Value>(text).unwrap()["error"].take()
}

/// What concerns the sign-in is answered with a challenge, because only that makes clients do something about it.
#[tokio::test]
async fn a_refused_credential_becomes_a_challenge() {
    let server = TestServer::start().await;
    let body = r#"{"statusCode":401,"message":"The token was revoked"}"#;
    insta::assert_snapshot!(failing(&server, status(401, &[], body)).await.pinned(&server), @r#"
    401
    www-authenticate: Bearer error="invalid_token", error_description="the platform no longer accepts the access token", scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":401,"message":"The platform no longer accepts the access token.","data":{"code":"token_revoked","remedy":"Sign in again to get a fresh access token for this server.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
    // A deployment that wants more than this operation is known to want.
    let challenge = r#"Bearer error="insufficient_scope", scope="agents:read""#;
    let refused = status(403, &[("www-authenticate", challenge)], r#"{"errorCode":"insufficient_scope"}"#);
    let token = server.token_for(&TestServer::alice(), "spaces:read");
    insta::assert_snapshot!(failing_for(&server, &token, refused).await.pinned(&server), @r#"
    403
    www-authenticate: Bearer error="insufficient_scope", error_description="the access token lacks the scope agents:read", scope="agents:read spaces:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"code":"insufficient_scope","message":"the access token lacks the scope agents:read","remedy":"Sign in again and approve the scopes in the challenge.","retryable":false,"requestId":"<request-id>","error":"insufficient_scope","error_description":"the access token lacks the scope agents:read","scope":"agents:read spaces:read"}
    "#);
}

#[tokio::test]
async fn a_platform_that_never_answers_is_given_up_after_four_attempts() {
    let server =
        TestServer::with(&[("API_TIMEOUT_SECONDS", "1")], sequentum_mcp::tools::Catalog::new()).await;
    let out_of_time = async {
        for attempt in 1..=4 {
            until(|| server.platform.requests().len() == attempt).await;
            skip(Duration::from_secs(1)).await;
        }
    };
    let (answer, ()) = tokio::join!(failing(&server, FaultKind::Hang), out_of_time);
    let mut error = error_of(&answer.json()["result"]);
    error.as_object_mut().unwrap().remove("requestId");
    insta::assert_json_snapshot!(error, @r#"
    {
      "code": "platform_timeout",
      "message": "The platform did not answer in time.",
      "remedy": "Try again in a minute.",
      "retryable": true
    }
    "#);
    assert_eq!(server.platform.requests().len(), 4);
}

#[tokio::test]
async fn what_passes_by_itself_is_repeated_and_a_start_is_not() {
    let server = TestServer::start().await;
    let fault = |times| Fault { path_contains: "/api/v1/".to_owned(), times, kind: status(503, &[], "") };
    server.platform.faults().inject(fault(2));
    assert_eq!(server.ask("list_spaces", json!({})).await["returned"], 3, "the third attempt succeeded");
    assert_eq!(server.platform.requests().len(), 3);
    server.platform.faults().inject(fault(1));
    let error = server.refused("start_agent", json!({"agentId": 7302})).await;
    assert_eq!(error["retryable"], false, "{error}");
    let starts = server.platform.requests().iter().filter(|seen| seen.path.ends_with("/start")).count();
    assert_eq!(starts, 1);
}

#[tokio::test]
async fn a_platform_that_hangs_costs_one_caller_its_deadline_and_others_nothing() {
    let settings = &[("API_TIMEOUT_SECONDS", "1"), ("CALL_TIMEOUT_SECONDS", "1")];
    let server = TestServer::with(settings, sequentum_mcp::tools::Catalog::new()).await;
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 1,
        kind: FaultKind::Hang,
    });
    let others = async {
        until(|| server.platform.requests().len() == 1).await;
        assert_eq!(server.ask("get_agent", json!({"agentId": 7301})).await["id"], 7301);
        skip(Duration::from_secs(1)).await;
    };
    let (stuck, ()) = tokio::join!(server.refused("list_spaces", json!({})), others);
    assert_eq!(stuck["retryable"], true, "{stuck}");
    assert!(stuck["code"] == "platform_timeout" || stuck["code"] == "timeout", "{stuck}");
}

#[tokio::test]
async fn a_client_that_hangs_up_aborts_its_read() {
    let server = TestServer::start().await;
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 1,
        kind: FaultKind::Hang,
    });
    let request = server.post(Some(&server.token()), &call("list_spaces", json!({})));
    hang_up(request, || server.platform.requests().len() == 1).await;
    // The request to the platform is given up with it, long before it would have run out of time.
    let given_up = r#"platform_requests_total{operation="listSpaces",outcome="abandoned"} 1"#;
    server.scrape_until(|page| page.contains(given_up)).await;
    assert_eq!(server.ask("get_agent", json!({"agentId": 7301})).await["id"], 7301);
    assert_eq!(server.platform.requests().len(), 2, "and the read is not repeated");
}
