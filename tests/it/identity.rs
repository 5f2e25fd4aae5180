//! Every way of not being let in, with the full answer pinned.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{ALL_SCOPES, TestServer, server::call};
use sequentum_mcp::demo::{Fault, FaultKind};

fn ping() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})
}

async fn answer(server: &TestServer, token: Option<&str>) -> String {
    server.send(server.post(token, &ping())).await.pinned(server)
}

/// Claims as the issuer writes them, for a test to spoil.
fn claims(server: &TestServer) -> Value {
    let now = server.clock.unix_seconds();
    json!({
        "iss": server.platform.issuer(), "sub": "user-1", "aud": server.endpoint(), "client_id": "test",
        "iat": now, "exp": now + 3600, "jti": "1", "scope": ALL_SCOPES,
    })
}

fn signed(server: &TestServer, spoil: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims(server);
    spoil(&mut claims);
    server.platform.sign(&json!({"typ": "at+jwt"}), &claims).unwrap()
}

#[tokio::test]
async fn a_good_token_is_accepted() {
    let server = TestServer::start().await;
    let good = signed(&server, |_| {});
    assert_eq!(server.send(server.post(Some(&good), &ping())).await.status, StatusCode::OK);
    let origin = server.origin.clone();
    let for_the_origin = signed(&server, |claims| claims["aud"] = json!([origin, "https://other.example"]));
    assert_eq!(server.send(server.post(Some(&for_the_origin), &ping())).await.status, StatusCode::OK);
    let scheme = server.post(None, &ping()).header("authorization", format!("bEARER {good}"));
    assert_eq!(server.send(scheme).await.status, StatusCode::OK, "the scheme is case-insensitive");
}

#[tokio::test]
async fn no_token() {
    let server = TestServer::start().await;
    insta::assert_snapshot!(answer(&server, None).await, @r#"
    401
    www-authenticate: Bearer scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":401,"message":"No access token was sent.","data":{"code":"token_missing","remedy":"Sign in: your client finds the authorization server through the resource_metadata link.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
}

#[tokio::test]
async fn expired() {
    let server = TestServer::start().await;
    let token = signed(&server, |claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 61));
    insta::assert_snapshot!(answer(&server, Some(&token)).await, @r#"
    401
    www-authenticate: Bearer error="invalid_token", error_description="the access token has expired", scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":401,"message":"The access token has expired.","data":{"code":"token_expired","remedy":"Refresh the access token or sign in again.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
}

#[tokio::test]
async fn a_token_expires_although_it_was_seen_before() {
    let server = TestServer::start().await;
    let token = signed(&server, |_| {});
    assert_eq!(server.send(server.post(Some(&token), &ping())).await.status, StatusCode::OK);
    server.clock.advance(Duration::from_secs(3661));
    let answer = server.send(server.post(Some(&token), &ping())).await;
    assert_eq!(answer.json()["error"]["data"]["code"], "token_expired");
}

#[tokio::test]
async fn wrong_issuer() {
    let server = TestServer::start().await;
    let token = signed(&server, |claims| claims["iss"] = json!("https://other.example"));
    insta::assert_snapshot!(answer(&server, Some(&token)).await, @r#"
    401
    www-authenticate: Bearer error="invalid_token", error_description="the access token comes from another issuer", scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":401,"message":"The access token comes from another issuer.","data":{"code":"token_issuer","remedy":"Sign in again to get a fresh access token for this server.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
}

#[tokio::test]
async fn wrong_audience() {
    let server = TestServer::start().await;
    let token = signed(&server, |claims| claims["aud"] = json!("https://other.example/mcp"));
    insta::assert_snapshot!(answer(&server, Some(&token)).await, @r#"
    401
    www-authenticate: Bearer error="invalid_token", error_description="the access token was issued for another resource", scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":401,"message":"The access token was issued for another resource.","data":{"code":"token_audience","remedy":"Sign in again and ask for a token whose resource is this server's /mcp URL.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
    for spoiled in
        [json!(null), json!("Sequentum Enterprise"), json!([]), json!(format!("{}/mcp/more", server.origin))]
    {
        let token = signed(&server, |claims| claims["aud"] = spoiled);
        assert_eq!(
            server.send(server.post(Some(&token), &ping())).await.json()["error"]["data"]["code"],
            "token_audience"
        );
    }
}

#[tokio::test]
async fn an_operator_can_admit_a_further_audience() {
    let server = TestServer::with(
        &[("OAUTH_AUDIENCES", "Sequentum Enterprise")],
        sequentum_mcp::tools::Catalog::new(),
    )
    .await;
    let token = signed(&server, |claims| claims["aud"] = json!("Sequentum Enterprise"));
    assert_eq!(server.send(server.post(Some(&token), &ping())).await.status, StatusCode::OK);
}

#[tokio::test]
async fn alg_none() {
    let server = TestServer::start().await;
    let encode = |value: Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let header = encode(json!({"alg": "none", "typ": "at+jwt", "kid": "k"}));
    let token = format!("{header}.{}.", encode(claims(&server)));
    insta::assert_snapshot!(answer(&server, Some(&token)).await, @r#"
    401
    www-authenticate: Bearer error="invalid_token", error_description="the signature algorithm of the access token is not allowed", scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":401,"message":"The signature algorithm of the access token is not allowed.","data":{"code":"token_algorithm","remedy":"Sign in again to get a fresh access token for this server.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
}

#[tokio::test]
async fn hs256_signed_with_the_public_key() {
    let server = TestServer::start().await;
    // The attack needs the published kid.
    let good = signed(&server, |_| {});
    let kid = jsonwebtoken::decode_header(&good).unwrap().kid;
    let header = Header { kid, ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_secret(&server.platform.public_key_der());
    let token = jsonwebtoken::encode(&header, &claims(&server), &key).unwrap();
    insta::assert_snapshot!(answer(&server, Some(&token)).await, @r#"
    401
    www-authenticate: Bearer error="invalid_token", error_description="the signature algorithm of the access token is not allowed", scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":401,"message":"The signature algorithm of the access token is not allowed.","data":{"code":"token_algorithm","remedy":"Sign in again to get a fresh access token for this server.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
}

#[tokio::test]
async fn id_token() {
    let server = TestServer::start().await;
    let token = signed(&server, |claims| claims["nonce"] = json!("n"));
    insta::assert_snapshot!(answer(&server, Some(&token)).await, @r#"
    401
    www-authenticate: Bearer error="invalid_token", error_description="an ID token is not an access token", scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":401,"message":"An ID token is not an access token.","data":{"code":"id_token","remedy":"Sign in again to get a fresh access token for this server.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
    let typed = server.platform.sign(&json!({"typ": "id+jwt"}), &claims(&server)).unwrap();
    assert_eq!(
        server.send(server.post(Some(&typed), &ping())).await.json()["error"]["data"]["code"],
        "id_token"
    );
}

#[tokio::test]
async fn unknown_key() {
    let server = TestServer::start().await;
    let token = server.platform.sign(&json!({"typ": "at+jwt", "kid": "made-up"}), &claims(&server)).unwrap();
    insta::assert_snapshot!(answer(&server, Some(&token)).await, @r#"
    401
    www-authenticate: Bearer error="invalid_token", error_description="the access token is signed with a key that the issuer does not publish", scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":401,"message":"The access token is signed with a key that the issuer does not publish.","data":{"code":"token_key_unknown","remedy":"Sign in again to get a fresh access token for this server.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
}

#[tokio::test]
async fn other_tokens_that_are_refused() {
    let server = TestServer::start().await;
    let now = server.clock.unix_seconds();
    let header = |header: Value| server.platform.sign(&header, &claims(&server)).unwrap();
    let good = signed(&server, |_| {});
    let (body, _signature) = good.rsplit_once('.').unwrap();
    for (token, code) in [
        (signed(&server, |c| c["nbf"] = json!(now + 120)), "token_not_yet_valid"),
        (signed(&server, |c| c["cnf"] = json!({"jkt": "x"})), "token_sender_constrained"),
        (signed(&server, |c| c["sub"] = json!(null)), "token_claims"),
        (signed(&server, |c| c["exp"] = json!("soon")), "token_claims"),
        (signed(&server, |c| c["exp"] = json!(null)), "token_claims"),
        (header(json!({"typ": "dpop+jwt"})), "token_type"),
        (header(json!({"typ": "at+jwt", "crit": ["exp"]})), "token_type"),
        (format!("{body}.{}", "A".repeat(342)), "token_signature"),
        ("opaque".to_owned(), "token_malformed"),
        ("a".repeat(9000), "token_malformed"),
        ("sk-0123456789".to_owned(), "api_key_not_accepted"),
    ] {
        let answer = server.send(server.post(Some(&token), &ping())).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{code}");
        assert_eq!(answer.json()["error"]["data"]["code"], code);
        assert!(!answer.text.contains(&token), "no part of a credential comes back");
    }
}

#[tokio::test]
async fn a_token_is_sent_once_and_never_in_the_url() {
    let server = TestServer::start().await;
    let token = server.token();
    let in_query = server.request(reqwest::Method::POST, &format!("/mcp?access_token={token}")).json(&ping());
    insta::assert_snapshot!(server.send(in_query).await.pinned(&server), @r#"
    400
    www-authenticate: Bearer error="invalid_request", error_description="the access token must be sent once, in the Authorization header, as Bearer", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":400,"message":"The access token must be sent once, in the Authorization header, as Bearer.","data":{"code":"invalid_request","remedy":"Send exactly one `Authorization: Bearer <token>` header and no token in the URL.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
    let twice = server.post(Some(&token), &ping()).bearer_auth(&token);
    assert_eq!(server.send(twice).await.json()["error"]["data"]["code"], "invalid_request");
    let basic = server.post(None, &ping()).header("authorization", "Basic YTpi");
    assert_eq!(server.send(basic).await.json()["error"]["data"]["code"], "invalid_request");
}

#[tokio::test]
async fn missing_scope() {
    let server = TestServer::start().await;
    let token = server.token_for(&TestServer::alice(), "runs:read");
    let request = call("list_agents", json!({}));
    insta::assert_snapshot!(server.send(server.post(Some(&token), &request)).await.pinned(&server), @r#"
    403
    www-authenticate: Bearer error="insufficient_scope", error_description="the access token lacks the scope agents:read", scope="agents:read runs:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"code":"insufficient_scope","message":"the access token lacks the scope agents:read","remedy":"Sign in again and approve the scopes in the challenge.","retryable":false,"requestId":"<request-id>","error":"insufficient_scope","error_description":"the access token lacks the scope agents:read","scope":"agents:read runs:read"}
    "#);
    let modern = server.send(server.post_modern(&token, &request)).await;
    assert_eq!(modern.status, StatusCode::FORBIDDEN);
    assert!(server.platform.requests().is_empty(), "refused before dispatch");
    // whoami needs none, and says what is missing.
    let me = server.send(server.post(Some(&token), &call("whoami", json!({})))).await.json();
    assert_eq!(me["result"]["structuredContent"]["missingScopes"][0], "agents:read");
}

#[tokio::test]
async fn a_token_that_the_platform_refuses_becomes_a_401() {
    let server = TestServer::start().await;
    let token = server.token();
    server.platform.revoke_everything_of(&TestServer::alice());
    let answer = server.send(server.post(Some(&token), &call("list_agents", json!({})))).await;
    insta::assert_snapshot!(answer.pinned(&server), @r#"
    401
    www-authenticate: Bearer error="invalid_token", error_description="the platform no longer accepts the access token", scope="agents:read agents:write runs:read spaces:read billing:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"jsonrpc":"2.0","id":null,"error":{"code":401,"message":"The platform no longer accepts the access token.","data":{"code":"token_revoked","remedy":"Sign in again to get a fresh access token for this server.","retryable":false,"requestId":"<request-id>","protectedResourceMetadata":"<origin>/.well-known/oauth-protected-resource/mcp"}}}
    "#);
}

#[tokio::test]
async fn keys_that_never_came_are_a_503_and_come_later() {
    let server = TestServer::start().await;
    let platform = server.platform.clone();
    let clock = server.clock.clone();
    server.stop().await;
    platform.faults().inject(Fault {
        path_contains: "/api/oauth/certs".to_owned(),
        times: 1000,
        kind: FaultKind::Status { status: 500, headers: vec![], body: "{}".to_owned() },
    });
    let server = TestServer::before(platform, clock, &[], sequentum_mcp::tools::Catalog::new()).await;
    let token = server.token();
    insta::assert_snapshot!(answer(&server, Some(&token)).await, @r#"
    503
    retry-after: 5
    {"jsonrpc":"2.0","id":null,"error":{"code":503,"message":"The issuer's signing keys cannot be loaded at the moment.","data":{"code":"keys_unavailable","remedy":"Try again shortly; the token itself may be fine.","retryable":true,"retryAfterSeconds":5,"requestId":"<request-id>"}}}
    "#);
    assert_eq!(server.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.get("/livez").await.status, StatusCode::OK);
    server.platform.faults().clear();
    server.clock.advance(Duration::from_secs(6));
    assert_eq!(server.send(server.post(Some(&token), &ping())).await.status, StatusCode::OK);
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_outage_of_the_issuer_is_bridged_for_an_hour() {
    let server = TestServer::start().await;
    let token = signed(&server, |claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() + 100_000));
    assert_eq!(server.send(server.post(Some(&token), &ping())).await.status, StatusCode::OK);
    server.platform.faults().inject(Fault {
        path_contains: "oauth".to_owned(),
        times: 1_000_000,
        kind: FaultKind::Disconnect,
    });
    server.clock.advance(Duration::from_mins(50));
    let other = signed(&server, |claims| {
        claims["jti"] = json!("2");
        claims["exp"] = json!(claims["iat"].as_i64().unwrap() + 100_000);
    });
    assert_eq!(
        server.send(server.post(Some(&other), &ping())).await.status,
        StatusCode::OK,
        "last good keys"
    );
    server.clock.advance(Duration::from_mins(11));
    let third = signed(&server, |claims| claims["jti"] = json!("3"));
    let answer = server.send(server.post(Some(&third), &ping())).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "but not for ever");
}

#[tokio::test]
async fn rotated_keys_are_found_and_made_up_ones_cost_one_fetch_a_minute() {
    let server = TestServer::start().await;
    assert_eq!(server.send(server.post(Some(&server.token()), &ping())).await.status, StatusCode::OK);
    server.clock.advance(Duration::from_secs(61));
    server.platform.rotate_keys();
    assert_eq!(server.send(server.post(Some(&server.token()), &ping())).await.status, StatusCode::OK);
    let fetches = server.platform.oauth_requests("/api/oauth/certs");
    for kid in ["a", "b", "c", "d"] {
        let token = server.platform.sign(&json!({"typ": "at+jwt", "kid": kid}), &claims(&server)).unwrap();
        assert_eq!(server.send(server.post(Some(&token), &ping())).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(server.platform.oauth_requests("/api/oauth/certs"), fetches, "within the minute");
}

#[tokio::test]
async fn one_fetch_serves_all_who_wait() {
    let server = TestServer::start().await;
    server.clock.advance(Duration::from_secs(61));
    server.platform.rotate_keys();
    let before = server.platform.oauth_requests("/api/oauth/certs");
    let token = server.token();
    let requests = (0..20).map(|_| server.send(server.post(Some(&token), &ping())));
    for answer in futures_util::future::join_all(requests).await {
        assert_eq!(answer.status, StatusCode::OK);
    }
    // The scheduled refresh may fall into the same moment.
    assert!(server.platform.oauth_requests("/api/oauth/certs") - before <= 2);
}

#[tokio::test]
async fn without_sign_in_only_the_platform_is_out_of_reach() {
    let server = TestServer::with(&[("REQUIRE_AUTH", "false")], sequentum_mcp::tools::Catalog::new()).await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    assert_eq!(server.send(server.post(None, &list)).await.status, StatusCode::OK);
    let answer = server.send(server.post(None, &call("list_agents", json!({})))).await;
    assert!(answer.text.contains("authentication_required"), "{}", answer.text);
    let forged = server.send(server.post(Some("forged"), &list)).await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED, "a bad token is refused all the same");
}
