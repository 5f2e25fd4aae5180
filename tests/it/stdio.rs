//! Standard input and output: the real command as a client starts it, in front of the simulated platform.

use std::{os::fd::OwnedFd, process::Stdio, time::Duration};

use rmcp::{
    RoleClient,
    model::{
        CallToolRequestParams, ClientConfig, CompleteRequestParams, GetPromptRequestParams, ProtocolVersion,
        ReadResourceRequestParams, Reference,
    },
    service::{ClientLifecycleMode, ClientServiceExt, RunningService},
};
use sequentum_mcp::{
    demo::{Login, Platform},
    prompts::Prompts,
    resources::KINDS,
    tools::Catalog,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::UnixStream,
    process::{Child, Command},
};

use crate::support::{
    child::{Server, able, call, ended, modern},
    server::start_platform,
    waiting::PATIENCE,
};

fn alice() -> Login {
    Platform::logins()[0]
}

fn command(platform: &Platform, key: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"));
    command
        .arg("stdio")
        .env("SEQUENTUM_API_URL", platform.url().as_str())
        .env("SEQUENTUM_API_KEY", key)
        // Nobody is signed in there.
        .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn connect(
    child: &mut Child,
    lifecycle: ClientLifecycleMode,
) -> RunningService<RoleClient, ClientConfig> {
    let streams = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    ClientConfig::default().serve_with_lifecycle(streams, lifecycle).await.unwrap()
}

/// Everything there is, once, with the library's client.
async fn tour(lifecycle: ClientLifecycleMode) -> ProtocolVersion {
    let (platform, _) = start_platform().await;
    let mut child = command(&platform, alice().api_key).spawn().unwrap();
    let client = connect(&mut child, lifecycle).await;

    let tools = client.list_all_tools().await.unwrap();
    assert_eq!(tools.len(), Catalog::new().rows().len());
    let prompts = client.list_all_prompts().await.unwrap();
    assert_eq!(prompts.len(), Prompts::new().unwrap().all().len());
    let resources = client.list_all_resources().await.unwrap().len();
    let templates = client.list_all_resource_templates().await.unwrap().len();
    assert_eq!(resources + templates, KINDS.len());

    let result = client.call_tool(CallToolRequestParams::new("whoami")).await.unwrap();
    let me = result.structured_content.unwrap();
    assert_eq!((&me["subject"], &me["missingScopes"]), (&json!("api-key"), &json!([])));
    let arguments = json!({"agentId": 7301}).as_object().unwrap().clone();
    let agent = CallToolRequestParams::new("get_agent").with_arguments(arguments);
    let agent = client.call_tool(agent).await.unwrap();
    assert!(agent.content.len() > 1, "links stand beside the result: {agent:?}");
    let agent = agent.structured_content.unwrap();
    assert_eq!(agent["id"], 7301);

    let read = client.read_resource(ReadResourceRequestParams::new("sequentum://agents/7301")).await.unwrap();
    assert!(serde_json::to_string(&read).unwrap().contains(agent["name"].as_str().unwrap()));
    let arguments = json!({"agentName": "carrier"}).as_object().unwrap().clone();
    let prompt = GetPromptRequestParams::new("debug-agent").with_arguments(arguments);
    let prompt = client.get_prompt(prompt).await.unwrap();
    assert!(serde_json::to_string(&prompt.messages).unwrap().contains("carrier"));
    let template = Reference::for_resource("sequentum://agents/{agentId}");
    let argument = serde_json::from_value(json!({"name": "agentId", "value": "730"})).unwrap();
    let found = client.complete(CompleteRequestParams::new(template, argument)).await.unwrap();
    assert!(found.completion.values.contains(&"7301".to_owned()), "{found:?}");

    let authorization: Vec<_> =
        platform.requests().into_iter().map(|request| request.authorization).collect();
    let expected = Some(format!("ApiKey {}", alice().api_key));
    assert!(!authorization.is_empty() && authorization.iter().all(|sent| *sent == expected));

    let version = client.peer_info().map(|info| info.protocol_version.clone());
    client.cancel().await.unwrap();
    let (code, log) = ended(&mut child).await;
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("tool.name=\"get_agent\"") && !log.contains(alice().api_key), "{log}");
    version.unwrap_or(ProtocolVersion::V_2026_07_28)
}

#[tokio::test]
async fn a_2025_client_has_everything() {
    assert_eq!(tour(ClientLifecycleMode::Initialize).await, ProtocolVersion::V_2025_11_25);
}

#[tokio::test]
async fn a_2026_client_has_everything() {
    let newest = ProtocolVersion::V_2026_07_28;
    tour(ClientLifecycleMode::Discover { preferred_versions: vec![newest] }).await;
}

#[tokio::test]
async fn requests_can_be_piped_in_and_the_end_of_input_ends_the_process() {
    let (platform, _) = start_platform().await;
    let mut server = Server::start(command(&platform, alice().api_key));
    let hello = server.initialize().await;
    assert_eq!(hello["protocolVersion"], "2025-11-25");
    assert_eq!(hello["capabilities"]["resources"]["subscribe"], true);
    server.send(&call(1, "list_spaces", &json!({}))).await;
    server.send(&call(2, "no_such_tool", &json!({}))).await;
    server.write(b"this is no JSON\n").await;
    server.close();
    let mut answers = Vec::new();
    while let Some(message) = server.next().await {
        answers.push(message);
    }
    answers.sort_by_key(|answer| answer["id"].as_u64());
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert_eq!(answers[0]["result"]["isError"], false);
    assert_eq!(answers[1]["error"]["code"], -32602);
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn the_end_of_input_before_any_message_is_no_failure() {
    let (platform, _) = start_platform().await;
    let server = Server::start(command(&platform, alice().api_key));
    assert_eq!(server.end().await.0, Some(0));
}

/// Starts a run on the platform and returns its URI.
async fn start(server: &mut Server, message: Value) -> String {
    let run = server.ask(&message).await["result"]["structuredContent"]["run"]["id"].clone();
    format!("sequentum://agents/7302/runs/{run}")
}

#[tokio::test]
async fn a_2025_client_is_told_of_a_run_it_subscribed_to() {
    let (platform, clock) = start_platform().await;
    let mut server = Server::start(command(&platform, alice().api_key));
    server.initialize().await;
    let uri = start(&mut server, call(1, "start_agent", &json!({"agentId": 7302}))).await;
    let subscribe = |uri: &str| json!({"jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": {"uri": uri}});
    assert_eq!(server.ask(&subscribe(&uri)).await["result"], json!({}));
    assert!(server.ask(&subscribe("sequentum://agents/7302/runs/1")).await["error"].is_object());
    clock.advance(Duration::from_mins(10));
    let update = server.next().await.unwrap();
    assert_eq!(update["method"], "notifications/resources/updated");
    assert_eq!(update["params"]["uri"], uri);
    assert_eq!(server.end().await.0, Some(0));
}

#[tokio::test]
async fn a_2026_client_listens_to_a_run_until_it_closes_its_end() {
    let (platform, clock) = start_platform().await;
    let mut server = Server::start(command(&platform, alice().api_key));
    let uri = start(&mut server, modern(call(1, "start_agent", &json!({"agentId": 7302})))).await;
    let waiting = "sequentum://agents/7306/runs/";
    let runs = modern(call(2, "get_agent_runs", &json!({"agentId": 7306, "maxRecords": 1})));
    let queued = server.ask(&runs).await["result"]["structuredContent"]["runs"][0]["id"].clone();
    let queued = format!("{waiting}{queued}");
    // One of somebody else, or of nobody, is left out of what is acknowledged.
    let filter = json!({"resourceSubscriptions": [uri, queued, "sequentum://agents/7302/runs/1"]});
    let listen = json!({"jsonrpc": "2.0", "id": "sub", "method": "subscriptions/listen", "params": {"notifications": filter}});
    server.send(&modern(listen)).await;
    let acknowledged = server.next().await.unwrap();
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    let accepted = json!({"resourceSubscriptions": [uri, queued]});
    assert_eq!(acknowledged["params"]["notifications"], accepted);
    clock.advance(Duration::from_secs(20));
    let update = server.next().await.unwrap();
    assert_eq!(update["method"], "notifications/resources/updated");
    assert_eq!(update["params"]["uri"], uri);
    // The queued run goes on and on; the end of input ends the stream all the same, with its result.
    server.close();
    let mut last = update;
    while let Some(message) = server.next().await {
        last = message;
    }
    assert_eq!((&last["id"], &last["result"]["resultType"]), (&json!("sub"), &json!("complete")));
    assert_eq!(server.end().await.0, Some(0));
}

#[tokio::test]
async fn a_key_that_the_platform_refuses_is_answered_with_what_to_do() {
    let (platform, _) = start_platform().await;
    let key = "sk-demo-alice-of-last-year";
    let mut server = Server::start(command(&platform, key));
    server.initialize().await;
    let mut result = server.ask(&call(1, "list_agents", &json!({}))).await["result"].take();
    assert_eq!(result["isError"], true);
    let mut error: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert!(error["error"].as_object_mut().unwrap().remove("requestId").is_some());
    insta::assert_json_snapshot!(error, @r#"
    {
      "error": {
        "code": "authentication_failed",
        "message": "The platform does not accept the API key.",
        "remedy": "Ask an administrator of the organisation for a new key (Users page of the platform), put it into SEQUENTUM_API_KEY and start the server again.",
        "retryable": false
      }
    }
    "#);
    result = server.ask(&json!({"jsonrpc": "2.0", "id": 2, "method": "resources/read", "params": {"uri": "sequentum://agents"}})).await;
    assert_eq!(result["error"]["message"], error["error"]["message"]);
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0));
    assert!(log.contains("authentication_failed") && !log.contains(key), "{log}");
}

#[tokio::test]
async fn what_the_operator_leaves_out_is_left_out_here_too() {
    let (platform, _) = start_platform().await;
    let mut command = command(&platform, alice().api_key);
    // As the container image has it, which listens on all addresses when it serves over HTTP.
    command.env("HOST", "0.0.0.0").env("READ_ONLY", "true").env("TOOLSETS", "runs");
    let mut server = Server::start(command);
    server.initialize().await;
    let listed = server.ask(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await;
    let names: Vec<_> = listed["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"get_agent_runs") && names.contains(&"whoami"), "{names:?}");
    assert!(!names.contains(&"start_agent") && !names.contains(&"list_agents"), "{names:?}");
    let refused = server.ask(&call(2, "start_agent", &json!({"agentId": 7302}))).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert_eq!(server.end().await.0, Some(0));
}

#[tokio::test]
async fn sigterm_ends_it_although_input_is_open_whatever_input_is() {
    let (platform, _) = start_platform().await;
    // Some clients start servers with sockets for pipes, where reading cannot be interrupted.
    let (socket, far) = UnixStream::pair().unwrap();
    let socket = socket.into_std().unwrap();
    socket.set_nonblocking(false).unwrap();
    let mut on_socket = command(&platform, alice().api_key);
    on_socket.stdin(OwnedFd::from(socket));
    let mut children = [on_socket.spawn().unwrap(), command(&platform, alice().api_key).spawn().unwrap()];
    for child in &mut children {
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = log.next_line().await.unwrap().unwrap();
        assert!(line.contains("serving standard input and output"), "{line}");
        let pid = child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        let status = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(0));
    }
    drop(far);
}

#[tokio::test]
async fn without_a_usable_key_it_does_not_start() {
    let (platform, _) = start_platform().await;
    let mut told = String::new();
    for key in ["", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"] {
        let mut child = command(&platform, key).spawn().unwrap();
        let (code, log) = ended(&mut child).await;
        assert_eq!(code, Some(2));
        let mut printed = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut printed).await.unwrap();
        assert!(printed.is_empty(), "standard output is for the protocol");
        told.push_str(&log);
    }
    insta::assert_snapshot!(told, @"
    SEQUENTUM_API_KEY is not set, and you are not signed in: `stdio` needs one of the two.
    Run `sequentum-mcp login` to sign in through the browser, or ask an administrator of your organisation for an API key (Users
    page of the platform; it starts with `sk-` and is shown once) and put it into the environment that your MCP client gives
    to this command.
    The configuration was refused:
      - SEQUENTUM_API_KEY=(hidden) (environment) is refused: expected an API key, which starts with `sk-`; an administrator makes one per user on the Users page of the platform
    Run `sequentum-mcp --help` for all settings.
    ");
}

fn deletion() -> Value {
    call(1, "delete_agent_schedule", &json!({"agentId": 7301, "scheduleId": 3102}))
}

fn writes(platform: &Platform) -> usize {
    platform.requests().iter().filter(|request| request.method != "GET").count()
}

#[tokio::test]
async fn a_2025_client_is_asked_by_a_request() {
    let (platform, _) = start_platform().await;
    let mut server = Server::start(command(&platform, alice().api_key));
    server.initialize_able(&json!({"elicitation": {}})).await;
    for (action, error) in [("decline", true), ("accept", false)] {
        server.send(&deletion()).await;
        let question = server.next().await.unwrap();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        assert!(
            question["params"]["message"].as_str().unwrap().starts_with("Delete schedule 3102"),
            "{question}"
        );
        assert_eq!(writes(&platform), 0);
        let response = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": action}});
        let result = server.ask_with(&response, 1).await;
        assert_eq!(result["result"]["isError"], error, "{result}");
    }
    assert_eq!(writes(&platform), 1);
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("outcome=\"not_confirmed\"") && log.contains("outcome=\"ok\""), "{log}");
}

#[tokio::test]
async fn a_2026_client_is_asked_by_the_answer() {
    let (platform, _) = start_platform().await;
    let mut server = Server::start(command(&platform, alice().api_key));
    let mut message = able(deletion(), &json!({"elicitation": {}}));
    let asked = server.ask(&message).await["result"].take();
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    assert_eq!(writes(&platform), 0);
    message["params"]["requestState"] = asked["requestState"].clone();
    message["params"]["inputResponses"] = json!({"confirmation": {"action": "accept"}});
    let done = server.ask(&message).await;
    assert_eq!(done["result"]["isError"], false, "{done}");
    assert_eq!(writes(&platform), 1);
    assert_eq!(server.end().await.0, Some(0));
}

#[tokio::test]
async fn the_end_of_input_ends_a_question() {
    let (platform, _) = start_platform().await;
    let mut server = Server::start(command(&platform, alice().api_key));
    server.initialize_able(&json!({"elicitation": {}})).await;
    server.send(&deletion()).await;
    assert_eq!(server.next().await.unwrap()["method"], "elicitation/create");
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(writes(&platform), 0);
}

fn about(method: &str, task: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 9, "method": method, "params": {"taskId": task}})
}

#[tokio::test]
async fn a_2026_client_that_declares_tasks_has_them_here_too() {
    let (platform, clock) = start_platform().await;
    let mut server = Server::start(command(&platform, alice().api_key));
    let declared = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let start = call(1, "start_agent", &json!({"agentId": 7302, "isRunSynchronously": true}));
    let start = able(start, &declared);
    let about_it = |method: &str, task: &Value| able(about(method, task), &declared);

    let task = server.ask(&start).await["result"].take();
    assert_eq!((&task["resultType"], &task["status"]), (&json!("task"), &json!("working")), "{task}");
    let get = about_it("tasks/get", &task["taskId"]);
    assert_eq!(server.ask(&get).await["result"]["status"], "working");
    clock.advance(Duration::from_secs(30));
    let done = server.ask(&get).await["result"].take();
    assert_eq!(done["status"], "completed", "{done}");
    assert!(done["result"]["structuredContent"]["data"].is_array(), "{done}");
    assert_eq!(writes(&platform), 1, "nothing is started twice");

    let other = server.ask(&start).await["result"]["taskId"].take();
    assert_ne!(other, task["taskId"]);
    let cancelled = server.ask(&about_it("tasks/cancel", &other)).await;
    assert_eq!(cancelled["result"], json!({"resultType": "complete"}), "{cancelled}");
    clock.advance(Duration::from_secs(30));
    assert_eq!(server.ask(&about_it("tasks/get", &other)).await["result"]["status"], "cancelled");
    let stops = platform.requests().iter().filter(|seen| seen.path.ends_with("/stop")).count();
    assert_eq!((writes(&platform), stops), (3, 1));

    // Who does not declare them on a request has none in it.
    let undeclared = server.ask(&modern(about("tasks/get", &other))).await;
    assert_eq!(undeclared["error"]["code"], -32021, "{undeclared}");
    let unknown = server.ask(&about_it("tasks/get", &json!("made-up"))).await;
    assert_eq!(unknown["error"]["data"]["code"], "task_not_found", "{unknown}");
    assert_eq!(server.end().await.0, Some(0));
}

#[tokio::test]
async fn a_2025_client_has_no_tasks() {
    let (platform, _) = start_platform().await;
    let mut server = Server::start(command(&platform, alice().api_key));
    let hello = server.initialize_able(&json!({"extensions": {"io.modelcontextprotocol/tasks": {}}})).await;
    assert!(hello["capabilities"].get("extensions").is_none(), "{hello}");
    for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
        assert_eq!(server.ask(&about(method, &json!("x"))).await["error"]["code"], -32601, "{method}");
    }
    assert_eq!(server.end().await.0, Some(0));
}
