//! Summaries and diagnostics.

use reqwest::Method;
use serde_json::{Value, json};

use crate::demo::testing::Fixture;

const RUNS: &str = "/api/v1/analytics/runs/summary";

#[tokio::test]
async fn run_counts_add_up_and_echo_the_window() {
    let fixture = Fixture::start().await;
    let recent = fixture.get(RUNS).await;
    assert_eq!(recent["startDate"], "2026-05-27T20:26:40Z");
    assert_eq!(recent["endDate"], "2026-05-28T20:26:40Z");
    let whole = fixture.get(&format!("{RUNS}?startDate=2026-05-01&endDate=2026-05-28T01:00:00Z")).await;
    assert_eq!(whole["startDate"], "2026-05-01T00:00:00");
    assert_eq!(whole["endDate"], "2026-05-28T23:59:59.9999999");
    for summary in [&recent, &whole] {
        let number = |name: &str| summary[name].as_u64().unwrap();
        let parts = ["completedRuns", "failedRuns", "runningRuns", "queuedRuns", "stoppedRuns"];
        assert_eq!(number("totalRuns"), parts.map(number).iter().sum::<u64>(), "{summary}");
        assert_eq!(number("failedRuns"), summary["failedRunDetails"].as_array().unwrap().len() as u64);
        assert_eq!(number("completedWithErrorsRuns"), 0);
        assert_eq!(number("queuedRuns"), 1);
    }
    let failed = fixture.get(&format!("{RUNS}?status=Failure&includeDetails=false")).await;
    assert_eq!(failed["totalRuns"], recent["failedRuns"]);
    assert_eq!(failed["failedRunDetails"], json!(null));
    for bad in ["?status=7", "?startDate=soon", "?startDate=2026-06-02&endDate=2026-06-01"] {
        let (status, error) = fixture.call(Method::GET, &format!("{RUNS}{bad}"), &json!({})).await;
        assert_eq!((status, &error["instance"]), (400, &json!(RUNS)), "{bad}");
    }
}

#[tokio::test]
async fn records_of_all_agents_are_the_sum_of_each() {
    let fixture = Fixture::start().await;
    let window = "startDate=2026-05-20&endDate=2026-05-28";
    let path = format!("/api/v1/analytics/records/summary?{window}");
    let all = fixture.get(&path).await;
    let mut sums = [0, 0];
    for agent in 7301..=7312 {
        let one = fixture.get(&format!("{path}&agentId={agent}")).await;
        assert_eq!(one["agentId"], agent);
        for (sum, name) in sums.iter_mut().zip(["totalRecordsExtracted", "runCount"]) {
            *sum += one[name].as_i64().unwrap();
        }
    }
    assert_eq!(all["agentId"], Value::Null);
    assert_eq!([&all["totalRecordsExtracted"], &all["runCount"]], [&json!(sums[0]), &json!(sums[1])]);
    // Somebody else's agent has as few runs as one that does not exist.
    for agent in [9101, 4711] {
        let none = fixture.get(&format!("{path}&agentId={agent}")).await;
        assert_eq!((&none["agentId"], &none["runCount"]), (&json!(agent), &json!(0)));
    }
}

#[tokio::test]
async fn a_failure_is_explained() {
    let fixture = Fixture::start().await;
    let failure = fixture.get("/api/v1/analytics/agents/7305/latest-failure").await;
    assert!(failure["errorMessage"].as_str().unwrap().contains("seller-card"));
    assert_eq!(failure["status"], 7);
    assert!(!failure["possibleCauses"].as_array().unwrap().is_empty());
    let run = &failure["runId"];
    let same = fixture.get(&format!("/api/v1/analytics/agents/7305/runs/{run}/diagnostics")).await;
    assert_eq!(same, failure);
    let good = &fixture.get("/api/v1/agent/7302/runs?maxRecords=1").await[0]["id"];
    let good = fixture.get(&format!("/api/v1/analytics/agents/7302/runs/{good}/diagnostics")).await;
    assert_eq!(good["suggestedActions"], json!([]));
    let (status, error) =
        fixture.call(Method::GET, "/api/v1/analytics/agents/7310/latest-failure", &json!({})).await;
    assert_eq!((status, &error["title"]), (404, &json!("Not Found")));
}
