//! Traces, as a collector gets them.

use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use sequentum_mcp::{
    demo::{Fault, FaultKind},
    tools::Catalog,
};
use serde_json::json;

use crate::support::{
    TestServer, leaks,
    otlp::{Collector, hex, shown},
    server::call,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

async fn traced(collector: &Collector) -> TestServer {
    TestServer::with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)], Catalog::new()).await
}

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

/// The one span whose name begins like this.
fn find<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name.starts_with(name)).collect();
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

/// Name, attributes and whether it failed.
fn described(span: &Span) -> String {
    let failed = span.status.as_ref().is_some_and(|status| status.code == StatusCode::Error as i32);
    let mut attributes = shown(&span.attributes);
    attributes.retain(|attribute| !attribute.starts_with("server.port="));
    format!("{}{}: {}", span.name, if failed { " (failed)" } else { "" }, attributes.join(" "))
}

#[tokio::test]
async fn a_trace_goes_from_the_client_to_the_platform() {
    let collector = Collector::start().await;
    let server = traced(&collector).await;
    let request =
        server.post(Some(&server.token()), &call("search_agents", json!({"query": "Nordwand Bergsport"})));
    let request = request.header("traceparent", traceparent("01")).header("tracestate", "vendor=opaque");
    server.send(request).await;
    let sent = server.platform.requests().pop().unwrap().traceparent.unwrap();
    server.stop().await;

    let spans = collector.spans();
    let request = find(&spans, "POST /mcp");
    let message = find(&spans, "tools/call");
    let platform = find(&spans, "GET ");
    assert_eq!(spans.len(), 3, "{spans:#?}");
    for span in &spans {
        assert_eq!((hex(&span.trace_id).as_str(), span.trace_state.as_str()), (TRACE, "vendor=opaque"));
    }
    assert_eq!(hex(&request.parent_span_id), PARENT);
    assert_eq!(message.parent_span_id, request.span_id);
    assert_eq!(platform.parent_span_id, message.span_id);
    assert_eq!(sent, format!("00-{TRACE}-{}-01", hex(&platform.span_id)));
    insta::assert_snapshot!([request, message, platform].map(described).join("\n"), @"
    POST /mcp: http.request.method=POST http.route=/mcp http.response.status_code=200
    tools/call search_agents: mcp.method.name=tools/call mcp.protocol.version=2025-06-18 gen_ai.tool.name=search_agents gen_ai.operation.name=execute_tool
    GET searchAgents: http.request.method=GET server.address=127.0.0.1 sequentum.operation=searchAgents http.response.status_code=200
    ");
    insta::assert_snapshot!(collector.resource().join("\n"), @"
    service.name=sequentum-mcp
    service.version=0.1.0
    telemetry.sdk.language=rust
    telemetry.sdk.name=opentelemetry
    telemetry.sdk.version=0.33.1
    ");
    assert!(leaks::log().contains(&format!("trace.id=\"{TRACE}\"")), "{}", leaks::log());
}

#[tokio::test]
async fn a_trace_in_the_message_is_followed_and_linked_to_the_request() {
    let collector = Collector::start().await;
    let server = traced(&collector).await;
    let mut message = call("list_spaces", json!({}));
    message["params"]["_meta"] = json!({"traceparent": traceparent("01"), "tracestate": "vendor=opaque"});
    server.send(server.post_modern(&server.token(), &message)).await;
    server.stop().await;

    let spans = collector.spans();
    let (request, message) = (find(&spans, "POST /mcp"), find(&spans, "tools/call list_spaces"));
    assert_ne!(hex(&request.trace_id), TRACE);
    assert!(request.parent_span_id.is_empty());
    assert_eq!((hex(&message.trace_id), hex(&message.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    assert_eq!(message.links[0].span_id, request.span_id);
    assert_eq!(find(&spans, "GET listSpaces").parent_span_id, message.span_id);
}

#[tokio::test]
async fn failures_are_marked_with_codes_of_ours() {
    let collector = Collector::start().await;
    let server = traced(&collector).await;
    let token = server.token();
    let away = FaultKind::Status { status: 503, headers: Vec::new(), body: "down for Nordwand".to_owned() };
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 9,
        kind: away,
    });
    server.send(server.post(Some(&token), &call("list_spaces", json!({})))).await;
    server.send(server.post(Some(&token), &call("made_up_name", json!({"word": "made-up argument"})))).await;
    server.send(server.post(Some("made-up-token-of-nobody"), &call("list_spaces", json!({})))).await;
    server.get("/made/up/path?query=made-up-query").await;
    server.get("/readyz").await;
    server.stop().await;
    let mut spans: Vec<_> = collector.spans().iter().map(described).collect();
    spans.sort_unstable();
    let spans = spans.join("\n");
    assert!(
        !["made_up", "made-up", "made/up", "Nordwand"].iter().any(|word| spans.contains(word)),
        "{spans}"
    );
    insta::assert_snapshot!(spans, @"
    GET listSpaces (failed): http.request.method=GET server.address=127.0.0.1 sequentum.operation=listSpaces http.request.resend_count=1 http.response.status_code=503 error.type=server_error
    GET listSpaces (failed): http.request.method=GET server.address=127.0.0.1 sequentum.operation=listSpaces http.request.resend_count=2 http.response.status_code=503 error.type=server_error
    GET listSpaces (failed): http.request.method=GET server.address=127.0.0.1 sequentum.operation=listSpaces http.request.resend_count=3 http.response.status_code=503 error.type=server_error
    GET listSpaces (failed): http.request.method=GET server.address=127.0.0.1 sequentum.operation=listSpaces http.response.status_code=503 error.type=server_error
    GET: http.request.method=GET http.response.status_code=404
    POST /mcp: http.request.method=POST http.route=/mcp http.response.status_code=200
    POST /mcp: http.request.method=POST http.route=/mcp http.response.status_code=200
    POST /mcp: http.request.method=POST http.route=/mcp http.response.status_code=401
    tools/call (failed): mcp.method.name=tools/call mcp.protocol.version=2025-06-18 gen_ai.operation.name=execute_tool error.type=unknown_tool
    tools/call list_spaces (failed): mcp.method.name=tools/call mcp.protocol.version=2025-06-18 gen_ai.tool.name=list_spaces gen_ai.operation.name=execute_tool error.type=platform_error
    ");
}

#[tokio::test]
async fn a_trace_that_nobody_wants_recorded_goes_on_unrecorded() {
    let collector = Collector::start().await;
    let server = traced(&collector).await;
    let request = server.post(Some(&server.token()), &call("list_spaces", json!({})));
    server.send(request.header("traceparent", traceparent("00"))).await;
    let sent = server.platform.requests().pop().unwrap().traceparent.unwrap();
    assert!(sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with("-00"), "{sent}");
    server.stop().await;
    assert_eq!(collector.spans(), []);
}

#[tokio::test]
async fn what_is_no_trace_begins_a_new_one() {
    let collector = Collector::start().await;
    let server = traced(&collector).await;
    let zeros = format!("00-{}-{PARENT}-01", "0".repeat(32));
    let long = format!("vendor={}", "x".repeat(600));
    for (parent, state) in [
        ("made-up", "vendor=opaque"),
        (&*zeros, "vendor=opaque"),
        (&*"0".repeat(4096), "vendor=opaque"),
        ("", "vendor=opaque"),
        (&*traceparent("01"), &*long),
    ] {
        let request = server.post(Some(&server.token()), &call("list_spaces", json!({})));
        server.send(request.header("traceparent", parent).header("tracestate", state)).await;
    }
    let mut message = call("list_spaces", json!({}));
    message["params"]["_meta"] = json!({"traceparent": 7, "tracestate": {"a": "b"}});
    let answer = server.send(server.post_modern(&server.token(), &message)).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    server.stop().await;
    let spans = collector.spans();
    assert_eq!(spans.len(), 6 * 3);
    assert!(spans.iter().all(|span| span.trace_state.is_empty()), "{spans:#?}");
    assert_eq!(spans.iter().filter(|span| hex(&span.trace_id) == TRACE).count(), 3);
}

#[tokio::test]
async fn a_repeated_request_says_so() {
    let collector = Collector::start().await;
    let server = traced(&collector).await;
    let away = FaultKind::Status { status: 503, headers: Vec::new(), body: String::new() };
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 1,
        kind: away,
    });
    server.ask("list_spaces", json!({})).await;
    server.stop().await;
    let spans = collector.spans();
    let tries: Vec<_> = spans.iter().filter(|span| span.name == "GET listSpaces").map(described).collect();
    assert_eq!(tries.len(), 2);
    assert!(tries[0].contains("error.type=server_error") && !tries[0].contains("resend"), "{tries:?}");
    assert!(tries[1].contains("http.request.resend_count=1"), "{tries:?}");
}

#[tokio::test]
async fn nothing_is_passed_on_unless_traces_are_switched_on() {
    let server = TestServer::start().await;
    let request = server.post(Some(&server.token()), &call("list_spaces", json!({})));
    server.send(request.header("traceparent", traceparent("01"))).await;
    assert_eq!(server.platform.requests().pop().unwrap().traceparent, None);
}
