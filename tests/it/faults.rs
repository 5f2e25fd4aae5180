//! A sick platform: each failure has its answer, and nobody else suffers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::TestServer;
use sequentum_mcp::demo::{Fault, FaultKind};

fn status(status: u16, headers: &[(&str, &str)], body: &str) -> FaultKind {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    FaultKind::Status { status, headers, body: body.to_owned() }
}

async fn failing(server: &TestServer, times: u32, kind: FaultKind) -> Value {
    server.platform.faults().inject(Fault { path_contains: "/api/v1/".to_owned(), times, kind });
    let error = server.refused("list_spaces", json!({})).await;
    server.platform.faults().clear();
    error
}

#[tokio::test]
async fn each_failure_has_its_answer() {
    let server = TestServer::start().await;
    let html = ("content-type", "text/html");
    for (kind, code, retryable) in [
        (status(400, &[], r#"{"message":"Name is odd"}"#), "rejected", false),
        (status(403, &[], r#"{"message":"internal"}"#), "forbidden", false),
        (status(404, &[], r#"{"title":"Not Found","detail":"Space gone"}"#), "not_found", false),
        (status(409, &[], "{}"), "conflict", false),
        (status(422, &[], "{}"), "rejected", false),
        (status(429, &[("retry-after", "700")], "{}"), "rate_limited", true),
        (status(500, &[], r#"{"message":"at System.Data.SqlClient"}"#), "platform_error", true),
        (status(502, &[html], "<html>bad gateway</html>"), "platform_error", true),
        (status(200, &[html], "<html>sign in</html>"), "platform_answer", false),
        (status(200, &[], "{broken"), "platform_answer", false),
        (status(200, &[], r#"[{"id":"not a number"}]"#), "platform_answer", false),
        (status(302, &[("location", "http://127.0.0.1:1/login")], ""), "platform_answer", false),
        (status(418, &[], "{}"), "platform_status", false),
        (FaultKind::Huge { bytes: 9_000_000 }, "platform_answer", false),
        (FaultKind::Disconnect, "platform_unreachable", true),
    ] {
        let label = format!("{kind:?}");
        let error = failing(&server, 4, kind).await;
        assert_eq!(error["code"], code, "{label}: {error}");
        assert_eq!(error["retryable"], retryable, "{label}");
        let text = error.to_string();
        for internal in ["SqlClient", "<html", "127.0.0.1", "internal\""] {
            assert!(!text.contains(internal), "{label}: {text}");
        }
    }
}

#[tokio::test]
async fn the_platforms_words_are_passed_on_where_they_help() {
    let server = TestServer::start().await;
    insta::assert_json_snapshot!(failing(&server, 1, status(404, &[], r#"{"title":"Not Found","detail":"Space gone"}"#)).await, @r#"
    {
      "code": "not_found",
      "message": "Not Found: Space gone.",
      "remedy": "Check the ids: list_agents, list_spaces and get_agent_runs show valid ones.",
      "retryable": false
    }
    "#);
    insta::assert_json_snapshot!(failing(&server, 1, status(429, &[("retry-after", "700")], "{}")).await, @r#"
    {
      "code": "rate_limited",
      "message": "The platform's request limit is used up for the moment.",
      "remedy": "Wait before the next call.",
      "retryAfterSeconds": 700,
      "retryable": true
    }
    "#);
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
async fn a_platform_that_hangs_costs_one_caller_a_second_and_others_nothing() {
    let clockless = &[("API_TIMEOUT_SECONDS", "1"), ("CALL_TIMEOUT_SECONDS", "1")];
    let server = TestServer::with(clockless, sequentum_mcp::tools::Catalog::new()).await;
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 1,
        kind: FaultKind::Hang,
    });
    let (stuck, fine) = tokio::join!(
        server.refused("list_spaces", json!({})),
        server.ask("get_agent", json!({"agentId": 7301}))
    );
    assert_eq!(stuck["retryable"], true, "{stuck}");
    assert!(stuck["code"] == "platform_timeout" || stuck["code"] == "timeout", "{stuck}");
    assert_eq!(fine["id"], 7301);
}

#[tokio::test]
async fn a_client_that_hangs_up_aborts_its_read() {
    let server = TestServer::start().await;
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 1,
        kind: FaultKind::Delay(Duration::from_mins(10)),
    });
    let request = server.post(Some(&server.token()), &crate::support::server::call("list_spaces", json!({})));
    let hung_up = tokio::time::timeout(Duration::from_millis(200), request.send()).await;
    assert!(hung_up.is_err(), "the platform holds the call");
    assert_eq!(server.ask("get_agent", json!({"agentId": 7301})).await["id"], 7301);
}
