//! Answers as the platform may send them (`tests/fixtures/models`), read by the typed client and through the tools:
//! unset members, unknown members, dates of all lengths, numbers for words, negative ids.

mod pinned;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use sequentum_mcp::{
    api::{ids::BuildSessionId, model},
    demo::{Fault, FaultKind},
    tools::Catalog,
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned, Visitor, value::Error},
    forward_to_deserialize_any,
};
use serde_json::{Value, json};

use crate::support::{Contract, TestServer, contract::problems};

/// What the typed client makes of a record, written as JSON again.
type Read = fn(&Value) -> Value;
/// Gets schema and member, the schema of the member, and its value if it is there; keeps the value or not.
type Visit<'a> = dyn FnMut(&str, &str, &Value, Option<&Value>) -> bool + 'a;

/// The files: name, published schema of each record, and how one is read.
const FILES: [(&str, &str, Read); 23] = [
    ("agent", "Agent", read::<model::Agent>),
    ("agent-page", "AgentPage", agent_page),
    ("agent-version", "AgentVersion", read::<model::AgentVersion>),
    ("agent-run", "AgentRun", read::<model::AgentRun>),
    ("agent-run-summary", "AgentRunSummary", read::<model::AgentRunSummary>),
    ("agent-cost-breakdown", "AgentCostBreakdown", read::<model::AgentCostBreakdown>),
    ("agent-runs-cost-page", "AgentRunsCostPage", read::<model::AgentRunsCostPage>),
    ("agents-usage-page", "AgentsUsagePage", read::<model::AgentsUsagePage>),
    ("build-session", "BuildStartResponse", build_session),
    ("build-status", "BuildStatus", read::<model::BuildStatus>),
    ("count", "Count", read::<model::Count>),
    ("credit-history-page", "CreditHistoryPage", read::<model::CreditHistoryPage>),
    ("credits-balance", "CreditsBalance", read::<model::CreditsBalance>),
    ("records-summary", "RecordsSummary", read::<model::RecordsSummary>),
    ("run-diagnostics", "RunDiagnostics", read::<model::RunDiagnostics>),
    ("run-file", "RunFile", read::<model::RunFile>),
    ("runs-summary", "RunsSummary", runs_summary),
    ("schedule", "Schedule", read::<model::Schedule>),
    ("space", "Space", read::<model::Space>),
    ("space-agent", "SpaceAgent", read::<model::SpaceAgent>),
    ("space-run", "RunSpaceAgentsResult", read::<model::SpaceRun>),
    ("spending-summary", "SpendingSummary", read::<model::SpendingSummary>),
    ("upcoming-schedule", "UpcomingSchedule", read::<model::UpcomingSchedule>),
];

/// Published members that the client does not read, and why.
const NOT_READ: [(&str, &str, &str); 5] = [
    ("RunFile", "regionId", "nothing can be done with it"),
    ("Schedule", "updated", "only older deployments send it"),
    ("Space", "description", "only older deployments send it"),
    ("Space", "updated", "only older deployments send it"),
    ("BuildStatus", "lastEventIndex", "a cursor of an interface that is gone"),
];

fn records(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/fixtures/models/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn read<T: DeserializeOwned + Serialize>(record: &Value) -> Value {
    // From text, as it arrives: a value would hide what a parser makes of numbers.
    serde_json::to_value(serde_json::from_str::<T>(&record.to_string()).unwrap()).unwrap()
}

fn agent_page(record: &Value) -> Value {
    let page: model::AgentPage = serde_json::from_str(&record.to_string()).unwrap();
    json!({"agents": page.agents, "totalRecordCount": page.total})
}

fn build_session(record: &Value) -> Value {
    let id: BuildSessionId = serde_json::from_value(record["sessionId"].clone()).unwrap();
    json!({"sessionId": id})
}

fn runs_summary(record: &Value) -> Value {
    let summary: model::RunsSummary = serde_json::from_str(&record.to_string()).unwrap();
    let mut read = serde_json::to_value(summary.totals).unwrap();
    if let Some(failures) = summary.failed_run_details {
        read["failedRunDetails"] = json!(failures);
    }
    read
}

/// Walks through a value along its schema. `visit` gets every member of every published object, with its value if it
/// is there; the value comes back without unset and unknown members and without those that `visit` rejects.
fn walk(contract: &Contract, schema: &Value, value: &Value, visit: &mut Visit<'_>) -> Value {
    for alternatives in ["oneOf", "anyOf"] {
        if let Some(alternatives) = schema[alternatives].as_array() {
            let fitting = alternatives.iter().find(|schema| contract.problems(schema, value).is_empty());
            return walk(contract, fitting.unwrap(), value, visit);
        }
    }
    let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()).unwrap_or_default();
    let schema = contract.resolve(schema);
    if let (Value::Array(items), Some(schema)) = (value, schema.get("items")) {
        return items.iter().map(|item| walk(contract, schema, item, visit)).collect();
    }
    let (Value::Object(object), Some(members)) = (value, schema["properties"].as_object()) else {
        return value.clone();
    };
    let mut kept = serde_json::Map::new();
    for (member, schema) in members {
        let value = object.get(member);
        if visit(name, member, schema, value)
            && let Some(value) = value.filter(|value| !value.is_null())
        {
            kept.insert(member.clone(), walk(contract, schema, value, visit));
        }
    }
    kept.into()
}

/// Equal, where 1 and 1.0 are the same amount.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => ours == theirs,
    }
}

#[test]
fn the_records_are_published_ones_and_show_every_member_set_and_unset() {
    let contract = Contract::published();
    // Per member: may it be unset, was it seen set, was it seen unset or missing.
    let mut seen: BTreeMap<(String, String), [bool; 3]> = BTreeMap::new();
    for (file, schema, _) in FILES {
        let reference = json!({"$ref": format!("#/components/schemas/{schema}")});
        let members = contract.schema(schema)["properties"].as_object().unwrap();
        let mut unknown = 0;
        for record in records(file) {
            let problems = contract.problems(&reference, &record);
            assert!(problems.is_empty(), "{file}: {problems:?}");
            unknown += record.as_object().unwrap().keys().filter(|name| !members.contains_key(*name)).count();
            walk(&contract, &reference, &record, &mut |name, member, schema, value| {
                let entry = seen.entry((name.to_owned(), member.to_owned())).or_default();
                entry[0] |= contract.problems(schema, &Value::Null).is_empty();
                entry[0] |= schema.get("x-availability").is_some();
                entry[1] |= value.is_some_and(|value| !value.is_null());
                entry[2] |= value.is_none_or(Value::is_null);
                true
            });
        }
        assert!(unknown > 0, "{file} has no unknown member");
    }
    let never: Vec<_> =
        seen.iter().filter(|(_, [optional, set, unset])| !set || *optional && !unset).collect();
    assert!(never.is_empty(), "{never:?}");
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models")).unwrap();
    let files: BTreeSet<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let known: BTreeSet<_> = FILES.iter().map(|(file, ..)| format!("{file}.json")).collect();
    assert_eq!(files, known, "every file is used");
}

#[test]
fn the_client_reads_every_member_that_is_published() {
    let contract = Contract::published();
    let mut not_read = BTreeSet::new();
    for (file, schema, read) in FILES {
        let reference = json!({"$ref": format!("#/components/schemas/{schema}")});
        for record in records(file) {
            let expected = walk(&contract, &reference, &record, &mut |name, member, _, _| {
                let listed =
                    NOT_READ.iter().find(|(schema, other, _why)| *schema == name && *other == member);
                not_read.extend(listed.map(|(schema, member, _why)| (*schema, *member)));
                listed.is_none()
            });
            let ours = read(&record);
            assert!(same(&ours, &expected), "{file}:\n{ours:#}\n{expected:#}");
        }
    }
    assert_eq!(not_read.len(), NOT_READ.len(), "every exception is needed: {not_read:?}");
}

/// Notes which members a type asks for, and gives it nothing.
#[derive(Default)]
struct Asked(&'static [&'static str]);

impl<'de> Deserializer<'de> for &mut Asked {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        members: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0 = members;
        Err(de::Error::custom("nothing"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(de::Error::custom("no record"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn asked<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut asked = Asked::default();
    assert!(T::deserialize(&mut asked).is_err());
    asked.0
}

#[test]
fn the_client_reads_no_member_that_is_not_published() {
    let contract = Contract::published();
    for (schema, members) in [
        ("Agent", asked::<model::Agent>()),
        ("AgentCostBreakdown", asked::<model::AgentCostBreakdown>()),
        ("AgentRun", asked::<model::AgentRun>()),
        ("AgentRunCost", asked::<model::AgentRunCost>()),
        ("AgentRunStatusCount", asked::<model::StatusCount>()),
        ("AgentRunSummary", asked::<model::AgentRunSummary>()),
        ("AgentRunsCostPage", asked::<model::AgentRunsCostPage>()),
        ("AgentUsage", asked::<model::AgentUsage>()),
        ("AgentVersion", asked::<model::AgentVersion>()),
        ("AgentsUsagePage", asked::<model::AgentsUsagePage>()),
        ("BuildStatus", asked::<model::BuildStatus>()),
        ("Count", asked::<model::Count>()),
        ("CreditHistoryPage", asked::<model::CreditHistoryPage>()),
        ("CreditTransaction", asked::<model::CreditTransaction>()),
        ("CreditsBalance", asked::<model::CreditsBalance>()),
        ("FailedRun", asked::<model::FailedRun>()),
        ("Label", asked::<model::Label>()),
        ("RecordsSummary", asked::<model::RecordsSummary>()),
        ("RunDiagnostics", asked::<model::RunDiagnostics>()),
        ("RunFile", asked::<model::RunFile>()),
        ("RunSpaceAgentsItem", asked::<model::SpaceRunItem>()),
        ("RunSpaceAgentsResult", asked::<model::SpaceRun>()),
        ("RunStats", asked::<model::RunStats>()),
        ("RunsSummary", asked::<model::RunTotals>()),
        ("Schedule", asked::<model::Schedule>()),
        // What is written is a type of the client's as well.
        ("ScheduleCreateRequest", asked::<model::ScheduleSettings>()),
        ("ScheduleUpdateRequest", asked::<model::ScheduleSettings>()),
        ("Space", asked::<model::Space>()),
        ("SpaceAgent", asked::<model::SpaceAgent>()),
        ("SpendingSummary", asked::<model::SpendingSummary>()),
        ("UpcomingSchedule", asked::<model::UpcomingSchedule>()),
        ("UsageTypeSeries", asked::<model::UsageTypeSeries>()),
    ] {
        let published = contract.schema(schema)["properties"].as_object().unwrap();
        assert!(!members.is_empty(), "{schema} is read from an object");
        for member in members {
            assert!(published.contains_key(*member), "{schema} has no {member}");
        }
    }
}

/// A server whose platform sends `body` to the next request that matches.
async fn told(server: &TestServer, tool: &str, arguments: Value, request: &str, body: &Value) -> Value {
    let kind = FaultKind::Status { status: 200, headers: Vec::new(), body: body.to_string() };
    server.platform.faults().inject(Fault { path_contains: request.to_owned(), times: 1, kind });
    let told = server.ask(tool, arguments).await;
    let arrived = server.platform.requests().pop().unwrap();
    assert!(
        format!("{} {}", arrived.method, arrived.path).contains(request),
        "{tool} asked {}",
        arrived.path
    );
    told
}

/// Every tool that shows a record: the file, arguments, the request, and whether it wants all records as one list.
fn shown() -> Vec<(&'static str, &'static str, Value, &'static str, bool)> {
    let agent = || json!({"agentId": 7301});
    let run = || json!({"agentId": 7301, "runId": 88123});
    let schedule = || json!({"agentId": 7301, "scheduleId": 3101});
    let space = || json!({"spaceId": 42});
    let build = "Names and prices from shop.example";
    vec![
        (
            "agent",
            "get_agent",
            json!({"agentId": 7301, "includeImages": true}),
            "GET /api/v1/agent/7301",
            false,
        ),
        ("agent", "search_agents", json!({"query": "shoe"}), "GET /api/v1/agent/search", true),
        ("agent", "list_agents", json!({}), "GET /api/v1/agent/all", true),
        ("agent-page", "list_agents", json!({}), "GET /api/v1/agent/all", false),
        ("count", "get_personal_agent_count", json!({}), "GET /api/v1/agent/personal/count", false),
        ("count", "get_agent_search_count", json!({"query": "a"}), "GET /api/v1/agent/search/count", false),
        ("count", "get_space_agent_count", space(), "GET /api/v1/spaces/42/agents/count", false),
        ("agent-run", "get_run_status", run(), "/run/88123/status", false),
        ("agent-run", "get_agent_runs", agent(), "GET /api/v1/agent/7301/runs", true),
        (
            "agent-run",
            "get_agent_runs",
            json!({"agentId": 7301, "verbosity": "full"}),
            "GET /api/v1/agent/7301/runs",
            true,
        ),
        ("agent-run", "start_agent", agent(), "POST /api/v1/agent/7301/start", false),
        ("agent-run-summary", "get_agent_run_summary", agent(), "/agent/7301/runs/summary", false),
        ("run-file", "get_run_files", run(), "/run/88123/files", true),
        ("agent-version", "get_agent_versions", agent(), "/agent/7301/versions", true),
        ("schedule", "get_agent_schedule", schedule(), "/schedules/3101", false),
        ("schedule", "list_agent_schedules", agent(), "/agent/7301/schedules", true),
        ("upcoming-schedule", "get_scheduled_runs", json!({}), "/schedules/upcoming", true),
        ("runs-summary", "get_runs_summary", json!({}), "/analytics/runs/summary", false),
        ("records-summary", "get_records_summary", json!({}), "/analytics/records/summary", false),
        ("run-diagnostics", "get_run_diagnostics", run(), "/runs/88123/diagnostics", false),
        ("run-diagnostics", "get_latest_failure", agent(), "/agents/7301/latest-failure", false),
        ("credits-balance", "get_credits_balance", json!({}), "/billing/credits", false),
        ("spending-summary", "get_spending_summary", json!({}), "/billing/spending", false),
        ("credit-history-page", "get_credit_history", json!({}), "/billing/history", false),
        ("agents-usage-page", "get_agents_usage", json!({}), "/billing/agents", false),
        ("agent-cost-breakdown", "get_agent_cost_breakdown", agent(), "/billing/agents/7301", false),
        ("agent-runs-cost-page", "get_agent_runs_cost", agent(), "/billing/agents/7301/runs", false),
        ("space", "get_space", space(), "GET /api/v1/spaces/42", false),
        ("space", "search_space_by_name", json!({"name": "retail"}), "GET /api/v1/spaces/search", false),
        ("space", "list_spaces", json!({}), "GET /api/v1/spaces", true),
        ("space-agent", "get_space_agents", space(), "/spaces/42/agents", true),
        ("space-run", "run_space_agents", space(), "POST /api/v1/spaces/42/run-all", false),
        (
            "build-status",
            "get_agent_build_status",
            json!({"sessionId": "bld-51c0"}),
            "/bld-51c0/status",
            false,
        ),
        (
            "build-session",
            "start_agent_build",
            json!({"prompt": build, "waitForCompletion": false}),
            "POST /api/v1/agent-builder/start",
            false,
        ),
    ]
}

#[tokio::test]
async fn the_tools_show_every_record() {
    let (server, catalog) = (TestServer::start().await, Catalog::new());
    let mut files = BTreeSet::new();
    for (file, tool, arguments, request, list) in shown() {
        files.insert(file);
        let row = catalog.find(tool).unwrap();
        let bodies = if list { vec![records(file).into()] } else { records(file) };
        for body in bodies {
            let result = told(&server, tool, arguments.clone(), request, &body).await;
            for schema in [row.output_schema.clone(), (row.output_reference)()] {
                let validator = jsonschema::validator_for(&Value::Object((*schema).clone())).unwrap();
                let problems = problems(&validator, &result);
                assert!(problems.is_empty(), "{tool}: {problems:?}\n{body}\n{result}");
            }
            assert!(
                !result.to_string().contains("null") || file == "agent",
                "{tool} shows unset members: {result}"
            );
        }
    }
    let all: BTreeSet<_> = FILES.iter().map(|(file, ..)| *file).collect();
    assert_eq!(files, all, "every file is shown by a tool");
}
