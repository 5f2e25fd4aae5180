//! Both sides of the platform's API against what is published about it: the simulated platform answers every
//! operation in the published shapes, and the product asks for nothing that is not published.

mod answers;
mod deployments;
mod refusals;
mod requests;

use std::{collections::BTreeSet, rc::Rc, time::Duration};

use jiff::Timestamp;
use reqwest::Method;
use sequentum_mcp::{
    clock::Clock,
    demo::{Options, Platform, Profile},
    outbound,
    tools::Catalog,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{ALL_SCOPES, Answer, Contract, TestServer, contract::Operation};

async fn platform(options: Options) -> (Platform, Clock) {
    let clock = Clock::manual("2026-11-21T10:00:00Z".parse::<Timestamp>().unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let platform = Platform::start(listener, Options { clock: clock.clone(), ..options }).await.unwrap();
    (platform, clock)
}

/// Asks the simulated platform directly and holds every answer against the contract.
struct Probe {
    contract: Rc<Contract>,
    platform: Platform,
    clock: Clock,
    http: reqwest::Client,
    asked: BTreeSet<String>,
}

impl Probe {
    async fn start(options: Options) -> Self {
        let contract = Rc::new(Contract::of(options.profile));
        let (platform, clock) = platform(options).await;
        let http = outbound::client(platform.url()).unwrap();
        Self { contract, platform, clock, http, asked: BTreeSet::new() }
    }

    fn token(&self, scope: &str) -> String {
        self.platform.access_token(&TestServer::alice(), "https://mcp.example.com/mcp", scope).unwrap()
    }

    async fn send(&self, method: &str, target: &str, token: Option<&str>, body: &Value) -> Answer {
        let url = self.platform.url().join(target).unwrap();
        let request = self.http.request(Method::try_from(method).unwrap(), url);
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        let request = if body.is_null() { request } else { request.json(body) };
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    fn check(&self, operation: &Operation<'_>, target: &str, answer: &Answer) {
        let status = answer.status.as_u16();
        let problems = self.contract.answer_problems(operation, status, &answer.headers, &answer.text);
        assert!(problems.is_empty(), "{} {target} {status}\n{}", operation.id, problems.join("\n"));
    }

    /// Asks with the one scope that is needed. Before an operation is asked for the first time it must refuse a token
    /// that has every other scope.
    async fn ask(&mut self, method: &str, target: &str, body: Value) -> Value {
        let contract = Rc::clone(&self.contract);
        let path = target.split('?').next().unwrap();
        let operation = contract.find(method, path).unwrap_or_else(|| panic!("{method} {path}"));
        let needed = operation.scope.unwrap();
        if self.asked.insert(operation.id.to_owned()) {
            let others: Vec<_> = ALL_SCOPES.split(' ').filter(|scope| *scope != needed).collect();
            let answer = self.refused(403, method, target, Some(&self.token(&others.join(" "))), &body).await;
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{needed}\"");
            assert_eq!(answer.header("www-authenticate"), challenge, "{target}");
            assert_eq!(answer.json()["errorCode"], "insufficient_scope");
        }
        let answer = self.send(method, target, Some(&self.token(needed)), &body).await;
        assert!(answer.status.is_success() || answer.status.is_redirection(), "{target}: {}", answer.text);
        self.check(&operation, target, &answer);
        serde_json::from_str(&answer.text).unwrap_or(Value::Null)
    }

    async fn get(&mut self, target: &str) -> Value {
        self.ask("GET", target, Value::Null).await
    }

    /// Asks for something that must be refused with this status.
    async fn refused(
        &self,
        status: u16,
        method: &str,
        target: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Answer {
        let operation = self.contract.find(method, target.split('?').next().unwrap()).unwrap();
        let answer = self.send(method, target, token, body).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {target}: {}", answer.text);
        self.check(&operation, target, &answer);
        answer
    }

    fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// A body that an operation takes, null where it takes none.
fn body(operation: &str) -> Value {
    match operation {
        "startAgent" | "runSpaceAgents" => json!({}),
        "restoreAgentVersion" => json!({"content": "as it was"}),
        "createAgentSchedule" | "updateAgentSchedule" => {
            json!({"name": "Noon", "cronExpression": "0 12 * * *", "timezone": "Europe/Paris"})
        }
        "startAgentBuild" => json!({"prompt": "Names and prices from shop.example"}),
        _ => Value::Null,
    }
}

/// Calls tools one after the other as Alice. Each must succeed; the results are in the order of the calls.
async fn drive(server: &TestServer, cases: Vec<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    let runs = server.ask("get_agent_runs", json!({"agentId": 7301, "maxRecords": 1})).await;
    let run = runs["runs"][0]["id"].clone();
    let files = server.ask("get_run_files", json!({"agentId": 7301, "runId": run})).await;
    let (mut started, mut build) = (Value::Null, Value::Null);
    let mut results = Vec::new();
    for (tool, mut arguments) in cases {
        for value in arguments.as_object_mut().unwrap().values_mut() {
            match value.as_str() {
                Some("RUN") => *value = run.clone(),
                Some("FILE") => *value = files["result"][0]["id"].clone(),
                Some("NEW") => *value = started.clone(),
                Some("BUILD") => *value = build.clone(),
                _ => {}
            }
        }
        let result = server.ask(tool, arguments).await;
        match tool {
            "start_agent" => started = result["run"]["id"].clone(),
            "start_agent_build" => build = result["sessionId"].clone(),
            _ => {}
        }
        results.push((tool, result));
    }
    results
}

async fn server_before(profile: Profile) -> TestServer {
    let (platform, clock) = platform(Options { profile, ..Options::default() }).await;
    TestServer::before(platform, clock, &[], Catalog::new()).await
}

/// A good answer that was bent in one way or another is found out.
#[test]
fn the_contract_can_be_broken() {
    let good = json!({"totalSpent": 1.5, "startDate": "2026-11-01T00:00:00", "endDate": "2026-11-30T23:59:59.9999999Z", "organizationId": 3, "currentBalance": -2});
    let contract = Contract::of(Profile::Newer);
    let schema = contract.schema("SpendingSummary");
    let problems = |change: &dyn Fn(&mut Value)| {
        let mut value = good.clone();
        change(&mut value);
        contract.problems(schema, &value).len()
    };
    assert_eq!(problems(&|_| {}), 0);
    assert_eq!(problems(&|value| value["totalSpent"] = "1.5".into()), 1);
    assert_eq!(problems(&|value| value["startDate"] = "2026-11-01".into()), 1);
    assert_eq!(problems(&|value| value["endDate"] = Value::Null), 1);
    assert_eq!(problems(&|value| value["currency"] = "EUR".into()), 1);
    assert_eq!(problems(&|value| _ = value.as_object_mut().unwrap().remove("organizationId")), 1);
    let production = Contract::of(Profile::Production);
    let label =
        json!({"id": 42, "name": "Retail", "organizationId": 3, "created": null, "isDefaultAccess": true});
    assert!(!contract.problems(contract.schema("Space"), &label).is_empty(), "scope and others are missing");
    assert_eq!(
        production.problems(&json!({"$ref": "#/components/schemas/Count"}), &json!({"totalCount": 1})).len(),
        0
    );
}
