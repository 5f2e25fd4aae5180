//! `doctor` against healthy and broken installations: the real command, the simulated platform, faults.

use reqwest::StatusCode;
use sequentum_mcp::demo::{Fault, FaultKind, Platform};
use serde_json::{Value, json};
use tokio::{net::TcpListener, process::Command};

use crate::support::{TestServer, server::start_platform};

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// What was found, and the exit code.
struct Report {
    code: Option<i32>,
    document: Value,
    text: String,
}

impl Report {
    /// The check of this name that went worst, as `status: finding`.
    fn of(&self, name: &str) -> String {
        let checks = self.document["checks"].as_array().unwrap().iter();
        let checks = checks.filter(|check| check["name"] == name);
        let rank = |check: &&Value| ["ok", "warning", "failed"].iter().position(|s| check["status"] == *s);
        let worst = checks.max_by_key(rank).unwrap_or_else(|| panic!("no check {name}: {}", self.text));
        assert!(worst["status"] == "ok" || worst["remedy"].is_string(), "{worst}");
        format!("{}: {}", worst["status"].as_str().unwrap(), worst["finding"].as_str().unwrap())
    }

    fn failed(&self) -> Vec<&str> {
        let checks = self.document["checks"].as_array().unwrap().iter();
        let failed = checks.filter(|check| check["status"] == "failed");
        failed.map(|check| check["name"].as_str().unwrap()).collect()
    }
}

async fn doctor(arguments: &[&str], environment: &[(&str, &str)]) -> Report {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"));
    command.args(["doctor", "--json"]).args(arguments).envs(environment.iter().copied());
    let output = command.output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    let report = Report { code: output.status.code(), document, text };
    let healthy = report.failed().is_empty();
    assert_eq!(report.document["healthy"], healthy);
    assert_eq!(report.code, Some(i32::from(!healthy)), "{}", report.text);
    report
}

/// A port on which nothing listens.
async fn free_port() -> String {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port().to_string()
}

/// Looks at a platform with no server in front of it.
async fn of_platform(platform: &Platform) -> Report {
    let port = free_port().await;
    doctor(&["--port", &port, "--sequentum-api-url", platform.url().as_str()], &[]).await
}

fn answer_with(platform: &Platform, path: &str, headers: &[(&str, &str)], body: &Value) {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let kind = FaultKind::Status { status: 200, headers, body: body.to_string() };
    platform.faults().inject(Fault { path_contains: format!("GET {path}"), times: 1, kind });
}

/// What the issuer publishes.
async fn metadata(platform: &Platform) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = platform.url().join(METADATA).unwrap();
    client.get(url).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_healthy_installation_has_nothing_to_look_at() {
    let server = TestServer::start().await;
    while server.get("/readyz").await.status != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    let (port, token) = (server.address.port().to_string(), server.token());
    let arguments =
        ["--port", &port, "--sequentum-api-url", server.platform.url().as_str(), "--token-env", "T"];
    let key = TestServer::alice().api_key;
    let report = doctor(&arguments, &[("T", &token), ("SEQUENTUM_API_KEY", key)]).await;
    for check in report.document["checks"].as_array().unwrap() {
        assert_eq!(check["status"], "ok", "{check}");
    }
    assert_eq!(report.document["checks"].as_array().unwrap().len(), 17);
    assert!(!report.text.contains(&token) && !report.text.contains(key));
    // For people the same, line by line.
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"));
    let output = command.arg("doctor").args(arguments).env("T", &token).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("\n16 ok, 0 warnings, 0 failed\n") && !text.contains(&token), "{text}");
}

#[tokio::test]
async fn every_problem_of_the_configuration_is_a_finding() {
    let report = doctor(&["--port", "many"], &[("HOST", "0.0.0.0"), ("SESSION_KEY", "short")]).await;
    assert_eq!(report.failed(), ["configuration"; 3], "{}", report.text);
    assert!(!report.text.contains("short"));
    let (platform, _) = start_platform().await;
    let environment = [("HOST", "0.0.0.0"), ("PUBLIC_URL", "http://127.0.0.1:9")];
    let report = doctor(&["--sequentum-api-url", platform.url().as_str()], &environment).await;
    assert!(report.of("configuration").starts_with("warning: SESSION_KEY is not set"), "{}", report.text);
    assert_eq!(report.failed(), ["server"], "what is published cannot be reached: {}", report.text);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_called_so() {
    let (platform, _) = start_platform().await;
    let mut document = metadata(&platform).await;
    document["padding"] = json!("x".repeat(256 * 1024));
    answer_with(&platform, METADATA, &[], &document);
    let report = of_platform(&platform).await;
    let finding = report.of("issuer metadata");
    assert!(finding.ends_with("answers with status 200 and more than 256 kB"), "{finding}");
}

#[tokio::test]
async fn an_issuer_that_names_another_is_found() {
    let (platform, _) = start_platform().await;
    let mut document = metadata(&platform).await;
    document["issuer"] = json!(format!("{}/", platform.issuer()));
    answer_with(&platform, METADATA, &[], &document);
    let report = of_platform(&platform).await;
    assert_eq!(report.failed(), ["issuer metadata"]);
    assert!(report.of("issuer metadata").contains(&format!("the configured one is {:?}", platform.issuer())));
}

#[tokio::test]
async fn what_clients_need_of_the_issuer_is_looked_for() {
    let (platform, _) = start_platform().await;
    let mut document = metadata(&platform).await;
    let members = document.as_object_mut().unwrap();
    for member in [
        "code_challenge_methods_supported",
        "resource_indicators_supported",
        "client_id_metadata_document_supported",
        "authorization_response_iss_parameter_supported",
        "jwks_uri",
        "token_endpoint",
    ] {
        assert!(members.remove(member).is_some(), "{member}");
    }
    // Escape sequences have no business in a terminal.
    members.insert("issuer".to_owned(), json!("\u{1b}[2Jevil"));
    answer_with(&platform, METADATA, &[], &document);
    let report = of_platform(&platform).await;
    assert_eq!(report.failed(), ["issuer metadata", "sign-in endpoints", "PKCE"]);
    assert!(!report.of("issuer metadata").contains('\u{1b}'));
    assert!(report.of("sign-in endpoints").contains("token_endpoint"));
    for warned in ["resource indicators", "client registration", "issuer in answers", "signing keys"] {
        assert!(report.of(warned).starts_with("warning"), "{}", report.text);
    }
}

#[tokio::test]
async fn keys_that_verify_nothing_are_found() {
    let (platform, _) = start_platform().await;
    let symmetric = json!({"kty": "oct", "kid": "a", "k": "c2VjcmV0", "alg": "HS256"});
    answer_with(&platform, "/api/oauth/certs", &[], &json!({"keys": [symmetric]}));
    let report = of_platform(&platform).await;
    assert_eq!(report.failed(), ["signing keys"]);
    assert!(report.of("signing keys").ends_with("lists 1, 0 of them usable"), "{}", report.text);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_found() {
    let (platform, _) = start_platform().await;
    let document = metadata(&platform).await;
    answer_with(&platform, METADATA, &[("date", "Sat, 21 Nov 2009 10:00:00 GMT")], &document);
    let report = of_platform(&platform).await;
    assert_eq!(report.failed(), ["clock"]);
    assert!(report.of("clock").contains("ahead of the issuer's"), "{}", report.text);
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_from_what_is_wrong() {
    let port = free_port().await;
    let nowhere = format!("http://127.0.0.1:{port}");
    let report = doctor(&["--port", &port, "--sequentum-api-url", &nowhere], &[]).await;
    assert_eq!(report.failed(), ["issuer metadata", "platform"]);
    assert!(report.of("platform").contains("Connection refused"), "{}", report.text);
    assert!(report.of("server").starts_with("warning: nothing answers"), "{}", report.text);
    // There, but not what it should be.
    let (platform, _) = start_platform().await;
    answer_with(&platform, "/api/v1/", &[], &json!({}));
    let report = of_platform(&platform).await;
    assert_eq!(report.failed(), ["platform"]);
    assert!(report.of("platform").contains("without a credential with status 200"), "{}", report.text);
}

#[tokio::test]
async fn a_server_that_publishes_another_address_is_found() {
    let server = TestServer::start().await;
    // The same server by another name: what it publishes is not what clients use then.
    let other = format!("http://localhost:{}", server.address.port());
    let arguments = ["--public-url", &other, "--sequentum-api-url", server.platform.url().as_str()];
    let report = doctor(&arguments, &[]).await;
    assert_eq!(report.failed(), ["resource metadata", "challenge"], "{}", report.text);
    assert!(
        report.of("resource metadata").contains(&format!("names the resource \"{}\"", server.endpoint()))
    );
    // A page that the operator allowed here, but not there.
    let page = [("ALLOWED_ORIGINS", "https://page.example")];
    let arguments = ["--public-url", &server.origin, "--sequentum-api-url", server.platform.url().as_str()];
    let report = doctor(&arguments, &page).await;
    assert_eq!(report.failed(), ["browser origins"]);
    assert!(report.of("browser origins").contains("https://page.example"), "{}", report.text);
}

#[tokio::test]
async fn a_credential_is_tried_where_it_will_be_used() {
    let server = TestServer::start().await;
    while server.get("/readyz").await.status != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    let port = server.address.port().to_string();
    let url = server.platform.url().as_str();
    let arguments = ["--port", &*port, "--sequentum-api-url", url, "--token-env", "T"];
    // Issued for somebody else: the platform does not mind, this server does.
    let foreign =
        server.platform.access_token(&TestServer::alice(), "https://elsewhere.example", "agents:read");
    let foreign = foreign.unwrap();
    let report = doctor(&arguments, &[("T", &foreign)]).await;
    assert_eq!(report.failed(), ["credential here"], "{}", report.text);
    assert!(report.of("credential here").contains("issued for another resource"), "{}", report.text);
    assert!(!report.text.contains(&foreign));
    // Without the right to read agents, which is a matter of taste.
    let narrow = server.token_for(&TestServer::alice(), "runs:read");
    let report = doctor(&arguments, &[("T", &narrow)]).await;
    assert!(report.of("credential at the platform").starts_with("warning"), "{}", report.text);
    let report = doctor(&arguments, &[("T", "sk-of-nobody")]).await;
    assert_eq!(report.failed(), ["credential at the platform"]);
    let report = doctor(&arguments, &[]).await;
    assert!(report.of("credential at the platform").starts_with("failed: T is empty"), "{}", report.text);
}
