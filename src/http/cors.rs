//! Browsers: preflights are answered, foreign origins are refused at the endpoint.
//!
//! Every answer varies by Origin (set in [`super::layers`], for refusals too). A preflight (any OPTIONS) is a 204 without authentication; the allow header goes to
//! allowed origins only. No credentials flag: authority travels in a header, never in a cookie.

use std::sync::Arc;

use axum::{body::Body, extract::State, middleware::Next, response::Response};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};

use super::{Edge, access_log, problem, problem::Problem};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE, OPTIONS");
const ALLOWED: HeaderValue = HeaderValue::from_static(
    "Content-Type, Accept, Authorization, Mcp-Method, Mcp-Name, Mcp-Protocol-Version, Mcp-Session-Id, Last-Event-ID, X-MCP-Readonly, X-MCP-Toolsets, traceparent, tracestate",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "WWW-Authenticate, Retry-After, RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Mcp-Session-Id, MCP-Protocol-Version, X-Request-Id",
);

/// The layer.
pub(super) async fn apply(State(edge): State<Arc<Edge>>, request: Request<Body>, next: Next) -> Response {
    // Two Origin headers are nobody's.
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    let origin = origins.next().cloned();
    let single = origins.next().is_none();
    let allowed =
        origin.clone().filter(|value| single && value.to_str().is_ok_and(|text| edge.origins.admits(text)));

    let mut response = if request.method() == Method::OPTIONS {
        let mut preflight = Response::new(Body::empty());
        *preflight.status_mut() = StatusCode::NO_CONTENT;
        preflight
    } else if origin.is_some() && allowed.is_none() && problem::is_endpoint(request.uri().path()) {
        let problem = Problem::new(
            StatusCode::FORBIDDEN,
            "origin_not_allowed",
            "Pages of this origin may not use the MCP endpoint.",
            "Ask the operator to add the origin to ALLOWED_ORIGINS.",
        );
        problem.json_rpc(&access_log::id_of(&request), None)
    } else {
        next.run(request).await
    };
    decorate(response.headers_mut(), allowed);
    response
}

fn decorate(headers: &mut HeaderMap, allowed: Option<HeaderValue>) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}
