//! The platform's REST API, typed.
//!
//! One file per domain; [`Session`] is the API as one caller sees it. A call is described ([`call`]), sent
//! under a deadline ([`retry`], [`network`]) and read into a type ([`model`]); failures say whose fault they are and
//! whether repeating helps ([`error`]). Nothing here knows a tool or the protocol.

mod agents;
mod analytics;
mod billing;
mod builder;
mod call;
pub mod credential;
pub mod error;
mod files;
pub mod ids;
pub mod model;
mod network;
pub mod retry;
mod runs;
mod schedules;
mod spaces;
mod storage;
mod versions;
mod window;

use tokio::time::Instant;

pub use self::{
    agents::{AgentFilter, SortOrder},
    billing::CostPage,
    credential::Credential,
    error::{ApiError, Fault},
    runs::{RemoveMethod, StartOutcome, StartRequest},
    spaces::RUN_SPACE_PATIENCE,
    storage::{End, MAX_READ, Piece},
    window::Window,
};
use crate::{clock::Clock, config, metrics::Metrics, outbound, traces::Span};

/// The platform, shared by all callers: one connection pool, one retry policy.
#[derive(Debug)]
pub struct Api {
    network: network::Network,
    retry: retry::Policy,
    storage: storage::Storage,
}

impl Api {
    /// Builds the client on a connection pool. Nothing is sent yet.
    #[must_use]
    pub fn new(config: &config::Api, http: reqwest::Client, clock: Clock) -> Self {
        let loopback = outbound::is_loopback(&config.url);
        let storage = storage::Storage::new(http.clone(), config.storage_hosts.clone(), loopback);
        Self { network: network::Network::new(config, http, clock), retry: config.retry, storage }
    }

    /// The same, counted.
    #[must_use]
    pub fn counted(mut self, metrics: Metrics) -> Self {
        self.network.metrics = metrics;
        self
    }

    /// The API for one caller and one request: `credential` is sent along, nothing lasts beyond `deadline`.
    #[must_use]
    pub fn session<'a>(&'a self, credential: Option<&'a Credential>, deadline: Instant) -> Session<'a> {
        Session { api: self, credential, deadline, span: &Span::OFF }
    }
}

/// The platform as one caller sees it, for the length of one request.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    api: &'a Api,
    credential: Option<&'a Credential>,
    deadline: Instant,
    /// What requests belong to.
    span: &'a Span,
}

impl<'a> Session<'a> {
    /// The same within a span, whose trace goes along to the platform.
    #[must_use]
    pub fn within(mut self, span: &'a Span) -> Self {
        self.span = span;
        self
    }
}
