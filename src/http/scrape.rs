//! What is counted, for Prometheus: on a port of its own, without sign-in, so that it can stay inside a network.

use std::sync::Arc;

use axum::{Router, extract::State, response::Response, routing::get};
use http::{HeaderValue, StatusCode, header};

use super::Edge;
use crate::metrics::{CONTENT_TYPE, Now};

/// The one route of that port.
pub fn router(edge: Arc<Edge>) -> Router {
    Router::new().route("/metrics", get(page)).with_state(edge)
}

async fn page(State(edge): State<Arc<Edge>>) -> Response {
    let (calls, streams) = edge.limits.open();
    let now = Now {
        calls,
        streams,
        live_sessions: edge.live.as_ref().map_or(0, super::LiveSessions::count),
        ready: edge.is_ready(),
        store_connected: edge.limits.is_store_connected(),
    };
    let Some(page) = edge.metrics.page(&now) else {
        let mut nothing = Response::default();
        *nothing.status_mut() = StatusCode::NOT_FOUND;
        return nothing;
    };
    let mut response = Response::new(page.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
}
