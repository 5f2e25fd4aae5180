//! Long calls as tasks (SEP-2663): whose ids need no storage, belong to their caller, and start nothing twice.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use sequentum_mcp::{
    demo::{Fault, FaultKind},
    tools::Catalog,
};
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, Answer, TestServer, leaks, server::call, waiting::quickly};

const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// A request of a client that knows tasks.
fn declaring(mut message: Value) -> Value {
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({"extensions": {EXTENSION: {}}});
    message
}

fn about(method: &str, id: &str) -> Value {
    let params = match method {
        "tasks/update" => json!({"taskId": id, "inputResponses": {"nobody-asked": {"action": "accept"}}}),
        _ => json!({"taskId": id}),
    };
    declaring(json!({"jsonrpc": "2.0", "id": 2, "method": method, "params": params}))
}

/// Calls a tool as a client that knows tasks.
async fn call_declaring(server: &TestServer, tool: &str, arguments: Value) -> Value {
    let message = declaring(call(tool, arguments));
    server.send(server.post_modern(&server.token(), &message)).await.json()["result"].take()
}

/// The same, where it must become a task; returns its id.
async fn begin(server: &TestServer, tool: &str, arguments: Value) -> String {
    let task = call_declaring(server, tool, arguments).await;
    assert_eq!((&task["resultType"], &task["status"]), (&json!("task"), &json!("working")), "{task}");
    task["taskId"].as_str().unwrap().to_owned()
}

async fn ask(server: &TestServer, method: &str, id: &str) -> Answer {
    server.send(server.post_modern(&server.token(), &about(method, id))).await
}

/// What `tasks/get` says.
async fn get(server: &TestServer, id: &str) -> Value {
    let answer = ask(server, "tasks/get", id).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let mut answer = answer.json();
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    assert_eq!(answer["result"]["taskId"], id);
    answer["result"].take()
}

/// What it says after some time.
async fn get_after(server: &TestServer, id: &str, seconds: u64) -> Value {
    server.clock.advance(Duration::from_secs(seconds));
    get(server, id).await
}

/// The result in a task that has ended, held against the schemas of its tool.
fn result(server: &TestServer, tool: &str, task: &Value) -> Value {
    assert_eq!(task["status"], "completed", "{task}");
    server.check(tool, &task["result"]);
    task["result"].clone()
}

/// The error in a task that has ended with one.
fn error(server: &TestServer, tool: &str, task: &Value) -> Value {
    let result = result(server, tool, task);
    assert_eq!(result["isError"], true, "{result}");
    serde_json::from_str::<Value>(result["content"][0]["text"].as_str().unwrap()).unwrap()["error"].take()
}

/// The requests that reached the platform and change something.
fn writes(server: &TestServer) -> Vec<String> {
    let requests = server.platform.requests();
    let writes = requests.iter().filter(|seen| seen.method != "GET");
    writes.map(|seen| format!("{} {}", seen.method, seen.path)).collect()
}

/// A run that has just been started, over in less than half a minute.
async fn run(server: &TestServer) -> Value {
    server.ask("start_agent", json!({"agentId": 7302})).await["run"]["id"].clone()
}

#[tokio::test]
async fn tasks_are_announced_where_they_are() {
    let server = TestServer::start().await;
    let discover = json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover"});
    let answer = server.send(server.post_modern(&server.token(), &discover)).await.json();
    assert_eq!(answer["result"]["capabilities"]["extensions"], json!({EXTENSION: {}}));
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {"extensions": {EXTENSION: {}}},
        "clientInfo": {"name": "t", "version": "1"}});
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    for settings in [&[][..], &[("SESSIONS", "live")]] {
        let server = TestServer::with(settings, Catalog::new()).await;
        let request = server.request(Method::POST, "/mcp").bearer_auth(server.token()).json(&initialize);
        let answer = server.send(request).await;
        assert!(answer.json()["result"]["capabilities"].get("extensions").is_none(), "{}", answer.text);
        let session = answer.header("mcp-session-id").to_owned();
        // Nor do they exist there.
        let request = server.request(Method::POST, "/mcp").bearer_auth(server.token());
        let request = request.header("mcp-session-id", session).json(&about("tasks/get", "x"));
        let mut message = about("tasks/get", "x");
        message["params"].as_object_mut().unwrap().remove("_meta");
        let answer = server.send(request.json(&message)).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (StatusCode::OK, &json!(-32601)));
    }
}

#[tokio::test]
async fn waiting_for_a_run_becomes_a_task_with_the_same_result() {
    let server = TestServer::start().await;
    let run = run(&server).await;
    let arguments = json!({"agentId": 7302, "runId": run, "timeout": 300});
    let task = call_declaring(&server, "wait_for_run", arguments.clone()).await;
    let id = task["taskId"].as_str().unwrap().to_owned();
    insta::assert_json_snapshot!(task, {".taskId" => "<sealed>"}, @r#"
    {
      "createdAt": "2026-11-21T10:00:00Z",
      "lastUpdatedAt": "2026-11-21T10:00:00Z",
      "pollIntervalMs": 8000,
      "resultType": "task",
      "status": "working",
      "statusMessage": "Queuing, 0 records so far",
      "taskId": "<sealed>",
      "ttlMs": 3900000
    }
    "#);
    let working = get_after(&server, &id, 5).await;
    insta::assert_json_snapshot!(working, {".taskId" => "<sealed>"}, @r#"
    {
      "createdAt": "2026-11-21T10:00:00Z",
      "lastUpdatedAt": "2026-11-21T10:00:05Z",
      "pollIntervalMs": 8000,
      "resultType": "complete",
      "status": "working",
      "statusMessage": "Running, 48 records so far",
      "taskId": "<sealed>",
      "ttlMs": 3900000
    }
    "#);
    let done = get_after(&server, &id, 25).await;
    let as_a_task = result(&server, "wait_for_run", &done);
    assert_eq!(as_a_task["structuredContent"]["finished"], true);
    let message = call("wait_for_run", arguments.clone());
    let plain = server.send(server.post_modern(&server.token(), &message)).await.json();
    assert_eq!(as_a_task, plain["result"]);
    // What has ended needs no task.
    let at_once = call_declaring(&server, "wait_for_run", arguments).await;
    assert_eq!(at_once, plain["result"]);
    assert_eq!(writes(&server).len(), 1, "the start");
}

#[tokio::test]
async fn a_task_ends_when_the_call_would_have_ended() {
    let server = TestServer::start().await;
    let run = run(&server).await;
    let id = begin(&server, "wait_for_run", json!({"agentId": 7302, "runId": run, "timeout": 5})).await;
    assert_eq!(get_after(&server, &id, 4).await["status"], "working");
    let waited = result(&server, "wait_for_run", &get_after(&server, &id, 1).await);
    assert_eq!(waited["structuredContent"]["finished"], false);
    // Waiting is cancelled, the run is not: it goes on, and the task says so.
    assert_eq!(ask(&server, "tasks/cancel", &id).await.json()["result"], json!({"resultType": "complete"}));
    assert_eq!(writes(&server).len(), 1, "the start");
}

#[tokio::test]
async fn a_synchronous_start_becomes_a_task_that_brings_the_data() {
    let server = TestServer::start().await;
    for agent in [7302, 7304] {
        let arguments = json!({"agentId": agent, "isRunSynchronously": true, "inputParameters": {"a": 1}});
        let before = writes(&server).len();
        let id = begin(&server, "start_agent", arguments).await;
        assert_eq!(writes(&server)[before..], [format!("POST /api/v1/agent/{agent}/start")]);
        let sent = server.platform.requests().into_iter().rfind(|seen| seen.method == "POST").unwrap();
        assert_eq!(sent.body, json!({"isExclusive": true, "inputParameters": "{\"a\":1}"}));
        assert_eq!(get_after(&server, &id, 2).await["status"], "working");
        let done = result(&server, "start_agent", &get_after(&server, &id, 30).await);
        let content = &done["structuredContent"];
        assert!(content["data"].is_array(), "{content}");
        assert_eq!(content["run"]["statusName"], if agent == 7302 { "Success" } else { "Completed" });
        assert!(content["notice"].is_string());
        assert_eq!(done["content"][1]["type"], "resource_link");
        assert_eq!(writes(&server).len(), before + 1, "nothing is started twice");
    }
    // A start that is not waited for is over at once.
    let plain = call_declaring(&server, "start_agent", json!({"agentId": 7303})).await;
    assert!(plain["structuredContent"]["run"]["id"].is_i64(), "{plain}");
}

#[tokio::test]
async fn a_start_that_fails_or_takes_too_long_ends_its_task_with_the_tools_error() {
    let server = TestServer::start().await;
    let start =
        |agent: u32, timeout: u32| json!({"agentId": agent, "isRunSynchronously": true, "timeout": timeout});
    let failing = begin(&server, "start_agent", start(7305, 60)).await;
    let slow = begin(&server, "start_agent", start(7302, 3)).await;
    let late = error(&server, "start_agent", &get_after(&server, &slow, 5).await);
    assert_eq!((&late["code"], &late["retryable"]), (&json!("still_running"), &json!(false)), "{late}");
    let failed = error(&server, "start_agent", &get_after(&server, &failing, 30).await);
    assert_eq!((&failed["code"], &failed["retryable"]), (&json!("run_failed"), &json!(false)), "{failed}");
    // Wrong arguments are answered at once, as ever.
    for arguments in
        [json!({"agentId": 0}), json!({"agentId": 7302, "isRunSynchronously": true, "parallelism": 2})]
    {
        let refused = call_declaring(&server, "start_agent", arguments).await;
        assert!(
            refused["isError"] == true
                && refused["content"][0]["text"].as_str().unwrap().contains("invalid_arguments")
        );
    }
}

#[tokio::test]
async fn cancelling_a_start_stops_its_run_and_never_by_force() {
    let server = TestServer::start().await;
    let id = begin(&server, "start_agent", json!({"agentId": 7302, "isRunSynchronously": true})).await;
    server.clock.advance(Duration::from_secs(6));
    for _ in 0..2 {
        let acknowledged = ask(&server, "tasks/cancel", &id).await.json()["result"].take();
        assert_eq!(acknowledged, json!({"resultType": "complete"}));
    }
    assert_eq!(get(&server, &id).await["status"], "working", "it is stopping");
    let stopped = get_after(&server, &id, 10).await;
    assert_eq!(stopped["status"], "cancelled");
    assert!(stopped.get("result").is_none() && stopped["statusMessage"].as_str().unwrap().contains("kept"));
    // What has ended stays as it is.
    let before = writes(&server);
    assert_eq!(ask(&server, "tasks/cancel", &id).await.json()["result"], json!({"resultType": "complete"}));
    assert_eq!(writes(&server), before);
    let others: Vec<_> =
        before.iter().filter(|path| !path.ends_with("/start") && !path.ends_with("/stop")).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test]
async fn a_lost_start_is_looked_up_and_becomes_no_task() {
    let server = TestServer::with(&[("API_TIMEOUT_SECONDS", "1")], Catalog::new()).await;
    server.platform.faults().inject(Fault {
        path_contains: "POST /api/v1/agent/7303/start".to_owned(),
        times: 1,
        kind: FaultKind::HangAfterAction,
    });
    let arguments = json!({"agentId": 7303, "isRunSynchronously": true, "timeout": 30});
    let lost = quickly(call_declaring(&server, "start_agent", arguments)).await;
    let text = lost["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{lost}"));
    assert!(text.contains("still_running") && text.contains("Do not start again"), "{text}");
    assert_eq!(writes(&server).len(), 1);
}

#[tokio::test]
async fn a_build_becomes_a_task() {
    let server = TestServer::start().await;
    let id = begin(&server, "start_agent_build", json!({"prompt": "titles on shop.example.com"})).await;
    assert_eq!(get_after(&server, &id, 30).await["status"], "working");
    let built = result(&server, "start_agent_build", &get_after(&server, &id, 60).await);
    assert_eq!(built["structuredContent"]["status"], "completed", "{built}");
    assert!(built["structuredContent"]["agentId"].is_i64());
    assert_eq!(writes(&server), ["POST /api/v1/agent-builder/start"]);
    let failing = begin(&server, "start_agent_build", json!({"prompt": "fail on shop.example.com"})).await;
    let failed = error(&server, "start_agent_build", &get_after(&server, &failing, 40).await);
    assert_eq!(failed["code"], "build_failed");
    let cancelled =
        begin(&server, "start_agent_build", json!({"prompt": "prices on shop.example.com"})).await;
    ask(&server, "tasks/cancel", &cancelled).await;
    assert_eq!(get(&server, &cancelled).await["status"], "cancelled");
    assert!(writes(&server).last().unwrap().ends_with("/stop"));
    let at_once = json!({"prompt": "reviews on shop.example.com", "waitForCompletion": false});
    let at_once = call_declaring(&server, "start_agent_build", at_once).await;
    assert!(at_once["structuredContent"]["sessionId"].is_string(), "{at_once}");
}

#[tokio::test]
async fn the_runs_of_a_space_become_one_task() {
    let server = TestServer::start().await;
    let id = begin(&server, "run_space_agents", json!({"spaceId": 43})).await;
    let working = get_after(&server, &id, 1).await;
    assert_eq!(working["status"], "working");
    let message = working["statusMessage"].as_str().unwrap();
    assert!(message.starts_with("0 of ") && message.ends_with("runs have ended"), "{message}");
    let done = result(&server, "run_space_agents", &get_after(&server, &id, 60).await);
    let content = &done["structuredContent"];
    assert!(
        content["agentsStarted"].as_i64().unwrap() > 0 && content["agentsFailed"].as_i64().unwrap() > 0,
        "{content}"
    );
    assert_eq!(done["content"][1]["type"], "resource_link");
    assert_eq!(writes(&server), ["POST /api/v1/spaces/43/run-all"]);
    let again = begin(&server, "run_space_agents", json!({"spaceId": 43})).await;
    ask(&server, "tasks/cancel", &again).await;
    assert_eq!(get_after(&server, &again, 10).await["status"], "cancelled");
    let stops = writes(&server).iter().filter(|path| path.ends_with("/stop")).count();
    assert_eq!(i64::try_from(stops).ok(), content["agentsStarted"].as_i64());
}

#[tokio::test]
async fn nobody_gets_a_task_who_could_not_follow_it() {
    let server = TestServer::start().await;
    let arguments = json!({"agentId": 7302, "isRunSynchronously": true});
    // A client that does not declare the extension, on this request.
    let plain = server.post_modern(&server.token(), &call("start_agent", arguments.clone()));
    let answer = server.while_time_passes(server.send(plain)).await.json();
    assert!(answer["result"]["structuredContent"]["data"].is_array(), "{answer}");
    // A client of the older era, whatever it declares.
    let older = server.post(Some(&server.token()), &declaring(call("start_agent", arguments.clone())));
    let answer = server.while_time_passes(server.send(older)).await.json();
    assert!(answer["result"]["structuredContent"]["data"].is_array(), "{answer}");
    // A caller without the right to see runs.
    let narrow = server.token_for(&TestServer::alice(), "agents:write");
    let request = server.post_modern(&narrow, &declaring(call("start_agent", arguments)));
    let answer = server.while_time_passes(server.send(request)).await.json();
    assert!(answer["result"]["structuredContent"]["data"].is_array(), "{answer}");
    // A tool that is over at once.
    let quick = call_declaring(&server, "get_agent", json!({"agentId": 7301})).await;
    assert_eq!(quick["structuredContent"]["id"], 7301);
}

#[tokio::test]
async fn asking_about_a_task_needs_the_declaration_the_headers_and_the_scopes() {
    let server = TestServer::start().await;
    let id = begin(&server, "start_agent", json!({"agentId": 7302, "isRunSynchronously": true})).await;
    let seen = server.platform.requests().len();
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let mut undeclared = about(method, &id);
        undeclared["params"].as_object_mut().unwrap().remove("_meta");
        let answer = server.send(server.post_modern(&server.token(), &undeclared)).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["code"]), (StatusCode::BAD_REQUEST, &json!(-32021)), "{error}");
        assert_eq!(error["data"]["requiredCapabilities"]["extensions"], json!({EXTENSION: {}}));
        let message = about(method, &id);
        let (client, request) = server.post_modern(&server.token(), &message).build_split();
        let mut request = request.unwrap();
        request.headers_mut().insert("mcp-name", "another".parse().unwrap());
        let request = reqwest::RequestBuilder::from_parts(client, request);
        let answer = server.send(request).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!(-32020))
        );
        let narrow = server.token_for(&TestServer::alice(), "agents:write");
        let answer = server.send(server.post_modern(&narrow, &message)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
        assert!(answer.header("www-authenticate").contains("runs:read"));
    }
    for (method, status) in [("tasks/list", 404), ("tasks/result", 404)] {
        let answer = ask(&server, method, &id).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]["code"]), (status, &json!(-32601)));
    }
    assert_eq!(server.platform.requests().len(), seen, "nothing of this reached the platform");
    assert_eq!(ask(&server, "tasks/update", &id).await.json()["result"], json!({"resultType": "complete"}));
}

#[tokio::test]
async fn somebody_elses_altered_and_expired_tasks_are_all_unknown() {
    let server = TestServer::start().await;
    let run = run(&server).await;
    let id = begin(&server, "wait_for_run", json!({"agentId": 7302, "runId": run})).await;
    let mut altered = id.clone().into_bytes();
    let middle = altered.len() / 2;
    altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let request = server.request(Method::POST, "/mcp").bearer_auth(server.token()).json(&initialize);
    let session = server.send(request).await.header("mcp-session-id").to_owned();
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    let seen = server.platform.requests().len();
    let unknown =
        json!({"code": -32602, "message": "There is no such task.", "data": {"code": "task_not_found"}});
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        for (token, id) in [
            (&bob, &*id),
            (&server.token(), &*altered),
            (&server.token(), &*session),
            (&server.token(), "made-up"),
            (&server.token(), &*"x".repeat(5000)),
        ] {
            let answer = server.send(server.post_modern(token, &about(method, id))).await;
            assert_eq!((answer.status, &answer.json()["error"]), (StatusCode::OK, &unknown), "{method}");
        }
        // Not offered here, so there is nothing to ask about.
        for query in ["?toolsets=billing", "?toolsets=spaces"] {
            let (client, request) = server.post_modern(&server.token(), &about(method, &id)).build_split();
            let mut request = request.unwrap();
            request.url_mut().set_query(Some(&query[1..]));
            let answer = server.send(reqwest::RequestBuilder::from_parts(client, request)).await;
            assert_eq!(answer.json()["error"], unknown, "{query}");
        }
    }
    server.clock.advance(Duration::from_secs(25 + 3599));
    assert_eq!(get(&server, &id).await["status"], "completed", "until its time is up");
    let seen = seen + 1;
    server.clock.advance(Duration::from_secs(2));
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let answer = ask(&server, method, &id).await.json();
        assert_eq!(answer["error"], unknown, "{method}");
    }
    assert_eq!(server.platform.requests().len(), seen, "nothing of this reached the platform");
}

#[tokio::test]
async fn a_task_survives_its_server_and_any_replica_answers() {
    let key = "6b".repeat(32);
    let (platform, clock) = TestServer::platform().await;
    let settings = [("PUBLIC_URL", "https://mcp.example.com"), ("SESSION_KEY", &*key)];
    let replica = || TestServer::before(platform.clone(), clock.clone(), &settings, Catalog::new());
    let (first, second) = (replica().await, replica().await);
    let token =
        platform.access_token(&TestServer::alice(), "https://mcp.example.com/mcp", ALL_SCOPES).unwrap();
    leaks::secret(&token);
    let send = async |server: &TestServer, message: Value| {
        let request = server.post_modern(&token, &message).header("host", "mcp.example.com");
        server.send(request).await.json()["result"].take()
    };
    let start = declaring(call("start_agent", json!({"agentId": 7302, "isRunSynchronously": true})));
    let id = send(&first, start).await["taskId"].as_str().unwrap().to_owned();
    assert_eq!(send(&second, about("tasks/get", &id)).await["status"], "working");
    first.stop().await;
    clock.advance(Duration::from_secs(30));
    let done = send(&second, about("tasks/get", &id)).await;
    assert!(done["result"]["structuredContent"]["data"].is_array(), "{done}");
    let restarted = replica().await;
    assert_eq!(send(&restarted, about("tasks/get", &id)).await["result"], done["result"]);
    // With another key it is nobody's.
    let other = "7c".repeat(32);
    let settings = [("PUBLIC_URL", "https://mcp.example.com"), ("SESSION_KEY", &*other)];
    let stranger = TestServer::before(platform.clone(), clock.clone(), &settings, Catalog::new()).await;
    let request = stranger.post_modern(&token, &about("tasks/get", &id)).header("host", "mcp.example.com");
    assert_eq!(stranger.send(request).await.json()["error"]["code"], -32602);
}

#[tokio::test]
async fn a_platform_that_cannot_be_asked_ends_no_task() {
    let server = TestServer::start().await;
    let run = run(&server).await;
    let id = begin(&server, "wait_for_run", json!({"agentId": 7302, "runId": run})).await;
    let status = |status: u16| FaultKind::Status { status, headers: vec![], body: "{}".to_owned() };
    let fail = |times, kind| {
        let path_contains = "/api/v1/agent/7302".to_owned();
        server.platform.faults().inject(Fault { path_contains, times, kind });
    };
    fail(4, status(503));
    let answer = ask(&server, "tasks/get", &id).await;
    let error = &answer.json()["error"];
    assert_eq!(
        (&error["code"], &error["data"]["code"]),
        (&json!(-32603), &json!("platform_error")),
        "{error}"
    );
    assert_eq!(error["data"]["retryable"], true);
    assert_eq!(get(&server, &id).await["status"], "working");
    // A dead credential is answered with what makes clients renew it.
    fail(1, status(401));
    assert_eq!(ask(&server, "tasks/get", &id).await.status, StatusCode::UNAUTHORIZED);
    // What will not pass is how the call would have ended.
    fail(1, status(404));
    let gone = self::error(&server, "wait_for_run", &get(&server, &id).await);
    assert_eq!(gone["code"], "not_found");
}
