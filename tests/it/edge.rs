//! Paths, methods, hosts, origins, sizes.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{TestServer, server::call};

#[tokio::test]
async fn probes_answer_without_a_token() {
    let server = TestServer::start().await;
    insta::assert_snapshot!(server.get("/health").await.text, @r#"{"status":"ok","transport":"streamable-http","version":"0.1.0"}"#);
    assert_eq!(server.get("/livez").await.status, StatusCode::OK);
    // Probes come with whatever Host the orchestrator uses.
    let probe = server.request(Method::GET, "/health").header("host", "10.1.2.3:8080");
    assert_eq!(server.send(probe).await.status, StatusCode::OK);
}

#[tokio::test]
async fn discovery_documents_are_exact_for_their_url() {
    let server = TestServer::start().await;
    insta::assert_snapshot!(server.get("/.well-known/oauth-protected-resource").await.pinned(&server), @r#"
    200
    {"resource":"<origin>","authorization_servers":["<issuer>"],"scopes_supported":["agents:read","agents:write","runs:read","spaces:read","spaces:write","billing:read"],"bearer_methods_supported":["header"],"resource_name":"Sequentum","resource_documentation":"https://docs.sequentum.com/api"}
    "#);
    insta::assert_snapshot!(server.get("/.well-known/oauth-protected-resource/mcp").await.pinned(&server), @r#"
    200
    {"resource":"<origin>/mcp","authorization_servers":["<issuer>"],"scopes_supported":["agents:read","agents:write","runs:read","spaces:read","spaces:write","billing:read"],"bearer_methods_supported":["header"],"resource_name":"Sequentum","resource_documentation":"https://docs.sequentum.com/api"}
    "#);
    let redirect = server.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(redirect.status, StatusCode::FOUND);
    assert_eq!(
        redirect.header("location"),
        format!("{}/.well-known/oauth-authorization-server", server.platform.issuer())
    );
}

#[tokio::test]
async fn what_is_published_follows_the_configuration_and_not_the_host_header() {
    let settings = [("PUBLIC_URL", "https://mcp.example.com"), ("ALLOWED_HOSTS", "other.example")];
    let server = TestServer::with(&settings, sequentum_mcp::tools::Catalog::new()).await;
    for host in ["mcp.example.com", "other.example"] {
        let request =
            server.request(Method::GET, "/.well-known/oauth-protected-resource/mcp").header("host", host);
        let request = request.header("x-forwarded-host", "evil.example").header("x-forwarded-proto", "http");
        assert_eq!(server.send(request).await.json()["resource"], "https://mcp.example.com/mcp");
    }
    let challenge = server.send(server.request(Method::POST, "/mcp").header("host", "other.example")).await;
    assert!(
        challenge
            .header("www-authenticate")
            .contains("https://mcp.example.com/.well-known/oauth-protected-resource/mcp")
    );
    let page = server.send(server.request(Method::GET, "/").header("host", "other.example")).await;
    assert!(page.text.contains("https://mcp.example.com/mcp") && !page.text.contains("other.example"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_json() {
    let server = TestServer::start().await;
    insta::assert_snapshot!(server.get("/nothing").await.pinned(&server), @r#"
    404
    {"code":"no_such_path","message":"There is nothing at this path.","remedy":"The MCP endpoint is /mcp; / describes this server.","retryable":false,"requestId":"<request-id>"}
    "#);
    assert_eq!(server.get("/mcp/more").await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/MCP").await.status, StatusCode::NOT_FOUND, "one exact route table");
    let put = server.request(Method::PUT, "/mcp").bearer_auth(server.token());
    insta::assert_snapshot!(server.send(put).await.pinned(&server), @r#"
    405
    allow: POST, DELETE, OPTIONS
    {"jsonrpc":"2.0","id":null,"error":{"code":405,"message":"This path does not answer this method.","data":{"code":"method_not_allowed","remedy":"See the Allow header for the methods it answers.","retryable":false,"requestId":"<request-id>"}}}
    "#);
    insta::assert_snapshot!(server.send(server.request(Method::POST, "/health")).await.pinned(&server), @r#"
    405
    allow: GET, HEAD, OPTIONS
    {"code":"method_not_allowed","message":"This path does not answer this method.","remedy":"See the Allow header for the methods it answers.","retryable":false,"requestId":"<request-id>"}
    "#);
    let get = server.send(server.request(Method::GET, "/mcp").bearer_auth(server.token())).await;
    assert_eq!((get.status, get.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST, DELETE, OPTIONS"));
    // Where there are no sessions there are none to end.
    let off = TestServer::with(&[("SESSIONS", "off")], sequentum_mcp::tools::Catalog::new()).await;
    let delete = off.send(off.request(Method::DELETE, "/mcp").bearer_auth(off.token())).await;
    assert_eq!((delete.status, delete.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST, OPTIONS"));
    assert_eq!(
        server.get("/mcp").await.status,
        StatusCode::UNAUTHORIZED,
        "the challenge comes before the 405"
    );
    assert_eq!(server.send(server.request(Method::HEAD, "/health")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn both_spellings_of_the_endpoint_answer_alike() {
    let server = TestServer::start().await;
    let request = server
        .request(Method::POST, "/mcp/")
        .bearer_auth(server.token())
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    assert_eq!(server.send(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn foreign_origin() {
    let server = TestServer::start().await;
    let request = server
        .post(Some(&server.token()), &call("whoami", json!({})))
        .header("origin", "https://evil.example");
    let answer = server.send(request).await;
    insta::assert_snapshot!(answer.pinned(&server), @r#"
    403
    {"jsonrpc":"2.0","id":null,"error":{"code":403,"message":"Pages of this origin may not use the MCP endpoint.","data":{"code":"origin_not_allowed","remedy":"Ask the operator to add the origin to ALLOWED_ORIGINS.","retryable":false,"requestId":"<request-id>"}}}
    "#);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert_eq!(answer.header("vary"), "Origin");
    let elsewhere =
        server.send(server.request(Method::GET, "/health").header("origin", "https://evil.example")).await;
    assert_eq!((elsewhere.status, elsewhere.header("access-control-allow-origin")), (StatusCode::OK, ""));
    for origin in ["null", "https://claude.ai.example", "https://CLAUDE.ai"] {
        let request = server.request(Method::POST, "/mcp").header("origin", origin);
        assert_eq!(server.send(request).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
}

#[tokio::test]
async fn allowed_origins_may_read_what_they_need() {
    let server = TestServer::start().await;
    for origin in
        ["https://claude.ai", "https://x.y.chatgpt.com", "http://localhost:6274", server.origin.as_str()]
    {
        let answer = server.send(server.request(Method::POST, "/mcp").header("origin", origin)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        let exposed = answer.header("access-control-expose-headers");
        for name in ["WWW-Authenticate", "Retry-After", "Mcp-Session-Id", "MCP-Protocol-Version"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
    let preflight = server.request(Method::OPTIONS, "/mcp").header("origin", "https://claude.ai");
    let preflight = server.send(preflight.header("access-control-request-method", "POST")).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.header("access-control-allow-methods"), "GET, POST, DELETE, OPTIONS");
    assert!(
        preflight
            .header("access-control-allow-headers")
            .starts_with("Content-Type, Accept, Authorization, Mcp-Method, Mcp-Name")
    );
    let foreign = server
        .send(server.request(Method::OPTIONS, "/anything").header("origin", "https://evil.example"))
        .await;
    assert_eq!((foreign.status, foreign.header("access-control-allow-origin")), (StatusCode::NO_CONTENT, ""));
}

#[tokio::test]
async fn foreign_host() {
    let server = TestServer::start().await;
    let request =
        server.post(Some(&server.token()), &call("whoami", json!({}))).header("host", "evil.example");
    insta::assert_snapshot!(server.send(request).await.pinned(&server), @r#"
    403
    {"jsonrpc":"2.0","id":null,"error":{"code":403,"message":"This server does not answer to the name in the Host header.","data":{"code":"host_not_allowed","remedy":"Use the published URL, or ask the operator to add the name to ALLOWED_HOSTS.","retryable":false,"requestId":"<request-id>"}}}
    "#);
    let page = server.send(server.request(Method::GET, "/").header("host", "evil.example")).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let localhost = format!("localhost:{}", server.address.port());
    let request = server.post(Some(&server.token()), &call("whoami", json!({}))).header("host", localhost);
    assert_eq!(server.send(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn oversized_body() {
    let server = TestServer::start().await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "a".repeat(1_048_576)}});
    insta::assert_snapshot!(server.send(server.post(Some(&server.token()), &body)).await.pinned(&server), @r#"
    413
    {"jsonrpc":"2.0","id":null,"error":{"code":413,"message":"The body is larger than 1048576 bytes.","data":{"code":"body_too_large","remedy":"Send a smaller message.","retryable":false,"requestId":"<request-id>"}}}
    "#);
    // Without a length that announces it.
    let chunks = futures_util::stream::iter((0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 65_536])));
    let request = server
        .request(Method::POST, "/mcp")
        .bearer_auth(server.token())
        .header("content-type", "application/json");
    let streamed = server.send(request.body(reqwest::Body::wrap_stream(chunks))).await;
    assert_eq!(streamed.status, StatusCode::PAYLOAD_TOO_LARGE);
    // Anonymous clients do not even get that far.
    assert_eq!(server.send(server.post(None, &body)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_request_target_with_a_foreign_host_is_refused_whatever_the_header_says() {
    let server = TestServer::start().await;
    let mut socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let request =
        format!("GET http://evil.example/ HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address);
    tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut socket, &mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden"), "{answer}");
}
