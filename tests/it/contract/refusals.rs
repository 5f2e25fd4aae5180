//! Every operation of the simulated platform, asked for what it must refuse.

use std::collections::BTreeMap;

use sequentum_mcp::demo::Options;
use serde_json::{Value, json};

use super::{Probe, body};
use crate::support::{ALL_SCOPES, contract::Operation};

/// The path of an operation with ids that exist or do not.
fn target(operation: &Operation<'_>, id: impl Fn(&str) -> String) -> String {
    let segments = operation.path.split('/');
    let filled = segments.map(|segment| match segment.strip_prefix('{') {
        Some(name) => id(name.trim_end_matches('}')),
        None => segment.to_owned(),
    });
    let query = match operation.id {
        "searchAgents" | "getAgentSearchCount" => "?query=shoe",
        "searchSpaceByName" => "?name=nobody",
        "listAgentsUsage" | "getAgentCostBreakdown" | "listAgentRunCosts" => {
            "?startDate=2026-11-01&endDate=2026-11-21"
        }
        _ => "",
    };
    filled.collect::<Vec<_>>().join("/") + query
}

#[tokio::test]
async fn every_operation_refuses_as_published() {
    let probe = Probe::start(Options::default()).await;
    let token = probe.token(ALL_SCOPES);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for operation in probe.contract.operations().filter(|operation| operation.scope.is_some()) {
        let body = body(operation.id);
        let unknown = target(&operation, |_| "999999".to_owned());
        probe.refused(401, operation.method, &unknown, None, &body).await;
        probe.refused(401, operation.method, &unknown, Some("x.y.z"), &body).await;
        if operation.path.contains('{') || operation.id == "searchSpaceByName" {
            let answer = probe.refused(404, operation.method, &unknown, Some(&token), &body).await;
            *kinds.entry(answer.header("content-type").to_owned()).or_default() += 1;
        }
        // Ids of sessions are opaque: none is malformed.
        if operation.path.contains("Id}") && !operation.path.contains("{sessionId}") {
            let malformed = target(&operation, |_| "abc".to_owned());
            let answer = probe.refused(400, operation.method, &malformed, Some(&token), &body).await;
            *kinds.entry(answer.header("content-type").to_owned()).or_default() += 1;
        }
    }
    assert!(kinds["application/json"] > 20 && kinds["application/problem+json"] > 10, "{kinds:?}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_as_published() {
    let probe = Probe::start(Options::default()).await;
    let token = probe.token(ALL_SCOPES);
    for (status, target) in [
        (400, "/api/v1/agent/all?status=Running"),
        (400, "/api/v1/agent/all?sortColumn=size"),
        (400, "/api/v1/agent/search"),
        (400, "/api/v1/agent/search/count"),
        (400, "/api/v1/agent/7301/runs?maxRecords=0"),
        (404, "/api/v1/analytics/agents/7310/latest-failure"),
        (400, "/api/v1/analytics/schedules/upcoming?startDate=soon"),
        (400, "/api/v1/analytics/runs/summary?status=Queued"),
        (400, "/api/v1/analytics/records/summary?agentId=abc"),
        (400, "/api/v1/billing/spending?startDate=2026-12-01&endDate=2026-11-01"),
        (400, "/api/v1/billing/history?pageIndex=0"),
        (400, "/api/v1/billing/agents"),
        (400, "/api/v1/billing/agents/7301?startDate=2026-11-01&endDate=2026-11-02&timeUnit=week"),
        (400, "/api/v1/billing/agents/7301/runs?startDate=2026-11-01&endDate=2026-11-02&usageTypes=Air"),
        (400, "/api/v1/spaces/search"),
    ] {
        probe.refused(status, "GET", target, Some(&token), &Value::Null).await;
    }
    for (status, target, body) in [
        (400, "/api/v1/agent/7301/start", json!({"inputParameters": "[]"})),
        (400, "/api/v1/agent/7301/start", json!({"isRunSynchronously": true, "parallelism": 2})),
        // Its run waits for a worker.
        (409, "/api/v1/agent/7306/start", json!({"isExclusive": true})),
        (400, "/api/v1/agent/7301/version/1/restore", json!({})),
        (404, "/api/v1/agent/7301/version/9999/restore", json!({"content": "x"})),
        (400, "/api/v1/agent/7301/schedules", json!({"cronExpression": "0 12 * * *"})),
        (422, "/api/v1/agent/7301/schedules", json!({"name": "x", "cronExpression": "every day"})),
        (
            422,
            "/api/v1/agent/7301/schedules",
            json!({"name": "x", "cronExpression": "0 1 * * *", "timezone": "Mars/Base"}),
        ),
        (400, "/api/v1/spaces/43/run-all", json!({"inputParameters": 1})),
        (422, "/api/v1/agent-builder/start", json!({"prompt": "short"})),
        (422, "/api/v1/agent-builder/start", json!({"prompt": "Names and prices", "spaceId": 999_999})),
    ] {
        probe.refused(status, "POST", target, Some(&token), &body).await;
    }
    let queued = probe.send("GET", "/api/v1/agent/7306/runs?maxRecords=1", Some(&token), &Value::Null).await;
    let active = format!("/api/v1/agent/7306/run/{}", queued.json()[0]["id"]);
    probe.refused(400, "DELETE", &active, Some(&token), &Value::Null).await;
}

#[tokio::test]
async fn synchronous_starts_end_as_published() {
    let probe = Probe::start(Options::default()).await;
    let token = probe.token(ALL_SCOPES);
    let path = |agent: i32| format!("/api/v1/agent/{agent}/start");
    for (agent, timeout, status, kind) in [
        (7301, 60, 200, "application/json"),
        (7304, 60, 200, "text/csv; charset=utf-8"),
        // Too slow, and broken.
        (7302, 5, 504, "application/json"),
        (7305, 60, 500, "application/json"),
    ] {
        let body = json!({"isRunSynchronously": true, "timeout": timeout});
        let target = path(agent);
        let start = probe.send("POST", &target, Some(&token), &body);
        let watch = async {
            let agent = format!("/api/v1/agent/{agent}");
            while probe.send("GET", &agent, Some(&token), &Value::Null).await.json()["status"] != 4 {}
            probe.later(30);
        };
        let (answer, ()) = tokio::join!(start, watch);
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (status, kind),
            "{}",
            answer.text
        );
        probe.check(&probe.contract.find("POST", &target).unwrap(), &target, &answer);
    }
}

#[tokio::test]
async fn too_many_requests_are_refused_as_published() {
    let probe = Probe::start(Options { rate_limit: 1, ..Options::default() }).await;
    let token = probe.token(ALL_SCOPES);
    let first = probe.send("GET", "/api/v1/spaces", Some(&token), &Value::Null).await;
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-window-seconds")), ("1", "60"));
    let mut waits = Vec::new();
    for _ in 0..2 {
        let answer = probe.refused(429, "GET", "/api/v1/spaces", Some(&token), &Value::Null).await;
        waits.push(answer.header("retry-after").to_owned());
    }
    assert_eq!(waits, ["60", "Sat, 21 Nov 2026 10:01:00 GMT"], "seconds, then a date");
}
