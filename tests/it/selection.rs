//! Read-only and toolsets: the operator's bound, and what a user asks for within it.

use reqwest::{Method, RequestBuilder, StatusCode};
use sequentum_mcp::tools::{Catalog, Reach, Toolset};
use serde_json::{Value, json};

use crate::support::{TestServer, events::Events, server::call};

/// A request to the endpoint with a query and headers of the user's choice.
fn post(server: &TestServer, query: &str, headers: &[(&str, &str)], message: &Value) -> RequestBuilder {
    let request = server.request(Method::POST, &format!("/mcp{query}")).bearer_auth(server.token());
    let request = request.header("mcp-protocol-version", "2025-06-18");
    headers.iter().fold(request.json(message), |request, (name, value)| request.header(*name, *value))
}

async fn listed(server: &TestServer, query: &str, headers: &[(&str, &str)], what: &str) -> Vec<String> {
    let (method, member, key) = match what {
        "tools" => ("tools/list", "tools", "name"),
        "prompts" => ("prompts/list", "prompts", "name"),
        "templates" => ("resources/templates/list", "resourceTemplates", "uriTemplate"),
        _ => ("resources/list", "resources", "uri"),
    };
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": method});
    let answer = server.send(post(server, query, headers, &list)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let items = answer.json()["result"][member].as_array().unwrap().clone();
    items.iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
}

fn names(wanted: impl Fn(&sequentum_mcp::tools::Row) -> bool) -> Vec<String> {
    let catalog = Catalog::new();
    catalog.rows().iter().filter(|row| wanted(row)).map(|row| row.name.to_owned()).collect()
}

#[tokio::test]
async fn a_user_narrows_by_address_or_header() {
    let server = TestServer::start().await;
    let reading = names(|row| !row.effect.writes());
    let runs = names(|row| matches!(row.toolset, Toolset::Account | Toolset::Runs));
    let reading_runs = runs.iter().filter(|name| reading.contains(name)).cloned().collect::<Vec<_>>();
    for (query, headers, expected) in [
        ("?readonly=true", &[][..], &reading),
        ("?readonly", &[], &reading),
        ("", &[("x-mcp-readonly", "1")], &reading),
        ("?toolsets=runs", &[], &runs),
        ("?toolsets=Runs%2Caccount", &[], &runs),
        ("", &[("x-mcp-toolsets", "runs")], &runs),
        ("?toolsets=runs", &[("x-mcp-readonly", "true")], &reading_runs),
        ("?toolsets=runs,billing", &[("x-mcp-toolsets", "runs,spaces")], &runs),
        // A wish for more than there is changes nothing.
        ("?readonly=true", &[("x-mcp-readonly", "false")], &reading),
        ("?readonly=false&other=1", &[], &names(|_| true)),
    ] {
        assert_eq!(listed(&server, query, headers, "tools").await, *expected, "{query} {headers:?}");
    }
}

#[tokio::test]
async fn what_is_not_offered_cannot_be_called_read_or_picked() {
    let server = TestServer::start().await;
    let refused = async |message: &Value| {
        let answer =
            server.send(post(&server, "?readonly=true&toolsets=runs,agents", &[], message)).await.json();
        answer["error"]["code"].as_i64()
    };
    for (tool, code) in
        [("start_agent", Some(-32602)), ("get_credits_balance", Some(-32602)), ("list_agents", None)]
    {
        assert_eq!(refused(&call(tool, json!({"agentId": 7303}))).await.is_some(), code.is_some(), "{tool}");
    }
    let read =
        |uri: &str| json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}});
    assert_eq!(refused(&read("sequentum://billing/balance")).await, Some(-32002));
    assert_eq!(refused(&read("sequentum://agents/7301")).await, None);
    let started =
        server.platform.requests().iter().any(|seen| seen.method == "POST" || seen.path.contains("billing"));
    assert!(!started, "the platform was not asked");
    let prompts = listed(&server, "?readonly=true", &[], "prompts").await;
    assert!(
        prompts.contains(&"debug-agent".to_owned())
            && !prompts.contains(&"build-agent-from-prompt".to_owned())
    );
    let resources = listed(&server, "?toolsets=billing", &[], "resources").await;
    assert!(resources.iter().all(|uri| uri.contains("/billing/")) && resources.len() == 3, "{resources:?}");
    let templates = listed(&server, "?toolsets=spaces", &[], "templates").await;
    assert_eq!(templates, ["sequentum://spaces/{spaceId}", "sequentum://spaces/{spaceId}/agents"]);
}

#[tokio::test]
async fn a_wish_that_cannot_be_read_is_refused() {
    let server = TestServer::start().await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    for (query, headers) in [
        ("?readonly=yes", &[][..]),
        ("?toolsets=", &[]),
        ("?toolsets=runs,everything", &[]),
        ("", &[("x-mcp-toolsets", "all")]),
    ] {
        let answer = server.send(post(&server, query, headers, &list)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        let error = &answer.json()["error"]["data"];
        assert_eq!(error["code"], "invalid_selection");
        assert!(error["allowed"].as_array().is_some_and(|allowed| allowed.len() >= 2), "{error}");
    }
}

#[tokio::test]
async fn the_operators_bound_holds_for_everybody() {
    let settings = [("READ_ONLY", "true"), ("TOOLSETS", "runs, files")];
    let server = TestServer::with(&settings, Catalog::new()).await;
    let expected = names(|row| {
        matches!(row.toolset, Toolset::Account | Toolset::Runs | Toolset::Files) && !row.effect.writes()
    });
    for query in ["", "?readonly=false", "?toolsets=account,runs,files,billing,agents"] {
        assert_eq!(listed(&server, query, &[], "tools").await, expected, "{query}");
    }
    let answer =
        server.send(server.post_modern(&server.token(), &call("list_agents", json!({})))).await.json();
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    // A tool that is not offered asks for no scope either.
    let token = server.token_for(&TestServer::alice(), "runs:read");
    let answer = server.send(server.post(Some(&token), &call("get_credits_balance", json!({})))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(Catalog::new().rows().iter().all(|row| Reach::of(row) != Reach::default()));
}

#[tokio::test]
async fn what_is_not_offered_cannot_be_completed_or_got_either() {
    let settings = [("READ_ONLY", "true"), ("TOOLSETS", "agents")];
    let server = TestServer::with(&settings, Catalog::new()).await;
    let ask = async |method: &str, params: Value| {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        server.send(server.post(Some(&server.token()), &message)).await.json()
    };
    let offered = json!({"type": "ref/resource", "uri": "sequentum://agents/{agentId}"});
    let not_offered = json!({"type": "ref/resource", "uri": "sequentum://agents/{agentId}/runs"});
    let argument = json!({"name": "agentId", "value": ""});
    let found = ask("completion/complete", json!({"ref": offered, "argument": argument})).await;
    assert_ne!(found["result"]["completion"]["values"], json!([]), "{found}");
    let asked = server.platform.requests().len();
    let prompt = json!({"type": "ref/prompt", "name": "debug-agent"});
    for params in [
        json!({"ref": not_offered, "argument": argument}),
        json!({"ref": prompt, "argument": {"name": "agentName", "value": ""}}),
    ] {
        let refused = ask("completion/complete", params).await;
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
    }
    // The same words as for a prompt that does not exist.
    let got = ask("prompts/get", json!({"name": "debug-agent", "arguments": {"agentName": "x"}})).await;
    let unknown = ask("prompts/get", json!({"name": "no-such-prompt"})).await;
    assert_eq!(got["error"], unknown["error"]);
    assert_eq!(got["error"]["data"]["code"], "unknown_prompt");
    assert_eq!(server.platform.requests().len(), asked, "the platform was not asked");
}

#[tokio::test]
async fn what_is_not_offered_cannot_be_followed() {
    let settings = [("TOOLSETS", "agents"), ("SESSIONS", "live")];
    let server = TestServer::with(&settings, Catalog::new()).await;
    let uri = "sequentum://agents/7306/runs/730601";
    // Without the scope either: what is not offered leads to no challenge.
    for token in [server.token(), server.token_for(&TestServer::alice(), "agents:read")] {
        let filter = json!({"resourceSubscriptions": [uri]});
        let listen = json!({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": {"notifications": filter}});
        let mut events = Events::of(server.post_modern(&token, &listen).send().await.unwrap());
        assert_eq!(events.next().await.unwrap()["params"]["notifications"], json!({}));

        let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
        let open = server.send(server.post(Some(&token), &initialize)).await;
        let session = open.header("mcp-session-id");
        let within = |message: &Value| server.post(Some(&token), message).header("mcp-session-id", session);
        server.send(within(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))).await;
        let subscribe =
            json!({"jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": {"uri": uri}});
        let mut answer = Events::of(within(&subscribe).send().await.unwrap());
        assert_eq!(answer.next().await.unwrap()["error"]["code"], -32002);
    }
    assert!(server.platform.requests().iter().all(|seen| !seen.path.contains("/runs/")));
}
