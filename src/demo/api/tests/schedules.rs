//! Schedules and when they fire.

use reqwest::Method;
use serde_json::{Value, json};

use crate::demo::{Options, Profile, testing::Fixture};

const SCHEDULES: &str = "/api/v1/agent/7302/schedules";

/// What `body` makes: the status, and the next run time of the new schedule.
async fn next(fixture: &Fixture, body: Value) -> (u16, Value) {
    let (status, schedule) = fixture.call(Method::POST, SCHEDULES, &body).await;
    (status, schedule["nextRunTime"].clone())
}

#[tokio::test]
async fn every_kind_of_schedule_knows_its_next_run() {
    let fixture = Fixture::start().await;
    // The clock stands at 20:26:40 on Thursday 28 May 2026.
    for (body, expected) in [
        (json!({ "name": "a", "cronExpression": "0 9 * * 1" }), "2026-06-01T09:00:00Z"),
        (
            json!({ "Name": "b", "CronExpression": "0 9 * * 1", "Timezone": "America/New_York" }),
            "2026-06-01T13:00:00Z",
        ),
        (json!({ "name": "c", "runEveryCount": 90, "runEveryPeriod": 1 }), "2026-05-28T21:56:40Z"),
        (
            json!({ "name": "d", "runEveryCount": 1, "runEveryPeriod": 5, "startTime": "2026-06-30T08:00:00Z" }),
            "2026-06-30T08:00:00Z",
        ),
        (json!({ "name": "e", "startTime": "2026-05-28T20:30:00" }), "2026-05-28T20:30:00Z"),
    ] {
        assert_eq!(next(&fixture, body.clone()).await, (200, json!(expected)), "{body}");
    }
    fixture.later(200);
    let all = fixture.get(SCHEDULES).await;
    let once = all.as_array().unwrap().iter().find(|schedule| schedule["name"] == "e").unwrap();
    assert_eq!((&once["scheduleType"], &once["nextRunTime"]), (&json!(1), &json!(null)));
    assert_eq!(once["startTime"], "2026-05-28T20:30:00Z");
}

#[tokio::test]
async fn schedules_that_are_refused() {
    let fixture = Fixture::start().await;
    for (body, expected) in [
        (json!({ "cronExpression": "0 9 * * 1" }), 400),
        (json!({ "name": "x" }), 400),
        (json!({ "name": "x", "cronExpression": "0 9 * * 1", "runEveryCount": 1 }), 400),
        (json!({ "name": "x", "scheduleType": 2, "runEveryCount": 1 }), 400),
        (json!({ "name": "x", "scheduleType": 0 }), 400),
        (json!({ "name": "x", "cronExpression": "every day" }), 422),
        (json!({ "name": "x", "cronExpression": "0 9 * * *", "timezone": "Mars/Olympus" }), 422),
        (json!({ "name": "x", "scheduleType": 1, "startTime": "2026-05-28T20:27:00Z" }), 422),
    ] {
        assert_eq!(next(&fixture, body.clone()).await.0, expected, "{body}");
    }
}

#[tokio::test]
async fn an_update_resets_what_it_does_not_mention() {
    let fixture = Fixture::start().await;
    let seed = "/api/v1/agent/7301/schedules/3101";
    let before = fixture.get(seed).await;
    assert_eq!(before["nextRunTime"], "2026-05-29T03:30:00Z");
    assert_eq!(before.as_object().unwrap().len(), 29);
    let full = json!({
        "name": "Noon", "scheduleType": 3, "cronExpression": "0 12 * * *", "timezone": "Europe/Paris",
        "parallelism": 4, "isEnabled": false, "inputParameters": "{\"maxPages\":\"2\"}", "logLevel": "Info",
    });
    let (status, after) = fixture.call(Method::PUT, seed, &full).await;
    assert_eq!((status, &after["nextRunTime"], &after["parallelism"]), (200, &json!(null), &json!(4)));
    let short = json!({ "name": "Noon", "cronExpression": "0 12 * * *" });
    let (_, after) = fixture.call(Method::PUT, seed, &short).await;
    assert_eq!(
        [&after["timezone"], &after["parallelism"], &after["inputParameters"], &after["isEnabled"]],
        [&json!(null), &json!(1), &json!(null), &json!(true)]
    );
    assert_eq!(after["nextRunTime"], "2026-05-29T12:00:00Z");
    assert_eq!(after["created"], before["created"]);

    assert_eq!(fixture.call(Method::POST, &format!("{seed}/disable"), &json!({})).await.0, 204);
    assert_eq!(fixture.get(seed).await["isEnabled"], false);
    assert_eq!(fixture.call(Method::POST, &format!("{seed}/enable"), &json!({})).await.0, 204);
    assert_eq!(fixture.get(seed).await["nextRunTime"], "2026-05-29T12:00:00Z");
    assert_eq!(fixture.call(Method::DELETE, seed, &json!({})).await.0, 204);
    assert_eq!(fixture.call(Method::DELETE, seed, &json!({})).await.0, 404);
    assert_eq!(fixture.call(Method::PUT, seed, &json!({})).await.0, 404);
    // A schedule is found under its own agent only.
    assert_eq!(fixture.call(Method::GET, "/api/v1/agent/7301/schedules/3103", &json!({})).await.0, 404);
}

#[tokio::test]
async fn what_comes_up_in_a_window() {
    let fixture = Fixture::start().await;
    let ids = async |query: &str| {
        let found = fixture.get(&format!("/api/v1/analytics/schedules/upcoming{query}")).await;
        let entry = |entry: &Value| {
            (entry["scheduleId"].as_i64().unwrap(), entry["nextRunTime"].as_str().unwrap().to_owned())
        };
        found.as_array().unwrap().iter().map(entry).collect::<Vec<_>>()
    };
    let week = ids("").await;
    assert!(week.is_sorted_by_key(|(_, time)| time.clone()));
    assert!(week.contains(&(3101, "2026-05-29T03:30:00Z".into())), "{week:?}");
    assert!(week.iter().all(|(id, _)| *id != 3102), "disabled");
    let day = ids("?startDate=2026-06-10&endDate=2026-06-10").await;
    assert!(day.contains(&(3104, "2026-06-10T11:15:00Z".into())), "{day:?}");
    let entry = &fixture.get("/api/v1/analytics/schedules/upcoming").await[0];
    assert_eq!(entry.as_object().unwrap().len(), 18);

    let production = Fixture::with(Options { profile: Profile::Production, ..Options::default() }).await;
    let entry = &production.get("/api/v1/analytics/schedules/upcoming").await[0];
    assert_eq!(entry.as_object().unwrap().len(), 7);
    let schedule = production.get("/api/v1/agent/7301/schedules/3101").await;
    assert!(schedule.get("configName").is_none() && schedule["updated"].is_string());
}
