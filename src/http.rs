//! The edge: every path, on one page.
//!
//! [`layers`] is the middleware stack, [`endpoint`] the story of one `/mcp` request, [`server`] the accept loop. What
//! the MCP library answers badly is answered by [`envelope`] before it gets there.

mod access_log;
mod cors;
mod endpoint;
mod envelope;
mod health;
mod hosts;
mod landing;
mod layers;
mod live;
mod problem;
mod selection;
pub mod server;
mod sessions;
mod well_known;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    routing::{any, get, post},
};
use url::Url;

pub use self::{
    hosts::{HostRules, KNOWN_ORIGINS, OriginRules},
    live::LiveSessions,
    sessions::{SealError, Sessions},
};
use crate::{
    auth::{Authenticator, Challenger},
    mcp::Mcp,
    tools::{Catalog, Selection},
};

/// What a request may touch. Built once at start, shared by all.
pub struct Edge {
    /// Where this server is published.
    pub public: PublicUrls,
    /// Tells who is calling.
    pub authenticator: Authenticator,
    /// Builds challenges.
    pub challenger: Challenger,
    /// All tools, for the scope check before dispatch.
    pub catalog: Arc<Catalog>,
    /// What the operator offers at most.
    pub selection: Selection,
    /// The protocol.
    pub mcp: Mcp,
    /// Session handles; `None` when none are issued.
    pub sessions: Option<Sessions>,
    /// Sessions in memory behind the handles, where there are any.
    pub live: Option<LiveSessions>,
    /// Which Host values are answered.
    pub hosts: HostRules,
    /// Which browser origins may call.
    pub origins: OriginRules,
    /// Largest request body in bytes.
    pub max_body_bytes: usize,
    /// Set when the process is about to end: readiness turns false, running calls finish.
    pub draining: AtomicBool,
}

impl Edge {
    /// Announces the end: `/readyz` answers 503 from now on, and subscriptions end.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.mcp.drain();
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// Everything published, built from the configured origin and never from a Host header.
#[derive(Debug, Clone)]
pub struct PublicUrls {
    /// Without trailing slash.
    origin: String,
    /// The authorization server.
    issuer: String,
}

impl PublicUrls {
    /// `origin` is where clients reach this server; `issuer` is where they sign in.
    #[must_use]
    pub fn new(origin: &Url, issuer: String) -> Self {
        Self { origin: origin.as_str().trim_end_matches('/').to_owned(), issuer }
    }

    /// The origin, without trailing slash.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The authorization server where users sign in.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The endpoint that users paste into their client; also the resource identifier (RFC 9728 section 2).
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}{ENDPOINT}", self.origin)
    }

    /// Where the metadata of [`PublicUrls::endpoint`] is (RFC 9728 section 3.1).
    #[must_use]
    pub fn resource_metadata(&self) -> String {
        format!("{}{RESOURCE_METADATA}{ENDPOINT}", self.origin)
    }
}

/// The protocol's endpoint.
const ENDPOINT: &str = "/mcp";
/// RFC 9728: root document; the endpoint's own has its path appended.
const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";
/// RFC 8414: the issuer's document, for clients that look for it here.
const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";

/// All routes, inside all layers.
pub fn router(edge: Arc<Edge>) -> Router {
    let mcp = post(endpoint::post).get(endpoint::get).delete(endpoint::delete);
    let routes = Router::new()
        // The protocol. Both spellings answer alike: a redirect would lose the Authorization header in some clients.
        .route(ENDPOINT, mcp.clone())
        .route("/mcp/", mcp)
        // For clients that want to sign in.
        .route(RESOURCE_METADATA, get(well_known::origin_resource))
        .route("/.well-known/oauth-protected-resource/mcp", get(well_known::endpoint_resource))
        .route(SERVER_METADATA, get(well_known::authorization_server))
        .route("/.well-known/oauth-authorization-server/mcp", get(well_known::authorization_server))
        // For operators.
        .route("/health", get(health::health))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        // For people.
        .route("/", get(landing::page))
        .fallback(any(problem::not_found))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .with_state(Arc::clone(&edge));
    layers::wrap(routes, edge)
}
