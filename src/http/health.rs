//! For probes: no authentication, no detail, no dependency asked.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Request, StatusCode, header};
use serde_json::json;

use super::{Edge, access_log, problem::Problem};

/// `/health`: the document that monitors of this product family expect.
pub(super) async fn health() -> Response {
    answer(&json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "transport": "streamable-http"}))
}

/// `/livez`: the process answers.
pub(super) async fn livez() -> Response {
    answer(&json!({"status": "ok"}))
}

/// `/readyz`: new requests can be served: the issuer's keys are there and the process is not about to end.
pub(super) async fn readyz(State(edge): State<Arc<Edge>>, request: Request<axum::body::Body>) -> Response {
    if edge.is_ready() {
        return answer(&json!({"status": "ok"}));
    }
    let reason = if edge.is_draining() {
        "The server is shutting down."
    } else {
        "The issuer's signing keys are not loaded."
    };
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not_ready",
        reason,
        "Send requests to another replica, or try again.",
    )
    .retry_after(Duration::from_secs(5))
    .plain(&access_log::id_of(&request))
}

fn answer(document: &serde_json::Value) -> Response {
    let mut response = Json(document).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
