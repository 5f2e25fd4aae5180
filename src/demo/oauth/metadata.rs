//! The documents clients begin with.

use std::sync::Arc;

use axum::{Json, extract::State as Extract};
use serde_json::{Value, json};

use super::scope::Scope;
use crate::demo::state::State;

/// Authorization server metadata (RFC 8414).
pub(super) async fn server(Extract(state): Extract<Arc<State>>) -> Json<Value> {
    let issuer = &state.issuer;
    let scopes: Vec<_> = Scope::API.into_iter().chain([Scope::OfflineAccess]).map(Scope::name).collect();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/api/oauth/authorize"),
        "token_endpoint": format!("{issuer}/api/oauth/token"),
        "registration_endpoint": format!("{issuer}/api/oauth/register"),
        "introspection_endpoint": format!("{issuer}/api/oauth/introspect"),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "jwks_uri": format!("{issuer}/api/oauth/certs"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", super::token::EXCHANGE],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "resource_indicators_supported": true,
        "client_id_metadata_document_supported": true,
        "authorization_response_iss_parameter_supported": true,
        "service_documentation": "https://docs.sequentum.com/api",
    }))
}

/// Protected resource metadata of the API (RFC 9728). `offline_access` is no right to a resource and not listed.
pub(super) async fn resource(Extract(state): Extract<Arc<State>>) -> Json<Value> {
    Json(json!({
        "resource": state.issuer,
        "authorization_servers": [state.issuer],
        "scopes_supported": Scope::API.map(Scope::name),
        "bearer_methods_supported": ["header"],
    }))
}

/// The signing keys (RFC 7517).
pub(super) async fn keys(Extract(state): Extract<Arc<State>>) -> Json<Value> {
    Json(state.keys.jwks())
}
