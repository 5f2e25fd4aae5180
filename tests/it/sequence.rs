//! `sequence-mcp`, the small server for Sequence: the real command as a client starts it, in front of a simulated bank.

mod asking;

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{
    bank::{ACCESS_TOKEN, Bank, Fault, RULE, SECRET},
    child::{Server, call, modern},
};

fn command(bank: &Bank) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequence-mcp"));
    command
        .env("SEQUENCE_API_URL", bank.url())
        .env("SEQUENCE_ACCESS_TOKEN", ACCESS_TOKEN)
        .env("SEQUENCE_RULE_SECRETS", json!({RULE: SECRET}).to_string())
        .env("DEBUG", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn started(bank: &Bank) -> Server {
    let mut server = Server::start(command(bank));
    server.initialize().await;
    server
}

/// Ends the server; no secret, no argument and nothing of an answer may be in its log, which is at debug level.
async fn ended(server: Server, hidden: &[&str]) -> String {
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0), "{log}");
    for hidden in [ACCESS_TOKEN, SECRET, RULE, "Groceries"].iter().chain(hidden) {
        assert!(!log.contains(hidden), "{hidden} is in the log: {log}");
    }
    log
}

/// The result of a call that must succeed, from its text and structured alike.
fn structured(answer: &Value) -> Value {
    let result = &answer["result"];
    assert_eq!(result["isError"], false, "{answer}");
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"]);
    text
}

/// The error of a call that must fail, without what differs from call to call.
fn error(answer: &Value) -> Value {
    let result = &answer["result"];
    assert_eq!(result["isError"], true, "{answer}");
    let mut error: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert!(error["error"].as_object_mut().unwrap().remove("requestId").is_some());
    error["error"].take()
}

fn keys(bank: &Bank) -> Vec<String> {
    bank.requests().iter().map(|request| request.headers["idempotency-key"].clone()).collect()
}

#[tokio::test]
async fn two_tools_are_offered_in_both_eras() {
    let bank = Bank::start().await;
    let mut server = Server::start(command(&bank));
    let hello = server.initialize().await;
    assert_eq!(hello["serverInfo"]["name"], "sequence-banking");
    assert_eq!(hello["capabilities"], json!({"tools": {}}));
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let tools = server.ask(&list).await["result"]["tools"].take();
    let lines: Vec<_> = tools.as_array().unwrap().iter().map(Value::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"annotations":{"destructiveHint":false,"idempotentHint":true,"openWorldHint":true,"readOnlyHint":true,"title":"Get accounts"},"description":"Lists the user's accounts in Sequence (Pods, income sources, external accounts) with their balances in dollars. A balance can be missing while its account is listed; balance_error then says why. errors tells what could not be listed at all.","inputSchema":{"additionalProperties":false,"properties":{},"required":[],"type":"object"},"name":"get_accounts","outputSchema":{"properties":{"accounts":{"description":"The accounts.","items":{"properties":{"balance_dollars":{"type":"number"},"balance_error":{"type":"string"},"id":{"type":"string"},"name":{"type":"string"},"type":{"type":"string"}},"type":"object"},"type":"array"},"errors":{"description":"What could not be listed.","items":{"type":"string"},"type":"array"},"total_accounts":{"description":"How many there are.","minimum":0,"type":"integer"}},"required":["accounts","total_accounts","errors"],"type":"object"},"title":"Get accounts"}
    {"annotations":{"destructiveHint":true,"idempotentHint":false,"openWorldHint":true,"readOnlyHint":false,"title":"Trigger rule"},"description":"Triggers an automation rule in Sequence, which can move money. Only on the user's explicit wish. Each call triggers the rule once more, unless it has the idempotency_key of an earlier one.","inputSchema":{"additionalProperties":false,"properties":{"idempotency_key":{"description":"Key of an earlier call, to repeat it without triggering the rule twice; made by the server otherwise.","maxLength":255,"type":"string"},"payload":{"additionalProperties":true,"description":"JSON object for the rule; empty by default.","type":"object"},"rule_id":{"description":"Id of the rule, from its API trigger in Sequence.","pattern":"^[A-Za-z0-9_-]{1,128}$","type":"string"}},"required":["rule_id"],"type":"object"},"name":"trigger_rule","outputSchema":{"properties":{"code":{"description":"Sequence's code.","type":"string"},"idempotency_key":{"description":"The key that was sent.","type":"string"},"message":{"description":"Sequence's words.","type":"string"},"request_id":{"description":"Sequence's id of the request.","type":"string"},"success":{"description":"That the rule was triggered.","type":"boolean"}},"required":["success","idempotency_key"],"type":"object"},"title":"Trigger rule"}
    "#);
    assert_eq!(server.ask(&call(2, "send_money", &json!({}))).await["error"]["code"], -32602);
    ended(server, &[]).await;

    let mut server = Server::start(command(&bank));
    assert_eq!(server.ask(&modern(list)).await["result"]["tools"], tools);
    ended(server, &[]).await;
    assert!(bank.requests().is_empty());
}

#[tokio::test]
async fn accounts_come_with_balances_and_with_what_is_missing() {
    let bank = Bank::start().await;
    let mut server = started(&bank).await;
    let listed = structured(&server.ask(&call(1, "get_accounts", &json!({}))).await);
    insta::assert_json_snapshot!(listed, @r#"
    {
      "accounts": [
        {
          "balance_dollars": 142.5,
          "id": "5579244",
          "name": "Groceries",
          "type": "Pod"
        },
        {
          "balance_dollars": 0,
          "id": "5579245",
          "name": "Salary",
          "type": "Income Source"
        },
        {
          "balance_error": "Balance is not available at the moment",
          "id": "5579246",
          "name": "Chase checking",
          "type": "Account"
        },
        {
          "balance_dollars": -1300,
          "id": "5579247",
          "name": "Visa",
          "type": "Liability"
        }
      ],
      "errors": [
        "Institution ins_3 could not be reached"
      ],
      "total_accounts": 4
    }
    "#);
    let [request] = bank.requests().try_into().unwrap();
    assert_eq!((request.path.as_str(), &request.body), ("/accounts", &json!({})));
    assert_eq!(request.headers["x-sequence-access-token"], format!("Bearer {ACCESS_TOKEN}"));
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(!request.headers.contains_key("authorization"));
    let log = ended(server, &[]).await;
    assert!(log.contains("tool.name=\"get_accounts\"") && log.contains("outcome=\"ok\""), "{log}");
}

#[tokio::test]
async fn without_a_token_only_the_list_of_accounts_fails() {
    let bank = Bank::start().await;
    let mut command = command(&bank);
    command.env_remove("SEQUENCE_ACCESS_TOKEN");
    let mut server = Server::start(command);
    server.initialize().await;
    let refused = error(&server.ask(&call(1, "get_accounts", &json!({}))).await);
    insta::assert_json_snapshot!(refused, @r#"
    {
      "code": "authentication_required",
      "message": "SEQUENCE_ACCESS_TOKEN is not set, and accounts are listed with that token.",
      "remedy": "Make an access token in the settings of Sequence, put it into SEQUENCE_ACCESS_TOKEN in the environment that the client gives to sequence-mcp, and start the server again.",
      "retryable": false
    }
    "#);
    structured(&server.ask(&call(2, "trigger_rule", &json!({"rule_id": RULE}))).await);
    assert_eq!(bank.moves(), 1);
    ended(server, &[]).await;
}

#[tokio::test]
async fn a_rule_is_triggered_with_the_stored_secret_and_a_key_of_its_own() {
    let bank = Bank::start().await;
    let mut server = started(&bank).await;
    let arguments = json!({"rule_id": RULE, "payload": {"amount": 12.5, "memo": "birthday-present"}});
    let mut first = structured(&server.ask(&call(1, "trigger_rule", &arguments)).await);
    let second = structured(&server.ask(&call(2, "trigger_rule", &arguments)).await);
    assert_eq!(keys(&bank), [&first, &second].map(|reply| reply["idempotency_key"].as_str().unwrap()));
    assert_eq!(bank.moves(), 2, "two calls are two triggers");
    first["idempotency_key"] = "...".into();
    insta::assert_json_snapshot!(first, @r#"
    {
      "code": "OK",
      "idempotency_key": "...",
      "message": "Rule triggered",
      "request_id": "req-7",
      "success": true
    }
    "#);
    let request = bank.requests().swap_remove(0);
    assert_eq!(request.path, format!("/remote-api/rules/{RULE}/trigger"));
    assert_eq!(request.body, arguments["payload"]);
    assert_eq!(request.headers["x-sequence-signature"], format!("Bearer {SECRET}"));
    assert!(!request.headers.contains_key("x-sequence-access-token"));

    let again = json!({"rule_id": RULE, "idempotency_key": first["idempotency_key"]});
    structured(&server.ask(&call(3, "trigger_rule", &again)).await);
    assert_eq!(bank.requests().pop().unwrap().body, json!({}), "without payload an empty object is sent");
    ended(server, &["birthday-present"]).await;
}

#[tokio::test]
async fn repeating_a_lost_trigger_moves_money_once() {
    let bank = Bank::start().await;
    let mut server = started(&bank).await;
    bank.fail([
        Fault::DoneAndLost,
        Fault::Answer(500, None, r#"{"code": "UNEXPECTED_ERROR", "message": "?"}"#),
    ]);
    let reply = structured(&server.ask(&call(1, "trigger_rule", &json!({"rule_id": RULE}))).await);
    let key = reply["idempotency_key"].as_str().unwrap();
    assert_eq!(keys(&bank), [key; 3]);
    assert_eq!(bank.moves(), 1);
    ended(server, &[]).await;
}

#[tokio::test]
async fn a_trigger_whose_outcome_is_unknown_says_how_to_go_on() {
    let bank = Bank::start().await;
    let mut server = started(&bank).await;
    bank.fail([Fault::DoneAndGarbled]);
    let mut lost = error(&server.ask(&call(1, "trigger_rule", &json!({"rule_id": RULE}))).await);
    let [key] = keys(&bank).try_into().unwrap();
    lost["remedy"] = lost["remedy"].as_str().unwrap().replace(&key, "...").into();
    insta::assert_json_snapshot!(lost, @r#"
    {
      "code": "platform_answer",
      "message": "Sequence sent an answer that cannot be used.",
      "remedy": "Whether the rule was triggered is not known: look at the balances with get_accounts, or call again with the same rule and payload and with idempotency_key \"...\", which triggers it only if that has not been done.",
      "retryable": false
    }
    "#);
    let again = json!({"rule_id": RULE, "idempotency_key": key});
    structured(&server.ask(&call(2, "trigger_rule", &again)).await);
    assert_eq!(bank.moves(), 1);
    ended(server, &[]).await;
}

#[tokio::test]
async fn refusals_say_what_to_do_and_are_errors() {
    let bank = Bank::start().await;
    let mut server = started(&bank).await;
    let mut told = Vec::new();
    for (id, (tool, status, wait, body)) in (1..).zip([
        ("get_accounts", 401, None, r#"{"code": "INVALID_ACCESS_TOKEN", "message": "no"}"#),
        ("trigger_rule", 403, None, r#"{"code": "INVALID_API_SECRET", "message": "no"}"#),
        (
            "trigger_rule",
            400,
            None,
            "{\"code\": \"INVALID_REQUEST\", \"message\": \"Rule is\\u001b[31m paused\"}",
        ),
        ("get_accounts", 429, Some(120), r#"{"code": "TOO_MANY_REQUESTS", "message": "no"}"#),
        ("trigger_rule", 429, Some(120), r#"{"code": "TOO_MANY_REQUESTS", "message": "no"}"#),
        ("get_accounts", 302, None, "moved"),
        ("get_accounts", 418, None, "<html>teapot</html>"),
    ]) {
        bank.fail([Fault::Answer(status, wait, body)]);
        let arguments = if tool == "trigger_rule" {
            json!({"rule_id": RULE, "idempotency_key": "k-1"})
        } else {
            json!({})
        };
        told.push(error(&server.ask(&call(id, tool, &arguments)).await));
    }
    assert_eq!((bank.requests().len(), bank.moves()), (7, 0), "none of these is repeated");
    insta::assert_json_snapshot!(told, @r#"
    [
      {
        "code": "authentication_failed",
        "message": "Sequence does not accept the access token.",
        "remedy": "Make a new access token in the settings of Sequence, put it into SEQUENCE_ACCESS_TOKEN and start the server again.",
        "retryable": false
      },
      {
        "code": "authentication_failed",
        "message": "Sequence does not accept the API secret of this rule.",
        "remedy": "Copy the secret from the rule's trigger in Sequence, put it into SEQUENCE_RULE_SECRETS and start the server again.",
        "retryable": false
      },
      {
        "code": "rejected",
        "message": "Sequence said: Rule is[31m paused.",
        "remedy": "Check rule_id, and that the rule exists, is active and has an API trigger in Sequence.",
        "retryable": false
      },
      {
        "code": "rate_limited",
        "message": "Sequence takes no further requests for the moment.",
        "remedy": "Wait before the next call.",
        "retryAfterSeconds": 120,
        "retryable": true
      },
      {
        "code": "rate_limited",
        "message": "Sequence takes no further requests for the moment.",
        "remedy": "Wait, then call again with the same rule and payload and with idempotency_key \"k-1\".",
        "retryAfterSeconds": 120,
        "retryable": true
      },
      {
        "code": "platform_answer",
        "message": "Sequence sent an answer that cannot be used.",
        "remedy": "Check SEQUENCE_API_URL; report it with the request id if it happens again.",
        "retryable": false
      },
      {
        "code": "platform_status",
        "message": "Sequence answered with status 418.",
        "remedy": "Check the arguments.",
        "retryable": false
      }
    ]
    "#);
    ended(server, &["paused"]).await;
}

#[tokio::test]
async fn wrong_arguments_are_named_and_nothing_is_sent() {
    let bank = Bank::start().await;
    let mut server = started(&bank).await;
    let mut told = Vec::new();
    for (id, arguments) in (1..).zip([
        json!({}),
        json!({"rule_id": "../accounts"}),
        json!({"rule_id": "x".repeat(129)}),
        json!({"rule_id": RULE, "payload": "hush-payload"}),
        json!({"rule_id": RULE, "idempotency_key": "two words"}),
        json!({"rule_id": "rule_of_nobody"}),
        json!({"rule_id": RULE, "amount": 5}),
        json!({"rule_id": RULE, "api_secret": "hush-secret"}),
    ]) {
        let error = error(&server.ask(&call(id, "trigger_rule", &arguments)).await);
        told.push(format!("{}: {} {}", error["code"].as_str().unwrap(), error["message"], error["remedy"]));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    invalid_arguments: "Missing argument `rule_id`: it must be a text." "Correct the arguments and call the tool again."
    invalid_arguments: "Argument `rule_id` must be 1 to 128 letters, digits, `_` or `-`." "Correct the arguments and call the tool again."
    invalid_arguments: "Argument `rule_id` must be 1 to 128 letters, digits, `_` or `-`." "Correct the arguments and call the tool again."
    invalid_arguments: "Argument `payload` must be an object." "Correct the arguments and call the tool again."
    invalid_arguments: "Argument `idempotency_key` must be 1 to 255 visible ASCII characters." "Correct the arguments and call the tool again."
    missing_rule_secret: "The server has no API secret for this rule." "The user adds it to SEQUENCE_RULE_SECRETS, a JSON object of rule id to secret (or a file with one), and starts the server again. The secret stands beside the rule's API trigger in Sequence. Check rule_id too."
    invalid_arguments: "Unknown argument `amount`. Allowed: `idempotency_key`, `payload`, `rule_id`." "Correct the arguments and call the tool again."
    secret_argument_refused: "The argument `api_secret` is not accepted: a secret in a call passes through the model and its provider." "Call again without it. The user puts the rule's secret into SEQUENCE_RULE_SECRETS, or allows the argument with SEQUENCE_ALLOW_SECRET_ARGUMENT=true, and starts the server again."
    "#);
    assert!(bank.requests().is_empty());
    ended(server, &["hush-payload", "hush-secret", "rule_of_nobody"]).await;
}

#[tokio::test]
async fn a_secret_in_a_call_is_taken_only_if_allowed_and_none_is_stored() {
    let bank = Bank::start().await;
    let mut allowed = command(&bank);
    allowed.env("SEQUENCE_ALLOW_SECRET_ARGUMENT", "true").env("SEQUENCE_RULE_SECRETS", "");
    let mut server = Server::start(allowed);
    server.initialize().await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let tools = server.ask(&list).await["result"]["tools"].take();
    assert_eq!(tools[1]["inputSchema"]["properties"]["api_secret"]["type"], "string");
    let with_secret = json!({"rule_id": RULE, "api_secret": SECRET});
    let answer = server.ask(&call(2, "trigger_rule", &with_secret)).await;
    structured(&answer);
    assert!(!answer.to_string().contains(SECRET), "the secret is not echoed");
    let wrong = json!({"rule_id": RULE, "api_secret": "hush secret"});
    let refused = error(&server.ask(&call(3, "trigger_rule", &wrong)).await);
    assert_eq!(refused["message"], "Argument `api_secret` must be visible ASCII characters.");
    ended(server, &["hush secret"]).await;

    let mut stored = command(&bank);
    stored.env("SEQUENCE_ALLOW_SECRET_ARGUMENT", "true");
    let mut server = Server::start(stored);
    server.initialize().await;
    let refused = error(&server.ask(&call(1, "trigger_rule", &with_secret)).await);
    assert_eq!(refused["code"], "secret_argument_refused");
    assert_eq!(bank.moves(), 1);
    ended(server, &[]).await;
}

#[tokio::test]
async fn secrets_can_be_in_a_file() {
    let bank = Bank::start().await;
    let file = std::env::temp_dir().join(format!("sequence-secrets-{}.json", std::process::id()));
    std::fs::write(&file, json!({"other": "x", RULE: SECRET}).to_string()).unwrap();
    let mut command = command(&bank);
    command.env("SEQUENCE_RULE_SECRETS", &file);
    let mut server = Server::start(command);
    server.initialize().await;
    structured(&server.ask(&call(1, "trigger_rule", &json!({"rule_id": RULE}))).await);
    std::fs::remove_file(&file).unwrap();
    ended(server, &[]).await;
}

#[tokio::test]
async fn bad_settings_end_the_start_with_what_to_do() {
    let bank = Bank::start().await;
    let mut command = command(&bank);
    command
        .arg("--sequence-api-url=http://api.example.com")
        .env("SEQUENCE_RULE_SECRETS", "{\"a/b\": \"hush\"}");
    let output = command.output().await.unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r#"
    The configuration was refused:
      - --sequence-api-url="http://api.example.com" is refused: expected an https URL (http on loopback) without query or fragment
      - SEQUENCE_RULE_SECRETS=(hidden) (environment) is refused: it has an entry (number 1) whose id must be 1 to 128 letters, digits, `_` or `-`; expected a JSON object of rule id to API secret, or the path of a file with one
    Run `sequence-mcp --help` for all settings.
    "#);
}
