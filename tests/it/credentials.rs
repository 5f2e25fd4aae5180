//! The other kinds of credential, and what goes to the platform for each.

mod upstream;

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::StatusCode;
use sequentum_mcp::{
    demo::{Fault, FaultKind, Platform},
    tools::Catalog,
};
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, Answer, TestServer, server::call};

const INTROSPECTION: &str = "/api/oauth/introspect";
const TOKENS: &str = "/api/oauth/token";
const CHEAP_READ: &str = "/api/v1/agent/personal/count";

fn ping() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})
}

/// A server in front of a platform that is there before it, so that its settings can name the platform.
async fn configured(settings: impl FnOnce(&Platform) -> Vec<(&'static str, String)>) -> TestServer {
    let first = TestServer::start().await;
    let (platform, clock) = (first.platform.clone(), first.clock.clone());
    first.stop().await;
    let settings = settings(&platform);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    TestServer::before(platform, clock, &settings, Catalog::new()).await
}

fn client() -> Vec<(&'static str, String)> {
    let [id, secret] = Platform::resource_server();
    vec![("OAUTH_CLIENT_ID", id.to_owned()), ("OAUTH_CLIENT_SECRET", secret.to_owned())]
}

async fn with_introspection() -> TestServer {
    configured(|platform| {
        let mut settings = client();
        settings.push(("OAUTH_INTROSPECTION_URL", format!("{}{INTROSPECTION}", platform.issuer())));
        settings
    })
    .await
}

fn opaque(server: &TestServer) -> String {
    server.platform.opaque_token(&TestServer::alice(), &server.endpoint(), ALL_SCOPES).unwrap()
}

async fn send(server: &TestServer, token: &str) -> Answer {
    server.send(server.post(Some(token), &ping())).await
}

async fn code(server: &TestServer, token: &str) -> (StatusCode, String) {
    let answer = send(server, token).await;
    assert!(!answer.text.contains(token), "no part of a credential comes back");
    (answer.status, answer.json()["error"]["data"]["code"].as_str().unwrap_or("").to_owned())
}

async fn list_agents(server: &TestServer, token: &str) -> Answer {
    server.send(server.post(Some(token), &call("list_agents", json!({})))).await
}

/// What the platform was sent, in order.
fn seen(server: &TestServer) -> Vec<String> {
    server.platform.requests().into_iter().map(|request| request.authorization.unwrap_or_default()).collect()
}

fn answers(server: &TestServer, path: &str, status: u16, body: &Value) {
    server.platform.faults().inject(Fault {
        path_contains: path.to_owned(),
        times: 1000,
        kind: FaultKind::Status { status, headers: vec![], body: body.to_string() },
    });
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let json = data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
    serde_json::from_slice(&json).unwrap()
}

// Opaque tokens.

#[tokio::test]
async fn an_opaque_token_is_looked_up_once_a_minute() {
    let server = with_introspection().await;
    let token = opaque(&server);
    for _ in 0..3 {
        let answer = list_agents(&server, &token).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.json()["result"]["isError"], false);
    }
    assert_eq!(server.platform.oauth_requests(INTROSPECTION), 1);
    assert!(seen(&server).iter().all(|sent| *sent == format!("Bearer {token}")), "and it is forwarded");
    let me = server.send(server.post(Some(&token), &call("whoami", json!({})))).await.json();
    let me = &me["result"]["structuredContent"];
    assert_eq!(
        (&me["subject"], &me["organization"], &me["clientId"]),
        (&json!("15"), &json!("3"), &json!("demo-client"))
    );
    assert_eq!(me["scopes"].as_array().unwrap().len(), 6);
    assert_eq!(me["tokenExpiresAt"], "2026-11-21T11:00:00Z");

    server.clock.advance(Duration::from_secs(61));
    assert_eq!(send(&server, &token).await.status, StatusCode::OK);
    assert_eq!(server.platform.oauth_requests(INTROSPECTION), 2);
    // Never past its end, although the minute is not over.
    server.clock.advance(Duration::from_secs(3600 - 61 - 30));
    assert_eq!(send(&server, &token).await.status, StatusCode::OK);
    server.clock.advance(Duration::from_secs(31));
    assert_eq!(code(&server, &token).await, (StatusCode::UNAUTHORIZED, "token_inactive".to_owned()));
}

#[tokio::test]
async fn a_revoked_opaque_token_is_refused_within_the_minute() {
    let server = with_introspection().await;
    let token = opaque(&server);
    assert_eq!(send(&server, &token).await.status, StatusCode::OK);
    server.platform.revoke_everything_of(&TestServer::alice());
    server.clock.advance(Duration::from_secs(61));
    assert_eq!(code(&server, &token).await.1, "token_inactive");
}

#[tokio::test]
async fn an_unknown_opaque_token_is_refused_and_asked_about_every_ten_seconds() {
    let server = with_introspection().await;
    for _ in 0..3 {
        assert_eq!(code(&server, "made-up").await, (StatusCode::UNAUTHORIZED, "token_inactive".to_owned()));
    }
    assert_eq!(server.platform.oauth_requests(INTROSPECTION), 1);
    server.clock.advance(Duration::from_secs(11));
    assert_eq!(code(&server, "made-up").await.1, "token_inactive");
    assert_eq!(server.platform.oauth_requests(INTROSPECTION), 2);
    // What cannot be a token is not asked about, and a JWT is verified here.
    assert_eq!(code(&server, "with\"quote").await.1, "token_malformed");
    assert_eq!(send(&server, &server.token()).await.status, StatusCode::OK);
    assert_eq!(server.platform.oauth_requests(INTROSPECTION), 2);
}

#[tokio::test]
async fn one_question_serves_all_who_wait() {
    let server = with_introspection().await;
    let token = opaque(&server);
    for answer in futures_util::future::join_all((0..20).map(|_| send(&server, &token))).await {
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(server.platform.oauth_requests(INTROSPECTION), 1);
}

#[tokio::test]
async fn what_the_authorization_server_says_is_checked() {
    let server = with_introspection().await;
    let now = server.clock.unix_seconds();
    let good = json!({
        "active": true, "sub": "15", "aud": [server.endpoint()], "iss": server.platform.issuer(),
        "exp": now + 600, "scope": "agents:read", "client_id": "c", "token_type": "Bearer",
    });
    for (number, (member, value, status, expected)) in [
        ("active", json!(true), 200, ""),
        ("aud", json!(server.origin), 200, ""),
        ("iss", json!(null), 200, ""),
        ("exp", json!(null), 200, ""),
        ("token_type", json!(null), 200, ""),
        // The issuer's clock may be ahead.
        ("nbf", json!(now + 60), 200, ""),
        ("active", json!(false), 401, "token_inactive"),
        ("aud", json!("https://other.example/mcp"), 401, "token_audience"),
        ("aud", json!(null), 401, "token_audience"),
        ("iss", json!("https://other.example"), 401, "token_issuer"),
        ("exp", json!(now), 401, "token_expired"),
        ("nbf", json!(now + 61), 401, "token_not_yet_valid"),
        ("sub", json!(null), 401, "token_claims"),
        ("sub", json!(""), 401, "token_claims"),
        ("cnf", json!({"jkt": "x"}), 401, "token_sender_constrained"),
        ("token_type", json!("DPoP"), 401, "token_sender_constrained"),
        ("token_type", json!("refresh_token"), 401, "token_type"),
        ("exp", json!("soon"), 503, "introspection_unavailable"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut answer = good.clone();
        if value.is_null() {
            answer.as_object_mut().unwrap().remove(member);
        } else {
            answer[member] = value.clone();
        }
        answers(&server, INTROSPECTION, 200, &answer);
        let token = format!("opaque-{number}");
        let (actual, code) = code(&server, &token).await;
        assert_eq!((actual.as_u16(), code.as_str()), (status, expected), "{member} {value}");
        server.platform.faults().clear();
    }
}

#[tokio::test]
async fn nobody_is_let_in_or_called_bad_while_introspection_fails() {
    let server = with_introspection().await;
    let token = opaque(&server);
    for (status, body) in
        [(500, json!({})), (401, json!({"error": "invalid_client"})), (200, json!("<html>"))]
    {
        answers(&server, INTROSPECTION, status, &body);
        let refused = send(&server, &token).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{status}");
        assert_eq!((refused.header("retry-after"), refused.header("www-authenticate")), ("5", ""));
        assert_eq!(refused.json()["error"]["data"]["code"], "introspection_unavailable");
        server.platform.faults().clear();
    }
    server.platform.faults().inject(Fault {
        path_contains: INTROSPECTION.to_owned(),
        times: 1,
        kind: FaultKind::Huge { bytes: 300_000 },
    });
    assert_eq!(code(&server, &token).await.1, "introspection_unavailable");
    assert_eq!(send(&server, &token).await.status, StatusCode::OK, "and at once when it answers again");
}

#[tokio::test]
async fn a_wrong_client_secret_is_our_fault_not_the_callers() {
    let server = configured(|platform| {
        vec![
            ("OAUTH_CLIENT_ID", "demo-resource-server".to_owned()),
            ("OAUTH_CLIENT_SECRET", "wrong".to_owned()),
            ("OAUTH_INTROSPECTION_URL", format!("{}{INTROSPECTION}", platform.issuer())),
        ]
    })
    .await;
    let token = opaque(&server);
    assert_eq!(
        code(&server, &token).await,
        (StatusCode::SERVICE_UNAVAILABLE, "introspection_unavailable".to_owned())
    );
}

// API keys.

async fn with_keys() -> TestServer {
    TestServer::with(&[("ALLOW_API_KEYS", "true")], Catalog::new()).await
}

fn with_header(server: &TestServer, value: &str, message: &Value) -> reqwest::RequestBuilder {
    server.post(None, message).header("authorization", value)
}

#[tokio::test]
async fn an_api_key_is_confirmed_by_the_platform_once_a_minute() {
    let server = with_keys().await;
    let key = TestServer::alice().api_key;
    for scheme in ["ApiKey", "apikey", "Bearer"] {
        let request = with_header(&server, &format!("{scheme} {key}"), &call("list_agents", json!({})));
        let answer = server.send(request).await.json();
        assert_eq!(answer["result"]["isError"], false, "{scheme}: {answer}");
    }
    let confirmations = |server: &TestServer| {
        server.platform.requests().iter().filter(|request| request.path == CHEAP_READ).count()
    };
    assert_eq!(confirmations(&server), 1);
    assert!(seen(&server).iter().all(|sent| *sent == format!("ApiKey {key}")));

    let me = server.send(with_header(&server, &format!("ApiKey {key}"), &call("whoami", json!({})))).await;
    assert!(!me.text.contains(key));
    let me = &me.json()["result"]["structuredContent"];
    assert_eq!(me["scopes"].as_array().unwrap().len(), 6, "the platform checks no scopes of keys");
    let name = me["subject"].as_str().unwrap();
    assert!(name.starts_with("key-") && name.len() == 36, "{name}");
    let bob = TestServer::bob().api_key;
    let other = server.send(with_header(&server, &format!("ApiKey {bob}"), &call("whoami", json!({})))).await;
    assert_ne!(other.json()["result"]["structuredContent"]["subject"], name);

    server.platform.revoke_everything_of(&TestServer::alice());
    server.clock.advance(Duration::from_secs(61));
    assert_eq!(code(&server, key).await, (StatusCode::UNAUTHORIZED, "api_key_unknown".to_owned()));
}

#[tokio::test]
async fn keys_that_are_refused() {
    let server = with_keys().await;
    let long = format!("sk-{}", "a".repeat(300));
    for (header, status, expected) in [
        ("ApiKey sk-made-up", 401, "api_key_unknown"),
        ("Bearer sk-made-up", 401, "api_key_unknown"),
        ("ApiKey sk-with space", 401, "api_key_unknown"),
        ("ApiKey not-a-key", 401, "api_key_unknown"),
        (&format!("ApiKey {long}"), 401, "api_key_unknown"),
        ("Basic sk-made-up", 400, "invalid_request"),
    ] {
        let answer = server.send(with_header(&server, header, &ping())).await;
        assert_eq!(answer.status.as_u16(), status, "{header}");
        assert_eq!(answer.json()["error"]["data"]["code"], expected, "{header}");
        assert!(!answer.text.contains("made-up"));
    }
    assert_eq!(server.platform.requests().len(), 1, "asked once, and only about what can be a key");
    server.clock.advance(Duration::from_secs(11));
    assert_eq!(code(&server, "sk-made-up").await.1, "api_key_unknown");
    assert_eq!(server.platform.requests().len(), 2);
}

#[tokio::test]
async fn a_key_that_cannot_be_confirmed_is_a_503() {
    let server = with_keys().await;
    answers(&server, CHEAP_READ, 500, &json!({}));
    let key = TestServer::alice().api_key;
    assert_eq!(
        code(&server, key).await,
        (StatusCode::SERVICE_UNAVAILABLE, "platform_unavailable".to_owned())
    );
    server.platform.faults().clear();
    assert_eq!(send(&server, key).await.status, StatusCode::OK);
}

// Where credentials must never be.

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Also when others put them into their errors, and at the finest level.
#[tokio::test]
async fn no_credential_is_ever_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    // The server runs on this thread.
    let guard = tracing::subscriber::set_default(subscriber);
    let server = configured(|platform| {
        let mut settings = client();
        settings.push(("UPSTREAM_CREDENTIAL", "exchange".to_owned()));
        settings.push(("ALLOW_API_KEYS", "true".to_owned()));
        settings.push(("OAUTH_INTROSPECTION_URL", format!("{}{INTROSPECTION}", platform.issuer())));
        settings
    })
    .await;
    let mut secrets = Vec::new();
    for token in [server.token(), opaque(&server), TestServer::alice().api_key.to_owned()] {
        assert_eq!(list_agents(&server, &token).await.json()["result"]["isError"], false);
        secrets.push(token);
    }
    secrets.extend(seen(&server).iter().map(|sent| sent.rsplit_once(' ').unwrap().1.to_owned()));
    secrets.push(Platform::resource_server()[1].to_owned());
    for bad in ["sk-made-up-key", "made-up-token", "made.up.token"] {
        assert_eq!(send(&server, bad).await.status, StatusCode::UNAUTHORIZED);
        secrets.push(bad.to_owned());
    }
    let quoting = |token: &str| {
        [
            (400, json!({"error": "invalid_request", "error_description": format!("cannot read {token}")})),
            (401, json!({"error": token, "error_description": token})),
            (200, json!({"active": true, "exp": token, "access_token": {"is": token}, "expires_in": token})),
            (200, json!(token)),
            (500, json!(token)),
        ]
    };
    for (number, (status, body)) in quoting("quoted-token").into_iter().enumerate() {
        answers(&server, INTROSPECTION, status, &body);
        assert_eq!(
            send(&server, &format!("quoted-token-{number}")).await.status,
            StatusCode::SERVICE_UNAVAILABLE
        );
        answers(&server, TOKENS, status, &body);
        let token = server.token_for(&TestServer::bob(), ALL_SCOPES);
        assert!(list_agents(&server, &token).await.json()["result"]["isError"] != false);
        secrets.push(token);
        server.platform.faults().clear();
    }
    secrets.push("quoted-token".to_owned());
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("could not be introspected") && log.contains("could not be exchanged"), "{log}");
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}
