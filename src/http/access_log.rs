//! A request id for everybody, and one line per request.
//!
//! The line is written when the answer's head is ready. Its fields are fixed here; a field that does not apply is left
//! out. It never holds a token, an argument, a query string or a body.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{MatchedPath, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, Method, Request};

use super::{Edge, PROBES, ROUTES};
use crate::{
    auth::Caller,
    telemetry::millis,
    traces::{Incoming, Span},
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of one request: in the response header, the log and every error. Always our own; a client's is ignored,
/// because it could forge log lines.
#[derive(Debug, Clone)]
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    fn new() -> Self {
        let id = ids::next();
        let mut buffer = uuid::Uuid::encode_buffer();
        let text = id.hyphenated().encode_lower(&mut buffer);
        Self(HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown")))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// What the handlers know about a request and the log wants: filled in on the way out.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    /// Who is calling.
    pub caller: Option<Arc<Caller>>,
    /// MCP method, if it is a known one.
    pub method: Option<&'static str>,
    /// Tool, if it is a known one.
    pub tool: Option<&'static str>,
    /// How the tool call ended.
    pub outcome: Option<&'static str>,
    /// Why the request was refused.
    pub refusal: Option<&'static str>,
}

/// Adds to what the log line of this response will say.
pub(super) fn note(response: &mut Response, fill: impl FnOnce(&mut Entry)) {
    let mut entry = response.extensions_mut().remove::<Entry>().unwrap_or_default();
    fill(&mut entry);
    response.extensions_mut().insert(entry);
}

/// The id that [`record`] gave this request.
pub(super) fn id_of<B>(request: &Request<B>) -> RequestId {
    request.extensions().get().cloned().unwrap_or_else(RequestId::new)
}

/// Methods and routes for counting: a client's own words are `other` and nothing.
fn labels(method: &Method, route: Option<&MatchedPath>) -> (&'static str, Option<&'static str>) {
    let methods = ["GET", "POST", "DELETE", "OPTIONS", "HEAD"];
    let method = methods.into_iter().find(|known| *known == method.as_str()).unwrap_or("other");
    let route = route.and_then(|route| ROUTES.into_iter().find(|known| *known == route.as_str()));
    (method, route)
}

/// The layer.
pub(super) async fn record(
    State(edge): State<Arc<Edge>>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let start = Instant::now();
    let id = RequestId::new();
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (method_label, route_label) = labels(&method, route.as_ref());
    let span = if route_label.is_some_and(|route| PROBES.contains(&route)) {
        // They come every few seconds and have nothing to tell.
        Span::OFF
    } else {
        edge.traces.request(method_label, route_label, Incoming::from_headers(request.headers()))
    };
    if span.is_on() {
        request.extensions_mut().insert(span.clone());
    }
    let mut response = next.run(request).await;
    let entry = response.extensions_mut().remove::<Entry>().unwrap_or_default();
    let took = start.elapsed();
    let status = response.status().as_u16();
    span.answered(status);
    edge.metrics.http(method_label, route_label.unwrap_or("none"), status, took);
    if let Some(code) = entry.refusal {
        edge.metrics.refused(code);
    }
    let caller = entry.caller.as_deref();
    tracing::info!(
        request.id = id.as_str(),
        http.method = method.as_str(),
        // The route, not the path: a path is the client's text.
        http.route = route.as_ref().map_or("none", MatchedPath::as_str),
        http.status = status,
        duration_ms = millis(took),
        caller.id = caller.map(|caller| caller.principal().subject()),
        client.id = caller.and_then(Caller::client_id),
        mcp.method = entry.method,
        tool.name = entry.tool,
        outcome = entry.outcome,
        refusal = entry.refusal,
        trace.id = span.trace_id(),
        "request"
    );
    response.headers_mut().insert(X_REQUEST_ID, id.0);
    response
}

/// `UUIDv7` without a system call each: time, then a counter that starts at a random place in every process.
mod ids {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    };

    use crate::clock::Clock;

    static COUNTER: LazyLock<AtomicU64> = LazyLock::new(|| {
        let mut seed = [0; 8];
        // Without randomness the ids of two processes could meet, which costs clarity in a log and nothing else.
        let _ = aws_lc_rs::rand::fill(&mut seed);
        AtomicU64::new(u64::from_le_bytes(seed))
    });

    pub(super) fn next() -> uuid::Uuid {
        // An odd multiplier spreads consecutive counts over all bits and never repeats one (mod 2^64).
        let spread = COUNTER.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut tail = [0; 10];
        for (to, from) in tail.iter_mut().skip(2).zip(spread.to_be_bytes()) {
            *to = from;
        }
        let millis = u64::try_from(Clock::system().now().as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }
}
