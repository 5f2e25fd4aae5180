//! From a checked [`Config`] to a server that can be run: everything that requests share is built here, once.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use secrecy::ExposeSecret;
use tokio::{net::TcpListener, time::Instant};
use url::Url;

use crate::{
    api::Api,
    auth::{Authenticator, Caller, Challenger, Confirm, SetupError},
    clock::Clock,
    config::{self, Config, SessionMode},
    http::{
        self, Edge, HostRules, InFlight, Limiter, LiveSessions, OriginRules, PublicUrls, Sessions,
        StoreError, server,
    },
    mcp::{Auditor, Mcp, StdioError},
    metrics::Metrics,
    outbound,
    seal::{SealError, Sealer},
    tools::{Catalog, Selection},
    traces::Traces,
};

/// Connections at a time to where metrics are scraped.
const SCRAPERS: usize = 16;
/// How long the platform may take to tell whether an API key is good.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);

/// A server bound to its address, ready to run.
pub struct App {
    listener: TcpListener,
    /// Where metrics are scraped, if that is switched on.
    metrics: Option<TcpListener>,
    edge: Arc<Edge>,
    limits: server::Limits,
}

/// Why the server could not be built.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another HOST or PORT")]
    Bind {
        /// The configured address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address for metrics cannot be listened on.
    #[error("cannot listen on {address} for metrics: {source}; choose another METRICS_ADDR")]
    BindMetrics {
        /// The configured address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The HTTP client for platform and issuer cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Http(#[from] reqwest::Error),
    /// Nobody could be told apart.
    #[error(transparent)]
    Identity(#[from] SetupError),
    /// The session keys cannot be used.
    #[error(transparent)]
    Sessions(#[from] SealError),
    /// The store of the limits cannot be used.
    #[error(transparent)]
    Limits(#[from] StoreError),
    /// Traces cannot be sent to where they should go.
    #[error(transparent)]
    Traces(#[from] crate::traces::SetupError),
    /// The text of a prompt is broken, which is a fault of this build.
    #[error("a prompt cannot be built: {0}")]
    Prompts(#[from] crate::prompts::PromptError),
    /// The public origin or the issuer cannot be written as a URL.
    #[error("an address is not a URL: {0}")]
    Url(#[from] url::ParseError),
}

/// The audit trail, keyed like the sessions: the same on every replica, or random for this process.
fn auditor(sessions: &config::Sessions) -> Result<Auditor, StartError> {
    if let Some(key) = sessions.keys.first() {
        return Ok(Auditor::new(key.expose_secret()));
    }
    let mut random = [0; 32];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| SealError)?;
    Ok(Auditor::new(&random))
}

fn listen_for_metrics(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listen = || {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    listen().map_err(|source| StartError::BindMetrics { address, source })
}

/// What the operator offers.
#[must_use]
pub fn selection(config: &config::Mcp) -> Selection {
    let selection = Selection::of(&config.toolsets);
    if config.read_only { selection.read_only() } else { selection }
}

impl App {
    /// Binds the configured address and builds everything.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub async fn bind(config: &Config, clock: Clock) -> Result<Self, StartError> {
        let address = SocketAddr::new(config.http.host, config.http.port);
        let bind_error = |source| StartError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        Self::on(listener, config, clock, Catalog::new())
    }

    /// The same on a socket that is bound already, with a catalogue of the caller's choice.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn on(
        listener: TcpListener,
        config: &Config,
        clock: Clock,
        catalog: Catalog,
    ) -> Result<Self, StartError> {
        let bound = listener.local_addr().map_err(|source| StartError::Bind {
            address: SocketAddr::new(config.http.host, config.http.port),
            source,
        })?;
        let scraped = config.telemetry.metrics.map(listen_for_metrics).transpose()?;
        let metrics = if scraped.is_some() { Metrics::on(clock.now()) } else { Metrics::default() };
        let clients = outbound::Clients::default();
        let traces = match &config.telemetry.traces {
            Some(endpoint) => Traces::to(endpoint, clients.towards(endpoint)?)?,
            None => Traces::default(),
        };
        let origin = match &config.http.public_url {
            Some(url) => url.clone(),
            // Only on loopback: anything else is refused by the configuration.
            None => Url::parse(&format!("http://{bound}"))?,
        };
        let public = PublicUrls::new(&origin, config.auth.issuers.first().cloned().unwrap_or_default());
        let resources = [public.endpoint(), public.origin().to_owned()];
        let catalog = Arc::new(catalog);
        let api = Api::new(&config.api, clients.towards(&config.api.url)?, clock.clone());
        let api = Arc::new(api.counted(metrics.clone()));
        let authenticator =
            Authenticator::new(&config.auth, resources, &config.api.url, confirm(&api), &clients, &clock)?;
        let sealer = Arc::new(Sealer::new(&config.sessions.keys, clock.clone())?);
        let sessions = match config.sessions.mode {
            SessionMode::Sealed | SessionMode::Live => Some(Sessions::new(Arc::clone(&sealer))),
            SessionMode::Off => None,
        };
        let live = (config.sessions.mode == SessionMode::Live)
            .then(|| LiveSessions::new(config.sessions.max, config.sessions.idle, clock.clone()));
        if config.sessions.keys.is_empty() && !config.http.host.is_loopback() {
            tracing::warn!(
                "SESSION_KEY is not set: sessions and tasks are unknown to other replicas and after a restart"
            );
        }
        if !config.auth.required {
            tracing::warn!(
                "REQUIRE_AUTH=false: requests without a token are let in; platform calls will be refused"
            );
        }
        let loopback_port = bound.ip().is_loopback().then(|| bound.port());
        let limits = Limiter::new(&config.limits, clock.clone())?.counted(metrics.clone());
        let edge = Arc::new(Edge {
            hosts: HostRules::new(&origin, &config.http.allowed_hosts, loopback_port),
            origins: OriginRules::new(
                public.origin(),
                &config.http.allowed_origins,
                config.http.loopback_origins,
            ),
            auditor: auditor(&config.sessions)?.counted(metrics.clone()),
            selection: selection(&config.mcp),
            challenger: Challenger::new(public.resource_metadata()),
            authenticator,
            mcp: Mcp::new(&config.mcp, api, Arc::clone(&catalog), clock, sealer)?,
            catalog,
            sessions,
            live,
            in_flight: InFlight::default(),
            trust_proxy: config.http.trust_proxy.clone(),
            limits,
            max_body_bytes: config.http.max_body_bytes,
            metrics,
            traces,
            draining: AtomicBool::new(false),
            public,
        });
        let limits = server::Limits {
            connections: config.http.max_connections,
            proxies: config.http.trust_proxy.proxies.clone(),
            idle: config.http.idle_timeout,
            notice: config.http.shutdown_delay,
            grace: config.http.shutdown_grace,
        };
        Ok(Self { listener, metrics: scraped, edge, limits })
    }

    /// The URL that users paste into their client.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.edge.public.endpoint()
    }

    /// The bound address.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where metrics are scraped, if that is switched on.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.edge.metrics.clone()
    }

    /// Serves until `stop` completes, then drains. Signing keys are loaded in the background: the port answers at once,
    /// `/readyz` when the keys are there.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, metrics, edge, limits } = self;
        let refresh = tokio::spawn({
            let edge = Arc::clone(&edge);
            async move { edge.authenticator.keep_fresh().await }
        });
        let sweep = edge.live.clone().map(|live| {
            let edge = Arc::clone(&edge);
            let end = async move |id: String| edge.mcp.close_live(&id).await;
            tokio::spawn(async move { live.sweep_forever(end).await })
        });
        let store = tokio::spawn({
            let edge = Arc::clone(&edge);
            async move { edge.limits.keep_store().await }
        });
        // To the end: how a process drains is worth seeing.
        let scrapes = metrics.map(|listener| {
            let limits = server::Limits { connections: SCRAPERS, ..limits.clone() };
            let router = http::scrape_router(Arc::clone(&edge));
            tokio::spawn(server::serve(listener, router, limits, std::future::pending(), || ()))
        });
        let router = http::router(Arc::clone(&edge));
        server::serve(listener, router, limits, stop, || edge.drain()).await;
        refresh.abort();
        store.abort();
        edge.traces.end().await;
        if let Some(scrapes) = scrapes {
            scrapes.abort();
        }
        if let Some(sweep) = sweep {
            sweep.abort();
        }
    }
}

/// Asks the platform about a credential, with the cheapest read there is.
fn confirm(api: &Arc<Api>) -> Confirm {
    let api = Arc::clone(api);
    Box::new(move |credential| {
        let api = Arc::clone(&api);
        Box::pin(async move {
            let deadline = Instant::now() + CONFIRM_TIMEOUT;
            api.session(Some(&credential), deadline).try_credential().await
        })
    })
}

/// The same tools, prompts and resources for the user who started this process, over standard input and output.
pub struct LocalApp {
    mcp: Mcp,
    caller: Arc<Caller>,
    selection: Selection,
}

impl LocalApp {
    /// Builds everything. The credential of `caller` goes to the platform with each call; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn new(config: &Config, caller: Caller, clock: Clock) -> Result<Self, StartError> {
        let http = outbound::client(&config.api.url)?;
        let api = Arc::new(Api::new(&config.api, http, clock.clone()));
        let sealer = Arc::new(Sealer::new(&config.sessions.keys, clock.clone())?);
        let mcp = Mcp::new(&config.mcp, api, Arc::new(Catalog::new()), clock, sealer)?;
        Ok(Self { mcp, caller: Arc::new(caller), selection: selection(&config.mcp) })
    }

    /// Serves until the client closes its end or `stop` completes.
    ///
    /// # Errors
    ///
    /// See [`StdioError`].
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), StdioError> {
        self.mcp.serve_stdio(self.caller, self.selection, stop).await
    }
}
