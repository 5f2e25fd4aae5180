//! The prompts and resources that this server lists against those that users of this platform's public server know, in
//! both directions. What is different here on purpose stands in this file, with its reason.

use std::fs;

use sequentum_mcp::prompts::Prompts;
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, TestServer};

/// What only this server has, and why.
const OURS: [(&str, &str); 1] = [(
    "sequentum://agents/{agentId}/runs/{runId}/files/{fileId}",
    "a file can be read without a link that anybody could use; links to resources in results point to it",
)];

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The items of a list, as a caller with these scopes sees them.
async fn listed(server: &TestServer, method: &str, member: &str, scopes: &str) -> Vec<Value> {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method});
    let token = server.token_for(&TestServer::alice(), scopes);
    let answer = server.send(server.post(Some(&token), &message)).await.json();
    answer["result"][member].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

/// Every member of a known item must be the same in ours, and neither side may have items that the other lacks.
fn differences(key: &str, ours: &[Value], known: &[Value], members: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for theirs in known {
        let Some(mine) = ours.iter().find(|mine| mine[key] == theirs[key]) else {
            wrong.push(format!("{} is missing here", theirs[key]));
            continue;
        };
        for member in members {
            if mine[member] != theirs[member] {
                let (mine, theirs_member) = (&mine[member], &theirs[member]);
                wrong.push(format!("{} {member}: {mine} here, {theirs_member} there", theirs[key]));
            }
        }
    }
    for mine in ours {
        let known = known.iter().any(|theirs| theirs[key] == mine[key]);
        if !known && !OURS.iter().any(|(name, _why)| mine[key] == *name) {
            wrong.push(format!("{} is not in the surface and not in OURS", mine[key]));
        }
    }
    wrong
}

#[tokio::test]
async fn every_prompt_is_as_its_users_know_it() {
    let server = TestServer::start().await;
    let mut ours = listed(&server, "prompts/list", "prompts", ALL_SCOPES).await;
    let prompts = Prompts::new().unwrap();
    for prompt in &mut ours {
        let arguments = prompt["arguments"].as_array().into_iter().flatten();
        let short = |argument: &Value| json!({"name": argument["name"], "required": argument["required"]});
        prompt["arguments"] = arguments.map(short).collect();
        let known = prompts.find(prompt["name"].as_str().unwrap()).unwrap();
        prompt["category"] = known.category.title().into();
    }
    let known = fixture("prompt-surface.json")["prompts"].as_array().unwrap().clone();
    let wrong = differences("name", &ours, &known, &["arguments", "category"]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let names = |prompts: &[Value]| prompts.iter().map(|prompt| prompt["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&known), "the order");
}

#[tokio::test]
async fn every_resource_and_template_is_as_its_users_know_it() {
    let server = TestServer::start().await;
    let surface = fixture("resource-surface.json");
    for (method, member, key) in [
        ("resources/list", "resources", "uri"),
        ("resources/templates/list", "resourceTemplates", "uriTemplate"),
    ] {
        let ours = listed(&server, method, member, ALL_SCOPES).await;
        let known = surface[member].as_array().unwrap();
        let wrong = differences(key, &ours, known, &["name", "mimeType"]);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        for theirs in known {
            // With the known scopes alone it is offered; with all others it is not.
            let needed: Vec<_> = theirs["scopes"].as_array().unwrap().iter().map(Value::as_str).collect();
            let (with, without): (Vec<_>, Vec<_>) =
                ALL_SCOPES.split(' ').partition(|scope| needed.contains(&Some(*scope)));
            for (scopes, offered) in [(with, true), (without, false)] {
                let seen = listed(&server, method, member, &scopes.join(" ")).await;
                let found = seen.iter().any(|item| item[key] == theirs[key]);
                assert_eq!(found, offered, "{} with {scopes:?}", theirs[key]);
            }
        }
    }
}

#[test]
fn what_is_ours_alone_is_still_here_and_still_ours() {
    let known = fixture("resource-surface.json").to_string() + &fixture("prompt-surface.json").to_string();
    let here: Vec<_> = sequentum_mcp::resources::KINDS.iter().map(|kind| kind.template).collect();
    for (name, _why) in OURS {
        assert!(here.contains(&name) && !known.contains(&format!("\"{name}\"")), "{name}");
    }
}
