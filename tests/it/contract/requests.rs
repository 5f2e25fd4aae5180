//! What the product asks of the platform, with the fewest and with the most arguments of its tools.

use std::collections::BTreeSet;

use sequentum_mcp::demo::{Profile, Recorded};
use serde_json::{Value, json};

use super::{drive, server_before};
use crate::{every_tool::plain, support::Contract};

/// Arguments that make a tool use everything its operation takes.
fn thorough() -> Vec<(&'static str, Value)> {
    let window = json!({"startDate": "2026-11-01", "endDate": "2026-11-20T12:00:00Z"});
    let with = |more: Value| {
        let mut arguments = window.clone();
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    let schedule = json!({
        "agentId": 7303, "name": "Often", "scheduleType": 2, "runEveryCount": 2, "runEveryPeriod": 2,
        "startTime": "2026-11-22T10:00:00Z", "inputParameters": "{\"a\":\"b\"}", "isEnabled": false, "parallelism": 2,
        "parallelMaxConcurrency": 2, "parallelExport": "Separated", "logLevel": "Error", "logMode": "TextAndHtml",
        "isExclusive": true, "isWaitOnFailure": true,
    });
    let mut update = schedule.clone();
    update["agentId"] = json!(7301);
    update["scheduleId"] = json!(3102);
    let list = |kind: &str| {
        json!({
            "status": 6, "spaceId": 42, "search": "a", "configType": kind, "sortColumn": "lastActivity",
            "sortOrder": "desc", "pageIndex": 1, "recordsPerPage": 100,
        })
    };
    vec![
        ("list_agents", list("Agent")),
        ("list_agents", list("Command")),
        // Not `Api`: the contract has no number for it, and the simulated platform refuses the word.
        ("list_agents", list("Shared")),
        ("search_agents", json!({"query": "shoe", "maxRecords": 1000})),
        ("get_agent_runs", json!({"agentId": 7301, "maxRecords": 1000})),
        (
            "start_agent",
            json!({"agentId": 7302, "inputParameters": "{\"country\":\"US\"}", "parallelism": 2}),
        ),
        ("delete_run", json!({"agentId": 7301, "runId": "RUN", "removeMethod": "RemoveAllFiles"})),
        (
            "delete_run",
            json!({"agentId": 7301, "runId": "RUN", "removeMethod": "RemoveAllFilesAndAgentInput"}),
        ),
        ("create_agent_schedule", schedule),
        (
            "create_agent_schedule",
            json!({"agentId": 7303, "name": "Once", "scheduleType": 1, "startTime": "2026-11-22T10:00:00Z"}),
        ),
        ("update_agent_schedule", update),
        ("get_scheduled_runs", window.clone()),
        ("get_spending_summary", window.clone()),
        ("get_credit_history", json!({"pageIndex": 2, "recordsPerPage": 100})),
        (
            "get_agents_usage",
            with(json!({
                "pageIndex": 1, "recordsPerPage": 1000, "sortColumn": "cost", "sortOrder": 1, "name": "shoe",
                "usageTypes": "Server Time,Export GB",
            })),
        ),
        (
            "get_agent_cost_breakdown",
            with(json!({"agentId": 7301, "timeUnit": "month", "usageTypes": "Proxy Data"})),
        ),
        (
            "get_agent_runs_cost",
            with(json!({
                "agentId": 7301, "pageIndex": 1, "recordsPerPage": 1000, "sortColumn": "duration", "sortOrder": 1,
                "usageTypes": "Export CPM",
            })),
        ),
        ("run_space_agents", json!({"spaceId": 43, "inputParameters": "{\"port\":\"Oslo\"}"})),
        ("get_runs_summary", with(json!({"status": "Failed", "includeDetails": false}))),
        ("get_records_summary", with(json!({"agentId": 7301}))),
        (
            "start_agent_build",
            json!({"prompt": "Names and prices from shop.example", "spaceId": 43, "waitForCompletion": false}),
        ),
    ]
}

#[tokio::test]
async fn the_product_asks_for_what_is_published() {
    let contract = Contract::of(Profile::Newer);
    let mut asked = BTreeSet::new();
    let mut queries: BTreeSet<(String, String)> = BTreeSet::new();
    for cases in [plain(), thorough()] {
        let server = server_before(Profile::Newer).await;
        drive(&server, cases).await;
        for seen in server.platform.requests() {
            let problems = contract.request_problems(&seen);
            let Recorded { method, path, query, body, .. } = &seen;
            assert!(problems.is_empty(), "{method} {path} {query:?} {body}\n{}", problems.join("\n"));
            let operation = contract.find(method, path).unwrap();
            asked.insert(operation.id);
            let pairs = url::form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
            queries.extend(pairs.map(|(name, _)| (operation.id.to_owned(), name.into_owned())));
        }
    }
    let published: BTreeSet<_> = contract
        .operations()
        .filter(|operation| operation.scope.is_some())
        .map(|operation| operation.id)
        .collect();
    assert_eq!(asked, published, "every operation of the contract is used");
    let unused: Vec<_> = contract
        .operations()
        .flat_map(|operation| {
            operation.query_names(&contract).map(move |name| (operation.id.to_owned(), name.to_owned()))
        })
        .filter(|parameter| !queries.contains(parameter))
        .collect();
    assert!(unused.is_empty(), "no tool sends {unused:?}");
}
