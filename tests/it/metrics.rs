//! What is counted, as Prometheus sees it.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use reqwest::{Method, StatusCode};
use sequentum_mcp::{
    demo::{Fault, FaultKind},
    metrics::table::{self, Kind},
    tools::Catalog,
};
use serde_json::{Value, json};

use crate::support::{ALL_SCOPES, TestServer, server::call};

#[expect(clippy::needless_pass_by_value, reason = "callers write json!(...) in place")]
fn message(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// What is counted, without durations and the time of the start.
fn counts(page: &str) -> String {
    let shown = |line: &&str| {
        let series = line.split(' ').next().unwrap_or_default();
        !line.starts_with('#')
            && !series.contains("_bucket{")
            && !series.contains("_sum{")
            && !series.starts_with("sequentum_mcp_process_start")
    };
    let mut lines: Vec<_> = page.lines().filter(shown).collect();
    lines.sort_unstable();
    lines.join("\n").replace("sequentum_mcp_", "")
}

/// A little of everything, and the page after it.
async fn traffic(server: &TestServer) -> String {
    let token = server.token();
    server.ask("list_spaces", json!({})).await;
    server.refused("get_agent", json!({"agentId": "x"})).await;
    let unknown = server.post_modern(&token, &call("made_up", json!({})));
    server.send(unknown).await;
    let narrow = server.token_for(&TestServer::alice(), "spaces:read");
    let refused = server.send(server.post(Some(&narrow), &call("list_agents", json!({})))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let away = FaultKind::Status { status: 503, headers: Vec::new(), body: String::new() };
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 2,
        kind: away,
    });
    server.ask("list_spaces", json!({})).await;
    for (method, params) in [
        ("prompts/get", json!({"name": "space-overview", "arguments": {"spaceName": "Retail"}})),
        ("resources/read", json!({"uri": "sequentum://spaces"})),
        ("tools/list", json!({})),
        ("made/up", json!({})),
    ] {
        server.send(server.post(Some(&token), &message(method, params))).await;
    }
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    server.send(server.post(Some(&token), &message("initialize", hello))).await;
    server.send(server.post(None, &call("list_spaces", json!({})))).await;
    server.send(server.post(Some("not-a-token"), &call("list_spaces", json!({})))).await;
    server.get("/").await;
    server.get("/made/up").await;
    server.send(server.request(Method::from_bytes(b"BREW").unwrap(), "/health")).await;

    let over =
        |page: &str| ["tool=\"unknown\"", "resource=", "prompt="].iter().all(|label| page.contains(label));
    server.scrape_until(over).await
}

#[tokio::test]
async fn known_traffic_gives_exact_counts() {
    let server = TestServer::start().await;
    let page = traffic(&server).await;
    insta::assert_snapshot!(counts(&page), @r#"
    auth_verdicts_total{verdict="ok"} 10
    auth_verdicts_total{verdict="token_malformed"} 1
    auth_verdicts_total{verdict="token_missing"} 1
    build_info{version="0.1.0"} 1
    calls_in_flight 0
    http_request_duration_seconds_count{method="GET",route="/",status="2xx"} 1
    http_request_duration_seconds_count{method="GET",route="none",status="4xx"} 1
    http_request_duration_seconds_count{method="POST",route="/mcp",status="2xx"} 9
    http_request_duration_seconds_count{method="POST",route="/mcp",status="4xx"} 3
    http_request_duration_seconds_count{method="other",route="/health",status="4xx"} 1
    limit_charges_total{limit="address",verdict="admitted"} 2
    limit_charges_total{limit="address",verdict="refused"} 0
    limit_charges_total{limit="page",verdict="admitted"} 2
    limit_charges_total{limit="page",verdict="refused"} 0
    limit_charges_total{limit="user",verdict="admitted"} 10
    limit_charges_total{limit="user",verdict="refused"} 0
    limit_store_connected 1
    limit_store_fallbacks_total 0
    live_sessions 0
    messages_total{method="initialize",revision="2025-06-18"} 1
    messages_total{method="other",revision="2025-06-18"} 1
    messages_total{method="prompts/get",revision="2025-06-18"} 1
    messages_total{method="resources/read",revision="2025-06-18"} 1
    messages_total{method="tools/call",revision="2025-06-18"} 4
    messages_total{method="tools/call",revision="2026-07-28"} 1
    messages_total{method="tools/list",revision="2025-06-18"} 1
    platform_request_duration_seconds_count{operation="listSpaces"} 5
    platform_requests_total{operation="listSpaces",outcome="ok"} 3
    platform_requests_total{operation="listSpaces",outcome="server_error"} 2
    platform_retries_total{operation="listSpaces"} 2
    prompt_gets_total{prompt="space-overview",outcome="ok"} 1
    ready 1
    refusals_total{reason="insufficient_scope"} 1
    refusals_total{reason="method_not_allowed"} 1
    refusals_total{reason="no_such_path"} 1
    refusals_total{reason="token_malformed"} 1
    refusals_total{reason="token_missing"} 1
    resource_reads_total{resource="Spaces",outcome="ok"} 1
    sessions_opened_total{kind="live"} 0
    sessions_opened_total{kind="sealed"} 1
    streams_open 0
    tool_call_duration_seconds_count{tool="get_agent"} 1
    tool_call_duration_seconds_count{tool="list_agents"} 1
    tool_call_duration_seconds_count{tool="list_spaces"} 2
    tool_call_duration_seconds_count{tool="unknown"} 1
    tool_calls_total{tool="get_agent",outcome="invalid_arguments"} 1
    tool_calls_total{tool="list_agents",outcome="insufficient_scope"} 1
    tool_calls_total{tool="list_spaces",outcome="ok"} 2
    tool_calls_total{tool="unknown",outcome="unknown_tool"} 1
    "#);
}

#[tokio::test]
async fn made_up_words_add_nothing() {
    let server = TestServer::start().await;
    let mut sizes = Vec::new();
    for round in 0..3 {
        for at in 0..10 {
            let word = format!("word_{round}_{at}");
            let token = server.token();
            let uri = format!("sequentum://{word}");
            for request in [
                server.post_modern(&token, &call(&word, json!({}))),
                server.post(Some(&token), &call(&word, json!({}))),
                server.post(Some(&token), &message(&word, json!({}))),
                server.post(Some(&token), &message("prompts/get", json!({"name": word}))),
                server.post(Some(&token), &message("resources/read", json!({"uri": uri}))),
                server.post(Some(&token), &message("ping", json!({}))).header("mcp-protocol-version", &word),
                server.post(Some(&word), &message("ping", json!({}))),
                server.request(Method::GET, &format!("/{word}")),
                server.request(Method::from_bytes(word.to_uppercase().as_bytes()).unwrap(), "/"),
                server.request(Method::GET, "/").header("host", &word),
                server.request(Method::POST, "/mcp").header("origin", format!("https://{word}.example")),
            ] {
                server.send(request).await;
            }
        }
        let done =
            format!(r#"tool_calls_total{{tool="unknown",outcome="unknown_tool"}} {}"#, 20 * (round + 1));
        let page = server.scrape_until(|page| page.contains(&done)).await;
        assert!(!page.contains("word_"), "{page}");
        sizes.push(page.lines().count());
    }
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
}

#[tokio::test]
async fn what_is_open_is_shown_while_it_is_open() {
    let server = TestServer::with(&[("SESSIONS", "live")], Catalog::new()).await;
    let gauge = |page: &str, name: &str| {
        let line = page.lines().find(|line| line.starts_with(&format!("sequentum_mcp_{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let open = |page: &str| {
        ["calls_in_flight", "streams_open", "live_sessions", "ready", "limit_store_connected"]
            .map(|name| gauge(page, name))
    };
    assert_eq!(open(&server.scrape_until(|page| gauge(page, "ready") == 1).await), [0, 0, 0, 1, 1]);
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let opened = server.send(server.post(Some(&server.token()), &message("initialize", hello))).await;
    let session = opened.header("mcp-session-id");
    let listening = server.request(Method::GET, "/mcp").bearer_auth(server.token());
    let listening = listening.header("accept", "text/event-stream").header("mcp-session-id", session);
    let stream = listening.send().await.unwrap();
    assert_eq!(stream.status(), StatusCode::OK);
    let delay = FaultKind::Delay(Duration::from_mins(1));
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 1,
        kind: delay,
    });
    let held =
        server.post(Some(&server.token_for(&TestServer::bob(), ALL_SCOPES)), &call("list_spaces", json!({})));
    let held = tokio::spawn(held.send());
    assert_eq!(open(&server.scrape_until(|page| gauge(page, "calls_in_flight") == 1).await), [1, 1, 1, 1, 1]);
    // The client goes away; what it asked for is counted all the same.
    held.abort();
    drop(stream);
    let page = server.scrape_until(|page| open(page)[..2] == [0, 0]).await;
    assert!(page.contains(r#"tool_calls_total{tool="list_spaces",outcome="abandoned"} 1"#), "{page}");
    assert!(
        page.contains(r#"platform_requests_total{operation="listSpaces",outcome="abandoned"} 1"#),
        "{page}"
    );
}

#[tokio::test]
async fn a_store_that_is_away_is_seen() {
    let server = TestServer::with(&[("LIMITS_STORE", "redis://127.0.0.1:1/0")], Catalog::new()).await;
    server.ask("list_spaces", json!({})).await;
    let page = server.scrape().await;
    assert!(page.contains("sequentum_mcp_limit_store_connected 0\n"), "{page}");
    assert!(page.contains("sequentum_mcp_limit_store_fallbacks_total 1\n"), "{page}");
}

#[tokio::test]
async fn the_page_is_what_the_table_says() {
    let server = TestServer::start().await;
    let page = traffic(&server).await;
    let mut described = HashMap::new();
    for line in page.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            described.insert(name.to_owned(), kind.to_owned());
        }
    }
    for metric in table::ALL {
        let suffix = match metric.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Durations(_) => "",
        };
        let name = metric.name.strip_suffix(suffix).expect("its name says what it is");
        assert_eq!(described.remove(name).as_deref(), Some(metric.kind.as_str()), "{name}");
    }
    assert!(described.is_empty(), "not in the table: {described:?}");
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let stem =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let metric = table::ALL.iter().find(|metric| [name, stem].contains(&metric.name)).expect(name);
        let names = labels.split(',').filter_map(|label| Some(label.split_once('=')?.0));
        let names: Vec<_> = names.filter(|name| *name != "le").collect();
        assert_eq!(names, metric.labels, "{line}");
    }
}

#[tokio::test]
async fn nothing_is_counted_unless_it_is_asked_for() {
    let server = TestServer::with(&[("METRICS_ADDR", "off")], Catalog::new()).await;
    server.ask("list_spaces", json!({})).await;
    assert!(server.metrics_address().is_none());
    // The public port has no such page either way.
    assert_eq!(server.get("/metrics").await.status, StatusCode::NOT_FOUND);
    let counted = TestServer::start().await;
    assert!(counted.metrics_address().unwrap().ip().is_loopback());
    assert_eq!(counted.get("/metrics").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn two_servers_in_one_process_share_no_numbers() {
    let one = TestServer::start().await;
    let other = TestServer::start().await;
    one.ask("list_spaces", json!({})).await;
    assert!(one.scrape().await.contains(r#"tool="list_spaces""#));
    assert!(!other.scrape().await.contains(r#"tool="list_spaces""#));
}

/// The paths in a list of texts and constants.
fn paths(source: &str, list: &str) -> BTreeSet<String> {
    let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
    let texts = words.map(|word| {
        let constant = format!("const {word}: &str = ");
        let text = if word.starts_with('"') { word } else { source.split(&constant).nth(1).unwrap_or(word) };
        text.split('"').nth(1).unwrap_or_else(|| panic!("{word} is no path")).to_owned()
    });
    texts.collect()
}

/// What the router answers is counted by its path, and nothing else is: its paths are read from the source, since it
/// does not tell them.
#[tokio::test]
async fn every_route_is_counted_by_its_name() {
    let source = include_str!("../../src/http.rs");
    let listed = source.split_once("const ROUTES: ").unwrap().1.split_once("= [").unwrap().1;
    let listed = paths(source, listed.split_once("];").unwrap().0);
    let routed = source.split(".route(").skip(1).map(|rest| rest.split(',').next().unwrap());
    let routed = paths(source, &routed.collect::<Vec<_>>().join(","));
    assert_eq!(routed, listed, "src/http.rs, ROUTES");

    let server = TestServer::start().await;
    for path in &routed {
        let answer = server.get(path).await;
        assert_ne!(answer.status, StatusCode::NOT_FOUND, "{path}");
        let counted = format!(r#"http_request_duration_seconds_count{{method="GET",route="{path}","#);
        server.scrape_until(|page| page.contains(&counted)).await;
    }
}
