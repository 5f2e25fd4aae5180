//! The edge: every path, on one page.
//!
//! [`layers`] is the middleware stack, [`endpoint`] the story of one `/mcp` request, [`server`] the accept loop. What
//! the MCP library answers badly is answered by [`headers`] and [`envelope`] before it gets there.

mod access_log;
mod activity;
mod client_addr;
mod cors;
mod endpoint;
mod envelope;
mod headers;
mod health;
mod held_body;
mod hosts;
mod in_flight;
mod landing;
mod layers;
mod limits;
mod live;
mod llms;
mod open_by_address;
mod problem;
mod scrape;
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
    middleware::from_fn_with_state,
    routing::{any, get, post},
};
use url::Url;

pub use self::{
    hosts::{HostRules, KNOWN_ORIGINS, OriginRules},
    in_flight::InFlight,
    limits::{Limiter, StoreError},
    live::LiveSessions,
    scrape::router as scrape_router,
    sessions::Sessions,
};
use crate::{
    auth::{Authenticator, Challenger},
    config::TrustProxy,
    mcp::{Auditor, Mcp},
    metrics::Metrics,
    tools::{Catalog, Selection},
    traces::Traces,
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
    /// Keeps the audit trail.
    pub auditor: Auditor,
    /// What the operator offers at most.
    pub selection: Selection,
    /// The protocol.
    pub mcp: Mcp,
    /// Session handles; `None` when none are issued.
    pub sessions: Option<Sessions>,
    /// Sessions in memory behind the handles, where there are any.
    pub live: Option<LiveSessions>,
    /// Requests that can be taken back.
    pub in_flight: InFlight,
    /// Which Host values are answered.
    pub hosts: HostRules,
    /// Which browser origins may call.
    pub origins: OriginRules,
    /// Who may say from where a request comes.
    pub trust_proxy: TrustProxy,
    /// How much of the server one client may use.
    pub limits: Limiter,
    /// Largest request body in bytes.
    pub max_body_bytes: usize,
    /// Where requests are counted.
    pub metrics: Metrics,
    /// Where it is told what they were spent on.
    pub traces: Traces,
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

    /// Whether new requests can be served.
    fn is_ready(&self) -> bool {
        !self.is_draining() && self.authenticator.is_ready()
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
/// What is said about the API behind this server, for people.
const DOCUMENTATION: &str = "https://docs.sequentum.com/api";
/// RFC 8414: the issuer's document, for clients that look for it here.
const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";

/// Routes that orchestrators ask, which are counted and not traced.
const PROBES: [&str; 3] = ["/health", "/livez", "/readyz"];

/// The routes by which requests are counted. [`router`] has no others.
const ROUTES: [&str; 11] = [
    ENDPOINT,
    "/mcp/",
    "/health",
    "/livez",
    "/readyz",
    RESOURCE_METADATA,
    "/.well-known/oauth-protected-resource/mcp",
    SERVER_METADATA,
    "/.well-known/oauth-authorization-server/mcp",
    "/",
    "/llms.txt",
];

/// All routes, inside all layers.
pub fn router(edge: Arc<Edge>) -> Router {
    let mcp = post(endpoint::post).get(endpoint::get).delete(endpoint::delete);
    let unlimited = Router::new()
        // The protocol, whose handlers see to the limits: who is counted depends on the credential. Both spellings
        // answer alike: a redirect would lose the Authorization header in some clients.
        .route(ENDPOINT, mcp.clone())
        .route("/mcp/", mcp)
        // For operators.
        .route("/health", get(health::health))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .method_not_allowed_fallback(problem::method_not_allowed);
    let pages = Router::new()
        // For clients that want to sign in.
        .route(RESOURCE_METADATA, get(well_known::origin_resource))
        .route("/.well-known/oauth-protected-resource/mcp", get(well_known::endpoint_resource))
        .route(SERVER_METADATA, get(well_known::authorization_server))
        .route("/.well-known/oauth-authorization-server/mcp", get(well_known::authorization_server))
        // For people.
        .route("/", get(landing::page))
        // For assistants that are asked about this server.
        .route("/llms.txt", get(llms::page))
        .fallback(any(problem::not_found))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&edge), limits::pages));
    let routes = unlimited.merge(pages).with_state(Arc::clone(&edge));
    layers::wrap(routes, edge)
}
