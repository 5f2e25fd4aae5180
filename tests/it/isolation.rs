//! The matrix of isolation: two tenants, and everything that can be asked for. Whoever asks for what is the other's gets,
//! to the letter, what there is for ids that nobody has.
//!
//! The rows are made from the lists of the product (tools, resources, prompts), so what is added to them is in it.

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder};
use sequentum_mcp::{
    demo::Login,
    prompts::Prompts,
    resources::{KINDS, Kind},
    tools::{Catalog, Row, examples},
};
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, TestServer, events::Events, server::call};

/// Ids of one tenant's objects, or of nobody's, by the name of the argument.
type Ids = BTreeMap<&'static str, Value>;

fn nobodys() -> Ids {
    let number = json!(888_001_234);
    let numbers = ["agentId", "runId", "fileId", "spaceId", "scheduleId", "version", "versionNumber"];
    let mut ids: Ids = numbers.map(|name| (name, number.clone())).into();
    ids.insert("sessionId", json!("bld-888001234"));
    ids.insert("agentName", json!("No such agent"));
    ids.insert("spaceName", json!("No such space"));
    ids
}

struct Tenant {
    token: String,
    ids: Ids,
}

impl Tenant {
    /// With one object of every kind, found as the tenant's own user finds it.
    async fn new(server: &TestServer, login: &Login, agent: u32, space: u32) -> Self {
        let token = server.token_for(login, ALL_SCOPES);
        let ask = async |tool: &str, arguments: Value| {
            let answer = server.send(server.post(Some(&token), &call(tool, arguments))).await.json();
            let found = answer["result"]["structuredContent"].clone();
            assert!(found.is_object(), "{tool}: {answer}");
            found
        };
        let run =
            ask("get_agent_runs", json!({"agentId": agent, "maxRecords": 1})).await["runs"][0]["id"].clone();
        let files = ask("get_run_files", json!({"agentId": agent, "runId": run})).await["result"].clone();
        let cron = json!({"agentId": agent, "name": "x", "cronExpression": "0 6 * * *", "timezone": "UTC"});
        let schedule = ask("create_agent_schedule", cron).await["id"].clone();
        let build = json!({"prompt": "Prices on https://shop.example.com", "waitForCompletion": false});
        let session = ask("start_agent_build", build).await["sessionId"].clone();
        let named = ask("get_agent", json!({"agentId": agent})).await["name"].clone();
        let spaces = ask("get_space", json!({"spaceId": space})).await["name"].clone();
        let ids = Ids::from([
            ("agentId", json!(agent)),
            ("runId", run),
            ("fileId", files[0]["id"].clone()),
            ("spaceId", json!(space)),
            ("scheduleId", schedule),
            ("version", json!(1)),
            ("versionNumber", json!(1)),
            ("sessionId", session),
            ("agentName", named),
            ("spaceName", spaces),
        ]);
        assert!(ids.values().all(|id| !id.is_null()), "{ids:?}");
        Self { token, ids }
    }
}

/// What is asked for, as a message made from ids.
struct Question {
    name: String,
    message: Box<dyn Fn(&Ids) -> Value>,
    /// Whether the answer to an owner must have something in it.
    found_by_owner: bool,
}

fn message(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// The arguments of the tool's example with these ids in them.
fn of_tool(row: &Row, example: &Value) -> Option<Question> {
    let arguments = example.as_object()?.clone();
    let name = row.name;
    let ids = nobodys();
    arguments.keys().any(|key| ids.contains_key(&**key)).then(|| Question {
        name: name.to_owned(),
        message: Box::new(move |ids| {
            let mut arguments = arguments.clone();
            for (key, value) in &mut arguments {
                if let Some(id) = ids.get(&**key) {
                    *value = id.clone();
                }
            }
            call(name, Value::Object(arguments))
        }),
        // Their examples change or start something, or need what the tenants here have not got.
        found_by_owner: false,
    })
}

fn text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

fn uri(kind: &Kind, ids: &Ids) -> String {
    kind.variables()
        .fold(kind.template.to_owned(), |uri, name| uri.replace(&format!("{{{name}}}"), &text(&ids[name])))
}

fn of_template(kind: &'static Kind) -> Question {
    Question {
        name: kind.template.to_owned(),
        message: Box::new(|ids| message("resources/read", &json!({"uri": uri(kind, ids)}))),
        found_by_owner: kind.name != "Latest Failure",
    }
}

/// A completion that depends on what stands in the other arguments.
fn completing(reference: Value, argument: &'static str, context: Vec<&'static str>, found: bool) -> Question {
    Question {
        name: format!("{} {argument}", reference.get("name").or(reference.get("uri")).unwrap()),
        message: Box::new(move |ids| {
            let context: serde_json::Map<_, _> =
                context.iter().map(|name| ((*name).to_owned(), json!(text(&ids[name])))).collect();
            let argument = json!({"name": argument, "value": ""});
            message(
                "completion/complete",
                &json!({"ref": reference, "argument": argument, "context": {"arguments": context}}),
            )
        }),
        found_by_owner: found,
    }
}

fn questions() -> Vec<Question> {
    let catalog = Catalog::new();
    let examples = examples::all();
    let mut all: Vec<_> =
        catalog.rows().iter().filter_map(|row| of_tool(row, &examples[row.name].arguments)).collect();
    assert!(all.len() > 30, "{} tools name an object", all.len());
    for kind in KINDS.iter().filter(|kind| kind.is_template()) {
        all.push(of_template(kind));
        let variables: Vec<_> = kind.variables().collect();
        for (at, name) in variables.iter().enumerate().skip(1) {
            let reference = json!({"type": "ref/resource", "uri": kind.template});
            all.push(completing(reference, name, variables[..at].to_vec(), true));
        }
    }
    for prompt in Prompts::new().unwrap().all() {
        let known = ["agentName", "spaceName"];
        let context: Vec<_> =
            known.into_iter().filter(|name| prompt.arguments.iter().any(|a| a.name == *name)).collect();
        for argument in
            prompt.arguments.iter().filter(|a| a.completion.is_some() && !context.contains(&a.name))
        {
            let reference = json!({"type": "ref/prompt", "name": prompt.name});
            all.push(completing(reference, argument.name, context.clone(), true));
        }
    }
    all
}

/// An answer without what is in the question and what differs from request to request.
fn neutral(answer: &crate::support::Answer, ids: &Ids) -> String {
    let mut text =
        format!("{} {}", answer.status, answer.text).replace(answer.header("x-request-id"), "<request>");
    let mut own: Vec<_> =
        ids.iter().map(|(name, id)| (self::text(id), *name)).filter(|(id, _)| id.len() > 1).collect();
    own.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
    for (id, name) in own {
        // Ids of nobody are the same for every name.
        let name = if name.ends_with("Id") { "id" } else { name };
        text = text.replace(&id, &format!("<{name}>"));
    }
    text
}

#[tokio::test]
async fn what_is_anothers_is_nobodys() {
    let server = TestServer::start().await;
    let tenants = [
        Tenant::new(&server, &TestServer::alice(), 7301, 42).await,
        Tenant::new(&server, &TestServer::bob(), 9101, 61).await,
    ];
    let nobodys = nobodys();
    let mut cells = 0;
    for (intruder, owner) in [(1, 0), (0, 1)].map(|(a, b)| (&tenants[a], &tenants[b])) {
        for question in questions() {
            for modern in [false, true] {
                let ask = async |token: &str, ids: &Ids| {
                    let message = (question.message)(ids);
                    let request = if modern {
                        server.post_modern(token, &message)
                    } else {
                        server.post(Some(token), &message)
                    };
                    server.send(request).await
                };
                // The owner first: nothing that was kept for the owner is for the intruder.
                if question.found_by_owner {
                    let own = ask(&owner.token, &owner.ids).await.json();
                    assert!(own.get("result").is_some(), "{}: {own}", question.name);
                    let values = own.pointer("/result/completion/values");
                    assert!(values.is_none_or(|values| values != &json!([])), "{}: {own}", question.name);
                }
                let foreign = ask(&intruder.token, &owner.ids).await;
                let unknown = ask(&intruder.token, &nobodys).await;
                assert_eq!(neutral(&foreign, &owner.ids), neutral(&unknown, &nobodys), "{}", question.name);
                cells += 1;
            }
        }
    }
    assert!(cells > 200, "{cells} cells");
}

#[tokio::test]
async fn lists_hold_nothing_of_anothers() {
    let server = TestServer::start().await;
    let tenants = [
        Tenant::new(&server, &TestServer::alice(), 7301, 42).await,
        Tenant::new(&server, &TestServer::bob(), 9101, 61).await,
    ];
    let examples = examples::all();
    let mut lists = 0;
    for (intruder, owner) in [(1, 0), (0, 1)].map(|(a, b)| (&tenants[a], &tenants[b])) {
        let names = ["agentName", "spaceName", "sessionId"].map(|name| text(&owner.ids[name]));
        for row in Catalog::new().rows() {
            let example = &examples[row.name].arguments;
            if of_tool(row, example).is_some() || row.effect.writes() {
                continue;
            }
            let answer =
                server.send(server.post(Some(&intruder.token), &call(row.name, example.clone()))).await;
            assert!(names.iter().all(|name| !answer.text.contains(name)), "{}: {}", row.name, answer.text);
            lists += 1;
        }
        for kind in KINDS.iter().filter(|kind| !kind.is_template()) {
            let read = message("resources/read", &json!({"uri": kind.template}));
            let answer = server.send(server.post(Some(&intruder.token), &read)).await;
            assert!(names.iter().all(|name| !answer.text.contains(name)), "{}: {}", kind.name, answer.text);
            lists += 1;
        }
    }
    assert!(lists > 20, "{lists} lists");
}

fn initialize() -> Value {
    let client = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    message("initialize", &client)
}

#[tokio::test]
async fn sessions_of_another_are_nobodys() {
    for mode in ["sealed", "live"] {
        let server = TestServer::with(&[("SESSIONS", mode)], Catalog::new()).await;
        let [alice, bob] =
            [TestServer::alice(), TestServer::bob()].map(|login| server.token_for(&login, ALL_SCOPES));
        let opened = server.send(server.post(Some(&alice), &initialize())).await;
        let hers = opened.header("mcp-session-id");
        assert!(hers.len() > 40, "{}", opened.text);
        let made_up = hers.chars().rev().collect::<String>();
        let run = message("tools/call", &json!({"name": "list_agents", "arguments": {}}));
        let cancel =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
        let ping = message("ping", &json!({}));
        for (method, body) in [
            (Method::POST, &run),
            (Method::POST, &ping),
            (Method::POST, &cancel),
            (Method::GET, &ping),
            (Method::DELETE, &ping),
        ] {
            let seen = async |handle: &str| {
                let request: RequestBuilder =
                    server.request(method.clone(), "/mcp").bearer_auth(&bob).json(body);
                let request = request.header("accept", "application/json, text/event-stream");
                neutral(&server.send(request.header("mcp-session-id", handle)).await, &Ids::new())
            };
            assert_eq!(seen(hers).await, seen(&made_up).await, "{mode} {method} {body}");
        }
        let still = server.post(Some(&alice), &ping).header("mcp-session-id", hers);
        let still = server.send(still).await;
        assert_eq!(still.status, 200, "{mode}: it was not ended: {}", still.text);
    }
}

#[tokio::test]
async fn runs_of_another_cannot_be_followed() {
    let server = TestServer::with(&[("SESSIONS", "live")], Catalog::new()).await;
    let tenants = [
        Tenant::new(&server, &TestServer::alice(), 7301, 42).await,
        Tenant::new(&server, &TestServer::bob(), 9101, 61).await,
    ];
    let kind = KINDS.iter().find(|kind| kind.name == "Run Status").unwrap();
    for (intruder, owner) in [(1, 0), (0, 1)].map(|(a, b)| (&tenants[a], &tenants[b])) {
        let opened = server.send(server.post(Some(&intruder.token), &initialize())).await;
        let session = opened.header("mcp-session-id");
        let seen = async |ids: &Ids| {
            let uri = uri(kind, ids);
            let listen =
                message("subscriptions/listen", &json!({"notifications": {"resourceSubscriptions": [uri]}}));
            let mut events = Events::of(server.post_modern(&intruder.token, &listen).send().await.unwrap());
            let acknowledged = events.next().await.unwrap();
            let ended = events.next().await.unwrap();
            let subscribe =
                server.post(Some(&intruder.token), &message("resources/subscribe", &json!({"uri": uri})));
            let mut events = Events::of(subscribe.header("mcp-session-id", session).send().await.unwrap());
            let refused = events.next().await.unwrap().to_string();
            format!("{acknowledged} {ended} {}", refused.replace(&uri, "<uri>"))
        };
        assert_eq!(seen(&owner.ids).await, seen(&nobodys()).await);
    }
}
