//! The authorization server over HTTP, walked through as a client and a person would.

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use url::{Url, form_urlencoded};

use crate::demo::{
    Options, Platform,
    testing::{Browser, Fixture, location, query},
};

const CALLBACK: &str = "http://127.0.0.1:43117/callback";
/// The example of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const RESOURCE: &str = "https://mcp.example.com/mcp";

async fn client(fixture: &Fixture) -> String {
    let metadata = json!({
        "client_name": "Test <script>", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_post",
    });
    let (status, client) = fixture.register(&metadata).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(client["token_endpoint_auth_method"], "none");
    client["client_id"].as_str().unwrap().to_owned()
}

fn request(client: &str, changes: &[(&str, Option<&str>)]) -> String {
    let mut params = vec![
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("state", "st&te"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", RESOURCE),
        ("scope", "agents:read runs:read offline_access"),
    ];
    for (name, value) in changes {
        params.retain(|(key, _)| key != name);
        params.extend(value.map(|value| (*name, value)));
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("/api/oauth/authorize?{query}")
}

async fn code(fixture: &Fixture, client: &str, changes: &[(&str, Option<&str>)]) -> String {
    let [alice, _] = Platform::logins();
    let back = Browser::new(fixture).authorize(&request(client, changes), &alice, "allow").await;
    query(&back, "code").unwrap()
}

fn redemption<'a>(client: &'a str, code: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

async fn refresh(fixture: &Fixture, client: &str, token: &Value) -> (StatusCode, Value) {
    let token = token.as_str().unwrap();
    fixture.form(&[("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)]).await
}

async fn api(fixture: &Fixture, tokens: &Value) -> StatusCode {
    let request = fixture.request(Method::GET, "/api/v1/agent/7301");
    let request = request.bearer_auth(tokens["access_token"].as_str().unwrap());
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn the_whole_way_from_registration_to_the_api() {
    let fixture = Fixture::start().await;
    let [alice, _] = Platform::logins();
    let client = client(&fixture).await;
    let back = Browser::new(&fixture).authorize(&request(&client, &[]), &alice, "allow").await;
    assert!(back.as_str().starts_with(CALLBACK));
    assert_eq!(query(&back, "state").as_deref(), Some("st&te"));
    assert_eq!(query(&back, "iss").as_deref(), Some(fixture.platform.issuer()));
    let code = query(&back, "code").unwrap();
    let (status, tokens) = fixture.form(&redemption(&client, &code)).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(tokens["scope"], "agents:read runs:read offline_access");
    assert!(tokens["refresh_token"].is_string());
    assert_eq!(api(&fixture, &tokens).await, StatusCode::OK);

    // As a stranger would verify it.
    let keys = fixture.request(Method::GET, "/api/oauth/certs").send().await.unwrap();
    assert_eq!(keys.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let keys: JwkSet = keys.json().await.unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    let head = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(head.typ.as_deref(), Some("at+jwt"));
    let key = keys.find(&head.kid.unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&[RESOURCE]);
    validation.set_issuer(&[fixture.platform.issuer()]);
    // The fixture's clock is not the library's.
    validation.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims;
    assert_eq!((&claims["sub"], &claims["organization_id"]), (&json!("15"), &json!(3)));
    assert_eq!((&claims["client_id"], &claims["exp"]), (&json!(client), &json!(1_780_003_600)));
}

#[tokio::test]
async fn pages_escape_and_are_locked_down() {
    let fixture = Fixture::start().await;
    let [alice, bob] = Platform::logins();
    let client = client(&fixture).await;
    let mut browser = Browser::new(&fixture);
    let start = browser.get(&request(&client, &[])).await;
    let response = browser.get(&location(&start)).await;
    for (name, value) in
        [("x-frame-options", "DENY"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store")]
    {
        assert_eq!(response.headers()[name], value);
    }
    assert!(
        response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
    );
    let page = response.text().await.unwrap();
    assert!(page.contains("Test &lt;script&gt;") && !page.contains("<script"));
    for login in [alice, bob] {
        assert!(page.contains(login.username) && page.contains(login.password));
    }
    let wrong = browser.submit(&page, &[("username", alice.username), ("password", "x")]).await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(wrong.text().await.unwrap().contains("do not match"));
    let forged = browser
        .submit(&page, &[("csrf", "x"), ("username", alice.username), ("password", alice.password)])
        .await;
    assert_eq!(forged.status(), StatusCode::BAD_REQUEST);
    let stolen = Browser::new(&fixture).get(&location(&start)).await;
    assert_eq!(stolen.status(), StatusCode::BAD_REQUEST);

    let right = [("username", alice.username), ("password", alice.password)];
    let signed_in = browser.submit(&page, &right).await;
    let consent = browser.get(&location(&signed_in)).await.text().await.unwrap();
    for shown in ["Alice Moreau", "an application on this computer", CALLBACK, RESOURCE, "See your agents"] {
        assert!(consent.contains(shown), "{shown}");
    }
    assert!(!consent.contains("<script"));
    let denied = browser.submit(&consent, &[("decision", "deny")]).await;
    let denied: Url = location(&denied).parse().unwrap();
    assert_eq!(query(&denied, "error").as_deref(), Some("access_denied"));
    let twice = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(twice.status(), StatusCode::BAD_REQUEST);
    // Signed in by now: straight to consent.
    let next = browser.get(&request(&client, &[])).await;
    assert!(location(&next).starts_with("/oauth/consent?"));
}

#[tokio::test]
async fn authorization_requests_that_are_refused() {
    let fixture = Fixture::start().await;
    let client = client(&fixture).await;
    let mut browser = Browser::new(&fixture);
    for changes in [
        [("client_id", Some("nobody"))],
        [("client_id", None)],
        [("client_id", Some("http://10.0.0.1/client.json"))],
        [("client_id", Some("https://169.254.169.254/client.json"))],
        [("redirect_uri", Some("http://127.0.0.1:43118/callback"))],
        [("redirect_uri", Some("http://127.0.0.1:43117/callback/"))],
        [("redirect_uri", None)],
    ] {
        let response = browser.get(&request(&client, &changes)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{changes:?}");
        assert!(response.json::<Value>().await.unwrap()["error"].is_string());
    }
    for (change, error) in [
        (("response_type", Some("token")), "unsupported_response_type"),
        (("response_type", None), "invalid_request"),
        (("code_challenge", None), "invalid_request"),
        (("code_challenge", Some("short")), "invalid_request"),
        (("code_challenge_method", Some("plain")), "invalid_request"),
        (("code_challenge_method", None), "invalid_request"),
        (("scope", Some("agents:read admin")), "invalid_scope"),
        (("scope", Some("Agents:Read")), "invalid_scope"),
        (("resource", Some("/mcp")), "invalid_target"),
        (("resource", Some("https://mcp.example.com/#x")), "invalid_target"),
    ] {
        let response = browser.get(&request(&client, &[change])).await;
        assert_eq!(response.status(), StatusCode::FOUND, "{change:?}");
        let back: Url = location(&response).parse().unwrap();
        assert_eq!(query(&back, "error").as_deref(), Some(error), "{change:?}");
        assert_eq!(query(&back, "state").as_deref(), Some("st&te"));
        assert_eq!(query(&back, "iss").as_deref(), Some(fixture.platform.issuer()));
    }
    let twice = browser.get(&format!("{}&scope=runs:read", request(&client, &[]))).await;
    assert!(location(&twice).contains("error=invalid_request"));
}

#[tokio::test]
async fn defaults_of_scope_and_audience() {
    let fixture = Fixture::start().await;
    let client = client(&fixture).await;
    let code = code(&fixture, &client, &[("scope", None), ("resource", None)]).await;
    let (_, tokens) = fixture.form(&redemption(&client, &code)).await;
    assert_eq!(tokens["scope"], crate::demo::testing::ALL_SCOPES);
    assert_eq!(tokens.get("refresh_token"), None);
    assert_eq!(audience(&tokens), "Sequentum Enterprise");
    let with_query = format!("{RESOURCE}?x=1");
    let code = self::code(&fixture, &client, &[("resource", Some(&with_query))]).await;
    let (_, tokens) = fixture.form(&redemption(&client, &code)).await;
    assert_eq!(audience(&tokens), RESOURCE);
}

fn audience(tokens: &Value) -> String {
    let payload = tokens["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims = data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["aud"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_is_bound_short_lived_and_good_once() {
    let fixture = Fixture::start().await;
    let client = client(&fixture).await;
    let other = self::client(&fixture).await;
    let refused = async |fields: &[(&str, &str)]| {
        let (status, body) = fixture.form(fields).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        body["error"].as_str().unwrap().to_owned()
    };
    for (name, value) in [
        ("code_verifier", "x"),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"),
        ("redirect_uri", "http://127.0.0.1:43117/other"),
        ("client_id", &other),
    ] {
        let code = code(&fixture, &client, &[]).await;
        let mut fields = redemption(&client, &code);
        fields.retain(|(key, _)| *key != name);
        fields.push((name, value));
        assert_eq!(refused(&fields).await, "invalid_grant", "{name}");
    }
    let late = code(&fixture, &client, &[]).await;
    fixture.clock.advance(Duration::from_mins(1));
    assert_eq!(refused(&redemption(&client, &late)).await, "invalid_grant");

    let code = code(&fixture, &client, &[]).await;
    let (_, tokens) = fixture.form(&redemption(&client, &code)).await;
    assert_eq!(api(&fixture, &tokens).await, StatusCode::OK);
    assert_eq!(refused(&redemption(&client, &code)).await, "invalid_grant");
    assert_eq!(api(&fixture, &tokens).await, StatusCode::UNAUTHORIZED);
    let (_, body) = refresh(&fixture, &client, &tokens["refresh_token"]).await;
    assert_eq!(body["error"], "invalid_grant");

    assert_eq!(refused(&[("grant_type", "password"), ("client_id", "x")]).await, "unsupported_grant_type");
    assert_eq!(refused(&[("grant_type", "refresh_token"), ("refresh_token", "x")]).await, "invalid_request");
    assert_eq!(refused(&[("client_id", "x")]).await, "invalid_request");
}

#[tokio::test]
async fn refresh_tokens_rotate_and_a_replay_ends_the_grant() {
    let fixture = Fixture::start().await;
    let client = client(&fixture).await;
    let code = code(&fixture, &client, &[]).await;
    let (_, first) = fixture.form(&redemption(&client, &code)).await;
    let (status, second) = refresh(&fixture, &client, &first["refresh_token"]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(second["scope"], first["scope"]);
    assert_eq!(audience(&second), RESOURCE);
    // Somebody else's and unknown ones look alike, and do no harm.
    let foreign = refresh(&fixture, "mcp-other", &second["refresh_token"]).await;
    assert_eq!(foreign, refresh(&fixture, &client, &json!("grant-x.0.y")).await);
    assert_eq!(foreign.1["error"], "invalid_grant");
    let (status, third) = refresh(&fixture, &client, &second["refresh_token"]).await;
    assert_eq!(status, StatusCode::OK);
    let replay = refresh(&fixture, &client, &first["refresh_token"]).await;
    assert_eq!((replay.0, &replay.1["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    assert_ne!(replay.1["error_description"], foreign.1["error_description"]);
    assert_eq!(refresh(&fixture, &client, &third["refresh_token"]).await, foreign);
    assert_eq!(api(&fixture, &third).await, StatusCode::UNAUTHORIZED);
}

async fn as_resource_server(fixture: &Fixture, path: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
    let [id, secret] = Platform::resource_server();
    let request = fixture.request(Method::POST, path).basic_auth(id, Some(secret)).form(fields);
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn opaque_tokens_are_for_the_resource_server_to_look_up() {
    let fixture = Fixture::with(Options { opaque_tokens: true, ..Options::default() }).await;
    let client = client(&fixture).await;
    let code = code(&fixture, &client, &[]).await;
    let (_, tokens) = fixture.form(&redemption(&client, &code)).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert!(!token.contains('.'), "{token}");
    assert_eq!(api(&fixture, &tokens).await, StatusCode::OK);
    let look_up = async |token: &str| {
        as_resource_server(&fixture, "/api/oauth/introspect", &[("token", token)]).await.1
    };
    let answer = look_up(token).await;
    assert_eq!(
        (&answer["active"], &answer["sub"], &answer["aud"]),
        (&json!(true), &json!("15"), &json!(RESOURCE))
    );
    assert_eq!((&answer["client_id"], &answer["scope"]), (&json!(client), &tokens["scope"]));
    let stranger = fixture.request(Method::POST, "/api/oauth/introspect").form(&[("token", token)]);
    assert_eq!(stranger.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    for other in ["made-up", refresh] {
        assert_eq!(look_up(other).await, json!({"active": false}));
    }
    fixture.later(3600);
    assert_eq!(look_up(token).await, json!({"active": false}));
}

#[tokio::test]
async fn exchanges_that_are_refused() {
    let fixture = Fixture::start().await;
    let [alice, _] = Platform::logins();
    let token = fixture.token(&alice, "agents:read");
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let good = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", token.as_str()),
        ("subject_token_type", kind),
        ("resource", fixture.platform.issuer()),
    ];
    let (status, tokens) = as_resource_server(&fixture, "/api/oauth/token", &good).await;
    assert_eq!((status, &tokens["issued_token_type"]), (StatusCode::OK, &json!(kind)));
    assert_eq!(tokens["scope"], "agents:read");
    assert_eq!(api(&fixture, &tokens).await, StatusCode::OK);
    for (change, error) in [
        (("subject_token", "made-up"), "invalid_request"),
        (("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"), "invalid_request"),
        (("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"), "invalid_request"),
        (("resource", "https://other.example"), "invalid_target"),
        (("scope", "agents:read agents:write"), "invalid_scope"),
    ] {
        let mut fields = good.to_vec();
        fields.retain(|(name, _)| *name != change.0);
        fields.push(change);
        let (status, body) = as_resource_server(&fixture, "/api/oauth/token", &fields).await;
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!(error)), "{change:?}");
    }
    let (status, body) = fixture.form(&good).await;
    assert_eq!((status, &body["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
}

#[tokio::test]
async fn a_grant_ends_ninety_days_after_consent() {
    let fixture = Fixture::start().await;
    let client = client(&fixture).await;
    let code = code(&fixture, &client, &[]).await;
    let (_, mut tokens) = fixture.form(&redemption(&client, &code)).await;
    for _ in 0..2 {
        fixture.clock.advance(Duration::from_hours(24 * 44));
        let (status, next) = refresh(&fixture, &client, &tokens["refresh_token"]).await;
        assert_eq!(status, StatusCode::OK);
        tokens = next;
    }
    fixture.clock.advance(Duration::from_hours(24 * 2));
    assert_eq!(refresh(&fixture, &client, &tokens["refresh_token"]).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn registrations_that_are_refused() {
    let fixture = Fixture::start().await;
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["http://example.com/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://a.example/#x"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": "https://a.example/" }), "invalid_client_metadata"),
        (json!({ "redirect_uris": [CALLBACK], "grant_types": ["implicit"] }), "invalid_client_metadata"),
        (json!({ "redirect_uris": [CALLBACK], "response_types": ["token"] }), "invalid_client_metadata"),
        (json!([]), "invalid_client_metadata"),
    ] {
        let (status, body) = fixture.register(&metadata).await;
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!(error)), "{metadata}");
    }
    let mut last = StatusCode::CREATED;
    for _ in 0..100 {
        last = fixture.register(&json!({ "redirect_uris": [CALLBACK] })).await.0;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    fixture.clock.advance(Duration::from_hours(1));
    client(&fixture).await;
}

/// Serves one document at every path, for a client on this machine.
async fn document(make: impl Fn(&str) -> (&'static str, String) + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let id = format!("http://{}/client.json", listener.local_addr().unwrap());
    let own = id.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 2048];
            let _ = stream.read(&mut request).await;
            let (status, body) = make(&own);
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
            let _ = stream.write_all(format!("{head}location: /other\r\n\r\n{body}").as_bytes()).await;
        }
    });
    id
}

#[tokio::test]
async fn a_client_may_be_the_address_of_its_metadata() {
    let fixture = Fixture::start().await;
    let good = document(|id| {
        (
            "200 OK",
            json!({ "client_id": id, "client_name": "Local", "redirect_uris": [CALLBACK] }).to_string(),
        )
    })
    .await;
    let code = code(&fixture, &good, &[]).await;
    let (status, tokens) = fixture.form(&redemption(&good, &code)).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");

    let other = document(|_| {
        ("200 OK", json!({ "client_id": "https://a.example/c", "redirect_uris": [CALLBACK] }).to_string())
    });
    let redirect = document(|_| ("302 Found", String::new()));
    let large = document(|_| ("200 OK", " ".repeat(65 * 1024)));
    let text = document(|_| ("200 OK", "hello".to_owned()));
    for (id, reason) in [
        (other.await, "its client_id is not its own address"),
        (redirect.await, "it was answered with status 302"),
        (large.await, "it is larger than 64 KiB"),
        (text.await, "it is not a JSON object"),
    ] {
        let response = Browser::new(&fixture).get(&request(&id, &[])).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"], "invalid_client");
        assert!(body["error_description"].as_str().unwrap().contains(reason), "{body}");
    }
}

#[tokio::test]
async fn discovery_is_open_to_browsers() {
    let fixture = Fixture::start().await;
    let path = "/.well-known/oauth-authorization-server";
    let metadata: Value = fixture.request(Method::GET, path).send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["issuer"], fixture.platform.issuer());
    assert_eq!(metadata["scopes_supported"].as_array().unwrap().len(), 7);
    let preflight = fixture.request(Method::OPTIONS, "/api/oauth/token").send().await.unwrap();
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    assert_eq!(preflight.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let openid = fixture.request(Method::GET, "/.well-known/openid-configuration").send().await.unwrap();
    assert_eq!(openid.status(), StatusCode::NOT_FOUND);
    let resource = fixture.request(Method::GET, "/api/oauth/resource-metadata").send().await.unwrap();
    assert_eq!(resource.json::<Value>().await.unwrap()["scopes_supported"].as_array().unwrap().len(), 6);
    assert_eq!(fixture.platform.oauth_requests("/token"), 1);
}
