//! The API over HTTP.

mod analytics;
mod billing;
mod builder;
mod isolation;
mod runs;
mod schedules;

use std::time::Duration;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::demo::{
    Options, Platform, Profile,
    testing::{ALL_SCOPES, Fixture, location},
};

const START: &str = "/api/v1/agent/7301/start";

async fn seconds(fixture: &Fixture, seconds: u64) {
    fixture.clock.advance(Duration::from_secs(seconds));
    tokio::task::yield_now().await;
}

#[tokio::test]
async fn a_run_goes_from_start_to_files() {
    let fixture = Fixture::start().await;
    // Member names in any case.
    let body = json!({ "Parallelism": 1, "INPUTPARAMETERS": "{\"a\":1}", "isExclusive": true });
    let response = fixture.alice(Method::POST, START).json(&body).send().await.unwrap();
    assert_eq!(response.headers()["x-ratelimit-limit"], "1000");
    assert_eq!(response.headers()["x-ratelimit-window-seconds"], "60");
    let run: Value = response.json().await.unwrap();
    assert_eq!((&run["status"], &run["tableType"], &run["inputCount"]), (&json!(4), &json!(null), &json!(1)));
    assert_eq!(run.as_object().unwrap().len(), 30);

    let again = fixture.alice(Method::POST, START).json(&body).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::CONFLICT);

    let status = format!("/api/v1/agent/7301/run/{}/status", run["id"]);
    let files = format!("/api/v1/agent/7301/run/{}/files", run["id"]);
    assert_eq!(fixture.get(&files).await, json!([]));
    let mut seen = Vec::new();
    for _ in 0..10 {
        let run = fixture.get(&status).await;
        seen.push((run["status"].as_i64().unwrap(), run["dataCount"].as_i64().unwrap()));
        seconds(&fixture, 2).await;
    }
    let walk: Vec<i64> = seen.iter().map(|(state, _)| *state).collect();
    assert!(
        walk.windows(2).all(|pair| pair[0] == pair[1] || matches!(pair, [4, 3] | [3, 1] | [1, 2] | [2, 10]))
    );
    assert!(seen.is_sorted_by_key(|(_, count)| *count));
    assert_eq!(seen.last(), Some(&(10, 240)));
    assert_eq!(fixture.get(&status).await["tableType"], "run");
    seconds(&fixture, 120).await;
    assert_eq!(fixture.get(&status).await["tableType"], "history");
    assert_eq!(fixture.get("/api/v1/agent/7301").await["status"], 10);

    let list = fixture.get(&files).await;
    let kinds: Vec<&Value> = list.as_array().unwrap().iter().map(|file| &file["fileType"]).collect();
    assert_eq!(kinds, [1, 1, 6]);
    let csv = format!("/api/v1/agent/7301/run/{}/file/{}/download", run["id"], list[0]["id"]);
    let redirect = fixture.alice(Method::GET, &csv).send().await.unwrap();
    assert_eq!(redirect.status(), StatusCode::FOUND);
    let address = location(&redirect);
    assert!(address.starts_with(fixture.platform.storage_url().as_str()));
    let file = fixture.http.get(&address).send().await.unwrap();
    assert_eq!(file.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    let text = file.text().await.unwrap();
    assert_eq!(Some(text.len() as u64), list[0]["fileSize"].as_u64());
    assert_eq!(text.lines().count(), 241);
    assert!(text.starts_with("sku,name,brand,price,"));
}

#[tokio::test]
async fn the_storage_host_wants_a_fresh_address_and_no_credential() {
    let fixture = Fixture::start().await;
    let run = &fixture.get("/api/v1/agent/7301/runs?maxRecords=1").await[0]["id"];
    let files = fixture.get(&format!("/api/v1/agent/7301/run/{run}/files")).await;
    let path = format!("/api/v1/agent/7301/run/{run}/file/{}/download", files[1]["id"]);
    let address = location(&fixture.alice(Method::GET, &path).send().await.unwrap());
    let tail = fixture.http.get(&address).header(header::RANGE, "bytes=-2").send().await.unwrap();
    assert_eq!(tail.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(tail.text().await.unwrap(), "}]");
    let forged = address.replace("&signature=", "&signature=A");
    assert_eq!(fixture.http.get(forged).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert!(!fixture.platform.credential_leaked());
    let leak = fixture.http.get(&address).bearer_auth("x").send().await.unwrap();
    assert_eq!(leak.status(), StatusCode::BAD_REQUEST);
    assert!(fixture.platform.credential_leaked());
    seconds(&fixture, 301).await;
    assert_eq!(fixture.http.get(&address).send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_synchronous_start_holds_until_the_data_is_there() {
    let fixture = Fixture::start().await;
    let body = json!({ "isRunSynchronously": true, "timeout": 60 });
    let json = tokio::spawn(fixture.alice(Method::POST, START).json(&body).send());
    let csv = tokio::spawn(fixture.alice(Method::POST, "/api/v1/agent/7304/start").json(&body).send());
    let short = json!({ "isRunSynchronously": true, "timeout": 5 });
    let late = tokio::spawn(fixture.alice(Method::POST, "/api/v1/agent/7302/start").json(&short).send());
    let fails = tokio::spawn(fixture.alice(Method::POST, "/api/v1/agent/7305/start").json(&body).send());
    for agent in [7301, 7302, 7304, 7305] {
        while fixture.get(&format!("/api/v1/agent/{agent}")).await["status"] != 4 {}
    }
    assert!(!json.is_finished());
    for _ in 0..20 {
        seconds(&fixture, 1).await;
    }
    let rows: Value = json.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 240);
    let csv = csv.await.unwrap().unwrap();
    assert_eq!(csv.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert!(csv.text().await.unwrap().starts_with("carrier,zone,"));
    assert_eq!(late.await.unwrap().unwrap().status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(fixture.get("/api/v1/agent/7302").await["status"], 10);
    let failed = fails.await.unwrap().unwrap();
    assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(failed.text().await.unwrap().contains("seller-card"));
}

#[tokio::test]
async fn a_stopped_run_stops() {
    let fixture = Fixture::start().await;
    let response = fixture.alice(Method::POST, START).body("{}").send().await.unwrap();
    let run: Value = response.json().await.unwrap();
    seconds(&fixture, 6).await;
    let stop = format!("/api/v1/agent/7301/run/{}/stop", run["id"]);
    let status = format!("/api/v1/agent/7301/run/{}/status", run["id"]);
    for _ in 0..2 {
        let stopped = fixture.alice(Method::POST, &stop).send().await.unwrap();
        assert_eq!(stopped.status(), StatusCode::NO_CONTENT);
        assert_eq!(fixture.get(&status).await["status"], 5);
    }
    seconds(&fixture, 3).await;
    assert_eq!(fixture.get(&status).await["status"], 8);
    let late = fixture.alice(Method::POST, &stop).send().await.unwrap();
    assert_eq!(late.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn starts_that_are_refused() {
    let fixture = Fixture::start().await;
    for (agent, body, expected, word) in [
        (7309, json!({}), 400, "not active"),
        (7311, json!({}), 400, "archived"),
        (7301, json!({ "inputParameters": "{" }), 400, "inputParameters"),
        (7301, json!({ "inputParameters": { "a": 1 } }), 400, "inputParameters"),
        (7301, json!({ "isRunSynchronously": true, "parallelism": 2 }), 400, "Parallelism"),
        (7301, json!({ "parallelism": 0 }), 400, "parallelism"),
        (7306, json!({ "isExclusive": true }), 409, "exclusive"),
        (9101, json!({}), 404, "not found"),
    ] {
        let path = format!("/api/v1/agent/{agent}/start");
        let response = fixture.alice(Method::POST, &path).json(&body).send().await.unwrap();
        assert_eq!(response.status(), expected, "{agent} {body}");
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["statusCode"], expected);
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
    }
    let [alice, _] = Platform::logins();
    fixture.platform.exhaust_credits_of(&alice);
    let broke = fixture.alice(Method::POST, START).json(&json!({})).send().await.unwrap();
    assert!(broke.text().await.unwrap().contains("credits"));
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let fixture = Fixture::start().await;
    let [_, bob] = Platform::logins();
    let bobs = fixture
        .request(Method::GET, "/api/v1/agent/9101/runs")
        .header(header::AUTHORIZATION, format!("ApiKey {}", bob.api_key));
    let bobs: Value = bobs.send().await.unwrap().json().await.unwrap();
    let run = &bobs[0]["id"];
    let get = async |path: &str| {
        let response = fixture.alice(Method::GET, path).send().await.unwrap();
        let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        (response.status().as_u16(), kind, response.text().await.unwrap())
    };
    for (foreign, unknown) in [
        ("/api/v1/agent/9101".to_owned(), "/api/v1/agent/4711".to_owned()),
        ("/api/v1/agent/9101/runs".to_owned(), "/api/v1/agent/4711/runs".to_owned()),
        (format!("/api/v1/agent/7301/run/{run}/status"), "/api/v1/agent/7301/run/4711/status".to_owned()),
        (format!("/api/v1/agent/9101/run/{run}/files"), format!("/api/v1/agent/4711/run/{run}/files")),
        ("/api/v1/spaces/61".to_owned(), "/api/v1/spaces/4711".to_owned()),
        ("/api/v1/spaces/61/agents".to_owned(), "/api/v1/spaces/4711/agents".to_owned()),
    ] {
        let (status, kind, body) = get(&foreign).await;
        let (unknown_status, unknown_kind, unknown_body) = get(&unknown).await;
        assert_eq!((status, &kind), (404, &unknown_kind), "{foreign}");
        assert_eq!(unknown_status, 404);
        let plain = |body: &str| body.replace("9101", "N").replace("4711", "N").replace("61", "N");
        assert_eq!(
            plain(&body).replace(&run.to_string(), "N"),
            plain(&unknown_body).replace(&run.to_string(), "N")
        );
    }
    let (_, kind, body) = get("/api/v1/spaces/61").await;
    assert_eq!(kind, "application/problem+json");
    assert!(body.contains("\"title\":\"Not Found\""));
    let (_, _, agents) = get("/api/v1/agent/all").await;
    assert!(!agents.contains("Vacancies"));
}

#[tokio::test]
async fn agents_are_listed_filtered_and_paged() {
    let fixture = Fixture::start().await;
    let names = async |query: &str| {
        let agents = fixture.get(&format!("/api/v1/agent/all{query}")).await;
        let agents = agents.get("agents").unwrap_or(&agents).as_array().unwrap().clone();
        agents.iter().map(|agent| agent["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await.len(), 12);
    assert_eq!(names("?name=SHOE").await, [7301, 7311]);
    assert_eq!(names("?status=6").await, names("?status=7").await);
    assert_eq!(names("?status=6").await, [7305]);
    assert_eq!(names("?status=4").await, [7306]);
    assert_eq!(names("?spaceId=43&sortColumn=created&sortOrder=1").await.len(), 3);
    assert_eq!(names("?configType=agent").await.len(), 12);
    for other in ["4", "Command", "SharedFile", "Template"] {
        assert_eq!(names(&format!("?configType={other}")).await, [0_i64; 0]);
    }
    let page = fixture.get("/api/v1/agent/all?pageIndex=3&recordsPerPage=5").await;
    assert_eq!((&page["totalRecordCount"], page["agents"].as_array().unwrap().len()), (&json!(12), 2));
    assert!(fixture.get("/api/v1/agent/all?pageIndex=3").await.is_array());
    let found = fixture.get("/api/v1/agent/search?query=layout").await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(fixture.get("/api/v1/agent/7301").await.as_object().unwrap().len(), 20);
    for bad in
        ["/api/v1/agent/abc", "/api/v1/agent/all?status=Running", "/api/v1/agent/search", "/api/v1/spaces/x"]
    {
        let response = fixture.alice(Method::GET, bad).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn production_leaves_out_what_it_does_not_know() {
    let newer = Fixture::start().await;
    let production = Fixture::with(Options { profile: Profile::Production, ..Options::default() }).await;
    assert_eq!(newer.get("/api/v1/spaces").await[0]["scope"], "Public");
    assert_eq!(newer.get("/api/v1/spaces/search?name=retail").await["id"], 42);
    assert_eq!(production.get("/api/v1/spaces/42").await.as_object().unwrap().len(), 7);
    assert_eq!(production.get("/api/v1/spaces/42/agents").await[0].as_object().unwrap().len(), 7);
}

#[tokio::test]
async fn credentials_scopes_and_limits() {
    let fixture = Fixture::with(Options { rate_limit: 3, ..Options::default() }).await;
    let [alice, _] = Platform::logins();
    let send = async |authorization: Option<String>| {
        let request = fixture.request(Method::GET, "/api/v1/spaces");
        let request = match authorization {
            Some(value) => request.header(header::AUTHORIZATION, value),
            None => request,
        };
        request.send().await.unwrap()
    };
    for bad in [
        None,
        Some("Bearer x.y.z".to_owned()),
        Some("ApiKey sk-wrong".to_owned()),
        Some("Basic eA==".to_owned()),
    ] {
        assert_eq!(send(bad).await.status(), StatusCode::UNAUTHORIZED);
    }
    let narrow = fixture.token(&alice, "agents:read spaces:write");
    let refused = send(Some(format!("Bearer {narrow}"))).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        refused.headers()[header::WWW_AUTHENTICATE],
        "Bearer error=\"insufficient_scope\", scope=\"spaces:read\""
    );
    assert_eq!(refused.json::<Value>().await.unwrap()["errorCode"], "insufficient_scope");

    let key = format!("ApiKey {}", alice.api_key);
    for _ in 0..3 {
        assert_eq!(send(Some(key.clone())).await.status(), StatusCode::OK);
    }
    let over = send(Some(key.clone())).await;
    assert_eq!(over.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(over.headers()[header::RETRY_AFTER], "60");
    let over = send(Some(key.clone())).await;
    assert_eq!(over.headers()[header::RETRY_AFTER], "Thu, 28 May 2026 20:27:40 GMT");
    seconds(&fixture, 60).await;
    assert_eq!(send(Some(key)).await.status(), StatusCode::OK);

    let token = fixture.token(&alice, ALL_SCOPES);
    seconds(&fixture, 3_600).await;
    assert_eq!(send(Some(format!("Bearer {token}"))).await.status(), StatusCode::UNAUTHORIZED);
}
