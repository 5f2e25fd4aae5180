//! Counts, run summaries, killing and deleting runs, versions, whole spaces.

use reqwest::Method;
use serde_json::{Value, json};

use crate::demo::{Platform, testing::Fixture};

#[tokio::test]
async fn counts_agree_with_lists() {
    let fixture = Fixture::start().await;
    let count = async |path: &str| fixture.get(path).await["totalCount"].as_u64().unwrap();
    assert_eq!(count("/api/v1/agent/search/count?query=SHOE").await, 1);
    assert_eq!(count("/api/v1/agent/search/count?query=shoe&includeArchived=true").await, 2);
    assert_eq!(count("/api/v1/agent/personal/count").await, 1);
    for space in [42, 43, 44] {
        let agents = fixture.get(&format!("/api/v1/spaces/{space}/agents")).await;
        let counted = count(&format!("/api/v1/spaces/{space}/agents/count")).await;
        assert_eq!(counted, agents.as_array().unwrap().len() as u64);
    }
    let bad = "/api/v1/agent/search/count?query=a&includeArchived=perhaps";
    assert_eq!(fixture.call(Method::GET, bad, &json!({})).await.0, 400);
}

#[tokio::test]
async fn the_run_summary_counts_every_state() {
    let fixture = Fixture::start().await;
    let summary = fixture.get("/api/v1/agent/7301/runs/summary").await;
    assert_eq!(
        summary,
        json!({ "totalCount": 64, "statusCounts": [
            { "status": 7, "statusName": "Failed", "count": 3 },
            { "status": 8, "statusName": "Stopped", "count": 2 },
            { "status": 10, "statusName": "Success", "count": 59 },
        ] })
    );
    assert_eq!(
        fixture.get("/api/v1/agent/7310/runs/summary").await,
        json!({ "totalCount": 0, "statusCounts": [] })
    );
}

#[tokio::test]
async fn killing_takes_two_calls_and_deleting_a_finished_run() {
    let fixture = Fixture::start().await;
    let (_, run) = fixture.call(Method::POST, "/api/v1/agent/7301/start", &json!({})).await;
    let path = format!("/api/v1/agent/7301/run/{}", run["id"]);
    let (status, kill) = (format!("{path}/status"), format!("{path}/kill"));
    fixture.later(6);
    assert_eq!(fixture.call(Method::POST, &kill, &json!({})).await, (204, Value::Null));
    assert_eq!(fixture.get(&status).await["status"], 5);
    assert_eq!(fixture.call(Method::DELETE, &path, &json!({})).await.0, 400);
    assert_eq!(fixture.call(Method::POST, &kill, &json!({})).await.0, 204);
    let killed = fixture.get(&status).await;
    assert_eq!((&killed["status"], &killed["message"]), (&json!(8), &json!("Killed by user")));
    assert_eq!(fixture.call(Method::POST, &kill, &json!({})).await.0, 400);

    let files = format!("{path}/files");
    assert_ne!(fixture.get(&files).await, json!([]));
    let remove = |method: &str| format!("{path}?removeMethod={method}");
    assert_eq!(fixture.call(Method::DELETE, &remove("Everything"), &json!({})).await.0, 400);
    assert_eq!(fixture.call(Method::DELETE, &remove("RemoveAllFiles"), &json!({})).await.0, 204);
    assert_eq!(fixture.get(&files).await, json!([]));
    assert_eq!(fixture.get(&status).await["status"], 8);
    assert_eq!(fixture.call(Method::DELETE, &path, &json!({})).await.0, 204);
    assert_eq!(fixture.call(Method::DELETE, &path, &json!({})).await.0, 404);
    assert_eq!(fixture.call(Method::GET, &status, &json!({})).await.0, 404);
}

#[tokio::test]
async fn restoring_a_version_puts_a_new_one_on_top() {
    let fixture = Fixture::start().await;
    let versions = fixture.get("/api/v1/agent/7301/versions").await;
    assert_eq!(versions.as_array().unwrap().len(), 6);
    assert_eq!((&versions[0]["version"], &versions[5]["comments"]), (&json!(6), &json!("First version")));
    assert_eq!(versions[0]["created"], fixture.get("/api/v1/agent/7301").await["updated"]);
    let restore = |version: i32| format!("/api/v1/agent/7301/version/{version}/restore");
    let comment = json!({ "content": "back to the old selectors" });
    assert_eq!(fixture.call(Method::POST, &restore(99), &comment).await.0, 404);
    assert_eq!(fixture.call(Method::POST, &restore(2), &json!({})).await.0, 400);
    assert_eq!(fixture.call(Method::POST, &restore(2), &comment).await.0, 204);
    let newest = &fixture.get("/api/v1/agent/7301/versions").await[0];
    assert_eq!((&newest["version"], &newest["comments"]), (&json!(7), &comment["content"]));
    assert_eq!(newest["fileSize"], versions[4]["fileSize"]);
    assert_eq!(fixture.get("/api/v1/agent/7301").await["version"], 7);
}

#[tokio::test]
async fn running_a_space_reports_each_agent() {
    let fixture = Fixture::start().await;
    let (status, result) = fixture.call(Method::POST, "/api/v1/spaces/43/run-all", &json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(
        [&result["spaceName"], &result["totalAgents"], &result["agentsStarted"], &result["agentsFailed"]],
        [&json!("Logistics"), &json!(3), &json!(2), &json!(1)]
    );
    let busy = &result["results"][1];
    assert_eq!(
        (&busy["agentId"], &busy["success"], &busy["runId"]),
        (&json!(7306), &json!(false), &json!(null))
    );
    assert!(busy["errorMessage"].as_str().unwrap().contains("in progress"));
    assert_eq!(fixture.get("/api/v1/agent/7310").await["status"], 4);
    let bad = json!({ "InputParameters": "[]" });
    let (status, error) = fixture.call(Method::POST, "/api/v1/spaces/43/run-all", &bad).await;
    assert_eq!((status, &error["title"]), (400, &json!("Bad Request")));

    fixture.platform.exhaust_credits_of(&Platform::logins()[0]);
    let (status, result) = fixture.call(Method::POST, "/api/v1/spaces/44/run-all", &json!({})).await;
    assert_eq!((status, &result["agentsStarted"]), (200, &json!(0)));
}
