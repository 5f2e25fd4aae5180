//! Traces: what a request was spent on, exported over OTLP.
//!
//! [`Traces`] and [`Span`] are handles that are passed along, like [`Metrics`](crate::metrics::Metrics): nothing is global,
//! and switched off they hold nothing and cost a test of a pointer. There is a span for each HTTP request, one for each
//! MCP message and one for each request to the platform. Names and attributes are those of OpenTelemetry's semantic
//! conventions for HTTP and MCP, except that nothing is told which a client or the platform wrote: no path, URL, argument,
//! session or body. Texts are `&'static str`, so that it stays so.
//!
//! The trace of a client goes on (W3C Trace Context): `traceparent` and `tracestate` come from the headers of a request and
//! from `_meta` of a message (2026-07-28, "_meta"), and go to the platform.

mod export;

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Method};
use opentelemetry::{
    Context, KeyValue, Value,
    propagation::{Extractor, TextMapPropagator},
    trace::{Link, SpanKind, Status, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_http::HeaderInjector;
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use url::Url;

pub use self::export::SetupError;

/// How long the last spans may take to be delivered when the process ends.
const LAST: Duration = Duration::from_secs(5);
/// Longest `tracestate` that is passed on; W3C Trace Context asks for 512.
const MAX_STATE: usize = 512;

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// Where traces are sent to. Cheap to clone; the default is switched off.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

/// The trace that a client says it is in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Incoming<'a> {
    /// `traceparent`.
    pub parent: Option<&'a str>,
    /// `tracestate`.
    pub state: Option<&'a str>,
}

impl<'a> Incoming<'a> {
    /// From the headers of a request.
    #[must_use]
    pub fn from_headers(headers: &'a HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Self { parent: text(PARENT), state: text(STATE) }
    }
}

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            PARENT => self.parent,
            STATE => self.state.filter(|state| state.len() <= MAX_STATE),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT, STATE]
    }
}

impl Traces {
    /// Switched on, towards the OTLP endpoint at `endpoint` (protobuf over HTTP). To be called on the runtime that will send.
    ///
    /// # Errors
    ///
    /// See [`SetupError`].
    pub fn to(endpoint: &Url, http: reqwest::Client) -> Result<Self, SetupError> {
        let provider = export::provider(endpoint, http)?;
        let tracer = provider.tracer("sequentum-mcp");
        Ok(Self(Some(Arc::new(Inner { provider, tracer, propagator: TraceContextPropagator::new() }))))
    }

    /// The span of an HTTP request that came in. `route` is a route of ours, if it is for one.
    #[must_use]
    pub fn request(&self, method: &'static str, route: Option<&'static str>, from: Incoming<'_>) -> Span {
        let Some(inner) = &self.0 else { return Span::OFF };
        let parent = inner.propagator.extract_with_context(&Context::new(), &from);
        let mut attributes = vec![KeyValue::new("http.request.method", known(method))];
        attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
        let name =
            route.map_or_else(|| known(method).to_owned(), |route| format!("{} {route}", known(method)));
        Span::begin(inner, name, SpanKind::Server, attributes, Vec::new(), &parent)
    }

    /// Delivers what there is and ends: spans from now on go nowhere.
    pub async fn end(&self) {
        let Some(inner) = self.0.clone() else { return };
        // It waits for a thread of its own, which in turn needs this runtime to send.
        let ended = tokio::task::spawn_blocking(move || inner.provider.shutdown_with_timeout(LAST)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be delivered");
        }
    }
}

/// The standard's word for a method it does not know.
fn known(method: &'static str) -> &'static str {
    if method == "other" { "_OTHER" } else { method }
}

/// A span that is open, or nothing. Clones are the same span; it ends with the last of them.
#[derive(Debug, Clone, Default)]
pub struct Span(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    traces: Arc<Inner>,
    context: Context,
}

impl Span {
    /// No span.
    pub const OFF: Self = Self(None);

    fn begin(
        traces: &Arc<Inner>,
        name: String,
        kind: SpanKind,
        attributes: Vec<KeyValue>,
        links: Vec<Link>,
        parent: &Context,
    ) -> Self {
        let span =
            traces.tracer.span_builder(name).with_kind(kind).with_attributes(attributes).with_links(links);
        let span = span.start_with_context(&traces.tracer, parent);
        Self(Some(Arc::new(Open { traces: Arc::clone(traces), context: Context::new().with_span(span) })))
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The span of an MCP message within this request. `subject` is a tool, prompt or resource kind of ours. If the message
    /// names a trace of its own, the span belongs to that one and is linked to the request.
    #[must_use]
    pub fn message(
        &self,
        method: &'static str,
        subject: Option<&'static str>,
        revision: &'static str,
        from: Incoming<'_>,
    ) -> Self {
        let Some(open) = &self.0 else { return Self::OFF };
        let mut attributes = vec![KeyValue::new("mcp.method.name", method)];
        if revision != "none" {
            attributes.push(KeyValue::new("mcp.protocol.version", revision));
        }
        if let Some(subject) = subject {
            let key = match method {
                "prompts/get" => "gen_ai.prompt.name",
                "resources/read" | "resources/subscribe" => "mcp.resource.kind",
                _ => "gen_ai.tool.name",
            };
            attributes.push(KeyValue::new(key, subject));
        }
        if method == "tools/call" {
            attributes.push(KeyValue::new("gen_ai.operation.name", "execute_tool"));
        }
        let name = subject.map_or_else(|| method.to_owned(), |subject| format!("{method} {subject}"));
        let own = open.traces.propagator.extract_with_context(&Context::new(), &from);
        let request = open.context.span().span_context().clone();
        if own.has_active_span() && own.span().span_context().span_id() != request.span_id() {
            let links = vec![Link::with_context(request)];
            return Self::begin(&open.traces, name, SpanKind::Server, attributes, links, &own);
        }
        Self::begin(&open.traces, name, SpanKind::Server, attributes, Vec::new(), &open.context)
    }

    /// The span of a request to the platform, for an operation of its contract.
    #[must_use]
    pub fn platform(&self, method: &Method, operation: &'static str, server: &Server) -> Self {
        let Some(open) = &self.0 else { return Self::OFF };
        let method = ["GET", "POST", "PUT", "DELETE"].into_iter().find(|known| *known == method.as_str());
        let method = method.unwrap_or("_OTHER");
        let attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("server.address", Arc::clone(&server.address)),
            KeyValue::new("server.port", i64::from(server.port)),
            KeyValue::new("sequentum.operation", operation),
        ];
        let name = format!("{method} {operation}");
        Self::begin(&open.traces, name, SpanKind::Client, attributes, Vec::new(), &open.context)
    }

    /// Notes the status that a request was answered with; a fault of ours is marked as one.
    pub fn answered(&self, status: u16) {
        let Some(open) = &self.0 else { return };
        let span = open.context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            span.set_attribute(KeyValue::new("error.type", status.to_string()));
            span.set_status(Status::error(""));
        }
    }

    /// Notes a number.
    pub fn number(&self, key: &'static str, value: i64) {
        let Some(open) = &self.0 else { return };
        open.context.span().set_attribute(KeyValue::new(key, Value::I64(value)));
    }

    /// Marks it as failed, with a code of ours.
    pub fn failed(&self, code: &'static str) {
        let Some(open) = &self.0 else { return };
        let span = open.context.span();
        span.set_attribute(KeyValue::new("error.type", code));
        span.set_status(Status::error(""));
    }

    /// Puts it into the headers of a request to somebody else.
    pub fn inject(&self, headers: &mut HeaderMap) {
        let Some(open) = &self.0 else { return };
        open.traces.propagator.inject_context(&open.context, &mut HeaderInjector(headers));
    }

    /// The trace it belongs to, as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        let open = self.0.as_ref()?;
        Some(open.context.span().span_context().trace_id().to_string())
    }
}

/// A server that requests are sent to.
#[derive(Debug, Clone)]
pub struct Server {
    address: Arc<str>,
    port: u16,
}

impl Server {
    /// The one that `url` names.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        let address = Arc::from(url.host_str().unwrap_or_default());
        Self { address, port: url.port_or_known_default().unwrap_or_default() }
    }
}
