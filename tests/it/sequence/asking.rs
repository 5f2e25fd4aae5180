//! A rule moves money: its user is asked first, where the client can ask.

use serde_json::{Value, json};

use super::{command, ended, error, structured};
use crate::support::{
    bank::{Bank, RULE},
    child::{Server, call, modern},
};

fn answer(question: &Value, action: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": action, "content": {}}})
}

#[tokio::test]
async fn a_2025_client_is_asked_before_anything_is_sent() {
    let bank = Bank::start().await;
    let mut server = Server::start(command(&bank));
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "t", "version": "1"}}});
    server.ask(&hello).await;
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    let arguments = json!({"rule_id": RULE, "payload": {"amount": 12.5}});

    for (id, action, triggered) in [(1, "decline", 0), (2, "cancel", 0), (3, "accept", 1)] {
        server.send(&call(id, "trigger_rule", &arguments)).await;
        let question = server.next().await.unwrap();
        assert_eq!(question["method"], "elicitation/create");
        assert!(bank.requests().is_empty(), "nothing is sent before the answer");
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(question["params"], {"._meta" => "..."}, @r#"
            {
              "_meta": "...",
              "message": "Trigger the rule rule_save-10 in Sequence? It can move money.\n\nPayload: {\"amount\":12.5}",
              "mode": "form",
              "requestedSchema": {
                "properties": {},
                "type": "object"
              }
            }
            "#);
        }
        server.send(&answer(&question, action)).await;
        let result = server.next().await.unwrap();
        assert_eq!(result["id"], id);
        if action == "accept" {
            structured(&result);
        } else {
            assert_eq!(error(&result)["code"], "declined");
        }
        assert_eq!(bank.moves(), triggered);
    }

    // Taken back while the user thinks.
    server.send(&call(4, "trigger_rule", &arguments)).await;
    let question = server.next().await.unwrap();
    server
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4}}))
        .await;
    server.send(&answer(&question, "accept")).await;
    // Reads need no answer.
    structured(&server.ask(&call(5, "get_accounts", &json!({}))).await);
    assert_eq!(bank.moves(), 1);
    ended(server, &[]).await;
}

#[tokio::test]
async fn a_2026_client_is_asked_with_an_interim_result() {
    let bank = Bank::start().await;
    let mut server = Server::start(command(&bank));
    let trigger = |id, arguments: &Value, reply: Option<(&Value, &str)>| {
        let mut message = modern(call(id, "trigger_rule", arguments));
        message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
            json!({"elicitation": {"form": {}}});
        if let Some((state, action)) = reply {
            message["params"]["requestState"] = state.clone();
            message["params"]["inputResponses"] = json!({"confirm": {"action": action, "content": {}}});
        }
        message
    };
    let arguments = json!({"rule_id": RULE, "payload": {"amount": 12.5}});

    let mut asked = server.ask(&trigger(1, &arguments, None)).await["result"].take();
    let state = asked["requestState"].take();
    insta::assert_json_snapshot!(asked, @r#"
    {
      "inputRequests": {
        "confirm": {
          "method": "elicitation/create",
          "params": {
            "message": "Trigger the rule rule_save-10 in Sequence? It can move money.\n\nPayload: {\"amount\":12.5}",
            "mode": "form",
            "requestedSchema": {
              "properties": {},
              "type": "object"
            }
          }
        }
      },
      "requestState": null,
      "resultType": "input_required"
    }
    "#);
    // An answer holds for what was asked, and once.
    let other = json!({"rule_id": RULE, "payload": {"amount": 99999}});
    let asked = server.ask(&trigger(2, &other, Some((&state, "accept")))).await["result"].take();
    assert_eq!(asked["resultType"], "input_required");
    let asked = server.ask(&trigger(3, &arguments, Some((&state, "accept")))).await["result"].take();
    assert_eq!(asked["resultType"], "input_required", "the first handle is used up");
    assert!(bank.requests().is_empty());
    let state = &asked["requestState"];
    structured(&server.ask(&trigger(4, &arguments, Some((state, "accept")))).await);
    assert_eq!(bank.requests().pop().unwrap().body, arguments["payload"]);

    let state = server.ask(&trigger(5, &arguments, None)).await["result"]["requestState"].take();
    let declined = error(&server.ask(&trigger(6, &arguments, Some((&state, "decline")))).await);
    insta::assert_json_snapshot!(declined, @r#"
    {
      "code": "declined",
      "message": "The user did not agree. Nothing was triggered.",
      "remedy": "Do not call again unless the user asks for it.",
      "retryable": false
    }
    "#);
    let forged = json!("5f3c0000-0000-4000-8000-000000000000");
    let asked = server.ask(&trigger(7, &arguments, Some((&forged, "accept")))).await;
    assert_eq!(asked["result"]["resultType"], "input_required");
    assert_eq!(bank.moves(), 1);
    ended(server, &[]).await;
}
