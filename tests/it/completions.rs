//! Suggestions through the front door: from the caller's own data, kept for a moment, and never anybody else's.

use std::time::Duration;

use sequentum_mcp::demo::{Fault, FaultKind, Login};
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, TestServer};

fn prompt(name: &str) -> Value {
    json!({"type": "ref/prompt", "name": name})
}

fn template(uri: &str) -> Value {
    json!({"type": "ref/resource", "uri": uri})
}

const AGENT: &str = "sequentum://agents/{agentId}";
const SPACE: &str = "sequentum://spaces/{spaceId}";
const RUN: &str = "sequentum://agents/{agentId}/runs/{runId}";
const FILE: &str = "sequentum://agents/{agentId}/runs/{runId}/files/{fileId}";

/// What one client asks.
struct Asking<'a> {
    server: &'a TestServer,
    token: String,
}

impl<'a> Asking<'a> {
    fn new(server: &'a TestServer, login: &Login, scopes: &str) -> Self {
        Self { server, token: server.token_for(login, scopes) }
    }

    fn alice(server: &'a TestServer) -> Self {
        Self::new(server, &TestServer::alice(), ALL_SCOPES)
    }

    fn bob(server: &'a TestServer) -> Self {
        Self::new(server, &TestServer::bob(), ALL_SCOPES)
    }

    /// The whole answer, which is the same in both eras but for the newer one's marks.
    async fn answer(&self, reference: Value, argument: &str, typed: &str, context: Value) -> Value {
        let params = json!({
            "ref": reference,
            "argument": {"name": argument, "value": typed},
            "context": {"arguments": context},
        });
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "completion/complete", "params": params});
        let old = self.server.send(self.server.post(Some(&self.token), &message)).await.json();
        let new = self.server.send(self.server.post_modern(&self.token, &message)).await.json();
        assert_eq!(old["result"]["completion"], new["result"]["completion"]);
        assert_eq!(old["error"]["code"], new["error"]["code"]);
        old
    }

    /// The values, which are all there are.
    async fn values(&self, reference: Value, argument: &str, typed: &str, context: Value) -> Vec<String> {
        let answer = self.answer(reference, argument, typed, context).await;
        let completion = &answer["result"]["completion"];
        let values: Vec<String> =
            serde_json::from_value(completion["values"].clone()).unwrap_or_else(|_| panic!("{answer}"));
        assert_ne!(completion["hasMore"], true, "{answer}");
        if let Some(total) = completion["total"].as_u64() {
            assert_eq!(total, values.len() as u64);
        }
        values
    }
}

impl Asking<'_> {
    /// Names of agents.
    async fn agents(&self, typed: &str) -> Vec<String> {
        self.values(prompt("debug-agent"), "agentName", typed, json!({})).await
    }

    /// Timings like those of this agent's schedules.
    async fn schedules(&self, agent: &str) -> Vec<String> {
        let context = json!({"agentName": agent});
        self.values(prompt("schedule-agent"), "scheduleDescription", "like the schedule", context).await
    }
}

fn status(status: u16, body: &str) -> FaultKind {
    FaultKind::Status { status, headers: Vec::new(), body: body.to_owned() }
}

#[tokio::test]
async fn agents_are_suggested_by_name_and_ids_are_found_by_name() {
    let server = TestServer::start().await;
    let alice = Asking::alice(&server);
    let found = alice.values(prompt("debug-agent"), "agentName", "sto", json!({})).await;
    assert_eq!(found, ["Store opening hours"]);
    let found = alice.values(prompt("run-and-monitor"), "agentName", "PRO", json!({})).await;
    assert_eq!(found, ["Product reviews", "Promotion banners"]);
    let found = alice.values(template(AGENT), "agentId", "carrier", json!({})).await;
    assert_eq!(found, ["7304"]);
    let found = alice.values(template(AGENT), "agentId", "7301", json!({})).await;
    assert_eq!(found, ["7301"]);
    assert!(alice.values(prompt("debug-agent"), "agentName", "nothing like it", json!({})).await.is_empty());
    let all = alice.values(prompt("debug-agent"), "agentName", "", json!({})).await;
    assert!(all.len() > 8 && all.contains(&"Marketplace sellers".to_owned()), "{all:?}");
}

#[tokio::test]
async fn spaces_are_suggested_by_name_and_ids_are_found_by_name() {
    let server = TestServer::start().await;
    let alice = Asking::alice(&server);
    let found = alice.values(prompt("space-overview"), "spaceName", "r", json!({})).await;
    assert_eq!(found, ["Retail", "Marketing"], "beginnings come first");
    // What stands in the other argument is too long for a name and is in nobody's way.
    let request = json!({"prompt": "Names and prices. ".repeat(200)});
    let found = alice.values(prompt("build-agent-from-prompt"), "spaceName", "log", request).await;
    assert_eq!(found, ["Logistics"]);
    assert_eq!(alice.values(template(SPACE), "spaceId", "log", json!({})).await, ["43"]);
    assert_eq!(alice.values(template(SPACE), "spaceId", "4", json!({})).await, ["42", "43", "44"]);
}

#[tokio::test]
async fn runs_are_those_of_the_agent_newest_first() {
    let server = TestServer::start().await;
    let alice = Asking::alice(&server);
    let runs = server.ask("get_agent_runs", json!({"agentId": 7305})).await["runs"].clone();
    let mut expected: Vec<_> = runs.as_array().unwrap().iter().collect();
    expected.sort_by_key(|run| std::cmp::Reverse(run["startTime"].as_str()));
    let ids = |runs: Vec<&Value>| runs.iter().map(|run| run["id"].to_string()).collect::<Vec<_>>();
    let found = alice.values(template(RUN), "runId", "", json!({"agentId": "7305"})).await;
    assert_eq!(found, ids(expected.clone()));
    assert!(found.len() > 5);

    expected.retain(|run| run["statusName"] == "Failed" || run["statusName"] == "Failure");
    let found = alice.values(template(RUN), "runId", "fail", json!({"agentId": " 7305 "})).await;
    assert_eq!(found, ids(expected));
    assert!(!found.is_empty());

    // A run that waits for a worker has no start yet, and is the newest.
    let runs = server.ask("get_agent_runs", json!({"agentId": 7306})).await["runs"].clone();
    let waiting = runs.as_array().unwrap().iter().find(|run| run["startTime"].is_null());
    let run = waiting.expect("the seed has one")["id"].to_string();
    let found = alice.values(template(RUN), "runId", "", json!({"agentId": "7306"})).await;
    assert_eq!(found.first(), Some(&run));
}

#[tokio::test]
async fn without_what_they_depend_on_there_are_no_runs_and_no_files() {
    let server = TestServer::start().await;
    let alice = Asking::alice(&server);
    for context in [json!({}), json!({"agentId": "shoes"}), json!({"agentId": "0"}), json!({"agentId": "-7"})]
    {
        assert!(alice.values(template(RUN), "runId", "", context.clone()).await.is_empty());
        assert!(alice.values(template(FILE), "fileId", "", context).await.is_empty());
    }
    assert!(alice.values(template(FILE), "fileId", "", json!({"agentId": "7301"})).await.is_empty());
    assert!(server.platform.requests().is_empty(), "nobody was asked");
    assert!(alice.values(template(RUN), "runId", "", json!({"agentId": "999999"})).await.is_empty());
}

#[tokio::test]
async fn files_are_found_by_name() {
    let server = TestServer::start().await;
    let alice = Asking::alice(&server);
    let runs = server.ask("get_agent_runs", json!({"agentId": 7301, "maxRecords": 1})).await;
    let run = &runs["runs"][0]["id"];
    let files = server.ask("get_run_files", json!({"agentId": 7301, "runId": run})).await["result"].clone();
    let files = files.as_array().unwrap();
    let context = json!({"agentId": "7301", "runId": run.to_string()});
    let found = alice.values(template(FILE), "fileId", "", context.clone()).await;
    assert_eq!(found, files.iter().map(|file| file["id"].to_string()).collect::<Vec<_>>());
    let csv: Vec<_> = files.iter().filter(|file| file["name"].as_str().unwrap().contains(".csv")).collect();
    assert_eq!(csv.len(), 1);
    let found = alice.values(template(FILE), "fileId", ".CSV", context).await;
    assert_eq!(found, [csv[0]["id"].to_string()]);
}

#[tokio::test]
async fn timings_are_examples_schedules_of_the_agent_and_time_zones() {
    let server = TestServer::start().await;
    let alice = Asking::alice(&server);
    let ask = |typed: &'static str, agent: Value| {
        let alice = &alice;
        async move { alice.values(prompt("schedule-agent"), "scheduleDescription", typed, agent).await }
    };
    let none = json!({});
    insta::assert_json_snapshot!(ask("", none.clone()).await, @r#"
    [
      "every day at 06:00 UTC",
      "every weekday at 09:00 Europe/Berlin",
      "every Monday at 07:30 America/New_York",
      "every 2 hours",
      "every 15 minutes",
      "on the first day of every month at 00:00 UTC",
      "once, tomorrow at 08:00 UTC"
    ]
    "#);
    assert!(server.platform.requests().is_empty(), "examples need no platform");
    // "Shoe catalogue" is the name of one agent and part of the name of another.
    insta::assert_json_snapshot!(ask("like", json!({"agentName": "shoe catalogue"})).await, @r#"
    [
      "like the schedule Every morning",
      "like the schedule Hourly before sales"
    ]
    "#);
    insta::assert_json_snapshot!(ask("weekdays", json!({"agentName": "sellers"})).await, @r#"
    [
      "like the schedule Weekdays"
    ]
    "#);
    assert!(
        ask("like", json!({"agentName": "o"})).await.is_empty(),
        "several agents have this in their names"
    );
    assert!(ask("like", json!({"agentName": "no such agent"})).await.is_empty());
    insta::assert_json_snapshot!(ask("Every day at 06:00 europe/be", none.clone()).await, @r#"
    [
      "Every day at 06:00 Europe/Belfast",
      "Every day at 06:00 Europe/Belgrade",
      "Every day at 06:00 Europe/Berlin"
    ]
    "#);
    assert!(ask("at 06:00 eu", none).await.is_empty(), "two letters are no beginning of a zone");
}

#[tokio::test]
async fn words_are_suggested_to_everybody() {
    let server = TestServer::start().await;
    let stranger = Asking::new(&server, &TestServer::alice(), "");
    let ask = |typed| stranger.values(prompt("inspect-agent-draft"), "pollingPreference", typed, json!({}));
    assert_eq!(ask("").await, ["fast", "normal", "slow"]);
    assert_eq!(ask("S").await, ["slow", "fast"]);
    assert!(ask("whenever").await.is_empty());
}

#[tokio::test]
async fn no_more_than_a_hundred_are_sent_and_the_rest_is_told() {
    let server = TestServer::start().await;
    let alice = Asking::alice(&server);
    let zones = json!({"type": "ref/prompt", "name": "schedule-agent"});
    let answer = alice.answer(zones, "scheduleDescription", "daily america", json!({})).await;
    let completion = &answer["result"]["completion"];
    assert_eq!(completion["values"].as_array().unwrap().len(), 100);
    assert_eq!(completion["hasMore"], true);
    assert!(completion["total"].as_u64().unwrap() > 100, "{completion}");

    // A large account: the first page is full, so the platform is asked for the names that fit.
    let agents: Vec<_> = (1..=100).map(|id| json!({"id": id, "name": format!("Agent {id}")})).collect();
    let page = json!({"agents": agents, "totalRecordCount": 4_000}).to_string();
    let inject = |times, body: &str| {
        let path_contains = "/api/v1/agent/all".to_owned();
        server.platform.faults().inject(Fault { path_contains, times, kind: status(200, body) });
    };
    inject(1, &page);
    inject(1, r#"{"agents": [{"id": 3500, "name": "Zebra crossings"}], "totalRecordCount": 1}"#);
    let found = alice.values(prompt("debug-agent"), "agentName", "Zebra", json!({})).await;
    assert_eq!(found, ["Zebra crossings"]);
    let asked: Vec<_> = server.platform.requests().into_iter().filter_map(|seen| seen.query).collect();
    assert!(asked.len() == 2 && asked[1].contains("name=zebra"), "{asked:?}");
    inject(1, r#"{"agents": [], "totalRecordCount": 0}"#);
    let found = alice.values(template(AGENT), "agentId", "99", json!({})).await;
    assert_eq!(found, ["99"], "an id is found among the first ones");
}

#[tokio::test]
async fn another_tenant_sees_nothing_of_it() {
    let server = TestServer::start().await;
    let (alice, bob) = (Asking::alice(&server), Asking::bob(&server));
    for (reference, argument, typed, context) in [
        (prompt("debug-agent"), "agentName", "", json!({})),
        (template(AGENT), "agentId", "", json!({})),
        (prompt("space-overview"), "spaceName", "", json!({})),
        (template(SPACE), "spaceId", "", json!({})),
    ] {
        let hers = alice.values(reference.clone(), argument, typed, context.clone()).await;
        // Within seconds: what is kept for Alice is not for Bob.
        let his = bob.values(reference, argument, typed, context).await;
        assert!(!hers.is_empty() && !his.is_empty());
        assert!(his.iter().all(|value| !hers.contains(value)), "{hers:?} {his:?}");
    }
    let runs = alice.values(template(RUN), "runId", "", json!({"agentId": "7301"})).await;
    assert!(!runs.is_empty());
    assert!(bob.values(template(RUN), "runId", "", json!({"agentId": "7301"})).await.is_empty());
    let context = json!({"agentId": "7301", "runId": runs[0]});
    assert!(!alice.values(template(FILE), "fileId", "", context.clone()).await.is_empty());
    assert!(bob.values(template(FILE), "fileId", "", context).await.is_empty());
    assert!(!alice.schedules("Shoe catalogue").await.is_empty());
    assert!(bob.schedules("Shoe catalogue").await.is_empty());
}

#[tokio::test]
async fn without_the_scope_there_are_none_and_the_platform_is_not_asked() {
    let server = TestServer::start().await;
    for (missing, reference, argument, context) in [
        ("agents:read", prompt("debug-agent"), "agentName", json!({})),
        ("agents:read", template(AGENT), "agentId", json!({})),
        ("agents:read", prompt("schedule-agent"), "scheduleDescription", json!({"agentName": "sellers"})),
        ("spaces:read", prompt("space-overview"), "spaceName", json!({})),
        ("spaces:read", template(SPACE), "spaceId", json!({})),
        ("runs:read", template(RUN), "runId", json!({"agentId": "7301"})),
        ("runs:read", template(FILE), "fileId", json!({"agentId": "7301", "runId": "88123"})),
    ] {
        let narrow = ALL_SCOPES.replace(missing, "");
        let alice = Asking::new(&server, &TestServer::alice(), &narrow);
        let found = alice.values(reference.clone(), argument, "", context).await;
        let own = found.iter().filter(|value| value.starts_with("like the schedule"));
        let from_platform = if argument == "scheduleDescription" { own.count() } else { found.len() };
        assert_eq!(from_platform, 0, "{reference} without {missing}");
    }
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn an_answer_is_kept_for_five_seconds_for_the_same_caller_only() {
    let server = TestServer::start().await;
    let (alice, bob) = (Asking::alice(&server), Asking::bob(&server));
    let narrow = Asking::new(&server, &TestServer::alice(), "runs:read");
    let asked = || server.platform.requests().len();
    // Both eras, one after the other, and every further key: one request.
    assert!(!alice.agents("").await.is_empty());
    assert!(!alice.agents("st").await.is_empty());
    assert_eq!(alice.values(template(AGENT), "agentId", "carrier", json!({})).await, ["7304"]);
    assert_eq!(asked(), 1);
    assert!(narrow.agents("").await.is_empty(), "the same user with fewer rights gets nothing that was kept");
    assert_eq!(asked(), 1);
    assert!(!bob.agents("").await.is_empty());
    assert_eq!(asked(), 2);
    server.clock.advance(Duration::from_secs(4));
    assert!(!alice.agents("sto").await.is_empty());
    assert_eq!(asked(), 2);
    server.clock.advance(Duration::from_secs(2));
    assert!(!alice.agents("sto").await.is_empty());
    assert_eq!(asked(), 3);
}

#[tokio::test]
async fn an_unknown_reference_or_argument_is_refused() {
    let server = TestServer::start().await;
    let alice = Asking::alice(&server);
    for (reference, argument, message) in [
        (prompt("secret-prompt"), "agentName", "Unknown prompt: prompts/list shows the names."),
        (prompt("debug-agent"), "secretName", "The prompt has no such argument."),
        (prompt("spending-report"), "agentName", "The prompt has no such argument."),
        (
            template("sequentum://secret/{agentId}"),
            "agentId",
            "Unknown template: resources/templates/list shows the templates.",
        ),
        (template(AGENT), "runId", "The template has no such variable."),
        (template("sequentum://agents"), "agentId", "The template has no such variable."),
    ] {
        let answer = alice.answer(reference, argument, "secret", json!({})).await;
        let error = &answer["error"];
        assert_eq!((&error["code"], &error["message"]), (&json!(-32602), &json!(message)), "{answer}");
        assert!(!answer.to_string().contains("secret"), "{answer}");
    }
    // Known, but without suggestions.
    assert!(alice.values(prompt("build-agent-from-prompt"), "prompt", "x", json!({})).await.is_empty());
    assert!(alice.values(prompt("inspect-agent-draft"), "sessionId", "x", json!({})).await.is_empty());
    assert!(server.platform.requests().is_empty());
}

#[tokio::test]
async fn a_failure_of_the_platform_is_an_error_that_names_no_internals() {
    let server = TestServer::start().await;
    let alice = Asking::alice(&server);
    let body = r#"{"message":"at System.Data.SqlClient"}"#;
    let fault = Fault { path_contains: "/api/v1/".to_owned(), times: 20, kind: status(500, body) };
    server.platform.faults().inject(fault);
    let answer = alice.answer(prompt("debug-agent"), "agentName", "secret", json!({})).await;
    let error = &answer["error"];
    assert_eq!(
        (&error["code"], &error["data"]["code"]),
        (&json!(-32603), &json!("platform_error")),
        "{answer}"
    );
    assert!(error["data"]["requestId"].as_str().is_some_and(|id| !id.is_empty()), "{answer}");
    let text = answer.to_string();
    for internal in ["SqlClient", "/api/v1", "127.0.0.1", "secret"] {
        assert!(!text.contains(internal), "{text}");
    }
    server.platform.faults().clear();
    let found = alice.values(prompt("debug-agent"), "agentName", "sto", json!({})).await;
    assert_eq!(found, ["Store opening hours"], "a failure is not kept");
}

#[tokio::test]
async fn a_token_that_the_platform_refuses_is_challenged() {
    let server = TestServer::start().await;
    let token = server.token();
    server.platform.revoke_everything_of(&TestServer::alice());
    let params = json!({"ref": prompt("debug-agent"), "argument": {"name": "agentName", "value": ""}});
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "completion/complete", "params": params});
    let answer = server.send(server.post(Some(&token), &message)).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert!(answer.header("www-authenticate").contains("invalid_token"));
}

#[tokio::test]
async fn what_nobody_types_gets_nothing() {
    let server = TestServer::start().await;
    let alice = Asking::alice(&server);
    let long = "e".repeat(501);
    assert!(alice.values(prompt("debug-agent"), "agentName", &long, json!({})).await.is_empty());
    assert!(alice.values(prompt("schedule-agent"), "scheduleDescription", &long, json!({})).await.is_empty());
    assert!(server.platform.requests().is_empty());
    let hostile = "\u{202e}{{ 7*7 }}\n`../../etc/passwd`%00";
    assert!(alice.values(prompt("debug-agent"), "agentName", hostile, json!({})).await.is_empty());
    assert!(
        alice.values(template(RUN), "runId", "", json!({"agentId": "7301/../../spaces"})).await.is_empty()
    );
}
