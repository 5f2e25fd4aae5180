//! Calls that end before their answer came: whoever must not repeat them is told so.

use std::time::Duration;

use sequentum_mcp::{
    demo::{Fault, FaultKind},
    tools::Catalog,
};
use serde_json::json;

use crate::support::TestServer;

/// The deadline of a call is over before that of its request to the platform.
const SHORT: [(&str, &str); 2] = [("CALL_TIMEOUT_SECONDS", "1"), ("API_TIMEOUT_SECONDS", "30")];

fn hang(server: &TestServer, path: &str) {
    let kind = FaultKind::Delay(Duration::from_mins(10));
    server.platform.faults().inject(Fault { path_contains: path.to_owned(), times: 1, kind });
}

#[tokio::test]
async fn what_may_have_been_done_is_not_to_be_repeated() {
    let server = TestServer::with(&SHORT, Catalog::new()).await;
    hang(&server, "/start");
    let start = server.refused("start_agent", json!({"agentId": 7302})).await;
    assert_eq!(start["retryable"], false, "{start}");
    assert!(start["remedy"].as_str().unwrap().contains("get_agent_runs before starting again"), "{start}");
    hang(&server, "POST /api/v1/agent/7301/schedules");
    let schedule = json!({"agentId": 7301, "name": "x", "cronExpression": "0 6 * * *", "timezone": "UTC"});
    let create = server.refused("create_agent_schedule", schedule).await;
    assert_eq!(create["retryable"], false, "{create}");
}

#[tokio::test]
async fn what_does_no_harm_twice_may_be_repeated() {
    let server = TestServer::with(&SHORT, Catalog::new()).await;
    hang(&server, "/api/v1/spaces");
    let read = server.refused("list_spaces", json!({})).await;
    assert_eq!((&read["code"], &read["retryable"]), (&json!("platform_timeout"), &json!(true)), "{read}");
}
