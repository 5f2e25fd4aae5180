//! Attacks, each with what it must come to. `cargo nextest run attacks --no-capture` prints the table.
//!
//! What is another tenant's has a matrix of its own (`isolation.rs`), and what is made up at random is tried there
//! (`identity.rs`, `tests/fuzz`).

use reqwest::{Method, RequestBuilder, StatusCode};
use sequentum_mcp::{outbound, tools::Catalog};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    identity::{claims, ping, signed},
    support::{ALL_SCOPES, Answer, TestServer, server::call},
};

/// Status and code of a refusal, wherever its form keeps the code.
fn seen(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let in_tool = body.pointer("/result/content/0/text").and_then(Value::as_str);
    let in_tool: Value = in_tool.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let code = ["/error/data/code", "/code", "/error/code"].iter().find_map(|at| body.pointer(at));
    let code = code.or(in_tool.pointer("/error/code")).cloned().unwrap_or_default();
    let code = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
    format!("{} {code}", answer.status.as_u16())
}

/// A row of the table.
fn fends_off(attack: &str, expected: &str, answer: &Answer) {
    let seen = seen(answer);
    println!("| {attack} | {expected} | {seen} |");
    assert_eq!(seen, expected, "{attack}: {}", answer.text);
}

/// On tokens: every one that we know of.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one row per attack")]
async fn on_tokens() {
    let server = TestServer::start().await;
    let attacker = TestServer::start().await;
    let now = server.clock.unix_seconds();
    let header = |header: Value| server.platform.sign(&header, &claims(&server)).unwrap();
    let good = signed(&server, |_| {});
    let (body, _signature) = good.rsplit_once('.').unwrap();
    let kid = jsonwebtoken::decode_header(&good).unwrap().kid.unwrap();
    let theirs = |header: Value| attacker.platform.sign(&header, &claims(&server)).unwrap();
    let jwks = format!("{}/api/oauth/certs", attacker.platform.issuer());
    let their_key: Value =
        serde_json::from_str(&reqwest::get(&jwks).await.unwrap().text().await.unwrap()).unwrap();
    let their_key = &their_key["keys"][0];
    let fetches = attacker.platform.oauth_requests("/api/oauth/certs");
    let other_claims = {
        let encode = |value: Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let mut stronger = claims(&server);
        stronger["sub"] = json!("somebody else");
        let (head, rest) = good.split_once('.').unwrap();
        format!("{head}.{}.{}", encode(stronger), rest.split_once('.').unwrap().1)
    };
    let many: Vec<String> = (0..50).map(|n| format!("https://{n}.example")).collect();
    for (attack, token, code) in [
        ("used before its time", signed(&server, |c| c["nbf"] = json!(now + 120)), "token_not_yet_valid"),
        ("DPoP-bound", signed(&server, |c| c["cnf"] = json!({"jkt": "x"})), "token_sender_constrained"),
        ("mTLS-bound", signed(&server, |c| c["cnf"] = json!({"x5t#S256": "x"})), "token_sender_constrained"),
        ("of nobody", signed(&server, |c| c["sub"] = json!(null)), "token_claims"),
        ("with an empty subject", signed(&server, |c| c["sub"] = json!("")), "token_claims"),
        ("with a subject that is no text", signed(&server, |c| c["sub"] = json!({"id": 1})), "token_claims"),
        ("ending at a word", signed(&server, |c| c["exp"] = json!("soon")), "token_claims"),
        ("without an end", signed(&server, |c| c["exp"] = json!(null)), "token_claims"),
        ("ending beyond numbers", signed(&server, |c| c["exp"] = json!(1e300)), "token_claims"),
        ("for many others", signed(&server, |c| c["aud"] = json!(many)), "token_audience"),
        (
            "for us but for a letter",
            signed(&server, |c| c["aud"] = json!(format!("{}/MCP", server.origin))),
            "token_audience",
        ),
        ("from nobody", signed(&server, |c| c["iss"] = json!(null)), "token_issuer"),
        (
            "from the issuer but for a slash",
            signed(&server, |c| c["iss"] = json!(format!("{}/", server.platform.issuer()))),
            "token_issuer",
        ),
        ("that is an ID token by its nonce", signed(&server, |c| c["nonce"] = json!("n")), "id_token"),
        ("that is an ID token by at_hash", signed(&server, |c| c["at_hash"] = json!("h")), "id_token"),
        ("that is an ID token by c_hash", signed(&server, |c| c["c_hash"] = json!("h")), "id_token"),
        ("that is an ID token by its type", header(json!({"typ": "id_token+jwt"})), "id_token"),
        ("that is a DPoP proof", header(json!({"typ": "dpop+jwt"})), "token_type"),
        ("that is a logout token", header(json!({"typ": "logout+jwt"})), "token_type"),
        ("with an extension we must know", header(json!({"typ": "at+jwt", "crit": ["exp"]})), "token_type"),
        ("with an empty list of extensions", header(json!({"typ": "at+jwt", "crit": []})), "token_type"),
        ("naming no key", header(json!({"typ": "at+jwt", "kid": ""})), "token_key_unknown"),
        ("naming a file", header(json!({"typ": "at+jwt", "kid": "../../dev/null"})), "token_key_unknown"),
        ("of algorithm NONE", header(json!({"typ": "at+jwt", "alg": "NONE"})), "token_algorithm"),
        ("of no algorithm at all", header(json!({"typ": "at+jwt", "alg": null})), "token_malformed"),
        (
            "of RS512 with a key for RS256",
            header(json!({"typ": "at+jwt", "alg": "RS512"})),
            "token_algorithm",
        ),
        (
            "of PS256 with a key for RS256",
            header(json!({"typ": "at+jwt", "alg": "PS256"})),
            "token_algorithm",
        ),
        ("of ES256 with an RSA key", header(json!({"typ": "at+jwt", "alg": "ES256"})), "token_algorithm"),
        (
            "signed by another, with its key in the header",
            theirs(json!({"typ": "at+jwt", "jwk": their_key})),
            "token_key_unknown",
        ),
        (
            "signed by another, with a link to its keys",
            theirs(json!({"typ": "at+jwt", "kid": kid, "jku": jwks})),
            "token_signature",
        ),
        (
            "signed by another, with a link to a certificate",
            theirs(json!({"typ": "at+jwt", "kid": kid, "x5u": jwks, "x5c": ["AA=="]})),
            "token_signature",
        ),
        ("with a made-up signature", format!("{body}.{}", "A".repeat(342)), "token_signature"),
        ("with an empty signature", format!("{body}."), "token_signature"),
        ("with other claims under a good signature", other_claims, "token_signature"),
        ("with a part too many", format!("{good}.AAAA"), "token_malformed"),
        ("that is opaque", "opaque".to_owned(), "token_malformed"),
        ("longer than any", "a".repeat(8 * 1024 + 1), "token_malformed"),
        ("that is an API key", "sk-0123456789".to_owned(), "api_key_not_accepted"),
    ] {
        let answer = server.send(server.post(Some(&token), &ping())).await;
        fends_off(&format!("a token {attack}"), &format!("401 {code}"), &answer);
        assert!(!answer.text.contains(&token), "no part of a credential comes back");
    }
    assert_eq!(attacker.platform.oauth_requests("/api/oauth/certs"), fetches, "no link was followed");
    assert!(server.platform.requests().is_empty());
    // What is only decoration decides nothing.
    for decorated in [
        json!({"typ": "at+jwt", "jku": jwks, "x5u": jwks, "jwk": their_key, "x5c": ["AA=="]}),
        json!({"typ": "application/at+jwt"}),
        json!({"typ": "JWT"}),
        json!({}),
    ] {
        let answer = server.send(server.post(Some(&header(decorated.clone())), &ping())).await;
        assert_eq!(answer.status, StatusCode::OK, "{decorated}");
    }
}

/// A session of Alice's, or an altered one.
async fn session(server: &TestServer, alter: impl FnOnce(&mut String)) -> String {
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let answer = server.send(server.post(Some(&server.token()), &initialize)).await;
    let mut handle = answer.header("mcp-session-id").to_owned();
    alter(&mut handle);
    handle
}

fn read(uri: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}})
}

/// On the edge: headers, paths, bodies, sessions, arguments.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one row per attack")]
async fn on_requests() {
    let server = TestServer::with(&[("TOOLSETS", "account,agents,runs,files")], Catalog::new()).await;
    let token = server.token();
    let good = |message: &Value| server.post(Some(&token), message);
    let with = |name: &str, value: &str| good(&ping()).header(name, value);
    let bare = |name: &str, value: &str| server.post(None, &ping()).header(name, value);
    let path = |method: Method, path: &str| server.request(method, path).bearer_auth(&token);
    let raw = |body: String| {
        let request = server.request(Method::POST, "/mcp").bearer_auth(&token);
        request.header("content-type", "application/json").body(body)
    };
    let http = outbound::client(&server.origin.parse().unwrap()).unwrap();
    let named = |method: &str, name: &str| {
        let mut request = server.post_modern(&token, &call("whoami", json!({}))).build().unwrap();
        let headers = request.headers_mut();
        headers.insert("mcp-method", method.parse().unwrap());
        headers.insert("mcp-name", name.parse().unwrap());
        RequestBuilder::from_parts(http.clone(), request)
    };
    let agent = |id: Value| good(&call("get_agent", json!({"agentId": id})));
    let bob = server.token_for(&TestServer::bob(), ALL_SCOPES);
    let narrow = server.token_for(&TestServer::alice(), "runs:read");
    let hers = session(&server, |_| {}).await;
    let flipped = session(&server, |handle| {
        let last = if handle.ends_with('A') { 'B' } else { 'A' };
        handle.pop();
        handle.push(last);
    })
    .await;
    let shortened = session(&server, |handle| handle.truncate(40)).await;
    let deep = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}"#, "[".repeat(100_000));
    let large = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "a".repeat(1_048_576)}});
    for (attack, expected, request) in [
        (
            "a token in the address",
            "400 invalid_request",
            server.request(Method::POST, &format!("/mcp?access_token={token}")).json(&ping()),
        ),
        ("two tokens in two headers", "400 invalid_request", good(&ping()).bearer_auth(&bob)),
        ("a good token and basic credentials", "400 invalid_request", with("authorization", "Basic YTpi")),
        (
            "a token under another scheme",
            "400 invalid_request",
            bare("authorization", &format!("Token {token}")),
        ),
        (
            "two tokens in one header",
            "401 token_malformed",
            bare("authorization", &format!("Bearer {token}, {bob}")),
        ),
        ("no token", "401 token_missing", server.post(None, &ping())),
        (
            "a token for reading runs, used for agents",
            "403 insufficient_scope",
            server.post(Some(&narrow), &call("list_agents", json!({}))),
        ),
        ("a page of a foreign site", "403 origin_not_allowed", with("origin", "https://evil.example")),
        ("a page without an origin", "403 origin_not_allowed", with("origin", "null")),
        (
            "a site whose name begins like an allowed one",
            "403 origin_not_allowed",
            with("origin", "https://claude.ai.evil.example"),
        ),
        ("an allowed site over plain http", "403 origin_not_allowed", with("origin", "http://claude.ai")),
        ("a rebound name (DNS rebinding)", "403 host_not_allowed", with("host", "evil.example")),
        ("our name on another port", "403 host_not_allowed", with("host", "127.0.0.1:1")),
        ("a name that ends like ours", "403 host_not_allowed", with("host", "evil.localhost")),
        (
            "another user's session",
            "404 session_not_found",
            server.post(Some(&bob), &ping()).header("mcp-session-id", &hers),
        ),
        (
            "ending another user's session",
            "404 session_not_found",
            server.request(Method::DELETE, "/mcp").bearer_auth(&bob).header("mcp-session-id", &hers),
        ),
        ("a session with a bit changed", "404 session_not_found", with("mcp-session-id", &flipped)),
        ("a session cut short", "404 session_not_found", with("mcp-session-id", &shortened)),
        (
            "a made-up session",
            "404 session_not_found",
            with("mcp-session-id", "1868a90c-0bc4-4fb8-a5c5-000000000001"),
        ),
        (
            "two sessions at once",
            "400 invalid_request",
            with("mcp-session-id", &hers).header("mcp-session-id", &flipped),
        ),
        ("two revisions at once", "400 invalid_request", with("mcp-protocol-version", "2025-11-25")),
        ("a header that names another tool than the body", "400 -32020", named("tools/call", "list_agents")),
        ("a header that names another method than the body", "400 -32020", named("tools/list", "whoami")),
        ("a message of a megabyte and more", "413 body_too_large", good(&large)),
        ("brackets a hundred thousand deep", "400 parse_error", raw(deep)),
        ("half a message", "400 parse_error", raw("{\"jsonrpc\":".to_owned())),
        (
            "many messages in one",
            "400 invalid_request",
            raw(format!("[{}]", vec![ping().to_string(); 1000].join(","))),
        ),
        (
            "one id twice",
            "400 invalid_request",
            raw(r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#.to_owned()),
        ),
        (
            "a form instead of JSON (no preflight)",
            "415 not_json",
            path(Method::POST, "/mcp").header("content-type", "text/plain").body(ping().to_string()),
        ),
        ("a tool that is switched off", "200 -32602", good(&call("get_credits_balance", json!({})))),
        (
            "a wish for more than is offered",
            "200 -32602",
            server
                .request(Method::POST, "/mcp?toolsets=billing")
                .bearer_auth(&token)
                .json(&call("get_credits_balance", json!({}))),
        ),
        (
            "a misspelt wish for less",
            "400 invalid_selection",
            server.request(Method::POST, "/mcp?readonly=yes").bearer_auth(&token).json(&ping()),
        ),
        ("another path behind an id", "200 invalid_arguments", agent(json!("7301/../../spaces"))),
        ("an id with a query behind it", "200 invalid_arguments", agent(json!("7301?x=1"))),
        ("a negative id", "200 invalid_arguments", agent(json!(-1))),
        ("an id beyond numbers", "200 invalid_arguments", agent(json!(1e300))),
        (
            "an argument that there is not",
            "200 invalid_arguments",
            good(&call("whoami", json!({"admin": true}))),
        ),
        ("a file of this machine as a resource", "200 -32002", good(&read("file:///etc/passwd"))),
        ("a resource with a path that climbs", "200 -32002", good(&read("sequentum://agents/../spaces"))),
        ("a resource of another host", "200 -32002", good(&read("https://169.254.169.254/latest/meta-data"))),
        ("the endpoint in capitals", "404 no_such_path", path(Method::POST, "/MCP")),
        ("the endpoint with an escaped slash", "404 no_such_path", path(Method::POST, "/mcp%2f")),
        ("the endpoint behind a climbing path", "404 no_such_path", path(Method::POST, "/x/..%2fmcp")),
        ("a method that echoes", "405 method_not_allowed", path(Method::TRACE, "/mcp")),
        (
            "a method that tunnels",
            "405 method_not_allowed",
            path(Method::PUT, "/mcp").header("x-http-method-override", "POST"),
        ),
    ] {
        fends_off(attack, expected, &server.send(request).await);
    }
    assert!(server.platform.requests().is_empty(), "nothing of this reached the platform");
    // And none of it did any harm.
    assert_eq!(server.send(good(&ping())).await.status, StatusCode::OK);
    assert_eq!(server.send(with("mcp-session-id", &hers)).await.status, StatusCode::OK);
}

/// On HTTP itself, as no client library would write it.
#[tokio::test]
async fn on_the_socket() {
    let server = TestServer::start().await;
    let (address, token) = (server.address, server.token());
    let body = ping().to_string();
    let length = body.len();
    let head =
        format!("host: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n");
    for (attack, status, request) in [
        (
            "a foreign host in the request line",
            403,
            format!("GET http://evil.example/ HTTP/1.1\r\nhost: {address}\r\n\r\n"),
        ),
        ("two Host headers", 400, format!("GET / HTTP/1.1\r\nhost: {address}\r\nhost: evil.example\r\n\r\n")),
        ("no Host header", 400, "GET / HTTP/1.1\r\n\r\n".to_owned()),
        (
            "two lengths (request smuggling)",
            400,
            format!(
                "POST /mcp HTTP/1.1\r\n{head}content-length: {length}\r\ncontent-length: 3\r\n\r\n{body}"
            ),
        ),
        (
            "a length that is none",
            400,
            format!("POST /mcp HTTP/1.1\r\n{head}content-length: +{length}\r\n\r\n{body}"),
        ),
        (
            "a space before a header's colon",
            400,
            format!("POST /mcp HTTP/1.1\r\n{head}content-length : {length}\r\n\r\n{body}"),
        ),
        (
            "a chunk of a size that is none",
            400,
            format!(
                "POST /mcp HTTP/1.1\r\n{head}transfer-encoding: chunked\r\n\r\nxyz\r\n{body}\r\n0\r\n\r\n"
            ),
        ),
        (
            "headers of a megabyte",
            431,
            format!("GET / HTTP/1.1\r\nhost: {address}\r\nx: {}\r\n\r\n", "a".repeat(1_000_000)),
        ),
        ("a zero byte in a header", 400, format!("GET / HTTP/1.1\r\nhost: {address}\r\nx: \0\r\n\r\n")),
        ("a protocol of the future", 400, format!("GET / HTTP/9.9\r\nhost: {address}\r\n\r\n")),
    ] {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut from, mut to) = socket.split();
        // The server may close before it has read everything.
        let mut answer = [0; 12];
        let (_, read) = tokio::join!(to.write_all(request.as_bytes()), from.read_exact(&mut answer));
        read.unwrap_or_else(|error| panic!("{attack}: {error}"));
        let seen = String::from_utf8_lossy(&answer).trim_start_matches("HTTP/1.1 ").to_owned();
        println!("| {attack} | {status} | {seen} |");
        assert_eq!(seen, status.to_string(), "{attack}");
    }
    assert_eq!(server.send(server.post(Some(&token), &ping())).await.status, StatusCode::OK);
}
