//! The issuers' keys: which are used, and what happens while they cannot be fetched.

use std::time::Duration;

use reqwest::StatusCode;
use sequentum_mcp::demo::{Fault, FaultKind};
use serde_json::{Value, json};

use super::{again, answer, claims, ping, signed};
use crate::support::{TestServer, server::call};

/// Makes the issuer publish this instead of its own keys.
fn publish(server: &TestServer, keys: &Value) {
    server.platform.faults().inject(Fault {
        path_contains: "/api/oauth/certs".to_owned(),
        times: 1000,
        kind: FaultKind::Status { status: 200, headers: vec![], body: json!({"keys": keys}).to_string() },
    });
}

/// A key of some kind: its public half as a JWK, and its signatures.
struct Signer {
    jwk: Value,
    sign: Box<Sign>,
}

/// Algorithm and message to signature.
type Sign = dyn Fn(&str, &[u8]) -> Vec<u8>;

impl Signer {
    fn rsa() -> Self {
        use aws_lc_rs::{rsa, signature::*};
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
        let public = pair.public_key();
        let (n, e) = (public.modulus(), public.exponent());
        let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
        let jwk = json!({"kty": "RSA", "kid": "rsa", "n": encode(n), "e": encode(e)});
        let sign = move |algorithm: &str, message: &[u8]| {
            let padding: &dyn RsaEncoding = match algorithm {
                "RS384" => &RSA_PKCS1_SHA384,
                "RS512" => &RSA_PKCS1_SHA512,
                "PS256" => &RSA_PSS_SHA256,
                "PS384" => &RSA_PSS_SHA384,
                "PS512" => &RSA_PSS_SHA512,
                _ => &RSA_PKCS1_SHA256,
            };
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &aws_lc_rs::rand::SystemRandom::new(), message, &mut signature).unwrap();
            signature
        };
        Self { jwk, sign: Box::new(sign) }
    }

    fn ec(kid: &str, curve: &str, algorithm: &'static aws_lc_rs::signature::EcdsaSigningAlgorithm) -> Self {
        use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair};
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
        let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
        let jwk = json!({"kty": "EC", "kid": kid, "crv": curve, "x": encode(x), "y": encode(y)});
        let sign = move |_: &str, message: &[u8]| {
            pair.sign(&aws_lc_rs::rand::SystemRandom::new(), message).unwrap().as_ref().to_vec()
        };
        Self { jwk, sign: Box::new(sign) }
    }

    fn ed25519() -> Self {
        use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = data_encoding::BASE64URL_NOPAD.encode(pair.public_key().as_ref());
        let jwk = json!({"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": x});
        Self { jwk, sign: Box::new(move |_, message| pair.sign(message).as_ref().to_vec()) }
    }

    fn token(&self, algorithm: &str, claims: &Value) -> String {
        let encode = |value: &Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let header = json!({"alg": algorithm, "typ": "at+jwt", "kid": self.jwk["kid"]});
        let message = format!("{}.{}", encode(&header), encode(claims));
        let signature = (self.sign)(algorithm, message.as_bytes());
        format!("{message}.{}", data_encoding::BASE64URL_NOPAD.encode(&signature))
    }
}

#[tokio::test]
async fn every_asymmetric_algorithm_is_accepted_with_a_key_that_fits() {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING};
    let keys = [
        (Signer::rsa(), ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].as_slice()),
        (Signer::ec("p256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING), ["ES256"].as_slice()),
        (Signer::ec("p384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING), ["ES384"].as_slice()),
        (Signer::ed25519(), ["EdDSA"].as_slice()),
    ];
    let server = TestServer::start().await;
    publish(&server, &keys.iter().map(|(key, _)| key.jwk.clone()).collect());
    let server = again(server, &[]).await;
    for algorithm in
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256", "ES256K"]
    {
        for (key, fitting) in &keys {
            let mut claims = claims(&server);
            claims["jti"] = json!(format!("{algorithm} {}", key.jwk["kid"]));
            let answer = server.send(server.post(Some(&key.token(algorithm, &claims)), &ping())).await;
            if fitting.contains(&algorithm) {
                assert_eq!(answer.status, StatusCode::OK, "{algorithm} {}: {}", key.jwk["kid"], answer.text);
            } else {
                let code = &answer.json()["error"]["data"]["code"];
                assert_eq!(code, "token_algorithm", "{algorithm} {}", key.jwk["kid"]);
            }
        }
    }
}

#[tokio::test]
async fn key_sets_that_are_too_large_are_not_used() {
    let server = TestServer::start().await;
    let key = Signer::ed25519();
    let mut keys = vec![key.jwk.clone(); 100];
    for (number, key) in keys.iter_mut().enumerate().skip(1) {
        key["kid"] = json!(format!("key {number}"));
    }
    publish(&server, &json!(keys));
    let server = again(server, &[]).await;
    let token = key.token("EdDSA", &claims(&server));
    assert_eq!(server.send(server.post(Some(&token), &ping())).await.status, StatusCode::OK);

    keys.push(json!({"kty": "future"}));
    server.platform.faults().clear();
    publish(&server, &json!(keys));
    let server = again(server, &[]).await;
    let token = key.token("EdDSA", &claims(&server));
    let answer = server.send(server.post(Some(&token), &ping())).await;
    assert_eq!(answer.json()["error"]["data"]["code"], "keys_unavailable");

    server.platform.faults().clear();
    publish(&server, &json!([{"kty": "RSA", "filler": "x".repeat(300_000)}, key.jwk]));
    let server = again(server, &[]).await;
    let answer = server.send(server.post(Some(&token), &ping())).await;
    assert_eq!(answer.json()["error"]["data"]["code"], "keys_unavailable");
}

#[tokio::test]
async fn several_issuers_each_with_its_own_keys() {
    let other = TestServer::start().await;
    let server = TestServer::start().await;
    let issuers = format!("{},{}", server.platform.issuer(), other.platform.issuer());
    let server = again(server, &[("SEQUENTUM_OAUTH_ISSUER", &issuers)]).await;
    let by_other = |spoil: &dyn Fn(&mut Value)| {
        let mut claims = claims(&server);
        claims["iss"] = json!(other.platform.issuer());
        spoil(&mut claims);
        other.platform.sign(&json!({"typ": "at+jwt"}), &claims).unwrap()
    };
    let whoami = call("whoami", json!({}));
    for token in [signed(&server, |_| {}), by_other(&|_| {})] {
        let answer = server.send(server.post(Some(&token), &whoami)).await.json();
        assert_eq!(answer["result"]["structuredContent"]["subject"], "user-1");
    }
    // One issuer cannot speak for another, not even under the other's key id.
    let first = server.platform.issuer().to_owned();
    let kid = jsonwebtoken::decode_header(signed(&server, |_| {})).unwrap().kid;
    let mut as_first = claims(&server);
    as_first["jti"] = json!("2");
    let with_kid = other.platform.sign(&json!({"typ": "at+jwt", "kid": kid}), &as_first).unwrap();
    for (token, code) in [
        (by_other(&|claims| claims["iss"] = json!(first)), "token_key_unknown"),
        (with_kid, "token_signature"),
        (by_other(&|claims| claims["iss"] = json!("https://third.example")), "token_issuer"),
    ] {
        let answer = server.send(server.post(Some(&token), &ping())).await;
        assert_eq!(answer.json()["error"]["data"]["code"], code);
    }
    // The same subject of two issuers is two callers: a session of one is unknown to the other.
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let opened = server.send(server.post(Some(&signed(&server, |_| {})), &hello)).await;
    let session = opened.header("mcp-session-id").to_owned();
    let within = |token: String| server.post(Some(&token), &ping()).header("mcp-session-id", &session);
    assert_eq!(server.send(within(signed(&server, |_| {}))).await.status, StatusCode::OK);
    assert_eq!(server.send(within(by_other(&|_| {}))).await.status, StatusCode::NOT_FOUND);

    let document = server.get("/.well-known/oauth-protected-resource/mcp").await.json();
    assert_eq!(document["authorization_servers"], json!([server.platform.issuer(), other.platform.issuer()]));
    let redirect = server.get("/.well-known/oauth-authorization-server").await;
    assert!(redirect.header("location").starts_with(server.platform.issuer()));
}

#[tokio::test]
async fn an_issuer_that_is_down_does_not_take_the_users_of_another_with_it() {
    let server = TestServer::start().await;
    let issuers = format!("http://127.0.0.1:1,{}", server.platform.issuer());
    let server = again(server, &[("SEQUENTUM_OAUTH_ISSUER", &issuers)]).await;
    let token = signed(&server, |_| {});
    assert_eq!(server.send(server.post(Some(&token), &ping())).await.status, StatusCode::OK);
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
    let token = signed(&server, |claims| claims["iss"] = json!("http://127.0.0.1:1"));
    assert_eq!(
        server.send(server.post(Some(&token), &ping())).await.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "nobody can tell whether it is good"
    );
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
async fn rotated_keys_are_found_and_made_up_ones_cost_one_fetch_in_ten_seconds() {
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
    assert_eq!(server.platform.oauth_requests("/api/oauth/certs"), fetches, "within the ten seconds");
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
