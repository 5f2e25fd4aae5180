//! Refusals of the edge, in the voice for the outside: code, cause, remedy, whether to retry, request id.
//!
//! On the protocol's endpoint a refusal is a JSON-RPC error, elsewhere a plain JSON object with the same members. The
//! JSON-RPC code is one of the specification where it defines one, and the HTTP status otherwise: a positive number
//! collides with nothing that JSON-RPC or MCP reserves.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Edge,
    access_log::{self, RequestId},
};

/// A refusal. Boxed, because it travels as the error of many small results.
#[derive(Debug, Clone)]
pub(super) struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    rpc_code: i32,
    code: &'static str,
    message: String,
    remedy: &'static str,
    retry_after: Option<Duration>,
    extra: Option<serde_json::Value>,
}

/// JSON-RPC and MCP error codes used by the edge.
pub(super) mod rpc {
    pub const PARSE_ERROR: i32 = -32700;
    pub const INVALID_REQUEST: i32 = -32600;
    pub const METHOD_NOT_FOUND: i32 = -32601;
    pub const INVALID_PARAMS: i32 = -32602;
    pub const UNSUPPORTED_PROTOCOL_VERSION: i32 = -32022;
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    remedy: &'a str,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    request_id: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    extra: Option<&'a serde_json::Value>,
}

impl Problem {
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        let rpc_code = i32::from(status.as_u16());
        Self(Box::new(Parts {
            status,
            rpc_code,
            code,
            message: message.into(),
            remedy,
            retry_after: None,
            extra: None,
        }))
    }

    /// With a code that the specification defines for this case.
    pub fn rpc(mut self, code: i32) -> Self {
        self.0.rpc_code = code;
        self
    }

    /// Worth another try after this time.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// With further members beside the code.
    pub fn extra(mut self, members: serde_json::Value) -> Self {
        self.0.extra = Some(members);
        self
    }

    fn data<'a>(&'a self, id: &'a RequestId, with_message: bool) -> Data<'a> {
        Data {
            code: self.0.code,
            message: with_message.then_some(self.0.message.as_str()),
            remedy: self.0.remedy,
            retryable: self.0.retry_after.is_some(),
            retry_after_seconds: self.0.retry_after.map(|wait| wait.as_secs()),
            request_id: id.as_str(),
            extra: self.0.extra.as_ref(),
        }
    }

    /// As a JSON-RPC error; `id` is that of the message where it could be read.
    pub fn json_rpc(&self, request: &RequestId, id: Option<&RawValue>) -> Response {
        #[derive(Serialize)]
        struct Error<'a> {
            code: i32,
            message: &'a str,
            data: Data<'a>,
        }
        #[derive(Serialize)]
        struct Envelope<'a> {
            jsonrpc: &'static str,
            id: Option<&'a RawValue>,
            error: Error<'a>,
        }
        let error =
            Error { code: self.0.rpc_code, message: &self.0.message, data: self.data(request, false) };
        self.finish(Json(Envelope { jsonrpc: "2.0", id, error }).into_response())
    }

    /// As a plain JSON object.
    pub fn plain(&self, request: &RequestId) -> Response {
        self.finish(Json(self.data(request, true)).into_response())
    }

    /// In the form that fits the path.
    pub fn for_path(&self, path: &str, request: &RequestId) -> Response {
        if is_endpoint(path) { self.json_rpc(request, None) } else { self.plain(request) }
    }

    fn finish(&self, mut response: Response) -> Response {
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        access_log::note(&mut response, |entry| entry.refusal = Some(self.0.code));
        response
    }
}

/// Whether the path is the protocol's endpoint, in either spelling.
pub(super) fn is_endpoint(path: &str) -> bool {
    matches!(path, "/mcp" | "/mcp/")
}

/// Any path that is no route.
pub(super) async fn not_found(request: Request<axum::body::Body>) -> Response {
    let problem = Problem::new(
        StatusCode::NOT_FOUND,
        "no_such_path",
        "There is nothing at this path.",
        "The MCP endpoint is /mcp; / describes this server.",
    );
    problem.plain(&access_log::id_of(&request))
}

/// A route with another method.
pub(super) async fn method_not_allowed(
    State(edge): State<Arc<Edge>>,
    request: Request<axum::body::Body>,
) -> Response {
    refuse_method(&edge, &request)
}

/// The same for a method that is routed and has nothing to answer.
pub(super) fn refuse_method(edge: &Edge, request: &Request<axum::body::Body>) -> Response {
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This path does not answer this method.",
        "See the Allow header for the methods it answers.",
    );
    let mut response = problem.for_path(request.uri().path(), &access_log::id_of(request));
    // Where this sets nothing the router does.
    if is_endpoint(request.uri().path()) {
        let allow = if edge.sessions.is_some() { "POST, DELETE, OPTIONS" } else { "POST, OPTIONS" };
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    } else if request.method() != Method::GET {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    }
    response
}

/// A panic in a handler of ours: the hook has logged it, the client gets a 500.
pub(super) fn panicked(_: Box<dyn Any + Send + 'static>) -> http::Response<Full<Bytes>> {
    let body = r#"{"code":"internal_error","message":"The server failed to handle this request.","remedy":"Try again; if it happens again, report it with the X-Request-Id header.","retryable":false}"#;
    let mut response = http::Response::new(Full::from(body));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
