//! The fixed fake platform: one agent record, and an issuer with one signing key.
//!
//! It answers at once and always the same, so that whatever differs between two measurements lies in the server in
//! front of it. It runs as a process of its own, so that its CPU time is nobody else's.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use axum::{
    Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::IntoResponse,
    routing::{MethodRouter, get},
};
use bytes::Bytes;
use data_encoding::{BASE64_MIME, BASE64URL_NOPAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sequentum_mcp::clock::Clock;
use serde_json::{Value, json};

use crate::process::{Outcome, Ready, announce, because, listen, serve};

/// The agent that every call asks for.
pub(crate) const AGENT: u32 = 7301;
/// Its name: an answer without it is not the record.
pub(crate) const AGENT_NAME: &str = "Shoe catalogue";

const SCOPES: [&str; 6] =
    ["agents:read", "agents:write", "runs:read", "spaces:read", "spaces:write", "billing:read"];
const KEY_ID: &str = "bench-1";
const TOKEN_LIFE_SECONDS: i64 = 3600;

/// Serves until the process is ended. `port` 0 takes any free one; `audience` is the MCP endpoint the token is for.
pub(crate) async fn run(port: u16, audience: &str) -> Outcome<()> {
    let listener = listen(port).await?;
    let address = listener.local_addr().map_err(because("no address"))?;
    let issuer = format!("http://{address}");
    let key = KeyPair::generate(KeySize::Rsa2048).map_err(because("no RSA key"))?;
    let token = token(&key, &issuer, audience)?;

    let app = Router::new()
        .route("/api/v1/agent/{id}", fixed(&agent()))
        .route("/.well-known/oauth-authorization-server", fixed(&metadata(&issuer)))
        .route("/api/oauth/certs", fixed(&certs(&key)))
        .route("/api/oauth/resource-metadata", fixed(&json!({ "scopes_supported": SCOPES })));
    announce(&Ready { port: address.port(), token: Some(token) })?;
    serve(listener, app).await
}

/// A route that answers with `body`, written once here.
fn fixed(body: &Value) -> MethodRouter {
    get(answer).with_state(Bytes::from(body.to_string()))
}

async fn answer(State(body): State<Bytes>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], body)
}

/// A record of about 1.8 kB, the size of a real one with some documentation.
fn agent() -> Value {
    json!({
        "id": AGENT,
        "name": AGENT_NAME,
        "description": "Daily shoe prices of three shops, with sizes, stock and discounts",
        "documentation": "Opens the start page, walks through every category and every page of its list, and reads one \
            record per product: brand, model, colour, sizes, price, former price, currency, stock, rating, \
             number of reviews, image and address. Products that were seen before are compared by address; \
             only changes of price or stock are exported.\n\nParameters\n\nstartPage: where to begin, a \
            category or the whole catalogue.\nmaxPages: pages read per category, 0 for all of \
            them.\ncurrency: three letters, as the shop writes them.\nincludeSoldOut: whether products \
            without stock are exported.\n\nNotes\n\nThe shop shows prices without tax to visitors from \
            abroad, so keep the proxy pool in the country of the shop. Between 02:00 and 03:00 UTC its \
            lists are rebuilt and come back empty; a run in that hour ends with a warning, not with an \
            error. Ask the data team before changing the export format: two reports read it by column. \
            History: version 4 added the rating, version 5 the former price, version 6 leaves out gift \
            cards, which have no brand and were counted as shoes without one. Owner: pricing; deputy: \
            catalogue.",
        "icon": null,
        "image": null,
        "inputParameters": {
            "startPage": "https://shop.example.net/shoes",
            "maxPages": "0",
            "currency": "EUR",
            "includeSoldOut": "false",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "exportName": "shoes_{date}.csv",
        },
        "configType": 1,
        "proxyPoolId": 12,
        "spaceId": 42,
        "startUrl": "https://shop.example.net/shoes",
        "status": 10,
        "userId": 15,
        "validationStatus": 3,
        "version": 6,
        "isActive": false,
        "lastActivity": "2026-06-11T08:15:30.482913Z",
        "created": "2026-01-09T12:00:00.1Z",
        "updated": "2026-06-01T09:30:00.25Z",
        "agentTemplates": null,
    })
}

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/api/oauth/authorize"),
        "token_endpoint": format!("{issuer}/api/oauth/token"),
        "registration_endpoint": format!("{issuer}/api/oauth/register"),
        "jwks_uri": format!("{issuer}/api/oauth/certs"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    })
}

fn certs(key: &KeyPair) -> Value {
    let public = key.public_key();
    json!({ "keys": [{
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": KEY_ID,
        "n": BASE64URL_NOPAD.encode(public.modulus().big_endian_without_leading_zero()),
        "e": BASE64URL_NOPAD.encode(public.exponent().big_endian_without_leading_zero()),
    }] })
}

fn token(key: &KeyPair, issuer: &str, audience: &str) -> Outcome<String> {
    let now = Clock::system().unix_seconds();
    let header =
        Header { typ: Some("at+jwt".into()), kid: Some(KEY_ID.into()), ..Header::new(Algorithm::RS256) };
    let claims = json!({
        "iss": issuer,
        "aud": audience,
        "sub": "bench",
        "client_id": "bench",
        "scope": SCOPES.join(" "),
        "iat": now,
        "exp": now + TOKEN_LIFE_SECONDS,
        "jti": "bench-token-1",
    });
    // Through PEM, because the signer wants PKCS#1, the generator gives PKCS#8, and the PEM reader unwraps it.
    let der: Pkcs8V1Der<'_> = key.as_der().map_err(because("no PKCS#8"))?;
    let text = BASE64_MIME.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\r\n{text}-----END PRIVATE KEY-----\r\n");
    let signer = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(because("no signing key"))?;
    jsonwebtoken::encode(&header, &claims, &signer).map_err(because("no token"))
}
