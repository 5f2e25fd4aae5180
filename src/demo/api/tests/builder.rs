//! Building agents.

use reqwest::Method;
use serde_json::{Value, json};

use crate::demo::{Options, Profile, testing::Fixture};

async fn start(fixture: &Fixture, prompt: &str) -> String {
    let body = json!({ "Prompt": prompt, "spaceId": 44 });
    let (status, answer) = fixture.call(Method::POST, "/api/v1/agent-builder/start", &body).await;
    assert_eq!(status, 200);
    answer["sessionId"].as_str().unwrap().to_owned()
}

async fn status(fixture: &Fixture, session: &str) -> Value {
    fixture.get(&format!("/api/v1/agent-builder/{session}/status")).await
}

async fn stop(fixture: &Fixture, session: &str) -> u16 {
    let path = format!("/api/v1/agent-builder/{session}/stop");
    fixture.call(Method::POST, &path, &json!({})).await.0
}

#[tokio::test]
async fn a_build_ends_in_an_agent_that_runs() {
    let fixture = Fixture::start().await;
    let session = start(&fixture, "  Collect garden chair prices from example.com  ").await;
    let first = status(&fixture, &session).await;
    assert_eq!((&first["status"], &first["agentId"]), (&json!("processing"), &json!(null)));
    assert_eq!(first.as_object().unwrap().len(), 6);
    fixture.later(60);
    let ready = status(&fixture, &session).await;
    assert_eq!((&ready["status"], &ready["agentId"]), (&json!("ready"), &json!(7313)));
    fixture.later(15);
    let done = status(&fixture, &session).await;
    assert_eq!(done["status"], "completed");
    assert_eq!(done["agentName"], "Collect garden chair prices from example.com");
    assert_eq!(stop(&fixture, &session).await, 204);
    assert_eq!(status(&fixture, &session).await["status"], "completed");
    let agent = fixture.get("/api/v1/agent/7313").await;
    assert_eq!((&agent["spaceId"], &agent["status"]), (&json!(44), &json!(null)));
    assert_eq!(agent["created"], "2026-05-28T20:27:40Z");
    assert_eq!(fixture.call(Method::POST, "/api/v1/agent/7313/start", &json!({})).await.0, 200);
    fixture.later(3_600);
    let path = format!("/api/v1/agent-builder/{session}/status");
    assert_eq!(fixture.call(Method::GET, &path, &json!({})).await.0, 404);
    assert_eq!(fixture.get("/api/v1/agent/7313").await["status"], 9);
}

#[tokio::test]
async fn builds_that_end_early() {
    let fixture = Fixture::start().await;
    let stopped = start(&fixture, "Collect something, never mind").await;
    let failing = start(&fixture, "This one will FAIL for sure").await;
    fixture.later(30);
    assert_eq!(stop(&fixture, &stopped).await, 204);
    fixture.later(300);
    assert_eq!(status(&fixture, &stopped).await["status"], "cancelled");
    let failed = status(&fixture, &failing).await;
    assert_eq!((&failed["status"], &failed["agentId"]), (&json!("error"), &json!(null)));
    assert!(failed["error"].as_str().unwrap().contains("Exception"));
    assert_eq!(fixture.call(Method::GET, "/api/v1/agent/7313", &json!({})).await.0, 404);
    assert_eq!(stop(&fixture, "unknown").await, 404);
    for (body, expected) in [
        (json!({ "prompt": "   short    " }), 422),
        (json!({}), 422),
        (json!({ "prompt": 7 }), 400),
        (json!({ "prompt": "Collect garden chairs", "spaceId": 61 }), 422),
    ] {
        let (status, _) = fixture.call(Method::POST, "/api/v1/agent-builder/start", &body).await;
        assert_eq!(status, expected, "{body}");
    }
}

#[tokio::test]
async fn production_reports_builds_its_own_way() {
    let fixture = Fixture::with(Options { profile: Profile::Production, ..Options::default() }).await;
    let session = start(&fixture, "Collect garden chair prices").await;
    fixture.later(100);
    let done = status(&fixture, &session).await;
    assert_eq!((&done["configId"], done.get("browserIoSeconds")), (&json!(7313), None));
}
