//! What goes to the platform: the caller's own credential, or one that it was exchanged for.

use std::time::Duration;

use reqwest::StatusCode;
use sequentum_mcp::demo::{Fault, FaultKind, Platform};
use serde_json::{Value, json};

use super::{TOKENS, answers, claims, client, configured, list_agents, seen, send};
use crate::support::TestServer;

async fn with_exchange() -> TestServer {
    configured(|_| {
        let mut settings = client();
        settings.push(("UPSTREAM_CREDENTIAL", "exchange".to_owned()));
        settings.push(("ALLOW_API_KEYS", "true".to_owned()));
        settings
    })
    .await
}

#[tokio::test]
async fn by_default_the_callers_own_token_is_forwarded() {
    let server = TestServer::start().await;
    let token = server.token();
    assert_eq!(list_agents(&server, &token).await.json()["result"]["isError"], false);
    assert_eq!(seen(&server), [format!("Bearer {token}")]);
    assert_eq!(server.platform.oauth_requests(TOKENS), 0);
}

#[tokio::test]
async fn an_exchanged_token_is_for_the_platform_and_no_stronger() {
    let server = with_exchange().await;
    let token = server.token_for(&TestServer::alice(), "agents:read runs:read");
    assert_eq!(send(&server, &token).await.status, StatusCode::OK);
    assert_eq!(server.platform.oauth_requests(TOKENS), 0, "not before the platform is needed");
    let calls = (0..10).map(|_| list_agents(&server, &token));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.json()["result"]["isError"], false, "{}", answer.text);
    }
    assert_eq!(server.platform.oauth_requests(TOKENS), 1, "one exchange serves all");
    let seen = seen(&server);
    let sent = seen[0].strip_prefix("Bearer ").unwrap();
    assert!(seen.iter().all(|other| *other == seen[0]) && sent != token);
    let (mine, theirs) = (claims(&token), claims(sent));
    assert_eq!(theirs["sub"], mine["sub"]);
    assert_eq!(theirs["aud"], server.platform.issuer());
    assert_eq!(theirs["scope"], "agents:read runs:read");
    assert_eq!(theirs["client_id"], Platform::resource_server()[0]);

    // Another caller's is another one; a key has nothing to exchange.
    let bobs = server.token_for(&TestServer::bob(), "agents:read");
    assert_eq!(list_agents(&server, &bobs).await.json()["result"]["isError"], false);
    let last = self::seen(&server).pop().unwrap();
    assert_eq!(claims(&last)["sub"], claims(&bobs)["sub"]);
    let key = TestServer::alice().api_key;
    assert_eq!(list_agents(&server, key).await.json()["result"]["isError"], false);
    assert_eq!(self::seen(&server).pop().unwrap(), format!("ApiKey {key}"));
    assert_eq!(server.platform.oauth_requests(TOKENS), 2);
}

#[tokio::test]
async fn an_exchanged_token_is_renewed_before_it_ends() {
    let server = with_exchange().await;
    let mut long = claims(&server.token());
    long["exp"] = json!(server.clock.unix_seconds() + 100_000);
    let long = server.platform.sign(&json!({"typ": "at+jwt"}), &long).unwrap();
    list_agents(&server, &long).await;
    server.clock.advance(Duration::from_secs(3600 - 31));
    list_agents(&server, &long).await;
    assert_eq!(server.platform.oauth_requests(TOKENS), 1);
    server.clock.advance(Duration::from_secs(2));
    assert_eq!(list_agents(&server, &long).await.json()["result"]["isError"], false);
    assert_eq!(server.platform.oauth_requests(TOKENS), 2);
}

#[tokio::test]
async fn an_exchanged_token_that_the_platform_refuses_is_exchanged_anew_once() {
    let server = with_exchange().await;
    let token = server.token();
    let refuse = |times| {
        server.platform.faults().inject(Fault {
            path_contains: "/api/v1/agent".to_owned(),
            times,
            kind: FaultKind::Status { status: 401, headers: vec![], body: "{}".to_owned() },
        });
    };
    refuse(1);
    assert_eq!(list_agents(&server, &token).await.json()["result"]["isError"], false);
    let sent = seen(&server);
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0], sent[1]);
    assert_eq!(server.platform.oauth_requests(TOKENS), 2);
    refuse(2);
    let answer = list_agents(&server, &token).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["error"]["data"]["code"], "token_revoked");
    assert_eq!(seen(&server).len(), 4);
}

#[tokio::test]
async fn an_exchange_that_goes_wrong_sends_nothing_to_the_platform() {
    let server = with_exchange().await;
    let good = json!({
        "access_token": "swapped", "token_type": "Bearer", "expires_in": 600, "scope": "agents:read",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    });
    let spoiled = |member: &str, value: Value| {
        let mut answer = good.clone();
        answer[member] = value;
        answer
    };
    for (status, body) in [
        (200, spoiled("issued_token_type", json!("urn:ietf:params:oauth:token-type:refresh_token"))),
        (200, spoiled("issued_token_type", json!(null))),
        (200, spoiled("scope", json!("agents:read billing:read"))),
        (200, spoiled("scope", json!("agents:read admin"))),
        (200, spoiled("token_type", json!("DPoP"))),
        (200, spoiled("token_type", json!("N_A"))),
        (200, spoiled("access_token", json!("line\nbreak"))),
        (401, json!({"error": "invalid_client"})),
        (400, json!({"error": "invalid_target"})),
        (500, json!({})),
    ] {
        answers(&server, TOKENS, status, &body);
        let token = server.token_for(&TestServer::alice(), "agents:read");
        let answer = list_agents(&server, &token).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}");
        assert!(answer.text.contains("platform_unreachable"), "{body}: {}", answer.text);
        server.platform.faults().clear();
    }
    // RFC 8693 section 2.2.2: this is about the caller's token, so the caller has to do something.
    answers(&server, TOKENS, 400, &json!({"error": "invalid_request"}));
    let answer = list_agents(&server, &server.token()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(server.platform.requests().is_empty());
    server.platform.faults().clear();

    // With nothing wrong the same answer is used.
    answers(&server, TOKENS, 200, &good);
    let token = server.token_for(&TestServer::alice(), "agents:read");
    list_agents(&server, &token).await;
    assert_eq!(seen(&server)[0], "Bearer swapped");
}
