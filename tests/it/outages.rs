//! What a server says, asks and counts while those that it depends on do not answer.

use std::time::Duration;

use sequentum_mcp::{
    demo::{Fault, FaultKind, Platform},
    tools::Catalog,
};
use serde_json::json;

use crate::{
    identity::ping,
    support::{ALL_SCOPES, TestServer, server::call},
};

const INTROSPECTION: &str = "/api/oauth/introspect";
const METADATA: &str = "/.well-known/";
const KEY_SET: &str = "/api/oauth/certs";

/// A server that asks the platform's authorization server about opaque tokens, with few failures an address may cause.
async fn with_questions(settings: &[(&'static str, &str)]) -> TestServer {
    let first = TestServer::start().await;
    let (platform, clock) = (first.platform.clone(), first.clock.clone());
    first.stop().await;
    let [id, secret] = Platform::resource_server();
    let url = format!("{}{INTROSPECTION}", platform.issuer());
    let mut all = vec![
        ("OAUTH_CLIENT_ID", id),
        ("OAUTH_CLIENT_SECRET", secret),
        ("OAUTH_INTROSPECTION_URL", &url),
        ("ALLOW_API_KEYS", "true"),
        ("RATE_LIMIT_PER_ADDRESS", "3"),
    ];
    all.extend_from_slice(settings);
    TestServer::before(platform, clock, &all, Catalog::new()).await
}

fn fails(server: &TestServer, path: &str, kind: FaultKind) {
    server.platform.faults().inject(Fault { path_contains: path.to_owned(), times: 1000, kind });
}

fn status(status: u16) -> FaultKind {
    FaultKind::Status { status, headers: vec![], body: "{}".to_owned() }
}

async fn sent(server: &TestServer, token: &str) -> u16 {
    server.send(server.post(Some(token), &ping())).await.status.as_u16()
}

#[tokio::test]
async fn no_more_made_up_tokens_are_asked_about_at_once_than_may_fail() {
    let server = with_questions(&[]).await;
    let good = server.platform.opaque_token(&TestServer::alice(), &server.endpoint(), ALL_SCOPES).unwrap();
    assert_eq!(sent(&server, &good).await, 200);
    fails(&server, INTROSPECTION, FaultKind::Delay(Duration::from_secs(1)));
    let tokens: Vec<_> = (0..30).map(|number| format!("made-up-{number}")).collect();
    let mut asked = Vec::new();
    for token in &tokens {
        let request = server.post(Some(token), &ping());
        asked.push(tokio::spawn(async move { request.send().await.unwrap().status().as_u16() }));
    }
    // Those beyond the limit are refused while the first ones are still being asked about.
    let (mut refused, mut open) = (0, Vec::new());
    while refused < 27 {
        for request in std::mem::take(&mut asked) {
            if request.is_finished() {
                assert_eq!(request.await.unwrap(), 429);
                refused += 1;
            } else {
                open.push(request);
            }
        }
        std::mem::swap(&mut asked, &mut open);
        tokio::task::yield_now().await;
    }
    assert_eq!(sent(&server, &good).await, 200, "who was found good a moment ago does not wait for them");
    while server.platform.oauth_requests(INTROSPECTION) < 4 {
        tokio::task::yield_now().await;
    }
    server.clock.advance(Duration::from_secs(2));
    for request in asked {
        assert_eq!(request.await.unwrap(), 401);
    }
    assert_eq!(server.platform.oauth_requests(INTROSPECTION), 4);
}

#[tokio::test]
async fn an_outage_is_no_licence_to_ask_for_ever() {
    let server = with_questions(&[]).await;
    fails(&server, INTROSPECTION, status(500));
    let mut seen = Vec::new();
    for number in 0..6 {
        seen.push(sent(&server, &format!("made-up-{number}")).await);
    }
    assert_eq!(seen, [503, 503, 503, 429, 429, 429]);
    assert_eq!(server.platform.oauth_requests(INTROSPECTION), 3);
    assert_eq!(sent(&server, &server.token()).await, 200, "signed tokens are judged without asking");
}

#[tokio::test]
async fn the_platform_is_asked_about_a_key_once() {
    for answer in [429, 503] {
        let server = with_questions(&[]).await;
        fails(&server, "/api/v1/", status(answer));
        assert_eq!(sent(&server, "sk-made-up").await, 503);
        assert_eq!(server.platform.requests().len(), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_new_key_is_not_called_unknown_while_nobody_can_be_asked() {
    let server = TestServer::start().await;
    server.clock.advance(Duration::from_secs(61));
    fails(&server, KEY_SET, status(503));
    server.platform.rotate_keys();
    let token = server.token();
    let answer = server.send(server.post(Some(&token), &ping())).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"), "{}", answer.text);
    // Made-up keys do not make it worse.
    let made_up = server
        .platform
        .sign(&json!({"typ": "at+jwt", "kid": "x"}), &json!({"iss": server.platform.issuer()}));
    assert_eq!(sent(&server, &made_up.unwrap()).await, 503);
    server.platform.faults().clear();
    server.clock.advance(Duration::from_secs(6));
    assert_eq!(sent(&server, &token).await, 200);
}

#[tokio::test]
async fn metadata_that_cannot_be_had_for_once_changes_nothing() {
    let server = with_questions(&[("UPSTREAM_CREDENTIAL", "exchange")]).await;
    let list = call("list_agents", json!({}));
    for (gone, code) in [(429, "busy"), (403, "absent")] {
        fails(&server, METADATA, status(gone));
        server.clock.advance(Duration::from_mins(11));
        // An unknown key makes the server look, if the refresh has not.
        server.platform.rotate_keys();
        let token = server.token();
        let _ = sent(&server, &token).await;
        server.platform.faults().clear();
        server.clock.advance(Duration::from_secs(11));
        let answer = server.send(server.post(Some(&token), &list)).await;
        assert_eq!(answer.json()["result"]["isError"], false, "{code}: {}", answer.text);
    }
}
