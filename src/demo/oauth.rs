//! The platform's OAuth 2.1 authorization server: metadata, keys, registration, authorization with sign-in and consent
//! pages, tokens, introspection and exchange. Signing in is for public clients, PKCE always; looking tokens up and
//! exchanging them is for the one confidential client.

mod authorize;
mod browser;
mod cimd;
mod client;
mod confidential;
mod consent;
mod grants;
mod introspect;
mod ledger;
mod metadata;
mod pages;
mod params;
mod register;
mod scope;
mod sign_in;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};

pub(crate) use self::{
    confidential::{CLIENT_ID, CLIENT_SECRET},
    grants::{direct_token, opaque},
    introspect::current,
    ledger::Ledger,
    scope::Scope,
};
use super::state::State;

/// No form or registration comes near this.
const BODY_LIMIT: usize = 64 * 1024;

pub(crate) fn router() -> Router<Arc<State>> {
    // What clients call directly, also from a browser.
    let machine = Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata::server))
        .route("/api/oauth/resource-metadata", get(metadata::resource))
        .route("/api/oauth/certs", get(metadata::keys))
        .route("/api/oauth/register", post(register::register))
        .route("/api/oauth/token", post(token::token))
        .route("/api/oauth/introspect", post(introspect::introspect))
        .route_layer(middleware::from_fn(cross_origin));
    // What a person's browser is sent to.
    let pages = Router::new()
        .route("/", get(pages::welcome))
        .route("/api/oauth/authorize", get(authorize::authorize))
        .route("/oauth/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/oauth/consent", get(consent::show).post(consent::submit))
        .route("/oauth/pages.css", get(pages::style));
    machine.merge(pages).layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// Lets clients that run in a browser read the answers. No cookie is involved in any of them, so every origin may.
async fn cross_origin(request: Request, next: Next) -> Response {
    let preflight = request.method() == Method::OPTIONS;
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    add(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    if preflight {
        add(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS");
        add(header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, mcp-protocol-version");
        add(header::ACCESS_CONTROL_MAX_AGE, "600");
    }
    response
}
