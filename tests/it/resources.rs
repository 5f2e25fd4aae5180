//! Resources through the front door, in both eras: every kind, what strangers get, and links that lead to them.

use reqwest::{Method, StatusCode};
use sequentum_mcp::{
    demo::{Fault, FaultKind},
    resources::KINDS,
    tools::Catalog,
};
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, Answer, TestServer, server::call};

fn read(uri: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}})
}

async fn get(server: &TestServer, token: &str, modern: bool, uri: &str) -> Answer {
    let request =
        if modern { server.post_modern(token, &read(uri)) } else { server.post(Some(token), &read(uri)) };
    server.send(request).await
}

/// The contents of a resource of Alice's.
async fn contents(server: &TestServer, uri: &str) -> Value {
    let answer = get(server, &server.token(), true, uri).await.json();
    assert!(answer.get("error").is_none(), "{answer}");
    answer["result"]["contents"][0].clone()
}

/// A run of Alice's that has ended well, and one of its files.
async fn run_and_file(server: &TestServer) -> (Value, Value) {
    let runs = server.ask("get_agent_runs", json!({"agentId": 7301, "maxRecords": 1})).await;
    let run = runs["runs"][0]["id"].clone();
    let files = server.ask("get_run_files", json!({"agentId": 7301, "runId": run})).await;
    (run, files["result"][0]["id"].clone())
}

/// The URI of a kind, for objects of Alice's.
fn expand(template: &str, run: &Value, file: &Value) -> String {
    let uri = template.replace("{agentId}", "7301").replace("{spaceId}", "42");
    uri.replace("{runId}", &run.to_string()).replace("{fileId}", &file.to_string())
}

#[tokio::test]
async fn every_kind_is_read_alike_in_both_eras_and_shows_what_its_tool_shows() {
    let server = TestServer::start().await;
    let (run, file) = run_and_file(&server).await;
    for kind in KINDS {
        let uri = expand(kind.template, &run, &file);
        let old = get(&server, &server.token(), false, &uri).await;
        assert_eq!(old.status, StatusCode::OK, "{uri}: {}", old.text);
        let old = old.json();
        assert!(old["result"].get("resultType").is_none(), "a member of the newer era");
        let new = get(&server, &server.token(), true, &uri).await.json();
        let result = &new["result"];
        assert_eq!(
            (&result["resultType"], &result["cacheScope"], &result["ttlMs"]),
            (&json!("complete"), &json!("private"), &json!(0)),
            "{new}"
        );
        assert_eq!(old["result"]["contents"], result["contents"], "{uri}");
        let [content] = &*result["contents"].as_array().unwrap().clone() else { panic!("one content") };
        assert_eq!(content["uri"], uri);
        if let Some(media_type) = kind.media_type {
            assert_eq!(content["mimeType"], media_type);
            let uri: sequentum_mcp::resources::ResourceUri = uri.parse().unwrap();
            let shown: Value = serde_json::from_str(content["text"].as_str().unwrap()).unwrap();
            let asked = server.ask(kind.tool, Value::Object(uri.arguments())).await;
            assert_eq!(shown, asked, "{uri} shows what {} shows", kind.tool);
        }
    }
}

#[tokio::test]
async fn every_kind_names_a_tool_and_has_an_api_operation_behind_it() {
    let catalog = Catalog::new();
    for kind in KINDS {
        assert!(catalog.find(kind.tool).is_some(), "{}", kind.name);
    }
}

#[tokio::test]
async fn strangers_unknown_and_malformed_uris_get_the_not_found_of_their_era() {
    let server = TestServer::start().await;
    let (run, file) = run_and_file(&server).await;
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    for kind in KINDS.iter().filter(|kind| kind.is_template()) {
        let foreign = expand(kind.template, &run, &file);
        let unknown = foreign.replace("7301", "999999").replace("spaces/42", "spaces/999999");
        for (modern, code) in [(false, -32002), (true, -32602)] {
            for uri in [&foreign, &unknown] {
                let answer = get(&server, &bob, modern, uri).await;
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
                let error = &answer.json()["error"];
                assert_eq!(error["code"], code, "{uri}");
                assert_eq!(error["message"], "There is no such resource.");
                assert_eq!(error["data"], json!({"uri": uri}));
            }
        }
    }
    server.platform.faults().clear();
    let before = server.platform.requests().len();
    let long = format!("sequentum://agents/{}", "1".repeat(5000));
    for uri in ["", "sequentum://agents/0", "sequentum://agents/7301/", "file:///etc/passwd", &long] {
        let answer = get(&server, &server.token(), false, uri).await;
        assert_eq!(answer.json()["error"]["code"], -32002, "{uri}: {}", answer.text);
        assert!(answer.text.len() < 500, "a long URI is not repeated at length");
    }
    assert_eq!(server.platform.requests().len(), before, "the platform was not asked");
}

#[tokio::test]
async fn a_missing_scope_is_a_challenge_before_the_platform_is_asked() {
    let server = TestServer::start().await;
    let token = server.token_for(&TestServer::alice(), "agents:read");
    for modern in [false, true] {
        for (uri, needed) in [
            ("sequentum://billing/balance", "agents:read billing:read"),
            ("sequentum://agents/7301/runs", "agents:read runs:read"),
            ("sequentum://spaces/42", "agents:read spaces:read"),
        ] {
            let answer = get(&server, &token, modern, uri).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{uri}");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains(&format!("scope=\"{needed}\"")), "{challenge}");
        }
    }
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn lists_show_what_the_caller_can_read() {
    let server = TestServer::start().await;
    let names = async |token: &str, method: &str, member: &str| {
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": method});
        let answer = server.send(server.post_modern(token, &list)).await.json();
        assert_eq!(answer["result"]["cacheScope"], "private", "{answer}");
        let items = answer["result"][member].as_array().unwrap().clone();
        let key = if member == "resources" { "uri" } else { "uriTemplate" };
        items.iter().map(|item| item[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = |templates: bool| {
        let kinds = KINDS.iter().filter(move |kind| kind.is_template() == templates);
        kinds.map(|kind| kind.template.to_owned()).collect::<Vec<_>>()
    };
    let token = server.token();
    assert_eq!(names(&token, "resources/list", "resources").await, all(false));
    assert_eq!(names(&token, "resources/templates/list", "resourceTemplates").await, all(true));
    let token = server.token_for(&TestServer::alice(), "billing:read");
    assert_eq!(
        names(&token, "resources/list", "resources").await,
        ["sequentum://billing/balance", "sequentum://billing/spending", "sequentum://billing/agents-usage"]
    );
    assert_eq!(
        names(&token, "resources/templates/list", "resourceTemplates").await,
        ["sequentum://agents/{agentId}/cost-breakdown"]
    );
    for method in ["resources/list", "resources/templates/list"] {
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"cursor": "x"}});
        let answer = server.send(server.post(Some(&server.token()), &list)).await.json();
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[tokio::test]
async fn files_are_shown_as_they_are() {
    let server = TestServer::start().await;
    let (run, _) = run_and_file(&server).await;
    let files = server.ask("get_run_files", json!({"agentId": 7301, "runId": run})).await;
    let mut kinds = Vec::new();
    for file in files["result"].as_array().unwrap() {
        let content =
            contents(&server, &format!("sequentum://agents/7301/runs/{run}/files/{}", file["id"])).await;
        assert_eq!(content["_meta"]["com.sequentum/name"], file["name"]);
        assert_eq!(content["_meta"]["com.sequentum/lastModified"], file["created"]);
        let form = if content.get("text").is_some() { "text" } else { "blob" };
        kinds.push(format!(
            "{} {} {form}",
            file["name"].as_str().unwrap(),
            content["mimeType"].as_str().unwrap()
        ));
    }
    insta::assert_debug_snapshot!(kinds, @r#"
    [
        "shoe-catalogue.csv text/csv text",
        "shoe-catalogue.json application/json text",
        "shoe-catalogue-64.log text/plain text",
    ]
    "#);
    assert!(!server.platform.credential_leaked());
}

#[tokio::test]
async fn failures_of_the_platform_are_errors_of_the_protocol_with_a_remedy() {
    let server = TestServer::start().await;
    for (status, code) in [(500, "platform_error"), (429, "rate_limited"), (403, "forbidden")] {
        server.platform.faults().clear();
        server.platform.faults().inject(Fault {
            path_contains: "/api/v1/billing/credits".to_owned(),
            times: 9,
            kind: FaultKind::Status { status, headers: Vec::new(), body: "internal".to_owned() },
        });
        let answer = get(&server, &server.token(), false, "sequentum://billing/balance").await.json();
        let error = &answer["error"];
        assert_eq!((&error["code"], &error["data"]["code"]), (&json!(-32603), &json!(code)), "{answer}");
        assert_eq!(error["data"]["uri"], "sequentum://billing/balance");
        assert!(error["data"]["remedy"].is_string() && error["data"]["requestId"].is_string(), "{answer}");
        assert!(!answer.to_string().contains("internal\""), "{answer}");
    }
    server.platform.faults().clear();
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/billing/credits".to_owned(),
        times: 1,
        kind: FaultKind::Status { status: 401, headers: Vec::new(), body: String::new() },
    });
    let dead = get(&server, &server.token(), false, "sequentum://billing/balance").await;
    assert_eq!(dead.status, StatusCode::UNAUTHORIZED, "{}", dead.text);
}

#[tokio::test]
async fn results_link_to_where_more_is_to_be_had() {
    let server = TestServer::start().await;
    let links = async |tool: &str, arguments: Value| {
        let result = server.call(tool, arguments).await;
        let content = result["content"].as_array().unwrap().clone();
        content[1..].to_vec()
    };
    let (run, file) = run_and_file(&server).await;
    let files = links("get_run_files", json!({"agentId": 7301, "runId": run})).await;
    assert_eq!(files[0]["type"], "resource_link");
    assert_eq!(files[0]["uri"], format!("sequentum://agents/7301/runs/{run}/files/{file}"));
    assert!(files[0]["size"].is_u64() && files[0]["annotations"]["lastModified"].is_string(), "{}", files[0]);
    let status = links("get_run_status", json!({"agentId": 7301, "runId": run})).await;
    assert_eq!(status[0]["uri"], format!("sequentum://agents/7301/runs/{run}/files"));
    let failed = server.ask("get_latest_failure", json!({"agentId": 7305})).await["runId"].clone();
    let status = links("get_run_status", json!({"agentId": 7305, "runId": failed})).await;
    assert_eq!(status[0]["uri"], format!("sequentum://agents/7305/runs/{failed}/diagnostics"));
    let started = server.call("start_agent", json!({"agentId": 7303})).await;
    let new = &started["structuredContent"]["run"]["id"];
    assert_eq!(started["content"][1]["uri"], format!("sequentum://agents/7303/runs/{new}"));
    // Every link can be read, in the newer era as well.
    for link in files.iter().chain(&status) {
        contents(&server, link["uri"].as_str().unwrap()).await;
    }
    let run_status = call("get_run_status", json!({"agentId": 7301, "runId": run}));
    let answer = server.send(server.post_modern(&server.token(), &run_status)).await.json();
    assert_eq!(answer["result"]["content"][1]["type"], "resource_link");
    // A revision that does not know links gets none.
    let request = server.request(Method::POST, "/mcp").bearer_auth(server.token()).json(&run_status);
    let answer = server.send(request).await.json();
    assert_eq!(answer["result"]["content"].as_array().unwrap().len(), 1);
}
