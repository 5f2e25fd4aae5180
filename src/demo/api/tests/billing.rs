//! Costs that add up.

use reqwest::Method;
use serde_json::{Value, json};

use crate::demo::{Platform, testing::Fixture};

const MAY: &str = "startDate=2026-05-01&endDate=2026-05-31";

/// In thousandths, to compare exactly.
fn milli(value: &Value) -> i64 {
    let text = format!("{:.3}", value.as_f64().unwrap());
    text.replace('.', "").parse().unwrap()
}

fn sum(list: &Value, member: &str) -> i64 {
    list.as_array().unwrap().iter().map(|item| milli(&item[member])).sum()
}

#[tokio::test]
async fn every_view_of_the_costs_agrees() {
    let fixture = Fixture::start().await;
    let get = async |path: &str| fixture.get(&format!("/api/v1/billing/{path}")).await;
    let agents = get(&format!("agents?{MAY}&recordsPerPage=1000")).await;
    let total = milli(&agents["totalCost"]);
    assert_eq!(total, sum(&agents["agents"], "cost"));
    let spending = get("spending").await;
    assert_eq!(total, milli(&spending["totalSpent"]));
    assert_eq!(spending["endDate"], "2026-05-31T23:59:59.9999999Z");
    assert_eq!(agents["startDate"], "2026-05-01T00:00:00");
    for agent in agents["agents"].as_array().unwrap() {
        let id = &agent["agentId"];
        let runs = get(&format!("agents/{id}/runs?{MAY}&recordsPerPage=1000")).await;
        assert_eq!(milli(&runs["totalCost"]), milli(&agent["cost"]));
        assert_eq!(sum(&runs["runs"], "cost"), milli(&agent["cost"]));
        for unit in ["day", "month"] {
            let series = get(&format!("agents/{id}?{MAY}&timeUnit={unit}")).await;
            assert_eq!(milli(&series["totalCost"]), milli(&agent["cost"]));
            assert_eq!(sum(&series["usageTypes"], "totalCost"), milli(&agent["cost"]));
            let labels = series["labels"].as_array().unwrap().len();
            assert_eq!(labels, if unit == "day" { 31 } else { 1 });
            let lengths = series["usageTypes"].as_array().unwrap().iter();
            assert!(lengths.map(|s| s["data"].as_array().unwrap().len()).all(|n| n == 0 || n == labels));
        }
    }
    // A page's own total, unlike the agents'.
    let page = get(&format!("agents/7301/runs?{MAY}&recordsPerPage=2&sortColumn=cost&sortOrder=1")).await;
    assert_eq!(milli(&page["totalCost"]), sum(&page["runs"], "cost"));
    assert!(page["totalRecordCount"].as_u64().unwrap() > 2);
    let page = get(&format!("agents?{MAY}&recordsPerPage=2&pageIndex=2")).await;
    assert_eq!((milli(&page["totalCost"]), page["agents"].as_array().unwrap().len()), (total, 2));
    let time = get(&format!("agents?{MAY}&usageTypes=Server%20Time&recordsPerPage=1000")).await;
    let cpm = get(&format!("agents?{MAY}&usageTypes=Export%20CPM,Export%20GB&recordsPerPage=1000")).await;
    assert_eq!(milli(&time["totalCost"]) + milli(&cpm["totalCost"]), total);
    assert_eq!(get(&format!("agents?{MAY}&name=nothing")).await["agents"], Value::Null);
}

#[tokio::test]
async fn a_run_is_charged_when_it_ends_and_deleting_it_gives_nothing_back() {
    let fixture = Fixture::start().await;
    let balance = async || milli(&fixture.get("/api/v1/billing/credits").await["availableCredits"]);
    let before = balance().await;
    assert_eq!(before, 48_250_000);
    let (_, run) = fixture.call(Method::POST, "/api/v1/agent/7301/start", &json!({})).await;
    assert_eq!(balance().await, before);
    fixture.later(20);
    let after = balance().await;
    let history = fixture.get("/api/v1/billing/history?recordsPerPage=5").await;
    let newest = &history["transactions"][0];
    assert_eq!((&newest["id"], &newest["transactionType"]), (&run["id"], &json!("Debit")));
    assert_eq!((milli(&newest["amount"]), milli(&newest["balance"])), (after - before, after));
    let path = format!("/api/v1/agent/7301/run/{}", run["id"]);
    assert_eq!(fixture.call(Method::DELETE, &path, &json!({})).await.0, 204);
    assert_eq!(balance().await, after);
    assert_eq!(fixture.get("/api/v1/billing/history?recordsPerPage=5").await, history);

    fixture.platform.exhaust_credits_of(&Platform::logins()[0]);
    assert_eq!(balance().await, 0);
    let newest = &fixture.get("/api/v1/billing/history").await["transactions"][0];
    assert_eq!((&newest["transactionType"], milli(&newest["balance"])), (&json!("WriteOff"), 0));
}

#[tokio::test]
async fn the_history_runs_from_the_opening_to_now() {
    let fixture = Fixture::start().await;
    let mut all = Vec::new();
    for page in 1.. {
        let page = fixture.get(&format!("/api/v1/billing/history?recordsPerPage=100&pageIndex={page}")).await;
        let Some(transactions) = page["transactions"].as_array() else { break };
        all.extend(transactions.clone());
        assert_eq!(page["recordsPerPage"], 100);
    }
    assert_eq!(fixture.get("/api/v1/billing/history").await["totalCount"], all.len());
    for pair in all.windows(2) {
        assert_eq!(milli(&pair[0]["balance"]), milli(&pair[1]["balance"]) + milli(&pair[0]["amount"]));
    }
    let credits = fixture.get("/api/v1/billing/credits").await;
    assert_eq!(milli(&all[0]["balance"]), milli(&credits["availableCredits"]));
    assert_eq!(all.last().unwrap()["transactionType"], "Initial");
    assert!(milli(&all.last().unwrap()["amount"]) > 0);
    assert!(all.iter().any(|one| one["transactionType"] == "Credit" && one["expiresAt"].is_string()));
    for bad in
        ["agents", "agents?startDate=2026-05-01", "agents/7301?startDate=x&endDate=y", "history?pageIndex=0"]
    {
        let path = format!("/api/v1/billing/{bad}");
        assert_eq!(fixture.call(Method::GET, &path, &json!({})).await.0, 400, "{bad}");
    }
}
