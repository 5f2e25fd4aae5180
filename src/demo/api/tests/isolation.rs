//! What another tenant has is not there, and what a token was not granted is refused.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::demo::{
    Platform,
    testing::{ALL_SCOPES, Fixture},
};

#[tokio::test]
async fn what_belongs_to_another_tenant_does_not_exist() {
    let fixture = Fixture::start().await;
    let [_, bob] = Platform::logins();
    let as_bob = async |method: Method, path: &str, body: Value| {
        let key = format!("ApiKey {}", bob.api_key);
        let request = fixture.request(method, path).header(header::AUTHORIZATION, key).json(&body);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let build = json!({ "prompt": "Collect tariffs of ports" });
    let build = as_bob(Method::POST, "/api/v1/agent-builder/start", build).await;
    let session = build["sessionId"].as_str().unwrap().to_owned();
    let run = &as_bob(Method::GET, "/api/v1/agent/9101/runs?maxRecords=1", json!({})).await[0]["id"];
    let may = "startDate=2026-05-01&endDate=2026-05-31";
    for (method, path) in [
        (Method::GET, "/api/v1/agent/9101/runs/summary".to_owned()),
        (Method::POST, format!("/api/v1/agent/9101/run/{run}/kill")),
        (Method::DELETE, format!("/api/v1/agent/9101/run/{run}")),
        (Method::GET, "/api/v1/agent/9101/versions".to_owned()),
        (Method::POST, "/api/v1/agent/9101/version/1/restore".to_owned()),
        (Method::GET, "/api/v1/agent/9101/schedules".to_owned()),
        (Method::POST, "/api/v1/agent/9101/schedules".to_owned()),
        (Method::GET, "/api/v1/agent/9101/schedules/5201".to_owned()),
        (Method::PUT, "/api/v1/agent/9101/schedules/5201".to_owned()),
        (Method::DELETE, "/api/v1/agent/9101/schedules/5201".to_owned()),
        (Method::POST, "/api/v1/agent/9101/schedules/5201/disable".to_owned()),
        (Method::GET, format!("/api/v1/analytics/agents/9101/runs/{run}/diagnostics")),
        (Method::GET, "/api/v1/analytics/agents/9104/latest-failure".to_owned()),
        (Method::GET, format!("/api/v1/billing/agents/9101?{may}")),
        (Method::GET, format!("/api/v1/billing/agents/9101/runs?{may}")),
        (Method::GET, "/api/v1/spaces/61/agents/count".to_owned()),
        (Method::POST, "/api/v1/spaces/61/run-all".to_owned()),
        (Method::GET, format!("/api/v1/agent-builder/{session}/status")),
        (Method::POST, format!("/api/v1/agent-builder/{session}/stop")),
    ] {
        let body = json!({ "name": "x", "content": "x", "cronExpression": "0 0 * * *" });
        let (status, foreign) = fixture.call(method.clone(), &path, &body).await;
        assert_eq!(status, 404, "{method} {path}: {foreign}");
        // Nothing tells it from an id that nobody has.
        let unknown = |text: &str| {
            let text = text.replace("9101", "4711").replace("9104", "4711").replace("/61/", "/4711/");
            text.replace("Space 61", "Space 4711").replace(&session, "nothing")
        };
        let (status, other) = fixture.call(method, &unknown(&path), &body).await;
        assert_eq!((status, other.to_string()), (404, unknown(&foreign.to_string())), "{path}");
    }
    let upcoming = fixture.get("/api/v1/analytics/schedules/upcoming").await;
    assert!(!upcoming.to_string().contains("5201"));
    assert_eq!(as_bob(Method::GET, "/api/v1/billing/credits", json!({})).await["organizationId"], 8);
    let history = fixture.get("/api/v1/billing/history").await;
    assert!(!history.to_string().contains("Day-ahead"));
}

#[tokio::test]
async fn each_operation_needs_its_scope() {
    let fixture = Fixture::start().await;
    let [alice, _] = Platform::logins();
    for (method, path, scope) in [
        (Method::GET, "agent/search/count?query=a", "agents:read"),
        (Method::GET, "agent/7301/runs/summary", "runs:read"),
        (Method::DELETE, "agent/7301/run/1", "agents:write"),
        (Method::GET, "agent/7301/versions", "agents:read"),
        (Method::POST, "agent/7301/schedules", "agents:write"),
        (Method::GET, "agent/7301/schedules", "agents:read"),
        (Method::GET, "analytics/schedules/upcoming", "runs:read"),
        (Method::GET, "analytics/agents/7305/latest-failure", "runs:read"),
        (Method::GET, "billing/credits", "billing:read"),
        (Method::POST, "spaces/42/run-all", "spaces:write"),
        (Method::GET, "agent-builder/x/status", "agents:read"),
        (Method::POST, "agent-builder/start", "agents:write"),
    ] {
        let path = format!("/api/v1/{path}");
        let others: Vec<&str> = ALL_SCOPES.split(' ').filter(|other| *other != scope).collect();
        let send = async |scopes: &str| {
            let token = fixture.token(&alice, scopes);
            let request = fixture.request(method.clone(), &path).bearer_auth(token).json(&json!({}));
            request.send().await.unwrap()
        };
        let refused = send(&others.join(" ")).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
        let challenge = refused.headers()[header::WWW_AUTHENTICATE].to_str().unwrap();
        assert!(challenge.ends_with(&format!("scope=\"{scope}\"")), "{challenge}");
        assert_ne!(send(scope).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
}
