//! Questions in the 2025 revisions: a request to the client, on a live session or over standard input and output, while
//! the call waits.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    audit,
    live::{answer, open, open_able, send, start, within},
    support::{ALL_SCOPES, TestServer, events::Events, server::call},
};

fn deletion() -> Value {
    call("delete_agent_schedule", json!({"agentId": 7301, "scheduleId": 3102}))
}

/// A call that waits for its user.
struct Asked {
    events: Events,
    /// What the client was asked.
    question: Value,
}

impl Asked {
    async fn of(server: &TestServer, session: &str, message: &Value) -> Self {
        let request = within(server, &server.token(), session, Method::POST).json(message);
        let mut events = Events::of(request.send().await.unwrap());
        let question = events.next().await.unwrap();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        Self { events, question }
    }

    fn response(&self, result: &Value) -> Value {
        json!({"jsonrpc": "2.0", "id": self.question["id"], "result": result})
    }

    /// The user's answer, and what came of it.
    async fn answered(mut self, server: &TestServer, session: &str, result: &Value) -> Value {
        let taken = send(server, &server.token(), session, &self.response(result)).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
        self.result().await
    }

    async fn result(&mut self) -> Value {
        let mut message = self.events.next().await.unwrap();
        assert_eq!(message["id"], 1, "{message}");
        message["result"].take()
    }
}

fn code(result: &Value) -> String {
    assert_eq!(result["isError"], true, "{result}");
    let said: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    said["error"]["code"].as_str().unwrap().to_owned()
}

fn writes(server: &TestServer) -> usize {
    server.platform.requests().iter().filter(|request| request.method != "GET").count()
}

#[tokio::test]
async fn a_live_session_is_asked_while_the_call_waits() {
    let server = start(&[]).await;
    let session = open(&server, &server.token()).await;
    let restore = json!({"agentId": 7301, "versionNumber": 5, "comments": "back"});
    let asked = Asked::of(&server, &session, &call("restore_agent_version", restore.clone())).await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&asked.question).unwrap(), @r#"
    {
      "id": 0,
      "jsonrpc": "2.0",
      "method": "elicitation/create",
      "params": {
        "_meta": {
          "progressToken": 0
        },
        "message": "Make version 5 of agent “Shoe catalogue” (7301) current again? It is saved as a new version; nothing is overwritten.",
        "mode": "form",
        "requestedSchema": {
          "properties": {},
          "type": "object"
        }
      }
    }
    "#);
    assert_eq!(writes(&server), 0);
    let done = asked.answered(&server, &session, &json!({"action": "accept", "content": {}})).await;
    assert_eq!(done["structuredContent"]["versionNumber"], 5, "{done}");
    assert_eq!(writes(&server), 1);
    // The same as outside of the session, where nobody can be asked.
    assert_eq!(server.call("restore_agent_version", restore).await, done);
    let records = audit::records(&server, 2).await;
    assert!(records.iter().all(|record| record.contains("outcome=\"ok\"")), "{records:?}");
}

#[tokio::test]
async fn a_no_no_answer_and_an_error_do_nothing() {
    let server = start(&[]).await;
    let session = open(&server, &server.token()).await;
    for result in [
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        json!({"action": "perhaps"}),
        json!({"roots": []}),
        json!({}),
    ] {
        let asked = Asked::of(&server, &session, &deletion()).await;
        assert_eq!(code(&asked.answered(&server, &session, &result).await), "not_confirmed", "{result}");
    }
    let mut asked = Asked::of(&server, &session, &deletion()).await;
    let error = json!({"code": -32601, "message": "not here"});
    let error = json!({"jsonrpc": "2.0", "id": asked.question["id"], "error": error});
    send(&server, &server.token(), &session, &error).await;
    assert_eq!(code(&asked.result().await), "not_confirmed");
    assert_eq!(writes(&server), 0);
}

#[tokio::test]
async fn what_a_build_request_lacks_is_asked_for() {
    let server = start(&[]).await;
    let session = open(&server, &server.token()).await;
    let build = call("start_agent_build", json!({"prompt": "All boots of Acme", "waitForCompletion": false}));
    let asked = Asked::of(&server, &session, &build).await;
    let site = json!({"action": "accept", "content": {"site": "acme.example"}});
    let started = asked.answered(&server, &session, &site).await;
    assert_eq!(started["isError"], false, "{started}");
    let sent = server.platform.requests();
    assert_eq!(sent.last().unwrap().body["prompt"], "All boots of Acme (site: acme.example)");
    let asked = Asked::of(&server, &session, &build).await;
    let unfit = json!({"action": "accept", "content": {"site": ""}});
    assert_eq!(code(&asked.answered(&server, &session, &unfit).await), "not_answered");
    let prompt = json!({"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {"name": "build-agent-from-prompt"}});
    let asked = Asked::of(&server, &session, &prompt).await;
    let both = json!({"action": "accept", "content": {"site": "acme.example", "target": "All boots"}});
    let got = asked.answered(&server, &session, &both).await.to_string();
    assert!(got.contains("`All boots (site: acme.example)`"), "{got}");
}

#[tokio::test]
async fn a_question_lasts_five_minutes() {
    let server = start(&[("CALL_TIMEOUT_SECONDS", "5")]).await;
    let session = open(&server, &server.token()).await;
    let heard = within(&server, &server.token(), &session, Method::GET).send().await.unwrap();
    let mut heard = Events::of(heard);
    let mut asked = Asked::of(&server, &session, &deletion()).await;
    server.clock.advance(Duration::from_secs(299));
    // The deadline of the call begins when its user has answered.
    let late = open(&server, &server.token()).await;
    let still = Asked::of(&server, &late, &deletion()).await;
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(code(&asked.result().await), "not_confirmed");
    let taken_back = heard.next().await.unwrap();
    assert_eq!(taken_back["method"], "notifications/cancelled", "{taken_back}");
    assert_eq!(taken_back["params"]["requestId"], asked.question["id"]);
    let done = still.answered(&server, &late, &json!({"action": "accept"})).await;
    assert_eq!(done["isError"], false, "{done}");
    assert_eq!(writes(&server), 1);
}

/// Waits for the record of the one call, which says how it ended, and answers the question that it had asked.
async fn answered_too_late(server: &TestServer, session: &str, response: &Value, outcome: &str) {
    let records = audit::records(server, 1).await;
    assert!(records[0].contains(&format!("outcome=\"{outcome}\"")), "{records:?}");
    let late = send(server, &server.token(), session, response).await;
    assert!(matches!(late.status, StatusCode::ACCEPTED | StatusCode::NOT_FOUND), "{}", late.text);
    assert_eq!(server.ask("get_agent", json!({"agentId": 7301})).await["id"], 7301);
    assert_eq!(writes(server), 0);
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_its_question_along() {
    let server = start(&[]).await;
    let session = open(&server, &server.token()).await;
    let asked = Asked::of(&server, &session, &deletion()).await;
    let response = asked.response(&json!({"action": "accept"}));
    drop(asked);
    answered_too_late(&server, &session, &response, "cancelled").await;
}

#[tokio::test]
async fn a_call_can_be_taken_back_while_its_user_is_asked() {
    let server = start(&[]).await;
    let session = open(&server, &server.token()).await;
    let mut asked = Asked::of(&server, &session, &deletion()).await;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    send(&server, &server.token(), &session, &cancel).await;
    assert_eq!(asked.events.next().await, None, "the stream ends without an answer");
    let response = asked.response(&json!({"action": "accept"}));
    drop(asked);
    answered_too_late(&server, &session, &response, "cancelled").await;
}

#[tokio::test]
async fn a_session_that_ends_takes_its_questions_along() {
    let server = start(&[]).await;
    let session = open(&server, &server.token()).await;
    let mut asked = Asked::of(&server, &session, &deletion()).await;
    let deleted = server.send(within(&server, &server.token(), &session, Method::DELETE)).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    while let Some(message) = asked.events.next().await {
        assert!(message.get("result").is_none_or(|result| code(result) != "ok"), "{message}");
    }
    let response = asked.response(&json!({"action": "accept"}));
    let late = send(&server, &server.token(), &session, &response).await;
    assert_eq!(late.status, StatusCode::NOT_FOUND);
    audit::records(&server, 1).await;
    assert_eq!(writes(&server), 0);
}

#[tokio::test]
async fn a_server_that_stops_waits_for_nobody() {
    let mut server = start(&[]).await;
    let session = open(&server, &server.token()).await;
    let mut asked = Asked::of(&server, &session, &deletion()).await;
    server.begin_stop();
    assert_eq!(code(&asked.result().await), "not_confirmed");
    assert_eq!(writes(&server), 0);
}

#[tokio::test]
async fn a_call_that_waits_for_its_user_is_a_stream_and_no_call() {
    let server = start(&[("MAX_CONCURRENT_CALLS_PER_USER", "1"), ("MAX_STREAMS_PER_USER", "1")]).await;
    let (session, other) = (open(&server, &server.token()).await, open(&server, &server.token()).await);
    let asked = Asked::of(&server, &session, &deletion()).await;
    assert_eq!(
        server.ask("get_agent", json!({"agentId": 7301})).await["id"],
        7301,
        "there is room for a call"
    );
    let second = send(&server, &server.token(), &other, &deletion()).await;
    assert_eq!(code(&answer(&second.text)["result"]), "busy", "and none for another question");
    // Only with the room for a call could the answer arrive, and the place of the question is given back with it.
    let done = asked.answered(&server, &session, &json!({"action": "accept"})).await;
    assert_eq!(done["isError"], false, "{done}");
    let asked = Asked::of(&server, &other, &deletion()).await;
    let done = asked.answered(&server, &other, &json!({"action": "decline"})).await;
    assert_eq!(code(&done), "not_confirmed");
}

#[tokio::test]
async fn only_the_session_that_was_asked_answers() {
    let server = start(&[]).await;
    let token = server.token();
    let (session, other) = (open(&server, &token).await, open(&server, &token).await);
    let asked = Asked::of(&server, &session, &deletion()).await;
    let yes = asked.response(&json!({"action": "accept"}));
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    let foreign = send(&server, &bob, &session, &yes).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    // The same id in another session is another question, and there is none.
    assert_eq!(send(&server, &token, &other, &yes).await.status, StatusCode::ACCEPTED);
    insta::assert_snapshot!(server.send(server.post(Some(&token), &yes)).await.pinned(&server), @r#"
    400
    {"jsonrpc":"2.0","id":0,"error":{"code":-32600,"message":"The message has no method.","data":{"code":"invalid_request","remedy":"Send a request or a notification; a response belongs to a session in which this server has asked something.","retryable":false,"requestId":"<request-id>"}}}
    "#);
    let both = json!({"jsonrpc": "2.0", "id": 0, "result": {}, "error": {"code": 1, "message": ""}});
    assert_eq!(send(&server, &token, &session, &both).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.ask("get_agent", json!({"agentId": 7301})).await["id"], 7301);
    assert_eq!(writes(&server), 0);
    let done = asked.answered(&server, &session, &json!({"action": "accept"})).await;
    assert_eq!(done["isError"], false, "{done}");
}

#[tokio::test]
async fn whoever_cannot_be_asked_is_not() {
    let server = start(&[]).await;
    let token = server.token();
    let able = json!({"elicitation": {}});
    for (capabilities, accept) in [
        (json!({}), "application/json, text/event-stream"),
        (json!({"elicitation": {"url": {}}}), "application/json, text/event-stream"),
        // Whoever reads no event stream would not see the question.
        (able.clone(), "application/json"),
    ] {
        let session = open_able(&server, &token, &capabilities).await;
        let before = writes(&server);
        let request = within(&server, &token, &session, Method::POST).header("accept", accept);
        let result = server.send(request.json(&call("run_space_agents", json!({"spaceId": 43})))).await;
        assert!(result.text.contains("\"isError\":false"), "{capabilities}: {}", result.text);
        assert_eq!(writes(&server), before + 1);
    }
    let never = start(&[("CONFIRM", "never")]).await;
    let session = open_able(&never, &never.token(), &able).await;
    let result = answer(&send(&never, &never.token(), &session, &deletion()).await.text);
    assert_eq!(result["result"]["isError"], false, "{result}");
    // A sealed session is a handle: nothing can be sent to it.
    let sealed = TestServer::start().await;
    let session = open(&sealed, &sealed.token()).await;
    let result = send(&sealed, &sealed.token(), &session, &deletion()).await.json();
    assert_eq!(result["result"]["isError"], false, "{result}");
}
