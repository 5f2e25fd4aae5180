//! Every tool once, through the front door, against the simulated platform: the plain case, its published schema, and
//! what another tenant and a caller without the scope get.

use reqwest::StatusCode;
use sequentum_mcp::{auth::ScopeSet, tools::Catalog};
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, TestServer, server::call};

/// Arguments with which each tool succeeds as Alice. `RUN` and `FILE` stand for the newest run of agent 7301 and one
/// of its files, `NEW` for a run just started, `BUILD` for a build session.
pub(crate) fn plain() -> Vec<(&'static str, Value)> {
    vec![
        ("whoami", json!({})),
        ("list_agents", json!({})),
        ("get_agent", json!({"agentId": 7301})),
        ("search_agents", json!({"query": "shoe"})),
        ("get_agent_search_count", json!({"query": "shoe", "includeArchived": true})),
        ("get_personal_agent_count", json!({})),
        ("get_agent_runs", json!({"agentId": 7301})),
        ("get_agent_run_summary", json!({"agentId": 7301})),
        ("get_run_status", json!({"agentId": 7301, "runId": "RUN"})),
        ("wait_for_run", json!({"agentId": 7301, "runId": "RUN"})),
        ("start_agent", json!({"agentId": 7303})),
        ("get_run_files", json!({"agentId": 7301, "runId": "RUN"})),
        ("read_run_file", json!({"agentId": 7301, "runId": "RUN", "fileId": "FILE"})),
        ("get_file_download_url", json!({"agentId": 7301, "runId": "RUN", "fileId": "FILE"})),
        ("get_agent_versions", json!({"agentId": 7301})),
        ("restore_agent_version", json!({"agentId": 7301, "versionNumber": 1, "comments": "as it was"})),
        ("list_agent_schedules", json!({"agentId": 7301})),
        ("get_agent_schedule", json!({"agentId": 7301, "scheduleId": 3101})),
        (
            "create_agent_schedule",
            json!({"agentId": 7301, "name": "Noon", "cronExpression": "0 12 * * *", "timezone": "Europe/Paris"}),
        ),
        (
            "update_agent_schedule",
            json!({"agentId": 7301, "scheduleId": 3101, "cronExpression": "0 6 * * 1-5"}),
        ),
        ("disable_agent_schedule", json!({"agentId": 7301, "scheduleId": 3101})),
        ("enable_agent_schedule", json!({"agentId": 7301, "scheduleId": 3101})),
        ("delete_agent_schedule", json!({"agentId": 7301, "scheduleId": 3101})),
        ("get_scheduled_runs", json!({})),
        ("get_credits_balance", json!({})),
        ("get_spending_summary", json!({})),
        ("get_credit_history", json!({})),
        ("get_agents_usage", json!({})),
        ("get_agent_cost_breakdown", json!({"agentId": 7301})),
        ("get_agent_runs_cost", json!({"agentId": 7301})),
        ("list_spaces", json!({})),
        ("get_space", json!({"spaceId": 42})),
        ("get_space_agents", json!({"spaceId": 42})),
        ("search_space_by_name", json!({"name": "retail"})),
        ("get_space_agent_count", json!({"spaceId": 42})),
        ("get_runs_summary", json!({})),
        ("get_records_summary", json!({})),
        ("get_run_diagnostics", json!({"agentId": 7301, "runId": "RUN"})),
        ("get_latest_failure", json!({"agentId": 7305})),
        ("stop_agent", json!({"agentId": 7303, "runId": "NEW"})),
        ("kill_agent", json!({"agentId": 7303, "runId": "NEW"})),
        ("delete_run", json!({"agentId": 7301, "runId": "RUN"})),
        ("run_space_agents", json!({"spaceId": 43})),
        (
            "start_agent_build",
            json!({"prompt": "Product names and prices from https://shop.example", "waitForCompletion": false}),
        ),
        ("get_agent_build_status", json!({"sessionId": "BUILD"})),
        ("stop_agent_build", json!({"sessionId": "BUILD"})),
    ]
}

/// Whether a value is of the type that its schema names. Absent members are fine: results leave out what is not set.
fn fits(schema: &Value, value: &Value) -> bool {
    let right = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    let members = schema["properties"].as_object().into_iter().flatten();
    let items = value.as_array().into_iter().flatten();
    right
        && members
            .filter_map(|(name, inner)| Some((inner, value.get(name)?)))
            .all(|(inner, value)| fits(inner, value))
        && (schema.get("items").is_none() || { items }.all(|item| fits(&schema["items"], item)))
}

#[tokio::test]
async fn each_answers_in_the_shape_of_its_schema() {
    let server = TestServer::start().await;
    let catalog = Catalog::new();
    let run = server.ask("get_agent_runs", json!({"agentId": 7301, "maxRecords": 1})).await["runs"][0]["id"]
        .clone();
    let files = server.ask("get_run_files", json!({"agentId": 7301, "runId": run})).await;
    let (mut started, mut build) = (Value::Null, Value::Null);
    let cases = plain();
    assert_eq!(cases.len(), catalog.rows().len(), "every tool has a plain case");
    for (tool, mut arguments) in cases {
        for value in arguments.as_object_mut().unwrap().values_mut() {
            match value.as_str() {
                Some("RUN") => *value = run.clone(),
                Some("FILE") => *value = files["result"][0]["id"].clone(),
                Some("NEW") => *value = started.clone(),
                Some("BUILD") => *value = build.clone(),
                _ => {}
            }
        }
        let result = server.call(tool, arguments).await;
        assert_eq!(result["isError"], false, "{tool}: {result}");
        let content = &result["structuredContent"];
        let row = catalog.find(tool).unwrap();
        for schema in [row.output_schema.clone(), (row.output_reference)()] {
            let schema = Value::Object((*schema).clone());
            assert!(fits(&schema, content), "{tool}: {content} does not fit {schema}");
            for required in schema["required"].as_array().unwrap() {
                assert!(content.get(required.as_str().unwrap()).is_some(), "{tool} lacks {required}");
            }
        }
        match tool {
            "start_agent" => started = content["run"]["id"].clone(),
            "start_agent_build" => build = content["sessionId"].clone(),
            _ => {}
        }
    }
}

#[tokio::test]
async fn each_is_refused_without_its_scope_before_the_platform_is_asked() {
    let server = TestServer::start().await;
    let nothing = server.token_for(&TestServer::alice(), "");
    for row in Catalog::new().rows().iter().filter(|row| row.scopes != ScopeSet::EMPTY) {
        let answer = server.send(server.post(Some(&nothing), &call(row.name, json!({})))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", row.name);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains(&format!("scope=\"{}\"", row.scopes)), "{}: {challenge}", row.name);
    }
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn another_tenant_gets_what_a_stranger_gets() {
    let server = TestServer::start().await;
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    let run = server.ask("get_agent_runs", json!({"agentId": 7301, "maxRecords": 1})).await["runs"][0]["id"]
        .clone();
    let seen = |arguments: Value, tool: &'static str| {
        let (server, bob) = (&server, &bob);
        async move {
            let answer = server.send(server.post(Some(bob), &call(tool, arguments))).await.json();
            let text = answer["result"]["content"][0]["text"].as_str().unwrap().to_owned();
            serde_json::from_str::<Value>(&text).unwrap()["error"]["code"].clone()
        }
    };
    let mut compared = 0;
    for (tool, arguments) in plain() {
        let fill = |agent: u64, run: &Value| {
            let mut arguments = arguments.clone();
            for (name, value) in arguments.as_object_mut().unwrap() {
                match name.as_str() {
                    "agentId" => *value = json!(agent),
                    "runId" => *value = run.clone(),
                    "fileId" => *value = json!(1),
                    "spaceId" => *value = json!(if agent == 7301 { 42 } else { 999_999 }),
                    _ => {}
                }
            }
            arguments
        };
        let names_an_object = arguments.get("agentId").is_some() || arguments.get("spaceId").is_some();
        if !names_an_object || tool == "get_records_summary" {
            continue;
        }
        let foreign = seen(fill(7301, &run), tool).await;
        let unknown = seen(fill(999_999, &json!(1)), tool).await;
        assert_eq!(foreign, unknown, "{tool}");
        assert_eq!(foreign, "not_found", "{tool}");
        compared += 1;
    }
    assert!(compared > 25, "{compared} tools were compared");
}
