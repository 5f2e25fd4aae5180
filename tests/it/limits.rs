//! Limits: requests over time, calls and streams at a time, and the store that replicas share.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use sequentum_mcp::{
    demo::{Fault, FaultKind, Login},
    tools::Catalog,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::{
    ALL_SCOPES, Answer, TestServer,
    events::Events,
    redis::{PASSWORD, RedisServer},
    server::call,
    waiting::{quickly, until},
};

async fn limited(settings: &[(&str, &str)]) -> TestServer {
    TestServer::with(settings, Catalog::new()).await
}

fn ask(server: &TestServer, login: &Login) -> RequestBuilder {
    server.post(Some(&server.token_for(login, ALL_SCOPES)), &call("list_spaces", json!({})))
}

async fn status(server: &TestServer, login: &Login) -> StatusCode {
    server.send(ask(server, login)).await.status
}

/// A request without a token, as it comes through a proxy that saw it come from `address`.
async fn anonymous(server: &TestServer, address: &str) -> Answer {
    let request = server.post(None, &call("list_spaces", json!({}))).header("x-forwarded-for", address);
    server.send(request).await
}

/// Calls of Alice's that the platform holds until time moves.
async fn hold(server: &TestServer, calls: usize) -> Vec<tokio::task::JoinHandle<reqwest::Response>> {
    let delay = Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: u32::try_from(calls).unwrap(),
        kind: FaultKind::Delay(Duration::from_mins(1)),
    };
    server.platform.faults().inject(delay);
    let before = server.platform.requests().len();
    let held = (0..calls)
        .map(|_| {
            let request = ask(server, &TestServer::alice());
            tokio::spawn(async move { request.send().await.unwrap() })
        })
        .collect();
    until(|| server.platform.requests().len() == before + calls).await;
    held
}

/// Sends what everybody's client sends first, and a dozen calls.
async fn connect(server: &TestServer) -> Vec<StatusCode> {
    let request =
        |method: &str, params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let mut messages = vec![
        request("initialize", hello),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        request("tools/list", json!({})),
        request("prompts/list", json!({})),
        request("resources/list", json!({})),
        request("resources/templates/list", json!({})),
    ];
    messages.extend((0..12).map(|_| call("list_spaces", json!({}))));
    let mut seen = Vec::new();
    for message in messages {
        seen.push(server.send(server.post(Some(&server.token()), &message)).await.status);
    }
    seen
}

#[tokio::test]
async fn three_clients_of_one_user_connect_at_the_same_time() {
    // An empty setting is an unset one.
    let server = limited(&[("MCP_RATE_LIMIT_MAX", "")]).await;
    let (one, two, three) = tokio::join!(connect(&server), connect(&server), connect(&server));
    let seen = [one, two, three].concat();
    assert_eq!(seen.len(), 54);
    assert!(seen.iter().all(StatusCode::is_success), "{seen:?}");
    let answer = server.send(ask(&server, &TestServer::alice())).await;
    assert_eq!(
        ["limit", "remaining", "reset", "policy"].map(|name| answer.header(&format!("ratelimit-{name}"))),
        ["300", "245", "11", "300;w=60"]
    );
}

#[tokio::test]
async fn a_user_who_sends_too_much_waits_and_nobody_else_does() {
    let server = limited(&[("MCP_RATE_LIMIT_MAX", "3")]).await;
    for remaining in ["2", "1", "0"] {
        let answer = server.send(ask(&server, &TestServer::alice())).await;
        assert_eq!((answer.status, answer.header("ratelimit-remaining")), (StatusCode::OK, remaining));
    }
    let before = server.platform.requests().len();
    let refused = server.send(ask(&server, &TestServer::alice())).await;
    insta::assert_snapshot!(refused.pinned(&server), @r#"
    429
    retry-after: 20
    {"jsonrpc":"2.0","id":null,"error":{"code":429,"message":"This user sent more requests than the 3 within 60 s that are allowed.","data":{"code":"rate_limited","remedy":"Wait as long as Retry-After says, then go on at a slower pace.","retryable":true,"retryAfterSeconds":20,"requestId":"<request-id>"}}}
    "#);
    assert_eq!((refused.header("ratelimit-remaining"), refused.header("ratelimit-reset")), ("0", "60"));
    for _ in 0..50 {
        assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::TOO_MANY_REQUESTS);
    }
    for method in [Method::GET, Method::DELETE] {
        let request = server.request(method, "/mcp").bearer_auth(server.token());
        assert_eq!(server.send(request).await.status, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(server.platform.requests().len(), before, "the platform hears of none of them");
    assert_eq!(status(&server, &TestServer::bob()).await, StatusCode::OK, "another tenant goes on");
    // Refused requests cost nothing, so the promise of Retry-After is kept.
    server.clock.advance(Duration::from_millis(19_999));
    assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::TOO_MANY_REQUESTS);
    server.clock.advance(Duration::from_millis(1));
    assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::OK);
    assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn what_nobody_answers_for_is_charged_to_the_address() {
    let server = limited(&[("RATE_LIMIT_PER_ADDRESS", "3"), ("TRUST_PROXY", "1")]).await;
    let good = || ask(&server, &TestServer::alice()).header("x-forwarded-for", "192.0.2.1");
    for _ in 0..10 {
        assert_eq!(server.send(good()).await.status, StatusCode::OK, "costs the address nothing");
    }
    let bad = |token: &'static str| server.send(good().header("authorization", token));
    assert_eq!(anonymous(&server, "192.0.2.1").await.header("ratelimit-remaining"), "2");
    let made_up =
        server.post(Some("a.b.c"), &call("list_spaces", json!({}))).header("x-forwarded-for", "192.0.2.1");
    assert_eq!(server.send(made_up.try_clone().unwrap()).await.status, StatusCode::UNAUTHORIZED);
    // Two headers are one too many.
    assert_eq!(bad("Bearer x").await.status, StatusCode::BAD_REQUEST);
    let refused = anonymous(&server, "192.0.2.1").await;
    insta::assert_snapshot!(refused.pinned(&server), @r#"
    429
    retry-after: 20
    {"jsonrpc":"2.0","id":null,"error":{"code":429,"message":"Without an accepted credential, this address sent more requests than the 3 within 60 s that are allowed.","data":{"code":"rate_limited","remedy":"Wait as long as Retry-After says, then go on at a slower pace.","retryable":true,"retryAfterSeconds":20,"requestId":"<request-id>"}}}
    "#);
    assert_eq!(server.send(made_up).await.status, StatusCode::TOO_MANY_REQUESTS, "instead of the 401");
    assert_eq!(server.send(good()).await.status, StatusCode::OK, "the neighbours go on");
    assert_eq!(
        anonymous(&server, "192.0.2.2").await.status,
        StatusCode::UNAUTHORIZED,
        "and so does everybody else"
    );
    assert_eq!(anonymous(&server, "192.0.2.1, 192.0.2.3").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(anonymous(&server, "6.6.6.6, 192.0.2.1").await.status, StatusCode::TOO_MANY_REQUESTS);
    server.clock.advance(Duration::from_secs(20));
    assert_eq!(anonymous(&server, "192.0.2.1").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_address_is_the_sockets_unless_a_proxy_is_trusted() {
    let server = limited(&[("RATE_LIMIT_PER_ADDRESS", "1")]).await;
    assert_eq!(anonymous(&server, "192.0.2.1").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(anonymous(&server, "192.0.2.2").await.status, StatusCode::TOO_MANY_REQUESTS);
    let server = limited(&[("RATE_LIMIT_PER_ADDRESS", "1"), ("TRUST_PROXY", "10.0.0.0/8, 127.0.0.1")]).await;
    assert_eq!(anonymous(&server, "2001:db8::1, 10.0.0.7").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        anonymous(&server, "2001:db8::2, 10.0.0.8").await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "one /64"
    );
    assert_eq!(anonymous(&server, "2001:db8:0:1::1").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_outage_of_the_issuer_is_not_charged_to_clients() {
    let (platform, clock) = TestServer::platform().await;
    platform.faults().inject(Fault {
        path_contains: "/api/oauth/certs".to_owned(),
        times: 1000,
        kind: FaultKind::Status { status: 500, headers: vec![], body: "{}".to_owned() },
    });
    let settings = [("RATE_LIMIT_PER_ADDRESS", "1")];
    let server = TestServer::before(platform, clock, &settings, Catalog::new()).await;
    for _ in 0..3 {
        assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn pages_have_ten_times_as_much_and_probes_no_limit() {
    let server = limited(&[("RATE_LIMIT_PER_ADDRESS", "1")]).await;
    for path in ["/", "/.well-known/oauth-protected-resource/mcp", "/nothing"].iter().cycle().take(10) {
        assert_ne!(server.get(path).await.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    for path in ["/", "/.well-known/oauth-authorization-server", "/nothing"] {
        assert_eq!(server.get(path).await.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    insta::assert_snapshot!(server.get("/").await.pinned(&server), @r#"
    429
    retry-after: 6
    {"code":"rate_limited","message":"This address sent more requests than the 10 within 60 s that are allowed.","remedy":"Wait as long as Retry-After says, then go on at a slower pace.","retryable":true,"retryAfterSeconds":6,"requestId":"<request-id>"}
    "#);
    assert_eq!(server.get("/mcp").await.status, StatusCode::UNAUTHORIZED, "counted apart");
    for _ in 0..20 {
        for path in ["/health", "/livez"] {
            assert_eq!(server.get(path).await.status, StatusCode::OK);
        }
        let preflight = server.request(Method::OPTIONS, "/mcp").header("origin", "https://claude.ai");
        assert_eq!(server.send(preflight).await.status, StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn a_user_has_so_many_calls_at_a_time() {
    let server = limited(&[("MAX_CONCURRENT_CALLS_PER_USER", "2")]).await;
    let held = hold(&server, 2).await;
    let before = server.platform.requests().len();
    insta::assert_snapshot!(server.send(ask(&server, &TestServer::alice())).await.pinned(&server), @r#"
    429
    retry-after: 1
    {"jsonrpc":"2.0","id":null,"error":{"code":429,"message":"This user has as many calls running as one may have: 2.","data":{"code":"too_many_calls","remedy":"Wait until one of them has ended.","retryable":true,"retryAfterSeconds":1,"requestId":"<request-id>"}}}
    "#);
    assert_eq!(server.platform.requests().len(), before);
    assert_eq!(status(&server, &TestServer::bob()).await, StatusCode::OK, "another tenant goes on");
    server.clock.advance(Duration::from_mins(1));
    for call in held {
        let answer = call.await.unwrap();
        assert!(
            answer.headers().contains_key("content-length"),
            "the answer is as it would be without limits"
        );
        assert!(answer.text().await.unwrap().contains("structuredContent"));
    }
    for _ in 0..10 {
        assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::OK, "all were given back");
    }
}

#[tokio::test]
async fn the_server_has_so_many_calls_at_a_time() {
    let server = limited(&[("MAX_CONCURRENT_CALLS", "1")]).await;
    let held = hold(&server, 1).await;
    insta::assert_snapshot!(server.send(ask(&server, &TestServer::bob())).await.pinned(&server), @r#"
    503
    retry-after: 1
    {"jsonrpc":"2.0","id":null,"error":{"code":503,"message":"The server is answering as many calls as it can.","data":{"code":"overloaded","remedy":"Try again in a moment.","retryable":true,"retryAfterSeconds":1,"requestId":"<request-id>"}}}
    "#);
    assert_eq!(server.get("/health").await.status, StatusCode::OK);
    for call in held {
        call.abort();
    }
    // A client that has gone gives its call back.
    while status(&server, &TestServer::bob()).await != StatusCode::OK {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_call_is_open_until_its_answer_has_ended() {
    let server = limited(&[("MAX_CONCURRENT_CALLS_PER_USER", "1")]).await;
    let run = server.ask("start_agent", json!({"agentId": 7302})).await["run"]["id"].clone();
    let mut wait = call("wait_for_run", json!({"agentId": 7302, "runId": run, "timeout": 30}));
    wait["params"]["_meta"] = json!({"progressToken": 1});
    let waiting = server.post(Some(&server.token()), &wait).send();
    let mut events = Events::of(server.while_time_passes(waiting).await.unwrap());
    server.while_time_passes(events.next()).await.unwrap();
    assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::TOO_MANY_REQUESTS, "more is to come");
    while server.while_time_passes(events.next()).await.is_some() {}
    assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::OK);
}

/// A run of Alice's that waits for a slot, so that nothing happens to it for a long time.
async fn listen(server: &TestServer) -> RequestBuilder {
    let runs = server.ask("get_agent_runs", json!({"agentId": 7306, "maxRecords": 1})).await;
    let uri = format!("sequentum://agents/7306/runs/{}", runs["runs"][0]["id"]);
    let filter = json!({"resourceSubscriptions": [uri]});
    let message = json!({"jsonrpc": "2.0", "id": 5, "method": "subscriptions/listen", "params": {"notifications": filter}});
    server.post_modern(&server.token(), &message)
}

#[tokio::test]
async fn a_user_has_so_many_streams_at_a_time_and_calls_besides() {
    let server = limited(&[("MAX_STREAMS_PER_USER", "1"), ("MAX_CONCURRENT_CALLS_PER_USER", "1")]).await;
    let mut events = Events::of(listen(&server).await.send().await.unwrap());
    events.next().await.unwrap();
    let request = listen(&server).await;
    let before = server.platform.requests().len();
    insta::assert_snapshot!(server.send(request).await.pinned(&server), @r#"
    429
    retry-after: 30
    {"jsonrpc":"2.0","id":5,"error":{"code":429,"message":"This user has as many event streams open as one may have: 1.","data":{"code":"too_many_streams","remedy":"End another one first; clients that are not used any more may keep some open.","retryable":true,"retryAfterSeconds":30,"requestId":"<request-id>"}}}
    "#);
    assert_eq!(server.platform.requests().len(), before);
    assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::OK, "a stream is no call");
    drop(events);
    // Given back when the server notices.
    while listen(&server).await.send().await.unwrap().status() != StatusCode::OK {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_stream_of_a_live_session_counts_as_well() {
    let server = limited(&[("SESSIONS", "live"), ("MAX_STREAMS_PER_USER", "1")]).await;
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello});
    let open = async || {
        server.send(server.post(Some(&server.token()), &hello)).await.header("mcp-session-id").to_owned()
    };
    let hear = |session: &str| {
        let request = server.request(Method::GET, "/mcp").bearer_auth(server.token());
        request.header("accept", "text/event-stream").header("mcp-session-id", session)
    };
    let (one, other) = (open().await, open().await);
    let stream = hear(&one).send().await.unwrap();
    assert_eq!(stream.status(), StatusCode::OK);
    let refused = server.send(hear(&other)).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "30"));
    drop(stream);
    while hear(&other).send().await.unwrap().status() != StatusCode::OK {
        tokio::task::yield_now().await;
    }
}

/// Two servers in front of one platform, with one store.
struct Replicas {
    one: TestServer,
    other: TestServer,
}

impl Replicas {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let one = limited(settings).await;
        let (platform, audience) = (one.platform.url().to_string(), one.endpoint());
        let same = [("SEQUENTUM_API_URL", &*platform), ("OAUTH_AUDIENCES", &*audience)];
        let other = limited(&[settings, &same].concat()).await;
        Self { one, other }
    }

    fn both(&self) -> [&TestServer; 2] {
        [&self.one, &self.other]
    }

    async fn ask(&self, server: &TestServer, login: &Login) -> Answer {
        let token = self.one.token_for(login, ALL_SCOPES);
        server.send(server.post(Some(&token), &call("list_spaces", json!({})))).await
    }

    async fn status(&self, server: &TestServer, login: &Login) -> StatusCode {
        self.ask(server, login).await.status
    }

    /// Asks as Bob until both servers count in the store, to which they connect in the background; then empties it.
    async fn connected(&self, redis: &RedisServer) {
        for server in self.both() {
            redis.ask::<()>(&redis::cmd("FLUSHDB")).await;
            while redis.ask::<usize>(&redis::cmd("DBSIZE")).await == 0 {
                assert_eq!(self.status(server, &TestServer::bob()).await, StatusCode::OK);
            }
        }
        redis.ask::<()>(&redis::cmd("FLUSHDB")).await;
    }
}

#[tokio::test]
async fn replicas_share_their_buckets_and_lose_no_call_with_the_store() {
    let Some(redis) = RedisServer::start().await else { return };
    let url = redis.url();
    let replicas = Replicas::start(&[
        ("LIMITS_STORE", &url),
        ("MCP_RATE_LIMIT_MAX", "100"),
        ("RATE_LIMIT_PER_ADDRESS", "4"),
        // The store's clock cannot be moved by hand: next to nothing is given back while the test runs.
        ("MCP_RATE_LIMIT_WINDOW_MS", "3600000"),
    ])
    .await;
    replicas.connected(&redis).await;

    let (alice, bob) = (TestServer::alice(), TestServer::bob());
    for (server, remaining) in replicas.both().into_iter().cycle().zip((0..100).rev()) {
        let answer = replicas.ask(server, &alice).await;
        assert_eq!(
            (answer.status, answer.header("ratelimit-remaining")),
            (StatusCode::OK, &*remaining.to_string())
        );
    }
    for server in replicas.both() {
        let answer = replicas.ask(server, &alice).await;
        assert_eq!(
            (answer.status, answer.header("ratelimit-remaining")),
            (StatusCode::TOO_MANY_REQUESTS, "0")
        );
        assert_eq!(replicas.status(server, &bob).await, StatusCode::OK);
    }
    for server in replicas.both().into_iter().cycle().take(4) {
        assert_eq!(anonymous(server, "").await.status, StatusCode::UNAUTHORIZED);
    }
    for server in replicas.both() {
        assert_eq!(anonymous(server, "").await.status, StatusCode::TOO_MANY_REQUESTS);
    }
    let keys = redis.ask::<Vec<String>>(redis::cmd("KEYS").arg("*")).await;
    assert_eq!(keys.len(), 3, "{keys:?}");
    for key in keys {
        let (_, hash) = key.strip_prefix("sequentum-mcp:limit:").unwrap().split_once(':').unwrap();
        assert_eq!(hash.len(), 43, "a hash, and nothing that says who it is");
        let expiry: i64 = redis.ask(redis::cmd("PTTL").arg(&key)).await;
        assert!((1..=3_600_000).contains(&expiry), "{key} expires after {expiry} ms");
    }

    // Without the store each goes on by itself, from what it has learned. It goes while calls are under way.
    let calls = replicas.both().into_iter().cycle().take(20).map(|server| replicas.status(server, &bob));
    let (port, seen) = tokio::join!(redis.kill(), futures_util::future::join_all(calls));
    assert_eq!(seen, [StatusCode::OK; 20]);
    for server in replicas.both() {
        for _ in 0..10 {
            assert_eq!(replicas.status(server, &bob).await, StatusCode::OK);
        }
        assert_eq!(replicas.status(server, &alice).await, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(anonymous(server, "").await.status, StatusCode::TOO_MANY_REQUESTS);
    }
    // And with it again when it is back.
    let redis = RedisServer::on(port).await;
    for server in replicas.both() {
        server.clock.advance(Duration::from_secs(1));
    }
    replicas.connected(&redis).await;
    for server in replicas.both() {
        assert_eq!(replicas.status(server, &alice).await, StatusCode::OK, "a new store has counted nothing");
    }
}

#[tokio::test]
async fn a_store_that_hangs_costs_no_call() {
    let Some(redis) = RedisServer::start().await else { return };
    let (platform, clock) = TestServer::platform().await;
    let url = redis.url();
    let settings = [("LIMITS_STORE", url.as_str())];
    let server = TestServer::before(platform, clock, &settings, Catalog::new()).await;
    let bob = TestServer::bob();
    while redis.ask::<usize>(&redis::cmd("DBSIZE")).await == 0 {
        assert_eq!(status(&server, &bob).await, StatusCode::OK);
    }
    redis.ask::<()>(redis::cmd("CLIENT").arg("PAUSE").arg(600_000).arg("ALL")).await;
    for _ in 0..20 {
        assert_eq!(quickly(status(&server, &TestServer::alice())).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_store_that_was_never_there_costs_no_call() {
    let server =
        limited(&[("LIMITS_STORE", "redis://:secret@127.0.0.1:1/0"), ("MCP_RATE_LIMIT_MAX", "2")]).await;
    assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::OK);
    assert_eq!(status(&server, &TestServer::alice()).await, StatusCode::OK);
    assert_eq!(
        status(&server, &TestServer::alice()).await,
        StatusCode::TOO_MANY_REQUESTS,
        "and the limits hold"
    );
}

/// The shipped server with this store: whether it connects, by its log.
async fn connects(platform: &str, store: &str, certificates: &std::path::Path) -> bool {
    let mut server = tokio::process::Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"))
        .args(["serve", "--port", "0"])
        .envs([("SEQUENTUM_API_URL", platform), ("LIMITS_STORE", store)])
        .env("SSL_CERT_FILE", certificates)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().expect("it goes on");
        assert!(!line.contains(store), "the address has the password in it");
        if line.contains("the store of the limits") {
            return line.contains("is connected");
        }
    }
}

#[tokio::test]
async fn a_store_is_used_over_tls_if_its_certificate_and_the_password_are_right() {
    let Some(redis) = RedisServer::with_tls().await else { return };
    let (platform, _) = TestServer::platform().await;
    let [trusted, other] = redis.certificates();
    let good = redis.tls_url(PASSWORD);
    assert!(connects(platform.url().as_str(), &good, &trusted).await);
    assert!(!connects(platform.url().as_str(), &good, &other).await, "nobody vouches for it");
    assert!(
        !connects(platform.url().as_str(), &good.replace("localhost", "127.0.0.1"), &trusted).await,
        "another name"
    );
    assert!(!connects(platform.url().as_str(), &redis.tls_url("wrong"), &trusted).await);
}
