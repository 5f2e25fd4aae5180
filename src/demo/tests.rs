//! The platform as a whole: faults, the journal, keys, revocation, stopping.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Fault, FaultKind, Options, Platform, testing::Fixture};

const AGENT: &str = "/api/v1/agent/7301";

fn fault(path_contains: &str, kind: FaultKind) -> Fault {
    Fault { path_contains: path_contains.to_owned(), times: 1, kind }
}

#[tokio::test]
async fn faults_replace_answers_once() {
    let fixture = Fixture::start().await;
    let faults = fixture.platform.faults();
    faults.inject(fault(
        "/agent/",
        FaultKind::Status {
            status: 503,
            headers: vec![("content-type".into(), "text/html".into()), ("retry-after".into(), "7".into())],
            body: "<h1>down</h1>".into(),
        },
    ));
    let response = fixture.alice(Method::GET, AGENT).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (&response.headers()["content-type"], &response.headers()["retry-after"]),
        (&"text/html".parse().unwrap(), &"7".parse().unwrap())
    );
    fixture.get(AGENT).await;

    faults.inject(fault(AGENT, FaultKind::Disconnect));
    assert!(fixture.alice(Method::GET, AGENT).send().await.is_err());

    faults.inject(fault(AGENT, FaultKind::Huge { bytes: 1_000_000 }));
    let body = fixture.alice(Method::GET, AGENT).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(body.len(), 1_000_000);
    serde_json::from_slice::<Value>(&body).unwrap();

    faults.inject(fault("GET /api/oauth/certs", FaultKind::Disconnect));
    faults.clear();
    let certs = fixture.request(Method::GET, "/api/oauth/certs").send().await.unwrap();
    assert_eq!(certs.status(), StatusCode::OK);

    let statuses: Vec<u16> = fixture.platform.requests().iter().map(|r| r.status).collect();
    assert_eq!(statuses, [503, 200, 0, 200]);
    assert_eq!(fixture.platform.oauth_requests("/certs"), 1);
}

#[tokio::test]
async fn a_request_that_hangs_after_its_action_has_acted() {
    let fixture = Fixture::start().await;
    fixture.platform.faults().inject(fault("/start", FaultKind::HangAfterAction));
    let start = fixture.alice(Method::POST, "/api/v1/agent/7310/start").json(&json!({}));
    let start = tokio::spawn(start.send());
    // The answer never comes, but the run does.
    let runs = loop {
        let runs = fixture.get("/api/v1/agent/7310/runs").await;
        if !runs.as_array().unwrap().is_empty() {
            break runs;
        }
    };
    assert_eq!(runs.as_array().unwrap().len(), 1);
    assert!(!start.is_finished());
    start.abort();
}

#[tokio::test]
async fn a_delay_waits_for_the_clock() {
    let fixture = Fixture::start().await;
    fixture.platform.faults().inject(fault(AGENT, FaultKind::Delay(Duration::from_secs(30))));
    let delayed = tokio::spawn(fixture.alice(Method::GET, AGENT).send());
    while fixture.platform.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!delayed.is_finished());
    fixture.clock.advance(Duration::from_secs(30));
    assert_eq!(delayed.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn rotated_keys_and_revoked_users() {
    let fixture = Fixture::start().await;
    let [alice, bob] = Platform::logins();
    let old = fixture.token(&alice, "agents:read");
    let status = async |token: &str| {
        let request = fixture.request(Method::GET, AGENT).bearer_auth(token);
        request.send().await.unwrap().status()
    };
    fixture.platform.rotate_keys();
    assert_eq!(status(&old).await, StatusCode::OK);
    fixture.platform.rotate_keys();
    assert_eq!(status(&old).await, StatusCode::UNAUTHORIZED);
    let new = fixture.token(&alice, "agents:read");
    assert_eq!(status(&new).await, StatusCode::OK);
    fixture.platform.revoke_everything_of(&bob);
    assert_eq!(status(&new).await, StatusCode::OK);
    fixture.platform.revoke_everything_of(&alice);
    assert_eq!(status(&new).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn shutdown_ends_hanging_requests_and_frees_the_port() {
    let fixture = Fixture::start().await;
    fixture.platform.faults().inject(fault(AGENT, FaultKind::Hang));
    let hanging = tokio::spawn(fixture.alice(Method::GET, AGENT).send());
    while fixture.platform.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let address = fixture.platform.url().socket_addrs(|| None).unwrap();
    fixture.platform.clone().shutdown().await;
    assert!(hanging.await.unwrap().is_err());
    TcpListener::bind(address[0]).await.unwrap();
}

#[tokio::test]
async fn dropping_the_last_handle_stops_the_platform() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let platform = Platform::start(listener, Options::default()).await.unwrap();
    let tasks = platform.0.tasks.clone();
    drop(platform);
    tasks.wait().await;
}
