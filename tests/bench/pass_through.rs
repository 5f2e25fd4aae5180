//! The yardstick: the least that a server between client and platform can do with axum and reqwest.
//!
//! `POST /mcp` fetches the one record with the caller's `Authorization` and streams it back. Nothing is parsed,
//! verified, limited or logged. Allocator, build profile, HTTP libraries and socket options are the product's.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use sequentum_mcp::outbound;
use url::Url;

use crate::{
    platform::AGENT,
    process::{Outcome, Ready, announce, because, listen, serve},
};

/// What a call needs: where to ask, and with what.
struct Upstream {
    client: reqwest::Client,
    record: Url,
}

/// Serves until the process is ended.
pub(crate) async fn run(platform: &Url) -> Outcome<()> {
    let record = platform.join(&format!("api/v1/agent/{AGENT}")).map_err(because("platform address"))?;
    let client = outbound::client(platform).map_err(because("no HTTP client"))?;
    let listener = listen(0).await?;
    let port = listener.local_addr().map_err(because("no address"))?.port();
    let app = Router::new().route("/mcp", post(forward)).with_state(Arc::new(Upstream { client, record }));
    announce(&Ready { port, token: None })?;
    serve(listener, app).await
}

/// Reads the request to its end (a connection with unread bytes cannot be kept alive) and answers with the platform's.
async fn forward(State(upstream): State<Arc<Upstream>>, headers: HeaderMap, _body: Bytes) -> Response {
    let mut request = upstream.client.get(upstream.record.clone());
    if let Some(credential) = headers.get(AUTHORIZATION) {
        request = request.header(AUTHORIZATION, credential);
    }
    let Ok(mut answer) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let status = answer.status();
    let kind = answer.headers_mut().remove(CONTENT_TYPE);
    let mut response = Response::new(Body::new(reqwest::Body::from(answer)));
    *response.status_mut() = status;
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}
