//! What a monitor can see from outside without a token. The platform's operators probe exactly this, every day; a
//! replacement of the server must not make it fail.

use reqwest::{Method, StatusCode, header::HOST};
use sequentum_mcp::auth::Scope;
use serde_json::json;
use url::Url;

use crate::support::TestServer;

#[tokio::test]
async fn the_root_is_a_page() {
    let server = TestServer::start().await;
    let answer = server.get("/").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("content-type").starts_with("text/html"), "{}", answer.header("content-type"));
}

#[tokio::test]
async fn health_is_ok() {
    let server = TestServer::start().await;
    // A balancer asks by address.
    let answer = server.send(server.request(Method::GET, "/health").header(HOST, "10.0.0.7:3000")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["status"], "ok");
}

#[tokio::test]
async fn the_protected_resource_document_describes_the_base_url() {
    let server = TestServer::start().await;
    let answer = server.get("/.well-known/oauth-protected-resource").await;
    assert_eq!(answer.status, StatusCode::OK);
    let document = answer.json();
    // As the probe compares it: with or without a slash at the end.
    assert_eq!(document["resource"].as_str().unwrap().trim_end_matches('/'), server.origin);
    assert!(!document["authorization_servers"].as_array().unwrap().is_empty());
    let scopes = document["scopes_supported"].as_array().unwrap();
    for scope in [Scope::AgentsRead, Scope::AgentsWrite, Scope::RunsRead, Scope::SpacesRead] {
        assert!(scopes.contains(&json!(scope.as_str())), "{scopes:?}");
    }
    // It is between a client and the authorization server (SEP-2207).
    assert!(!scopes.contains(&json!("offline_access")));
}

#[tokio::test]
async fn the_authorization_server_is_elsewhere() {
    let server = TestServer::start().await;
    let answer = server.get("/.well-known/oauth-authorization-server").await;
    assert!(answer.status.is_redirection(), "{}", answer.status);
    let target = Url::parse(answer.header("location")).unwrap();
    assert_ne!(target.authority(), Url::parse(&server.origin).unwrap().authority());
}

#[tokio::test]
async fn getting_the_endpoint_needs_a_token() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/mcp").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn posting_to_the_endpoint_is_answered_with_a_challenge() {
    let server = TestServer::start().await;
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "probe", "version": "1"},
    }});
    for request in
        [server.post(None, &message), server.request(Method::POST, "/mcp"), server.post(None, &json!({}))]
    {
        let answer = server.send(request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer ") && challenge.contains("resource_metadata="), "{challenge}");
    }
}
