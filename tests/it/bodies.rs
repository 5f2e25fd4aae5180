//! What the tools write: the whole body of every request that changes something, as it arrives at the platform.

use serde_json::{Value, json};

use crate::support::TestServer;
use sequentum_mcp::tools::Catalog;

/// Calls a tool that must succeed and returns the one request with which it changed something.
async fn written(server: &TestServer, tool: &str, arguments: Value) -> (String, Value) {
    let before = server.platform.requests().len();
    server.ask(tool, arguments).await;
    let mut writes: Vec<_> =
        server.platform.requests().into_iter().skip(before).filter(|seen| seen.method != "GET").collect();
    assert_eq!(writes.len(), 1, "{tool} writes once: {writes:?}");
    let seen = writes.remove(0);
    let query = seen.query.map(|query| format!("?{query}")).unwrap_or_default();
    (format!("{} {}{query}", seen.method, seen.path), seen.body)
}

#[tokio::test]
async fn a_start_says_what_was_asked_for_and_no_more() {
    let server = TestServer::start().await;
    for (arguments, path, body) in [
        (json!({"agentId": 7302}), "POST /api/v1/agent/7302/start", json!({"isExclusive": true})),
        (
            json!({"agentId": 7303, "parallelism": 3, "inputParameters": {"startPage": "https://shop.example"}}),
            "POST /api/v1/agent/7303/start",
            json!({
                "isExclusive": true,
                "parallelism": 3,
                "parallelMaxConcurrency": 3,
                "inputParameters": r#"{"startPage":"https://shop.example"}"#,
            }),
        ),
        // The time to wait means nothing to a start that does not wait.
        (
            json!({"agentId": 7304, "timeout": 5, "isRunSynchronously": false, "parallelism": null}),
            "POST /api/v1/agent/7304/start",
            json!({"isExclusive": true}),
        ),
    ] {
        assert_eq!(written(&server, "start_agent", arguments).await, (path.to_owned(), body));
    }
}

#[tokio::test]
async fn a_synchronous_start_says_how_long_it_waits() {
    for (arguments, timeout) in [
        (json!({"agentId": 7302, "isRunSynchronously": true}), 60),
        (json!({"agentId": 7302, "isRunSynchronously": "true", "timeout": 120, "parallelism": 1}), 120),
    ] {
        let server = TestServer::start().await;
        let one = arguments.get("parallelism").cloned();
        let start = server.call("start_agent", arguments);
        server.while_time_passes(start).await;
        let seen = server.platform.requests().into_iter().find(|seen| seen.method == "POST").unwrap();
        let mut expected = json!({"isExclusive": true, "isRunSynchronously": true, "timeout": timeout});
        if let Some(one) = one {
            expected["parallelism"] = one.clone();
            expected["parallelMaxConcurrency"] = one;
        }
        assert_eq!(seen.body, expected);
    }
}

#[tokio::test]
async fn each_kind_of_schedule_is_created_with_its_own_members() {
    let server = TestServer::start().await;
    for (arguments, body) in [
        (
            json!({"agentId": 7301, "name": " Noon ", "cronExpression": " 0  12 * * * ", "timezone": "europe/paris"}),
            json!({
                "name": "Noon", "scheduleType": 3, "cronExpression": "0 12 * * *", "timezone": "Europe/Paris",
                "isEnabled": true, "parallelism": 1,
            }),
        ),
        (
            json!({"agentId": 7301, "name": "Once", "scheduleType": "RunOnce", "startTime": "2026-11-21T12:05:00+01:00"}),
            json!({
                "name": "Once", "scheduleType": 1, "startTime": "2026-11-21T11:05:00Z", "isEnabled": true,
                "parallelism": 1,
            }),
        ),
        (
            json!({
                "agentId": 7301, "name": "Often", "scheduleType": 2, "runEveryCount": 6, "runEveryPeriod": "Hour",
                "startTime": "2026-11-22T00:00:00", "isEnabled": false, "inputParameters": "{\"a\":1}", "parallelism": 2,
                "parallelMaxConcurrency": 4, "parallelExport": "separated", "logLevel": "ERROR",
                "logMode": "textandhtml", "isExclusive": true, "isWaitOnFailure": "true",
            }),
            json!({
                "name": "Often", "scheduleType": 2, "runEveryCount": 6, "runEveryPeriod": 2,
                "startTime": "2026-11-22T00:00:00Z", "isEnabled": false, "inputParameters": "{\"a\":1}", "parallelism": 2,
                "parallelMaxConcurrency": 4, "parallelExport": "Separated", "logLevel": "Error",
                "logMode": "TextAndHtml", "isExclusive": true, "isWaitOnFailure": true,
            }),
        ),
    ] {
        let seen = written(&server, "create_agent_schedule", arguments).await;
        assert_eq!(seen, ("POST /api/v1/agent/7301/schedules".to_owned(), body));
    }
}

#[tokio::test]
async fn an_update_writes_what_is_stored_with_the_changes_over_it() {
    let server = TestServer::start().await;
    let often = json!({
        "agentId": 7301, "name": "Often", "scheduleType": 2, "runEveryCount": 6, "runEveryPeriod": 2,
        "startTime": "2026-11-22T00:00:00Z", "inputParameters": {"a": 1}, "parallelism": 2, "logLevel": "Error",
        "isWaitOnFailure": true,
    });
    let id = server.ask("create_agent_schedule", often).await["id"].clone();
    let path = format!("PUT /api/v1/agent/7301/schedules/{id}");
    let stored = json!({
        "name": "Often", "scheduleType": 2, "runEveryCount": 6, "runEveryPeriod": 2,
        "startTime": "2026-11-22T00:00:00Z", "inputParameters": "{\"a\":1}", "parallelism": 2, "logLevel": "Error",
        "isWaitOnFailure": true, "isEnabled": true, "isExclusive": false,
    });
    let changed = |changes: Value, gone: &[&str]| {
        let mut body = stored.clone();
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body.as_object_mut().unwrap().retain(|name, _| !gone.contains(&name.as_str()));
        body
    };
    for (changes, body) in [
        (json!({"isEnabled": false}), changed(json!({"isEnabled": false}), &[])),
        (
            json!({"scheduleType": 1, "startTime": "2026-11-23T00:00:00Z", "isEnabled": true}),
            changed(
                json!({"scheduleType": 1, "startTime": "2026-11-23T00:00:00Z"}),
                &["runEveryCount", "runEveryPeriod"],
            ),
        ),
        (
            json!({"cronExpression": "0 6 * * 1-5", "timezone": "Europe/Berlin", "name": "Mornings"}),
            changed(
                json!({
                    "scheduleType": 3, "cronExpression": "0 6 * * 1-5", "timezone": "Europe/Berlin", "name": "Mornings",
                }),
                &["runEveryCount", "runEveryPeriod", "startTime"],
            ),
        ),
    ] {
        let mut arguments = json!({"agentId": 7301, "scheduleId": id});
        arguments.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        assert_eq!(
            written(&server, "update_agent_schedule", arguments).await,
            (path.clone(), body),
            "{changes}"
        );
    }
}

#[tokio::test]
async fn other_writes_carry_one_thing_or_nothing() {
    let server = TestServer::start().await;
    let run = server.ask("start_agent", json!({"agentId": 7302})).await["run"]["id"].clone();
    let ids = json!({"agentId": 7302, "runId": run});
    let of_run = |verb: &str| format!("POST /api/v1/agent/7302/run/{run}/{verb}");
    let mut cases = vec![
        (
            "restore_agent_version",
            json!({"agentId": 7301, "versionNumber": 1, "comments": " as it was "}),
            "POST /api/v1/agent/7301/version/1/restore".to_owned(),
            json!({"content": "as it was"}),
        ),
        ("run_space_agents", json!({"spaceId": 43}), "POST /api/v1/spaces/43/run-all".to_owned(), json!({})),
        (
            "run_space_agents",
            json!({"spaceId": 42, "inputParameters": "{\"a\": [1]}"}),
            "POST /api/v1/spaces/42/run-all".to_owned(),
            json!({"inputParameters": "{\"a\": [1]}"}),
        ),
        (
            "start_agent_build",
            json!({"prompt": "  Titles on https://shop.example ", "waitForCompletion": false}),
            "POST /api/v1/agent-builder/start".to_owned(),
            json!({"prompt": "Titles on https://shop.example"}),
        ),
        (
            "start_agent_build",
            json!({"prompt": "Titles on https://shop.example", "spaceId": "42", "waitForCompletion": false}),
            "POST /api/v1/agent-builder/start".to_owned(),
            json!({"prompt": "Titles on https://shop.example", "spaceId": 42}),
        ),
        ("stop_agent", ids.clone(), of_run("stop"), Value::Null),
        ("kill_agent", ids, of_run("kill"), Value::Null),
    ];
    for (tool, request) in [
        ("disable_agent_schedule", "POST /api/v1/agent/7301/schedules/3101/disable"),
        ("enable_agent_schedule", "POST /api/v1/agent/7301/schedules/3101/enable"),
        ("delete_agent_schedule", "DELETE /api/v1/agent/7301/schedules/3101"),
    ] {
        cases.push((tool, json!({"agentId": 7301, "scheduleId": 3101}), request.to_owned(), Value::Null));
    }
    let session = server
        .ask(
            "start_agent_build",
            json!({"prompt": "Prices on https://shop.example", "waitForCompletion": false}),
        )
        .await["sessionId"]
        .clone();
    let stop = format!("POST /api/v1/agent-builder/{}/stop", session.as_str().unwrap());
    cases.push(("stop_agent_build", json!({"sessionId": session}), stop, Value::Null));
    let old = server.ask("get_agent_runs", json!({"agentId": 7301, "maxRecords": 1})).await["runs"][0]["id"]
        .clone();
    let path = format!("DELETE /api/v1/agent/7301/run/{old}");
    for (method, query) in [(json!("removeallfiles"), "?removeMethod=RemoveAllFiles"), (Value::Null, "")] {
        let arguments = json!({"agentId": 7301, "runId": old, "removeMethod": method});
        cases.push(("delete_run", arguments, format!("{path}{query}"), Value::Null));
    }
    // Every tool that writes is here or above.
    let elsewhere = ["start_agent", "create_agent_schedule", "update_agent_schedule"];
    for row in
        Catalog::new().rows().iter().filter(|row| row.effect.writes() && !elsewhere.contains(&row.name))
    {
        assert!(cases.iter().any(|(tool, ..)| *tool == row.name), "{} has no case", row.name);
    }
    for (tool, arguments, request, body) in cases {
        assert_eq!(written(&server, tool, arguments).await, (request, body), "{tool}");
    }
}
