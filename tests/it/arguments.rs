//! Bad arguments are answered with an error that names the argument and what is allowed, before any platform call.

use serde_json::{Value, json};

use crate::support::TestServer;

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
