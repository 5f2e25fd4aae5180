//! Every operation of the simulated platform, asked as it should be.

use std::collections::BTreeSet;

use sequentum_mcp::demo::{Options, Profile};
use serde_json::{Value, json};

use super::{Probe, body};

async fn agents_and_their_runs(probe: &mut Probe) {
    for query in [
        "",
        "?pageIndex=1",
        "?pageIndex=2&recordsPerPage=5",
        "?pageIndex=99&recordsPerPage=5",
        "?status=6&spaceId=42&configType=1&sortColumn=lastActivity&sortOrder=1&name=a",
    ] {
        let agents = probe.get(&format!("/api/v1/agent/all{query}")).await;
        assert_eq!(agents.is_object(), query.contains("recordsPerPage"));
    }
    probe.get("/api/v1/agent/search?query=shoe&maxRecords=2").await;
    probe.get("/api/v1/agent/search/count?query=shoe&includeArchived=true").await;
    probe.get("/api/v1/agent/personal/count").await;
    // With inputs, never run, in the personal area, archived.
    for agent in [7301, 7310, 7312, 7311] {
        probe.get(&format!("/api/v1/agent/{agent}")).await;
        probe.get(&format!("/api/v1/agent/{agent}/runs?maxRecords=20")).await;
        probe.get(&format!("/api/v1/agent/{agent}/runs/summary")).await;
        probe.get(&format!("/api/v1/agent/{agent}/versions")).await;
    }
    probe.ask("POST", "/api/v1/agent/7302/version/1/restore", body("restoreAgentVersion")).await;
    let run = probe.get("/api/v1/agent/7301/runs?maxRecords=1").await[0]["id"].clone();
    let files = probe.get(&format!("/api/v1/agent/7301/run/{run}/files")).await;
    for file in files.as_array().unwrap() {
        let file = &file["id"];
        probe.get(&format!("/api/v1/agent/7301/run/{run}/file/{file}/download")).await;
    }
    for method in ["RemoveAllFiles", "RemoveAllFilesAndAgentInput", "RemoveEntireRun"] {
        let target = format!("/api/v1/agent/7301/run/{run}?removeMethod={method}");
        probe.ask("DELETE", &target, Value::Null).await;
    }
}

async fn runs_of_all_kinds(probe: &mut Probe) {
    let mut seen = BTreeSet::new();
    // Succeeds, completes, fails, waits.
    for agent in [7302, 7303, 7305, 7309, 7310] {
        let options = json!({
            "Parallelism": 2, "parallelMaxConcurrency": 2, "parallelExport": "Combined", "logLevel": "Info",
            "logMode": "Text", "inputParameters": "{\"country\":\"DE\"}", "isExclusive": true,
        });
        let start = format!("/api/v1/agent/{agent}/start");
        if agent == 7309 {
            let token = probe.token("agents:write");
            probe.refused(400, "POST", &start, Some(&token), &options).await;
            continue;
        }
        let run = probe.ask("POST", &start, options).await;
        let problems = probe.contract.problems(probe.contract.schema("AgentRun"), &run);
        assert!(problems.is_empty(), "{problems:?}");
        let status = format!("/api/v1/agent/{agent}/run/{}/status", run["id"]);
        for seconds in [0, 3, 4, 8, 10, 3600] {
            probe.later(seconds);
            seen.insert(probe.get(&status).await["status"].as_i64().unwrap());
        }
        probe.get(&format!("/api/v1/analytics/agents/{agent}/runs/{}/diagnostics", run["id"])).await;
    }
    for verb in ["stop", "kill"] {
        let run = probe.ask("POST", "/api/v1/agent/7304/start", json!({})).await["id"].clone();
        let path = format!("/api/v1/agent/7304/run/{run}");
        for verb in [verb, "kill"] {
            probe.ask("POST", &format!("{path}/{verb}"), Value::Null).await;
            seen.insert(probe.get(&format!("{path}/status")).await["status"].as_i64().unwrap());
        }
        probe.get(&format!("{path}/files")).await;
        let token = probe.token("agents:write");
        probe.refused(400, "POST", &format!("{path}/stop"), Some(&token), &Value::Null).await;
    }
    let every: BTreeSet<i64> = (1..=10).collect();
    assert_eq!(seen, every, "every status of a run that is started was seen");
}

async fn schedules(probe: &mut Probe) {
    for agent in [7301, 7303, 7308, 7312] {
        probe.get(&format!("/api/v1/agent/{agent}/schedules")).await;
    }
    let now = probe.clock.now();
    let tomorrow = now.checked_add(jiff::SignedDuration::from_hours(24)).unwrap();
    for settings in [
        body("createAgentSchedule"),
        json!({"name": "Once", "scheduleType": 1, "startTime": tomorrow.to_string()}),
        json!({
            "Name": "Often", "ScheduleType": 2, "RunEveryCount": 2, "RunEveryPeriod": 5, "isEnabled": false,
            "parallelism": 3, "parallelMaxConcurrency": 2, "parallelExport": "Separated", "proxyPoolId": 4,
            "serverGroupId": 5, "logLevel": "Error", "logMode": "TextAndHtml", "inputParameters": "{}",
            "isExclusive": true, "isWaitOnFailure": true,
        }),
    ] {
        let id = probe.ask("POST", "/api/v1/agent/7303/schedules", settings).await["id"].clone();
        let path = format!("/api/v1/agent/7303/schedules/{id}");
        probe.get(&path).await;
        for verb in ["disable", "enable"] {
            probe.ask("POST", &format!("{path}/{verb}"), Value::Null).await;
        }
        probe.get("/api/v1/analytics/schedules/upcoming?startDate=2026-11-21&endDate=2027-01-31").await;
        probe.ask("PUT", &path, body("updateAgentSchedule")).await;
        probe.ask("DELETE", &path, Value::Null).await;
    }
    let upcoming = probe.get("/api/v1/analytics/schedules/upcoming").await;
    assert!(upcoming.as_array().unwrap().len() > 3);
}

async fn analytics_and_billing(probe: &mut Probe) {
    for query in [
        "",
        "?startDate=2026-11-01&endDate=2026-11-20",
        "?startDate=2026-11-01T00:00:00.5Z&status=Failed&includeDetails=false",
        "?status=Skipped",
    ] {
        probe.get(&format!("/api/v1/analytics/runs/summary{query}")).await;
    }
    for query in ["", "?agentId=7301&startDate=2026-11-01", "?agentId=999999"] {
        probe.get(&format!("/api/v1/analytics/records/summary{query}")).await;
    }
    probe.get("/api/v1/analytics/agents/7305/latest-failure").await;
    probe.get("/api/v1/billing/credits").await;
    for query in ["", "?startDate=2026-10-01&endDate=2026-10-31T12:00:00"] {
        probe.get(&format!("/api/v1/billing/spending{query}")).await;
    }
    // The second page is beyond the end: its array is null.
    for query in ["", "?pageIndex=900&recordsPerPage=100"] {
        let page = probe.get(&format!("/api/v1/billing/history{query}")).await;
        assert_eq!(page["transactions"].is_null(), !query.is_empty());
    }
    let window = "startDate=2026-11-01&endDate=2026-11-21";
    let most = "sortOrder=1&usageTypes=Server%20Time,Export%20GB&pageIndex=1&recordsPerPage=3";
    probe.get(&format!("/api/v1/billing/agents?{window}")).await;
    probe.get(&format!("/api/v1/billing/agents?{window}&sortColumn=cost&name=shoe&{most}")).await;
    let none = probe.get(&format!("/api/v1/billing/agents?{window}&name=nobody")).await;
    assert!(none["agents"].is_null());
    for agent in [7301, 7310] {
        let path = format!("/api/v1/billing/agents/{agent}");
        probe.get(&format!("{path}?{window}")).await;
        probe.get(&format!("{path}?{window}&timeUnit=month&usageTypes=Export%20CPM")).await;
        probe.get(&format!("{path}/runs?{window}")).await;
        probe.get(&format!("{path}/runs?{window}&sortColumn=duration&{most}")).await;
    }
}

async fn spaces_and_builds(probe: &mut Probe) {
    probe.get("/api/v1/spaces").await;
    probe.get("/api/v1/spaces/search?name=retail").await;
    for space in [42, 43] {
        probe.get(&format!("/api/v1/spaces/{space}")).await;
        probe.get(&format!("/api/v1/spaces/{space}/agents")).await;
        probe.get(&format!("/api/v1/spaces/{space}/agents/count")).await;
    }
    // The second time some agents are at work already.
    for input in [json!({}), json!({"InputParameters": "{\"port\":\"Oslo\"}"})] {
        probe.ask("POST", "/api/v1/spaces/43/run-all", input).await;
    }
    let mut seen = BTreeSet::new();
    for (prompt, space) in
        [("Names and prices from shop.example", json!(43)), ("Something that must fail", json!(null))]
    {
        let start = json!({"prompt": prompt, "spaceId": space});
        let session = probe.ask("POST", "/api/v1/agent-builder/start", start).await;
        let path = format!("/api/v1/agent-builder/{}", session["sessionId"].as_str().unwrap());
        for seconds in [0, 31, 30, 30] {
            probe.later(seconds);
            let build = probe.get(&format!("{path}/status")).await;
            seen.insert(build["status"].as_str().unwrap().to_owned());
        }
    }
    let session = probe.ask("POST", "/api/v1/agent-builder/start", body("startAgentBuild")).await;
    let path = format!("/api/v1/agent-builder/{}", session["sessionId"].as_str().unwrap());
    probe.ask("POST", &format!("{path}/stop"), Value::Null).await;
    let build = probe.get(&format!("{path}/status")).await;
    seen.insert(build["status"].as_str().unwrap().to_owned());
    let known = probe.contract.schema("BuildSessionStatus")["enum"].as_array().unwrap().clone();
    let known: BTreeSet<String> = known.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(seen, known);
}

async fn every_operation_answers_as_published(profile: Profile) {
    let mut probe = Probe::start(Options { profile, ..Options::default() }).await;
    agents_and_their_runs(&mut probe).await;
    schedules(&mut probe).await;
    analytics_and_billing(&mut probe).await;
    spaces_and_builds(&mut probe).await;
    runs_of_all_kinds(&mut probe).await;
    for target in ["/.well-known/oauth-authorization-server", "/api/oauth/certs"] {
        let answer = probe.send("GET", target, None, &Value::Null).await;
        let operation = probe.contract.find("GET", target).unwrap();
        probe.check(&operation, target, &answer);
        let id = operation.id.to_owned();
        probe.asked.insert(id);
    }
    let published: BTreeSet<String> =
        probe.contract.operations().map(|operation| operation.id.to_owned()).collect();
    assert_eq!(probe.asked, published, "every operation was asked");
}

#[tokio::test]
async fn the_newer_deployment_answers_as_published() {
    every_operation_answers_as_published(Profile::Newer).await;
}

#[tokio::test]
async fn the_production_deployment_answers_as_published() {
    every_operation_answers_as_published(Profile::Production).await;
}
