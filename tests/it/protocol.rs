//! Both eras on one URL, and what the gate answers in the library's place.

use reqwest::{Method, StatusCode};
use sequentum_mcp::tools::Catalog;
use serde_json::{Value, json};

use crate::support::{
    Answer, TestServer,
    server::call,
    tools::{Counts, Hangs, Panics},
    waiting::quickly,
};

fn list() -> Value {
    json!({"jsonrpc": "2.0", "id": "a", "method": "tools/list"})
}

#[tokio::test]
async fn initialize_negotiates_each_2025_revision() {
    let server = TestServer::start().await;
    for (asked, answered) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let params = json!({"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
        let request = server.request(Method::POST, "/mcp").bearer_auth(server.token()).json(&message);
        let answer = server.send(request).await;
        assert_eq!(answer.json()["result"]["protocolVersion"], answered, "{asked}: {}", answer.text);
        assert!(answer.header("mcp-session-id").len() > 50, "{asked}");
    }
}

#[tokio::test]
async fn the_handshake_tells_the_truth() {
    let server = TestServer::start().await;
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let answer = server
        .send(server.request(Method::POST, "/mcp").bearer_auth(server.token()).json(&message))
        .await
        .json();
    let result = &answer["result"];
    assert_eq!(
        result["capabilities"],
        json!({"completions": {}, "prompts": {}, "resources": {}, "tools": {}})
    );
    assert_eq!(result["serverInfo"]["name"], "sequentum-mcp");
    assert!(result.get("resultType").is_none(), "a member of the newer era");
    let instructions = result["instructions"].as_str().unwrap();
    assert!(instructions.contains("three things must be unambiguous"));
}

#[tokio::test]
async fn discovery_of_the_2026_revision() {
    let server = TestServer::start().await;
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover"});
    let answer = server.send(server.post_modern(&server.token(), &message)).await;
    let result = &answer.json()["result"];
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(
        (&result["resultType"], &result["cacheScope"], &result["ttlMs"]),
        (&json!("complete"), &json!("public"), &json!(300_000))
    );
    assert!(answer.header("mcp-session-id").is_empty(), "no sessions in this era");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn tools_are_listed_alike_in_both_eras() {
    let server = TestServer::start().await;
    let old = server.send(server.post(Some(&server.token()), &list())).await.json();
    let new = server.send(server.post_modern(&server.token(), &list())).await.json();
    assert_eq!(old["result"]["tools"], new["result"]["tools"]);
    assert_eq!(new["result"]["cacheScope"], "private");
    assert_eq!(old["id"], "a");
    let names: Vec<_> = old["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), Catalog::new().rows().len());
    for tool in old["result"]["tools"].as_array().unwrap() {
        let annotations = tool["annotations"].as_object().unwrap();
        for hint in ["title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(annotations.contains_key(hint), "{}: {hint}", tool["name"]);
        }
        assert_eq!(tool["title"], annotations["title"]);
    }
    let cursor = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": "made-up"}});
    let answer = server.send(server.post(Some(&server.token()), &cursor)).await.json();
    assert_eq!(answer["error"]["code"], -32602);
}

#[tokio::test]
async fn a_2026_call_is_checked_against_its_headers() {
    let server = TestServer::start().await;
    let message = call("whoami", json!({}));
    let good = server.send(server.post_modern(&server.token(), &message)).await;
    assert_eq!(good.json()["result"]["resultType"], "complete");
    // The library's own refusals of this era.
    let other = server.post_modern(&server.token(), &message).header("mcp-name", "list_agents");
    assert_eq!(server.send(other).await.status, StatusCode::BAD_REQUEST, "two names");
    let unknown = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let answer = server.send(server.post_modern(&server.token(), &unknown)).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (StatusCode::NOT_FOUND, &json!(-32601)));
    let mismatch = server
        .request(Method::POST, "/mcp")
        .bearer_auth(server.token_for(&TestServer::alice(), "runs:read"))
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "whoami")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_agents", "arguments": {},
            "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}}));
    let answer = server.send(mismatch).await;
    assert_eq!(answer.json()["error"]["code"], -32020, "before any question of scope: {}", answer.text);
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error() {
    let server = TestServer::start().await;
    for answer in [
        server.send(server.post(Some(&server.token()), &call("no_such_tool", json!({})))).await,
        server.send(server.post_modern(&server.token(), &call("no_such_tool", json!({})))).await,
    ] {
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["error"]["code"], -32602);
    }
}

async fn raw(server: &TestServer, body: &str) -> Answer {
    let request = server.request(Method::POST, "/mcp").bearer_auth(server.token());
    server.send(request.header("content-type", "application/json").body(body.to_owned())).await
}

#[tokio::test]
async fn what_is_no_message_is_refused_in_json_rpc() {
    let server = TestServer::start().await;
    for (body, status, code, id) in [
        ("", 400, -32700, json!(null)),
        ("{\"jsonrpc\":", 400, -32700, json!(null)),
        ("\u{feff}{}", 400, -32700, json!(null)),
        ("17", 400, -32600, json!(null)),
        ("[]", 400, -32600, json!(null)),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, 400, -32600, json!(null)),
        (r#"{"id":1,"method":"ping"}"#, 400, -32600, json!(1)),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, 400, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, 400, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, 400, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1}"#, 400, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, 400, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, 400, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, 400, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, 200, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":"x","method":"tools/call"}"#, 200, -32602, json!("x")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#, 200, -32602, json!(1)),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":[]}}"#,
            200,
            -32602,
            json!(1),
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#, 200, -32601, json!(1)),
    ] {
        let answer = raw(&server, body).await;
        let json = answer.json();
        assert_eq!(
            (answer.status.as_u16(), &json["error"]["code"], &json["id"]),
            (status, &json!(code), &id),
            "{body}: {}",
            answer.text
        );
    }
    let deep = format!(
        "{}{}",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{"a":"#,
        "[".repeat(100_000)
    );
    assert_eq!(raw(&server, &deep).await.status, StatusCode::BAD_REQUEST);
    insta::assert_snapshot!(raw(&server, "{").await.pinned(&server), @r#"
    400
    {"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"The body is not valid JSON.","data":{"code":"parse_error","remedy":"Send one JSON-RPC 2.0 message in UTF-8.","retryable":false,"requestId":"<request-id>"}}}
    "#);
}

#[tokio::test]
async fn media_types_are_read_leniently() {
    let server = TestServer::start().await;
    let send = |accept: Option<&str>, content_type: &str| {
        let mut request = server
            .request(Method::POST, "/mcp")
            .bearer_auth(server.token())
            .body(list().to_string())
            .header("content-type", content_type.to_owned());
        if let Some(accept) = accept {
            request = request.header("accept", accept.to_owned());
        }
        server.send(request)
    };
    for accept in [
        None,
        Some("*/*"),
        Some("application/json"),
        Some("application/*"),
        Some("text/event-stream, application/json"),
    ] {
        let answer = send(accept, "application/json; charset=utf-8").await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::OK, "application/json"),
            "{accept:?}"
        );
    }
    let stream = send(Some("text/event-stream"), "application/json").await;
    assert_eq!((stream.status, stream.header("content-type")), (StatusCode::OK, "text/event-stream"));
    assert!(stream.text.starts_with("event: message\ndata: {") && stream.text.ends_with("}\n\n"));
    assert_eq!(stream.header("x-accel-buffering"), "no");
    assert_eq!(send(Some("text/html"), "application/json").await.status, StatusCode::NOT_ACCEPTABLE);
    insta::assert_snapshot!(send(None, "text/plain").await.pinned(&server), @r#"
    415
    {"jsonrpc":"2.0","id":null,"error":{"code":415,"message":"The body must be JSON.","data":{"code":"not_json","remedy":"Send Content-Type: application/json.","retryable":false,"requestId":"<request-id>"}}}
    "#);
}

#[tokio::test]
async fn odd_headers_are_refused() {
    let server = TestServer::start().await;
    let twice = server.post(Some(&server.token()), &list()).header("mcp-protocol-version", "2025-11-25");
    assert_eq!(server.send(twice).await.status, StatusCode::BAD_REQUEST);
    let revision = server
        .request(Method::POST, "/mcp")
        .bearer_auth(server.token())
        .header("mcp-protocol-version", "2024-10-07")
        .json(&list());
    insta::assert_snapshot!(server.send(revision).await.pinned(&server), @r#"
    400
    {"jsonrpc":"2.0","id":"a","error":{"code":-32600,"message":"The revision in MCP-Protocol-Version is not supported.","data":{"code":"invalid_request","remedy":"Use the revision that initialize answered with.","retryable":false,"requestId":"<request-id>","supported":["2025-03-26","2025-06-18","2025-11-25","2026-07-28"]}}}
    "#);
}

#[tokio::test]
async fn notifications_are_accepted() {
    let server = TestServer::start().await;
    for method in ["notifications/initialized", "notifications/cancelled"] {
        let answer = server
            .send(server.post(
                Some(&server.token()),
                &json!({"jsonrpc": "2.0", "method": method, "params": {"requestId": 9}}),
            ))
            .await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::ACCEPTED, ""));
    }
    // One that is named like a request opens nothing and says nothing.
    for mode in ["sealed", "live"] {
        let server = TestServer::with(&[("SESSIONS", mode)], Catalog::new()).await;
        let client = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let initialize = json!({"jsonrpc": "2.0", "method": "initialize", "params": client});
        let answer = server.send(server.post(Some(&server.token()), &initialize)).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::ACCEPTED, ""), "{mode}");
        assert_eq!((answer.header("mcp-session-id"), answer.header("content-type")), ("", ""), "{mode}");
    }
}

#[tokio::test]
async fn the_hot_path_answers_as_the_library_does() {
    let server = TestServer::start().await;
    // A progress token sends a call through the library; without one it takes the hot path.
    let through_library = |mut message: Value| {
        message["params"]["_meta"]["progressToken"] = json!("t");
        message
    };
    for (tool, arguments) in [
        ("get_agent", json!({"agentId": 7301})),
        ("list_spaces", json!({})),
        ("get_agent", json!({"agentId": 9101})),
        ("get_agent", json!({"agentId": "x"})),
        ("whoami", Value::Null),
    ] {
        let message = call(tool, arguments);
        let token = server.token();
        for (hot, library) in [
            (
                server.post(Some(&token), &message),
                server.post(Some(&token), &through_library(message.clone())),
            ),
            (
                server.post_modern(&token, &message),
                server.post_modern(&token, &through_library(message.clone())),
            ),
        ] {
            let (hot, library) = (server.send(hot).await, server.send(library).await);
            assert_eq!(
                (hot.status, hot.header("content-type")),
                (library.status, library.header("content-type"))
            );
            assert_eq!(without_request_id(hot.json()), without_request_id(library.json()), "{tool}");
        }
    }
}

/// The one member that differs between two calls.
fn without_request_id(mut answer: Value) -> Value {
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    let mut inner: Value = serde_json::from_str(text).unwrap();
    if let Some(error) = inner.get_mut("error") {
        error.as_object_mut().unwrap().remove("requestId");
    }
    answer["result"]["content"][0]["text"] = inner;
    answer
}

#[tokio::test]
async fn arguments_nested_too_deeply_are_refused_and_not_dropped() {
    let server = TestServer::start().await;
    let nested = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"whoami","arguments":{{"a":{nested}}}}}}}"#
    );
    let answer = raw(&server, &body).await;
    assert_eq!(answer.json()["result"]["isError"], true, "{}", answer.text);
    assert!(answer.text.contains("nested too deeply"));
}

#[tokio::test]
async fn a_panicking_tool_answers_at_once_and_a_hanging_one_at_its_deadline() {
    let catalog = Catalog::new().with::<Panics>().with::<Hangs>();
    let server = TestServer::with(&[("CALL_TIMEOUT_SECONDS", "30")], catalog).await;
    let both =
        async { tokio::join!(server.refused("panics", json!({})), server.refused("hangs", json!({}))) };
    let (panicked, hung) = quickly(both).await;
    insta::assert_json_snapshot!(panicked, @r#"
    {
      "code": "internal_error",
      "message": "The server failed to handle this call.",
      "remedy": "Try again; if it happens again, report it with the request id.",
      "retryable": false
    }
    "#);
    assert_eq!(hung["code"], "timeout");
    assert_eq!(server.ask("whoami", json!({})).await["subject"], "15", "the server goes on");
}

#[tokio::test]
async fn progress_precedes_the_result_if_it_was_asked_for_and_can_be_read() {
    let server = TestServer::with(&[], Catalog::new().with::<Counts>()).await;
    let token = server.token();
    let mut asking = call("counts", json!({}));
    asking["params"]["_meta"]["progressToken"] = json!("t-1");
    for request in [server.post(Some(&token), &asking), server.post_modern(&token, &asking)] {
        let answer = server.send(request).await;
        assert_eq!(answer.header("content-type"), "text/event-stream");
        assert_eq!(answer.header("x-accel-buffering"), "no");
        let events: Vec<Value> = answer
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter_map(|data| serde_json::from_str(data).ok())
            .collect();
        assert_eq!(events.len(), 3, "{}", answer.text);
        let notice = |done: f64, message: &str| json!({"progressToken": "t-1", "progress": done, "total": 2.0, "message": message});
        assert_eq!(
            (&events[0]["method"], &events[0]["params"]),
            (&json!("notifications/progress"), &notice(1.0, "half"))
        );
        assert_eq!(events[1]["params"], notice(2.0, "done"));
        assert_eq!(events[2]["result"]["isError"], false);
    }
    // Without a token, or for a client that reads JSON only, there is one JSON answer.
    let quiet = server.send(server.post(Some(&token), &call("counts", json!({})))).await;
    assert_eq!(quiet.header("content-type"), "application/json");
    let json_only =
        server.request(Method::POST, "/mcp").bearer_auth(&token).header("accept", "application/json");
    assert_eq!(server.send(json_only.json(&asking)).await.header("content-type"), "application/json");
}

#[tokio::test]
async fn an_unknown_revision_is_answered_with_those_that_discovery_names() {
    let server = TestServer::start().await;
    let mut message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2031-01-01",
        "io.modelcontextprotocol/clientCapabilities": {}}}});
    let send = async |message: &Value, header: &str| {
        let request = server.request(Method::POST, "/mcp").bearer_auth(server.token());
        let request = request.header("mcp-protocol-version", header).header("mcp-method", "tools/list");
        server.send(request.json(message)).await
    };
    let unknown = send(&message, "2031-01-01").await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    let error = &unknown.json()["error"];
    assert_eq!(
        (&error["code"], &error["data"]["requested"]),
        (&json!(-32022), &json!("2031-01-01")),
        "{error}"
    );
    let discover = json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover"});
    let discovered = server.send(server.post_modern(&server.token(), &discover)).await.json();
    assert_eq!(error["data"]["supported"], discovered["result"]["supportedVersions"]);
    // A header that says something else is the library's to refuse.
    let differs = send(&message, "2031-01-02").await;
    assert_eq!(differs.json()["error"]["code"], -32020, "{}", differs.text);
    message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(7);
    let odd = send(&message, "2031-01-01").await;
    assert!(odd.status.is_client_error() && odd.json()["error"]["code"].is_i64(), "{}", odd.text);
}
