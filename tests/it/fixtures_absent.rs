//! The test tools of the official conformance suite (Cargo feature `conformance-fixtures`) are in no release.

use std::fs;

use serde_json::{Value, json};

use crate::support::{TestServer, server::call};

const FEATURE: &str = "conformance-fixtures";

fn file(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn nothing_that_makes_a_release_turns_them_on() {
    let manifest: toml::Table = file("Cargo.toml").parse().unwrap();
    let features = manifest["features"].as_table().unwrap();
    assert!(features.contains_key(FEATURE));
    let implied_by: Vec<_> =
        features.iter().filter(|(_, implied)| format!("{implied:?}").contains(FEATURE)).collect();
    assert!(implied_by.is_empty(), "{implied_by:?}");

    // The image is made by one command, which the gate runs as it stands there.
    let dockerfile = file("Dockerfile");
    let commands: Vec<_> = dockerfile.lines().filter(|line| line.contains(" cargo ")).collect();
    let [command] = commands[..] else { panic!("{commands:?}") };
    assert!(command.contains("--release") && !command.contains("--features"), "{command}");
    assert!(!command.contains("--all-features") && !command.contains(FEATURE), "{command}");
}

#[tokio::test]
async fn what_is_built_without_the_feature_does_not_know_them() {
    let server = TestServer::start().await;
    let token = server.token();
    let ask = async |method: &str, params: Value| {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        server.send(server.post(Some(&token), &message)).await.json()
    };
    let refused = server.send(server.post(Some(&token), &call("test_simple_text", json!({})))).await.json();
    assert_eq!(refused["error"]["message"], "unknown tool: tools/list shows the names");
    let refused = ask("prompts/get", json!({"name": "test_simple_prompt"})).await;
    assert_eq!(refused["error"]["data"]["code"], "unknown_prompt");
    let refused = ask("resources/read", json!({"uri": "test://static-text"})).await;
    assert_eq!(refused["error"]["data"]["uri"], "test://static-text");

    for (method, member, name) in [
        ("tools/list", "tools", "name"),
        ("prompts/list", "prompts", "name"),
        ("resources/list", "resources", "uri"),
    ] {
        let listed = ask(method, json!({})).await;
        for item in listed["result"][member].as_array().unwrap() {
            let name = item[name].as_str().unwrap();
            assert!(!name.starts_with("test"), "{name}");
        }
    }
}
