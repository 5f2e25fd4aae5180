//! Dynamic client registration (RFC 7591).

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::State as Extract,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::client::{Client, Metadata, Unacceptable};
use crate::demo::{secrets, server::Peer, state::State};

/// Registrations per hour and address. The real server allows ten, which one afternoon of testing uses up.
const BUDGET: u32 = 100;

pub(super) async fn register(
    Extract(state): Extract<Arc<State>>,
    Extension(Peer(address)): Extension<Peer>,
    body: Bytes,
) -> Response {
    let now = state.now();
    if !state.oauth().may_register(now, &address.to_string(), BUDGET) {
        let retry = [(header::RETRY_AFTER, "3600")];
        let body =
            json!({ "error": "temporarily_unavailable", "error_description": "Too many registrations" });
        return (StatusCode::TOO_MANY_REQUESTS, retry, Json(body)).into_response();
    }
    let Ok(metadata) = serde_json::from_slice::<Metadata>(&body) else {
        return refuse(Unacceptable::Metadata("the body is not a JSON object of client metadata"));
    };
    if let Err(reason) = metadata.check() {
        return refuse(reason);
    }
    let client = Client {
        id: format!("mcp-{}", secrets::token()),
        name: metadata.display_name(),
        redirect_uris: metadata.redirect_uris.clone(),
    };
    let answer = json!({
        "client_id": client.id,
        "client_id_issued_at": now.as_second(),
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": metadata.grant_types.unwrap_or_else(|| vec!["authorization_code".to_owned()]),
        "response_types": ["code"],
        // Whatever was asked for: there are no secrets here, and the echo says so (RFC 7591 section 3.2.1).
        "token_endpoint_auth_method": "none",
        "application_type": metadata.application_type,
    });
    state.oauth().add_client(now, client);
    (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

fn refuse(reason: Unacceptable) -> Response {
    let (error, description) = match reason {
        Unacceptable::RedirectUri(description) => ("invalid_redirect_uri", description),
        Unacceptable::Metadata(description) => ("invalid_client_metadata", description),
    };
    let body = json!({ "error": error, "error_description": description });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
