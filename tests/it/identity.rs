//! Every way of not being let in, with the full answer pinned.

mod keys;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{ALL_SCOPES, TestServer, server::call};
use sequentum_mcp::demo::{Fault, FaultKind};

pub(crate) fn ping() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})
}

async fn answer(server: &TestServer, token: Option<&str>) -> String {
    server.send(server.post(token, &ping())).await.pinned(server)
}

/// Claims as the issuer writes them, for a test to spoil.
pub(crate) fn claims(server: &TestServer) -> Value {
    let now = server.clock.unix_seconds();
    json!({
        "iss": server.platform.issuer(), "sub": "user-1", "aud": server.endpoint(), "client_id": "test",
        "iat": now, "exp": now + 3600, "jti": "1", "scope": ALL_SCOPES,
    })
}

pub(crate) fn signed(server: &TestServer, spoil: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims(server);
    spoil(&mut claims);
    server.platform.sign(&json!({"typ": "at+jwt"}), &claims).unwrap()
}

/// A further server in front of the same platform.
pub(crate) async fn again(server: TestServer, settings: &[(&str, &str)]) -> TestServer {
    let (platform, clock) = (server.platform.clone(), server.clock.clone());
    server.stop().await;
    TestServer::before(platform, clock, settings, sequentum_mcp::tools::Catalog::new()).await
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
async fn the_published_scopes_are_the_platforms_own() {
    let server = TestServer::start().await;
    let list = |body: Value| {
        server.platform.faults().clear();
        server.platform.faults().inject(Fault {
            path_contains: "/api/oauth/resource-metadata".to_owned(),
            times: 1000,
            kind: FaultKind::Status { status: 200, headers: vec![], body: body.to_string() },
        });
    };
    let published = async || {
        server.get("/.well-known/oauth-protected-resource/mcp").await.json()["scopes_supported"].take()
    };
    let known: Value = ALL_SCOPES.split(' ').collect();
    assert_eq!(published().await, known);
    list(json!({"scopes_supported": ["agents:read", "new:scope", "offline_access"]}));
    let new = json!(["agents:read", "new:scope"]);
    while published().await != new {
        server.clock.advance(Duration::from_mins(10));
    }
    let origin = server.get("/.well-known/oauth-protected-resource").await.json();
    assert_eq!(origin["scopes_supported"], new);
    for bad in [json!({"scopes_supported": []}), json!({"scopes_supported": ["a b"]}), json!({}), json!("x")]
    {
        list(bad);
        // The second fetch begins when the answer to the first has been dealt with.
        let before = server.platform.oauth_requests("/api/oauth/resource-metadata");
        while server.platform.oauth_requests("/api/oauth/resource-metadata") < before + 2 {
            server.clock.advance(Duration::from_mins(10));
            tokio::task::yield_now().await;
        }
        assert_eq!(published().await, new, "the last good list");
    }
}

#[tokio::test]
async fn a_scope_that_is_held_and_wanted_all_the_same_is_named() {
    let server = TestServer::start().await;
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/agent".to_owned(),
        times: 1,
        kind: FaultKind::Status {
            status: 403,
            headers: vec![(
                "www-authenticate".to_owned(),
                "Bearer error=\"insufficient_scope\", scope=\"agents:read\"".to_owned(),
            )],
            body: "{}".to_owned(),
        },
    });
    let token = server.token_for(&TestServer::alice(), "agents:read");
    let answer = server.send(server.post(Some(&token), &call("list_agents", json!({})))).await;
    insta::assert_snapshot!(answer.pinned(&server), @r#"
    403
    www-authenticate: Bearer error="insufficient_scope", error_description="the platform asks for the scope agents:read although the access token holds it; sign in again", scope="agents:read", resource_metadata="<origin>/.well-known/oauth-protected-resource/mcp"
    {"code":"insufficient_scope","message":"the platform asks for the scope agents:read although the access token holds it; sign in again","remedy":"Sign in again and approve the scopes in the challenge.","retryable":false,"requestId":"<request-id>","error":"insufficient_scope","error_description":"the platform asks for the scope agents:read although the access token holds it; sign in again","scope":"agents:read"}
    "#);
}

/// Hostile credentials of every kind the server can be made to accept: 400 or 401, and the server lives on.
#[test]
fn no_hostile_credential_is_let_in() {
    use proptest::{
        prelude::*,
        test_runner::{Config, TestRunner},
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(async {
        let first = TestServer::start().await;
        let introspection = format!("{}/api/oauth/introspect", first.platform.issuer());
        let [id, secret] = sequentum_mcp::demo::Platform::resource_server();
        let settings = [
            ("ALLOW_API_KEYS", "true"),
            ("OAUTH_INTROSPECTION_URL", introspection.as_str()),
            ("OAUTH_CLIENT_ID", id),
            ("OAUTH_CLIENT_SECRET", secret),
        ];
        again(first, &settings).await
    });
    let good = signed(&server, |_| {});
    let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let issuer = server.platform.issuer().to_owned();

    let scheme =
        prop::sample::select(vec!["Bearer", "bearer", "ApiKey", "Basic", "DPoP", "", "Bearer Bearer"]);
    let text =
        (scheme, "(sk-)?[ -~]{0,80}").prop_map(|(scheme, text)| format!("{scheme} {text}").into_bytes());
    let bytes = prop::collection::vec(any::<u8>(), 0..120);
    let changed = (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8).prop_map({
        let good = good.clone();
        move |(at, byte, how)| {
            let mut token = good.clone().into_bytes();
            let at = at.index(token.len());
            match how {
                0 => token[at] = byte,
                1 => token.insert(at, byte),
                2 => drop(token.remove(at)),
                _ => token.truncate(at),
            }
            [b"Bearer ".as_slice(), &token].concat()
        }
    });
    let value = prop_oneof![
        Just(json!(null)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        "[ -~]{0,10}".prop_map(|text| json!(text)),
        Just(json!(["x", 1])),
        Just(json!({"a": [{}]})),
    ];
    let algorithm = prop::sample::select(vec!["RS256", "none", "HS256", "ES256", "PS512", "EdDSA", "x"]);
    let name =
        prop::sample::select(vec!["iss", "sub", "aud", "exp", "nbf", "scope", "cnf", "kid", "typ", "crit"]);
    let made = (algorithm, name, value, prop::collection::vec(any::<u8>(), 0..300)).prop_map({
        let claims = claims(&server);
        move |(algorithm, name, value, signature)| {
            let (mut header, mut claims) =
                (json!({"alg": algorithm, "kid": "k", "iss": issuer}), claims.clone());
            header[name] = value.clone();
            claims[name] = value;
            let signature = data_encoding::BASE64URL_NOPAD.encode(&signature);
            let token =
                format!("{}.{}.{signature}", encode(&header.to_string()), encode(&claims.to_string()));
            format!("Bearer {token}").into_bytes()
        }
    });

    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let strategy = prop_oneof![text, bytes, changed, made];
    let tried = std::cell::Cell::new(0);
    let outcome = TestRunner::new(config).run(&strategy, |bytes| {
        // What HTTP itself does not carry never arrives.
        let Ok(value) = reqwest::header::HeaderValue::from_bytes(&bytes) else { return Ok(()) };
        let token = value.to_str().ok().and_then(|text| text.trim().split_once(' '));
        prop_assume!(token.is_none_or(|(_, token)| token.trim() != good));
        let request = server.post(None, &ping()).header("authorization", value);
        let answer = runtime.block_on(server.send(request));
        prop_assert!(matches!(answer.status.as_u16(), 400 | 401), "{}: {}", answer.status, answer.text);
        tried.set(tried.get() + 1);
        Ok(())
    });
    outcome.unwrap();
    assert!(tried.get() > 200, "{}", tried.get());
    assert_eq!(runtime.block_on(server.send(server.post(Some(&good), &ping()))).status, StatusCode::OK);
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
async fn without_sign_in_only_the_platform_is_out_of_reach() {
    let server = TestServer::with(&[("REQUIRE_AUTH", "false")], sequentum_mcp::tools::Catalog::new()).await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    assert_eq!(server.send(server.post(None, &list)).await.status, StatusCode::OK);
    let answer = server.send(server.post(None, &call("list_agents", json!({})))).await;
    assert!(answer.text.contains("authentication_required"), "{}", answer.text);
    let forged = server.send(server.post(Some("forged"), &list)).await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED, "a bad token is refused all the same");
}
