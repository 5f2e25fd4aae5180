//! What a model has to read: the list of tools, and the largest default answers. Sizes are printed (`--no-capture`).

use serde_json::{Value, json};

use sequentum_mcp::demo::{Fault, FaultKind};

use crate::support::TestServer;

fn tokens(text: &str) -> usize {
    tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len()
}

#[tokio::test]
async fn the_list_of_tools_stays_within_its_budget() {
    let server = TestServer::start().await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let answer = server.send(server.post(Some(&server.token()), &list)).await;
    let count = answer.json()["result"]["tools"].as_array().unwrap().len();
    let (bytes, tokens) = (answer.text.len(), tokens(&answer.text));
    println!(
        "tools/list: {count} tools, {bytes} bytes, {tokens} o200k tokens (budget: 45000 bytes, 11000 tokens)"
    );
    assert!(bytes <= 45_000, "{bytes} bytes");
    assert!(tokens <= 11_000, "{tokens} tokens");
}

#[tokio::test]
async fn default_answers_stay_below_five_thousand_tokens() {
    let server = TestServer::start().await;
    for (tool, arguments) in [
        ("get_agent_runs", json!({"agentId": 7301})),
        ("list_agents", json!({})),
        ("search_agents", json!({"query": "e"})),
        ("get_agent", json!({"agentId": 7301})),
        ("list_spaces", json!({})),
        ("get_space_agents", json!({"spaceId": 42})),
    ] {
        let result: Value = server.call(tool, arguments).await;
        let text = result["content"][0]["text"].as_str().unwrap();
        let count = tokens(text);
        println!("{tool}: {count} o200k tokens");
        assert!(count <= 5_000, "{tool}: {count} tokens");
    }
    // A space as large as none of the simulated ones.
    let whole = json!({"spaceId": 42, "verbosity": "full"});
    let agent = server.ask("get_space_agents", whole).await["result"][0].clone();
    let kind = FaultKind::Status { status: 200, headers: vec![], body: json!(vec![agent; 500]).to_string() };
    let path_contains = "GET /api/v1/spaces/42/agents".to_owned();
    server.platform.faults().inject(Fault { path_contains, times: 1, kind });
    let space = server.ask("get_space_agents", json!({"spaceId": 42})).await;
    let count = tokens(&space.to_string());
    println!("get_space_agents of 500: {count} o200k tokens");
    assert!(count <= 5_000 && space["returned"] == 50, "{count} tokens");
    let runs = server.ask("get_agent_runs", json!({"agentId": 7301})).await;
    assert_eq!(runs["returned"], 50, "the budget holds for fifty runs");
    let full =
        server.ask("get_agent_runs", json!({"agentId": 7301, "maxRecords": 1, "verbosity": "full"})).await;
    assert!(full["runs"][0]["pageCount"].is_number(), "the whole record on request");
}
