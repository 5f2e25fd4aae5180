//! Token introspection (RFC 7662), for the confidential client only.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State as Extract,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{confidential, params::Params};
use crate::demo::{keys::Claims, state::State};

pub(super) async fn introspect(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    if !confidential::is_authentic(&headers) {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"introspection\"")];
        let body = Json(json!({ "error": "invalid_client" }));
        return (StatusCode::UNAUTHORIZED, challenge, no_store, body).into_response();
    }
    let params = Params::parse(&body);
    let Some(token) = params.get("token") else {
        let body = Json(json!({ "error": "invalid_request" }));
        return (StatusCode::BAD_REQUEST, no_store, body).into_response();
    };
    // Of a token that is no good nothing else is told (section 2.2).
    let answer = current(&state, token).map_or_else(
        || json!({ "active": false }),
        |mut claims| {
            if let Some(members) = claims.as_object_mut() {
                members
                    .extend([("active".to_owned(), json!(true)), ("token_type".to_owned(), json!("Bearer"))]);
            }
            claims
        },
    );
    (no_store, Json(answer)).into_response()
}

/// The claims of an access token of ours, opaque or not, that is good now. Its audience does not matter: the real API
/// does not look at it.
pub(crate) fn current(state: &State, token: &str) -> Option<Value> {
    let jwt = state.oauth().opaque(state.now(), token);
    let all: Value = state.keys.verify(jwt.as_deref().unwrap_or(token))?;
    let claims: Claims = serde_json::from_value(all.clone()).ok()?;
    let now = state.options.clock.unix_seconds();
    let user = claims.sub.parse().ok()?;
    let standing = state.oauth().grant_stands(state.now(), &claims.jti);
    let world = state.world();
    let known = world.tenant(user).is_some() && !world.revoked.contains(&user);
    let good = claims.iss == state.issuer && claims.exp > now && claims.nbf <= now && standing && known;
    good.then_some(all)
}
