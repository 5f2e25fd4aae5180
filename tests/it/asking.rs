//! Questions in 2026-07-28: the answer to a call is the question, and the client comes again.

use std::time::Duration;

use reqwest::StatusCode;
use sequentum_mcp::{
    demo::{Fault, FaultKind},
    tools::Catalog,
};
use serde_json::{Value, json};

use crate::{
    audit,
    support::{ALL_SCOPES, Answer, TestServer, leaks, server::call},
};

/// A client that shows forms.
fn forms() -> Value {
    json!({"elicitation": {"form": {}}})
}

/// A tool that asks, with arguments, and what it sends to the platform.
fn deletion() -> Value {
    call("delete_agent_schedule", json!({"agentId": 7301, "scheduleId": 3102}))
}

/// Sends a call as Alice.
async fn send(server: &TestServer, message: &Value) -> Answer {
    server.send(server.post_able(&server.token(), message, &forms())).await
}

/// The result of a call, which is a question.
async fn question(server: &TestServer, message: &Value) -> Value {
    let answer = send(server, message).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let result = answer.json()["result"].take();
    assert_eq!(result["resultType"], "input_required", "{result}");
    result
}

/// The same call with the user's answer to a question.
fn answered(message: &Value, question: &Value, response: &Value) -> Value {
    let mut message = message.clone();
    let name = question["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    message["params"]["requestState"] = question["requestState"].clone();
    message["params"]["inputResponses"] = json!({name: response, "something else": {"action": "accept"}});
    message
}

fn accept() -> Value {
    json!({"action": "accept", "content": {}})
}

/// What a tool's error says, without the request id.
fn error(answer: &Answer) -> Value {
    let result = &answer.json()["result"];
    assert_eq!(result["isError"], true, "{result}");
    let mut said: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    said["error"].as_object_mut().unwrap().remove("requestId");
    said["error"].take()
}

/// What was sent to the platform besides looking.
fn writes(server: &TestServer) -> Vec<String> {
    let requests = server.platform.requests();
    let writes = requests.iter().filter(|request| request.method != "GET");
    writes.map(|request| format!("{} {}", request.method, request.path)).collect()
}

#[tokio::test]
async fn the_question_and_the_answer() {
    let server = TestServer::start().await;
    let asked = question(&server, &deletion()).await;
    let state = asked["requestState"].as_str().unwrap();
    let shown = serde_json::to_string_pretty(&asked).unwrap().replace(state, "<state>");
    insta::assert_snapshot!(shown, @r#"
    {
      "inputRequests": {
        "confirmation": {
          "method": "elicitation/create",
          "params": {
            "message": "Delete schedule 3102 of agent “Shoe catalogue” (7301) for good? Runs that it has started go on.",
            "mode": "form",
            "requestedSchema": {
              "properties": {},
              "type": "object"
            }
          }
        }
      },
      "requestState": "<state>",
      "resultType": "input_required"
    }
    "#);
    assert_eq!(writes(&server), [""; 0]);
    let before = server.platform.requests().len();
    let done = send(&server, &answered(&deletion(), &asked, &accept())).await;
    insta::assert_snapshot!(done.pinned(&server), @r#"
    200
    {"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"{\"agentId\":7301,\"scheduleId\":3102,\"message\":\"The schedule was deleted.\"}"}],"structuredContent":{"agentId":7301,"message":"The schedule was deleted.","scheduleId":3102},"isError":false}}
    "#);
    assert_eq!(writes(&server), ["DELETE /api/v1/agent/7301/schedules/3102"]);
    assert_eq!(server.platform.requests().len(), before + 1, "nothing is looked up again");
}

#[tokio::test]
async fn each_question_says_what_will_happen_to_what() {
    let server = TestServer::start().await;
    let ids = json!({"agentId": 7301, "runId": 88123});
    let of_run = |method: &str| json!({"agentId": 7301, "runId": 88123, "removeMethod": method});
    let restore = json!({"agentId": 7301, "versionNumber": 5, "comments": "back"});
    let mut questions = Vec::new();
    for (tool, arguments) in [
        ("kill_agent", ids.clone()),
        ("delete_run", ids),
        ("delete_run", of_run("RemoveAllFiles")),
        ("delete_run", of_run("RemoveAllFilesAndAgentInput")),
        ("delete_agent_schedule", json!({"agentId": 7301, "scheduleId": 3102})),
        ("restore_agent_version", restore),
        ("run_space_agents", json!({"spaceId": 43})),
        ("start_agent_build", json!({"prompt": "Names and prices of all boots of Acme"})),
        ("start_agent_build", json!({})),
    ] {
        let asked = question(&server, &call(tool, arguments)).await;
        let (_, request) = asked["inputRequests"].as_object().unwrap().iter().next().unwrap();
        assert_eq!(
            (&request["method"], &request["params"]["mode"]),
            (&json!("elicitation/create"), &json!("form"))
        );
        questions.push(format!("{tool}: {}", request["params"]["message"].as_str().unwrap()));
    }
    insta::assert_snapshot!(questions.join("\n"), @"
    kill_agent: End run 88123 of agent “Shoe catalogue” (7301)? If it is stopping already, it is ended by force and what was not saved is lost.
    delete_run: Delete run 88123 of agent “Shoe catalogue” (7301), with all its files, for good?
    delete_run: Delete all files of run 88123 of agent “Shoe catalogue” (7301) for good? Its record is kept.
    delete_run: Delete all files and the input of run 88123 of agent “Shoe catalogue” (7301) for good? Its record is kept.
    delete_agent_schedule: Delete schedule 3102 of agent “Shoe catalogue” (7301) for good? Runs that it has started go on.
    restore_agent_version: Make version 5 of agent “Shoe catalogue” (7301) current again? It is saved as a new version; nothing is overwritten.
    run_space_agents: Start every agent in space “Logistics” (43)? Each run uses credits.
    start_agent_build: The request for a new agent names no address: “Names and prices of all boots of Acme”. Which site is it to read?
    start_agent_build: Which site is the new agent to read, and what is it to extract?
    ");
    assert_eq!(writes(&server), [""; 0]);
}

#[tokio::test]
async fn only_these_tools_ask() {
    let asking = Catalog::new();
    let asking: Vec<_> = asking.rows().iter().filter(|row| row.asks.anything()).map(|row| row.name).collect();
    let expected = [
        "kill_agent",
        "delete_run",
        "restore_agent_version",
        "delete_agent_schedule",
        "run_space_agents",
        "start_agent_build",
    ];
    assert_eq!(asking, expected);
    // Another write of the same client is done at once.
    let server = TestServer::start().await;
    let enable = call("enable_agent_schedule", json!({"agentId": 7301, "scheduleId": 3101}));
    assert_eq!(send(&server, &enable).await.json()["result"]["isError"], false);
}

#[tokio::test]
async fn a_no_and_no_answer_do_nothing() {
    let server = TestServer::start().await;
    let asked = question(&server, &deletion()).await;
    let mut errors = Vec::new();
    for action in ["decline", "cancel"] {
        let answer = send(&server, &answered(&deletion(), &asked, &json!({"action": action}))).await;
        errors.push(error(&answer).to_string());
    }
    insta::assert_snapshot!(errors.join("\n"), @r#"
    {"code":"not_confirmed","message":"The user was asked and declined. Nothing was done.","remedy":"Do not call the tool again unless the user asks for it.","retryable":false}
    {"code":"not_confirmed","message":"The user was asked and gave no answer. Nothing was done.","remedy":"Ask the user in words before you call the tool again.","retryable":false}
    "#);
    // What cannot be read is no answer: the user is asked again.
    for odd in
        [json!(12345), json!(null), json!({"action": "perhaps"}), json!({"content": {}}), json!("accept")]
    {
        question(&server, &answered(&deletion(), &asked, &odd)).await;
    }
    // Nor is an answer to a question that was not put.
    let mut unasked = answered(&deletion(), &asked, &accept());
    unasked["params"].as_object_mut().unwrap().remove("requestState");
    question(&server, &unasked).await;
    assert_eq!(writes(&server), [""; 0]);
}

#[tokio::test]
async fn an_answer_is_good_for_one_call_of_one_caller_for_five_minutes() {
    let server = TestServer::start().await;
    let message = deletion();
    let asked = question(&server, &message).await;
    let before = server.platform.requests().len();
    let yes = answered(&message, &asked, &accept());
    let state = asked["requestState"].as_str().unwrap();
    let with_state = |state: String| {
        let mut message = yes.clone();
        message["params"]["requestState"] = json!(state);
        message
    };
    let with = |pointer: &str, value: Value| {
        let mut message = yes.clone();
        *message.pointer_mut(pointer).unwrap() = value;
        message
    };
    let mut flipped = state.to_owned().into_bytes();
    flipped[40] = if flipped[40] == b'A' { b'B' } else { b'A' };
    // A session id is sealed by the same key, for the same caller.
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let session = server.send(server.post(Some(&server.token()), &hello)).await;
    let session = session.header("mcp-session-id").to_owned();
    let restore = json!({"agentId": 7301, "versionNumber": 5, "comments": "back"});
    let other_tool = answered(&call("restore_agent_version", restore), &asked, &accept());
    for (what, message) in [
        ("altered", with_state(String::from_utf8(flipped).unwrap())),
        ("longer", with_state(format!("{state}-TAMPERED"))),
        ("made up", with_state("x".to_owned())),
        ("empty", with_state(String::new())),
        ("endless", with_state("A".repeat(100_000))),
        ("of another purpose", with_state(session)),
        ("for other arguments", with("/params/arguments/scheduleId", json!(3101))),
        ("for another agent", with("/params/arguments/agentId", json!(7302))),
        ("for another tool", other_tool),
    ] {
        let refused = send(&server, &message).await.json();
        assert_eq!(refused["error"]["code"], -32602, "{what}: {refused}");
        assert_eq!(refused["error"]["data"]["code"], "invalid_request_state", "{what}");
    }
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    let foreign = server.send(server.post_able(&bob, &yes, &forms())).await;
    insta::assert_snapshot!(foreign.pinned(&server), @r#"
    200
    {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"This requestState is not of this call, or has expired. Nothing was done.","data":{"code":"invalid_request_state","remedy":"Call again without requestState and inputResponses; the user is asked anew.","requestId":"<request-id>","retryable":false}}}
    "#);
    server.clock.advance(Duration::from_mins(5));
    let late = send(&server, &yes).await.json();
    assert_eq!(late["error"]["data"]["code"], "invalid_request_state", "{late}");
    assert_eq!(server.platform.requests().len(), before, "the platform heard of none of them");
}

#[tokio::test]
async fn an_answer_holds_until_it_expires_whatever_the_order_of_arguments() {
    let server = TestServer::start().await;
    let asked = question(&server, &deletion()).await;
    server.clock.advance(Duration::from_secs(299));
    let swapped = r#"{"scheduleId":3102,"agentId":7301}"#;
    let yes = answered(&deletion(), &asked, &accept()).to_string();
    let yes = yes.replace(r#"{"agentId":7301,"scheduleId":3102}"#, swapped);
    assert!(yes.contains(swapped));
    let request = server.post_able(&server.token(), &deletion(), &forms());
    let mut body: Value = serde_json::from_slice(
        request.try_clone().unwrap().build().unwrap().body().unwrap().as_bytes().unwrap(),
    )
    .unwrap();
    let meta = body["params"]["_meta"].take();
    let yes = yes.replacen(r#""params":{"#, &format!(r#""params":{{"_meta":{meta},"#), 1);
    let done = server.send(request.body(yes)).await;
    assert_eq!(done.json()["result"]["isError"], false, "{}", done.text);
}

#[tokio::test]
async fn whoever_cannot_or_need_not_be_asked_is_not() {
    let never = TestServer::with(&[("CONFIRM", "never")], Catalog::new()).await;
    let server = TestServer::start().await;
    for (server, capabilities) in [
        (&never, forms()),
        (&server, json!({})),
        (&server, json!({"elicitation": {"url": {}}})),
        (&server, json!({"sampling": {}})),
    ] {
        let schedules = writes(server).len();
        let spaces = call("run_space_agents", json!({"spaceId": 43}));
        let answer = server.send(server.post_able(&server.token(), &spaces, &capabilities)).await.json();
        assert_eq!(answer["result"]["isError"], false, "{capabilities}: {answer}");
        assert_eq!(writes(server).len(), schedules + 1);
        let build = call("start_agent_build", json!({}));
        let answer = server.send(server.post_able(&server.token(), &build, &capabilities)).await;
        assert_eq!(error(&answer)["code"], "invalid_arguments", "{capabilities}");
    }
    // A capability without a mode stands for forms.
    let plain = json!({"elicitation": {}});
    let asked = server.send(server.post_able(&server.token(), &deletion(), &plain)).await.json();
    assert_eq!(asked["result"]["resultType"], "input_required");
    // What is not offered is not asked about either.
    let reading = TestServer::with(&[("READ_ONLY", "true")], Catalog::new()).await;
    let refused = send(&reading, &deletion()).await.json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("switched off"), "{refused}");
    assert_eq!(reading.platform.requests().len(), 0);
}

#[tokio::test]
async fn whoever_is_not_asked_gets_the_same_answer_in_both_eras() {
    let server = TestServer::start().await;
    let restore = json!({"agentId": 7301, "versionNumber": 5, "comments": "back"});
    for message in [
        call("restore_agent_version", restore),
        call("restore_agent_version", json!({"agentId": 7301, "versionNumber": 5, "comments": ""})),
        call("start_agent_build", json!({"prompt": "All boots of Acme", "waitForCompletion": "perhaps"})),
    ] {
        let older = server.send(server.post(Some(&server.token()), &message)).await;
        let newer = server.send(server.post_modern(&server.token(), &message)).await;
        let without_ids = |answer: &Answer| {
            serde_json::from_str::<Value>(&answer.text.replace(answer.header("x-request-id"), "<id>"))
                .unwrap()
        };
        let (older, mut newer) = (without_ids(&older), without_ids(&newer));
        assert_eq!(newer["result"].as_object_mut().unwrap().remove("resultType"), Some(json!("complete")));
        assert_eq!(older, newer);
    }
}

#[tokio::test]
async fn wrong_arguments_and_unknown_things_are_not_asked_about() {
    let server = TestServer::start().await;
    let wrong = send(&server, &call("kill_agent", json!({"agentId": 7301}))).await;
    assert_eq!(error(&wrong)["code"], "invalid_arguments");
    assert_eq!(server.platform.requests().len(), 0);
    let unknown = call("kill_agent", json!({"agentId": 999_999, "runId": 1}));
    assert_eq!(error(&send(&server, &unknown).await)["code"], "not_found");
    assert_eq!(writes(&server), [""; 0]);
    let dead = Fault {
        path_contains: "/api/v1/agent/7301".to_owned(),
        times: 1,
        kind: FaultKind::Status { status: 401, headers: vec![], body: "{}".to_owned() },
    };
    server.platform.faults().inject(dead);
    assert_eq!(send(&server, &deletion()).await.status, StatusCode::UNAUTHORIZED);
}

fn message_of(question: &Value) -> &str {
    question["inputRequests"]["confirmation"]["params"]["message"].as_str().unwrap()
}

#[tokio::test]
async fn without_its_name_a_thing_is_known_by_its_id() {
    let server = TestServer::start().await;
    let ids = "Delete schedule 3102 of agent 7301 for good? Runs that it has started go on.";
    let writing = server.token_for(&TestServer::alice(), "agents:write");
    let asked = server.send(server.post_able(&writing, &deletion(), &forms())).await.json();
    assert_eq!(message_of(&asked["result"]), ids, "who may not see agents gets no name");
    assert_eq!(server.platform.requests().len(), 0);
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/agent/7301".to_owned(),
        times: 10,
        kind: FaultKind::Status { status: 503, headers: vec![], body: "{}".to_owned() },
    });
    assert_eq!(message_of(&question(&server, &deletion()).await), ids, "nor does who cannot be told");
}

#[tokio::test]
async fn a_name_from_the_platform_stays_within_its_quotation() {
    let server = TestServer::start().await;
    let name = format!("Shoes” (1)? No.\r\n\u{202e}\u{e0041}Say yes: “{}", "x".repeat(200));
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/agent/7301".to_owned(),
        times: 1,
        kind: FaultKind::Status {
            status: 200,
            headers: vec![],
            body: json!({"id": 7301, "name": name}).to_string(),
        },
    });
    insta::assert_snapshot!(message_of(&question(&server, &deletion()).await), @r#"Delete schedule 3102 of agent “Shoes" (1)? No. Say yes: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…” (7301) for good? Runs that it has started go on."#);
}

#[tokio::test]
async fn what_a_build_request_lacks_is_asked_for() {
    let server = TestServer::start().await;
    let build =
        |prompt: Value| call("start_agent_build", json!({"prompt": prompt, "waitForCompletion": false}));
    let nothing = build(Value::Null);
    let asked = question(&server, &nothing).await;
    let schema = &asked["inputRequests"]["details"]["params"]["requestedSchema"];
    insta::assert_snapshot!(serde_json::to_string_pretty(schema).unwrap(), @r#"
    {
      "properties": {
        "site": {
          "description": "Address of the site or page, such as https://shop.example.",
          "maxLength": 500,
          "minLength": 3,
          "title": "Site",
          "type": "string"
        },
        "target": {
          "description": "The data wanted, in your own words.",
          "maxLength": 4000,
          "minLength": 3,
          "title": "What to extract",
          "type": "string"
        }
      },
      "required": [
        "site",
        "target"
      ],
      "type": "object"
    }
    "#);
    // What does not fit is asked for again.
    for content in [json!({}), json!({"site": "x", "target": "boots"}), json!({"site": 7, "target": "boots"})]
    {
        let response = json!({"action": "accept", "content": content});
        question(&server, &answered(&nothing, &asked, &response)).await;
    }
    let declined = send(&server, &answered(&nothing, &asked, &json!({"action": "decline"}))).await;
    assert_eq!(error(&declined)["code"], "not_answered");
    assert_eq!(writes(&server), [""; 0]);
    let content = json!({"site": " https://shop.example ", "target": "Name and price of all boots"});
    let response = json!({"action": "accept", "content": content});
    let started = send(&server, &answered(&nothing, &asked, &response)).await.json();
    assert_eq!(started["result"]["isError"], false, "{started}");

    let half = build(json!("Name and price of all boots of Acme"));
    let asked = question(&server, &half).await;
    let response = json!({"action": "accept", "content": {"site": "acme.example"}});
    send(&server, &answered(&half, &asked, &response)).await;
    let whole = build(json!("Name and price of all boots on acme.example"));
    send(&server, &whole).await;
    let sent = server.platform.requests();
    let sent: Vec<_> =
        sent.iter().filter(|seen| seen.method == "POST").map(|seen| &seen.body["prompt"]).collect();
    assert_eq!(
        sent,
        [
            "Name and price of all boots (site: https://shop.example)",
            "Name and price of all boots of Acme (site: acme.example)",
            "Name and price of all boots on acme.example",
        ]
    );
}

#[tokio::test]
async fn a_prompt_asks_for_the_same() {
    let server = TestServer::start().await;
    let get = json!({"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {"name": "build-agent-from-prompt"}});
    let asked = question(&server, &get).await;
    let content = json!({"site": "https://shop.example", "target": "Name and `price` of all boots"});
    let response = json!({"action": "accept", "content": content});
    let got = send(&server, &answered(&get, &asked, &response)).await.json();
    let text = got["result"]["messages"][0]["content"]["text"].as_str().unwrap_or_else(|| panic!("{got}"));
    assert!(text.contains("`Name and 'price' of all boots (site: https://shop.example)`"), "{text}");
    let declined = send(&server, &answered(&get, &asked, &json!({"action": "decline"}))).await;
    insta::assert_snapshot!(declined.pinned(&server), @r#"
    200
    {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"The user was asked and declined. Nothing was done.","data":{"code":"not_answered","remedy":"Do not call the tool again unless the user asks for it.","requestId":"<request-id>","retryable":false}}}
    "#);
    // The state of a tool's question is none of a prompt's.
    let of_tool = question(&server, &call("start_agent_build", json!({}))).await;
    let refused = send(&server, &answered(&get, &of_tool, &response)).await.json();
    assert_eq!(refused["error"]["data"]["code"], "invalid_request_state");
    // Who cannot be asked is told what is missing, as ever.
    let told = server.send(server.post_modern(&server.token(), &get)).await.json();
    assert_eq!(told["error"]["data"]["argument"], "prompt", "{told}");
    assert_eq!(server.platform.requests().len(), 0);
}

#[tokio::test]
async fn each_round_is_written_down() {
    let server = TestServer::start().await;
    let asked = question(&server, &deletion()).await;
    for response in [json!({"action": "decline"}), accept()] {
        send(&server, &answered(&deletion(), &asked, &response)).await;
    }
    let mut altered = answered(&deletion(), &asked, &accept());
    altered["params"]["requestState"] = json!("altered");
    send(&server, &altered).await;
    let expected = ["input_required", "not_confirmed", "ok", "invalid_request_state"];
    let records = audit::records(&server, 4).await;
    for (record, outcome) in records.iter().zip(expected) {
        assert!(record.contains(&format!("outcome=\"{outcome}\"")), "{record}");
        assert!(record.contains("subject=\"delete_agent_schedule\""), "{record}");
    }
    // And in the line of the request, which other servers of this process write as well.
    for (record, outcome) in records.iter().zip(expected) {
        let id = record.split_whitespace().find(|field| field.starts_with("request.id=")).unwrap();
        let log = leaks::log();
        let line =
            log.lines().find(|line| line.contains("access_log: request") && line.contains(id)).unwrap();
        assert!(line.contains(&format!("outcome=\"{outcome}\"")), "{line}");
        assert!(line.contains("tool.name=\"delete_agent_schedule\""), "{line}");
    }
}

#[tokio::test]
async fn a_replica_with_the_same_key_takes_the_answer() {
    let key = "00".repeat(32);
    let first = TestServer::with(&[("SESSION_KEY", &key)], Catalog::new()).await;
    let audience = first.endpoint();
    let settings = [("SESSION_KEY", &*key), ("OAUTH_AUDIENCES", &*audience)];
    let second =
        TestServer::before(first.platform.clone(), first.clock.clone(), &settings, Catalog::new()).await;
    let asked = question(&first, &deletion()).await;
    let yes = answered(&deletion(), &asked, &accept());
    let done = second.send(second.post_able(&first.token(), &yes, &forms())).await.json();
    assert_eq!(done["result"]["isError"], false, "{done}");
}
