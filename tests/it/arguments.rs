//! Bad arguments are answered with an error that names the argument and what is allowed, before any platform call.

use serde_json::{Value, json};

use sequentum_mcp::tools::Catalog;

use crate::{every_tool::plain, support::TestServer};

#[tokio::test]
async fn each_refusal_names_the_argument_and_what_is_allowed() {
    let server = TestServer::start().await;
    for (tool, arguments, message) in [
        ("get_agent", json!({"agentId": "../1"}), "Argument `agentId` must be a whole number of at least 1."),
        ("get_agent", json!({"agentId": 0}), "Argument `agentId` must be a whole number of at least 1."),
        ("get_agent", json!({}), "Missing argument `agentId`: it must be a whole number of at least 1."),
        (
            "get_agent",
            json!({"agentId": 7301, "agent": 1}),
            "Unknown argument `agent`. Allowed: `agentId`, `includeImages`.",
        ),
        (
            "list_agents",
            json!({"status": 14}),
            "Argument `status` must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13.",
        ),
        ("list_agents", json!({"sortOrder": "up"}), "Argument `sortOrder` must be one of asc, desc."),
        (
            "list_agents",
            json!({"configType": "Scraper"}),
            "Argument `configType` must be one of Agent, Command, Api, Shared.",
        ),
        (
            "list_agents",
            json!({"recordsPerPage": 101}),
            "Argument `recordsPerPage` must be a whole number from 1 to 100.",
        ),
        ("list_agents", json!({"spaceId": 0}), "Argument `spaceId` must be a whole number of at least 1."),
        (
            "search_agents",
            json!({"query": "  "}),
            "Argument `query` must be a text of 1 to 500 characters, not only blanks.",
        ),
        (
            "get_agent_runs",
            json!({"agentId": 7301, "maxRecords": 1001}),
            "Argument `maxRecords` must be a whole number from 1 to 1000.",
        ),
        (
            "get_run_status",
            json!({"agentId": 7301, "runId": -1}),
            "Argument `runId` must be a whole number of at least 1.",
        ),
        (
            "start_agent",
            json!({"agentId": 7301, "inputParameters": "{"}),
            "Argument `inputParameters` must be a text.",
        ),
        (
            "start_agent",
            json!({"agentId": 7301, "parallelism": 51}),
            "Argument `parallelism` must be a whole number from 1 to 50.",
        ),
        (
            "start_agent",
            json!({"agentId": 7301, "isRunSynchronously": true, "parallelism": 2}),
            "Argument `parallelism` must be 1 when `isRunSynchronously` is true.",
        ),
        (
            "start_agent",
            json!({"agentId": 7301, "isRunSynchronously": "yes"}),
            "Argument `isRunSynchronously` must be true or false.",
        ),
        ("get_space", json!({"spaceId": "a/b"}), "Argument `spaceId` must be a whole number of at least 1."),
        (
            "search_space_by_name",
            json!({"name": ""}),
            "Argument `name` must be a text of 1 to 200 characters, not only blanks.",
        ),
        ("list_spaces", json!({"page": 1}), "Unknown argument `page`. Allowed: this tool takes none."),
        (
            "get_file_download_url",
            json!({"agentId": 7301, "runId": 1}),
            "Missing argument `fileId`: it must be a whole number of at least 1.",
        ),
    ] {
        let error = server.refused(tool, arguments).await;
        assert_eq!(error["code"], "invalid_arguments", "{tool}");
        assert_eq!(error["message"], message, "{tool}");
        assert_eq!(error["retryable"], false);
    }
    assert!(server.platform.requests().is_empty(), "nothing of this reached the platform");
}

#[tokio::test]
async fn harmless_deviations_are_accepted() {
    let server = TestServer::start().await;
    assert_eq!(server.ask("get_agent", json!({"agentId": "7301"})).await["id"], 7301);
    assert_eq!(
        server.ask("get_agent", json!({"agentId": 7301.0, "includeImages": "false"})).await["id"],
        7301
    );
    let page =
        server.ask("list_agents", json!({"recordsPerPage": "2", "sortOrder": "DESC", "spaceId": null})).await;
    assert_eq!(page["agents"].as_array().map(Vec::len), Some(2));
    let run = server
        .ask(
            "start_agent",
            json!({"agentId": 7301, "inputParameters": {"startPage": "https://shop.example"}}),
        )
        .await;
    assert!(run["run"]["id"].is_number());
    let none: Value = server.ask("list_spaces", Value::Null).await;
    assert_eq!(none["returned"], 3);
}

/// Sets that the platform numbers: further ways to write their members than those that are published.
const NUMBERED: [(&str, &[&str]); 5] = [
    ("status", &["7", "\"7\"", "\"failed\"", "\"UPDATINGDATASET\""]),
    ("sortOrder", &["0", "1", "1.0", "\"0\""]),
    ("configType", &["1", "2", "\"4\""]),
    ("scheduleType", &["\"runonce\"", "\"RunEvery\"", "\"CRON\""]),
    ("runEveryPeriod", &["\"minute\"", "\"HOUR\"", "\"Month\""]),
];
/// Sets of words.
const WORDS: [&str; 8] =
    ["sortColumn", "verbosity", "part", "removeMethod", "parallelExport", "logLevel", "logMode", "timeUnit"];

#[tokio::test]
async fn words_in_any_case_and_the_platforms_numbers_are_understood() {
    let server = TestServer::start().await;
    let catalog = Catalog::new();
    let mut tried = 0;
    for (tool, good) in plain() {
        let schema = &catalog.find(tool).unwrap().input_schema;
        for (name, property) in schema["properties"].as_object().unwrap() {
            let Some(published) = property["enum"].as_array() else { continue };
            let mut spellings: Vec<Value> = published.iter().flat_map(spelled).collect();
            let numbered = NUMBERED.iter().find(|(numbered, _)| numbered == name);
            assert!(
                numbered.is_some() || WORDS.contains(&name.as_str()),
                "{tool}.{name} is new: has it numbers?"
            );
            let further = numbered.into_iter().flat_map(|(_, further)| *further);
            spellings.extend(further.map(|json| serde_json::from_str::<Value>(json).unwrap()));
            for value in spellings {
                let mut arguments = good.clone();
                arguments[name] = value.clone();
                // What it is understood as may not fit the other arguments, or the platform, but it is understood.
                let text = server.call(tool, arguments).await.to_string();
                assert!(
                    !text.contains(&format!("Argument `{name}` must be")),
                    "{tool} {name} {value}: {text}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 150, "{tried} spellings were tried");
}

/// A published value as models write it.
fn spelled(value: &Value) -> Vec<Value> {
    match value.as_str() {
        Some(word) => {
            vec![json!(word.to_uppercase()), json!(word.to_lowercase()), json!(format!(" {word} "))]
        }
        None => vec![value.clone(), json!(value.to_string()), json!(value.as_f64().unwrap())],
    }
}

#[tokio::test]
async fn words_and_numbers_become_the_platforms_own() {
    let server = TestServer::start().await;
    for (tool, arguments, query) in [
        ("list_agents", json!({"sortOrder": "Desc", "configType": "shared"}), "configType=2&sortOrder=1"),
        ("list_agents", json!({"sortOrder": 0, "configType": 4}), "configType=4&sortOrder=0"),
        ("list_agents", json!({"configType": "API", "status": "Never"}), ""),
        ("list_agents", json!({"configType": "API", "status": "success"}), "status=10&configType=Api"),
        (
            "get_agents_usage",
            json!({"sortColumn": "COST", "sortOrder": "desc"}),
            "sortColumn=cost&sortOrder=1",
        ),
        ("get_agents_usage", json!({"sortOrder": "1"}), "sortOrder=1"),
        ("get_agent_runs_cost", json!({"agentId": 7301, "sortOrder": "ASC"}), "sortOrder=0"),
        ("get_agent_runs_cost", json!({"agentId": 7301, "sortOrder": 1}), "sortOrder=1"),
        ("get_runs_summary", json!({"status": 6}), "status=Failure"),
        ("get_agent_cost_breakdown", json!({"agentId": 7301, "timeUnit": "Month"}), "timeUnit=month"),
    ] {
        let before = server.platform.requests().len();
        server.call(tool, arguments.clone()).await;
        let seen = server.platform.requests().split_off(before).pop().and_then(|seen| seen.query);
        let seen = seen.unwrap_or_default();
        let kept = ["status", "configType", "sortColumn", "sortOrder", "timeUnit"];
        let parts = seen.split('&').filter(|part| kept.contains(&part.split('=').next().unwrap()));
        assert_eq!(parts.collect::<Vec<_>>().join("&"), query, "{tool} {arguments}");
    }
}

#[tokio::test]
async fn text_arguments_stay_in_their_place() {
    let server = TestServer::start().await;
    let hostile = "a&maxRecords=1#/../../agent/9101?x=%2e%2e";
    server.ask("search_agents", json!({"query": hostile})).await;
    let seen = server.platform.requests().pop().unwrap();
    assert_eq!(seen.path, "/api/v1/agent/search");
    let query = seen.query.unwrap();
    assert_eq!(query, "query=a%26maxRecords%3D1%23%2F..%2F..%2Fagent%2F9101%3Fx%3D%252e%252e&maxRecords=50");
}
