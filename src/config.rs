//! Settings: flags before environment before file before defaults, checked once at start.
//!
//! [`Config`] is the only place where a text becomes a typed setting. Whatever it accepts is safe to use without a
//! second look; whatever it refuses is reported with key, value, origin and what is allowed.

mod auth;
mod limits;
pub mod lookup;
pub mod reference;
pub mod settings;
mod values;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use ipnet::IpNet;
use secrecy::{SecretSlice, SecretString};
use url::Url;

use self::values::{
    api_key, browser_origin, collector, forwarded_header, host_name, list, metrics_address, origin, seconds,
    session_key, trusted_proxies,
};
pub use self::{
    auth::{Auth, Introspection, OAuthClient, Upstream},
    limits::Limits,
    lookup::{Problem, Sources},
};
pub(crate) use self::{
    lookup::Reader,
    values::{boolean, log_format, service_url},
};
use crate::{outbound::is_loopback, tools::Toolset};

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The edge: where to listen, what to publish, whom to let in.
    pub http: Http,
    /// Whose tokens are accepted.
    pub auth: Auth,
    /// The platform behind.
    pub api: Api,
    /// Session handles of the 2025 revisions.
    pub sessions: Sessions,
    /// How much of the server one client or caller may use.
    pub limits: Limits,
    /// Protocol answers.
    pub mcp: Mcp,
    /// Logs, metrics and traces.
    pub telemetry: Telemetry,
}

/// Where to listen, what to publish, whom to let in.
#[derive(Debug, Clone)]
pub struct Http {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// The origin clients use. `None` on loopback: it follows from the bound address.
    pub public_url: Option<Url>,
    /// Further Host values, in lower case.
    pub allowed_hosts: Vec<String>,
    /// Further browser origins, as sent by browsers.
    pub allowed_origins: Vec<String>,
    /// Whether pages served from this machine may call us.
    pub loopback_origins: bool,
    /// Who may say from where a request comes.
    pub trust_proxy: TrustProxy,
    /// Largest request body in bytes.
    pub max_body_bytes: usize,
    /// Open connections at a time.
    pub max_connections: usize,
    /// Header and keep-alive time-out.
    pub idle_timeout: Duration,
    /// Time for balancers to learn of SIGTERM.
    pub shutdown_delay: Duration,
    /// Time for running calls after that.
    pub shutdown_grace: Duration,
}

/// The platform behind.
#[derive(Debug, Clone)]
pub struct Api {
    /// Base URL, without trailing slash in its path.
    pub url: Url,
    /// The API key of the one user of `stdio`.
    pub key: Option<SecretString>,
    /// The OAuth client of `login`; `None` registers one.
    pub login_client_id: Option<String>,
    /// Deadline of one attempt.
    pub timeout: Duration,
    /// Largest answer in bytes.
    pub max_response_bytes: usize,
    /// Storage hosts that are allowed although they are not public.
    pub storage_hosts: Vec<String>,
    /// How failed calls are repeated. Not a setting: tests shorten the waits.
    pub retry: crate::api::retry::Policy,
}

/// Session handles of the 2025 revisions.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// Whether handles are issued at all.
    pub mode: SessionMode,
    /// Live sessions at a time.
    pub max: usize,
    /// How long a live session lasts without a request or an open stream.
    pub idle: Duration,
    /// Keys of 32 bytes; the first seals, all open. Empty: one random key for this process.
    pub keys: Vec<SecretSlice<u8>>,
}

/// What clients of the 2025 revisions get for a session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionMode {
    /// A sealed handle that needs no storage.
    Sealed,
    /// The same handle in front of a session in memory, which can be sent something without being asked.
    Live,
    /// No session id.
    Off,
}

/// Who is believed about the address of a client, and where they write it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustProxy {
    /// The proxies.
    pub proxies: Proxies,
    /// The header that they write. The other one may be the client's.
    pub header: ForwardedHeader,
}

/// Where proxies write whom they serve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, as most do.
    #[default]
    Common,
    /// `Forwarded` (RFC 7239).
    Standard,
}

/// Which proxies in front of the server are believed about the address of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxies {
    /// The N nearest ones, whatever their addresses.
    Hops(usize),
    /// Those with an address in one of these networks.
    Networks(Vec<IpNet>),
}

impl Default for Proxies {
    /// Nobody.
    fn default() -> Self {
        Self::Hops(0)
    }
}

/// Protocol answers.
#[derive(Debug, Clone)]
pub struct Mcp {
    /// Cache hint of lists and discovery.
    pub list_cache_ttl: Duration,
    /// Deadline of one tool call.
    pub call_timeout: Duration,
    /// Whether clients of the 2025 revisions get a session in memory.
    pub live_sessions: bool,
    /// Whether users are asked before a call, where their client can ask.
    pub confirm: bool,
    /// Whether only tools that read are offered.
    pub read_only: bool,
    /// The toolsets that are offered.
    pub toolsets: Vec<Toolset>,
}

/// Logs, metrics and traces.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// Whether to log at debug level.
    pub debug: bool,
    /// Form of the lines.
    pub format: LogFormat,
    /// Where metrics are scraped; `None` counts nothing.
    pub metrics: Option<SocketAddr>,
    /// Where traces are sent to; `None` makes none.
    pub traces: Option<Url>,
}

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The platform's address unless another one is set.
const DEFAULT_API_URL: &str = "https://dashboard.sequentum.com";

impl Config {
    /// Reads and checks all settings.
    ///
    /// # Errors
    ///
    /// Every problem found, each naming key, value, origin and what is allowed.
    pub fn load(sources: &Sources) -> Result<Self, Vec<Problem>> {
        sources.read(read)
    }
}

/// Whether users have to sign in. Only this machine may be served without.
fn sign_in(r: &mut Reader<'_>, host: IpAddr, public_url: Option<&Url>) -> bool {
    let required = r.required(&settings::REQUIRE_AUTH, true, boolean);
    if !required && !host.is_loopback() {
        r.refuse(&settings::REQUIRE_AUTH, format!("is refused because HOST={host} is not loopback"));
    } else if let Some(public) = public_url.filter(|url| !required && !is_loopback(url)) {
        // Somebody on this machine passes requests on for it, which come from loopback then.
        let public = public.as_str().trim_end_matches('/');
        r.refuse(
            &settings::REQUIRE_AUTH,
            format!(
                "is refused because PUBLIC_URL={public} is not loopback: without sign-in only this machine is served, so leave PUBLIC_URL unset or set it to an origin on loopback"
            ),
        );
    }
    required
}

fn read(r: &mut Reader<'_>) -> Option<Config> {
    let host = r.required(&settings::HOST, IpAddr::from([127, 0, 0, 1]), |text| {
        if text.eq_ignore_ascii_case("localhost") {
            Some(IpAddr::from([127, 0, 0, 1]))
        } else {
            text.parse().ok()
        }
    });
    let public_url = r.optional(&settings::PUBLIC_URL, origin);
    let debug = r.required(&settings::DEBUG, false, |text| match text {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    });
    if !host.is_loopback() && public_url.is_none() {
        r.refuse(
            &settings::PUBLIC_URL,
            format!(
                "is needed because HOST={host} is not loopback: set it to {}",
                settings::PUBLIC_URL.allowed
            ),
        );
    }
    let required = sign_in(r, host, public_url.as_ref());

    let default_api = Url::parse(DEFAULT_API_URL).ok()?;
    let api_url = r.required(&settings::SEQUENTUM_API_URL, default_api, service_url);
    let auth = auth::read(r, &api_url, required);

    let mode = r.required(&settings::SESSIONS, SessionMode::Sealed, |text| match text {
        "sealed" => Some(SessionMode::Sealed),
        "live" => Some(SessionMode::Live),
        "off" => Some(SessionMode::Off),
        _ => None,
    });
    Some(Config {
        http: Http {
            host,
            port: u16::try_from(r.number(&settings::PORT, 0..=65_535)).ok()?,
            public_url,
            allowed_hosts: r.required(&settings::ALLOWED_HOSTS, Vec::new(), |text| list(text, host_name)),
            allowed_origins: r
                .required(&settings::ALLOWED_ORIGINS, Vec::new(), |text| list(text, browser_origin)),
            loopback_origins: host.is_loopback() || debug,
            trust_proxy: trust_proxy(r),
            max_body_bytes: usize::try_from(r.number(&settings::MAX_BODY_BYTES, 1024..=16_777_216)).ok()?,
            max_connections: usize::try_from(r.number(&settings::MAX_CONNECTIONS, 1..=1_000_000)).ok()?,
            idle_timeout: seconds(r.number(&settings::IDLE_TIMEOUT_SECONDS, 1..=3600)),
            shutdown_delay: seconds(r.number(&settings::SHUTDOWN_DELAY_SECONDS, 0..=600)),
            shutdown_grace: seconds(r.number(&settings::SHUTDOWN_GRACE_SECONDS, 0..=600)),
        },
        auth,
        api: Api {
            url: api_url,
            key: r.optional(&settings::SEQUENTUM_API_KEY, api_key),
            login_client_id: r.optional(&settings::LOGIN_CLIENT_ID, |text| Some(text.to_owned())),
            timeout: seconds(r.number(&settings::API_TIMEOUT_SECONDS, 1..=600)),
            max_response_bytes: usize::try_from(
                r.number(&settings::MAX_RESPONSE_BYTES, 65_536..=268_435_456),
            )
            .ok()?,
            storage_hosts: r.required(&settings::STORAGE_HOSTS, Vec::new(), |text| list(text, host_name)),
            retry: crate::api::retry::Policy::default(),
        },
        sessions: Sessions {
            mode,
            max: usize::try_from(r.number(&settings::MAX_SESSIONS, 1..=1_000_000)).ok()?,
            idle: seconds(r.number(&settings::SESSION_IDLE_SECONDS, 60..=86_400)),
            keys: r.required(&settings::SESSION_KEY, Vec::new(), |text| list(text, session_key)),
        },
        limits: limits::read(r)?,
        mcp: Mcp {
            list_cache_ttl: Duration::from_millis(r.number(&settings::LIST_CACHE_TTL_MS, 0..=86_400_000)),
            call_timeout: seconds(r.number(&settings::CALL_TIMEOUT_SECONDS, 1..=3600)),
            live_sessions: mode == SessionMode::Live,
            confirm: r.required(&settings::CONFIRM, true, |text| match text {
                "auto" => Some(true),
                "never" => Some(false),
                _ => None,
            }),
            read_only: r.required(&settings::READ_ONLY, false, boolean),
            toolsets: r.required(&settings::TOOLSETS, Toolset::ALL.to_vec(), |text| match text {
                "all" => Some(Toolset::ALL.to_vec()),
                _ => Toolset::parse_list(text),
            }),
        },
        telemetry: Telemetry {
            debug,
            format: r.required(&settings::LOG_FORMAT, LogFormat::Text, log_format),
            metrics: r.required(&settings::METRICS_ADDR, None, metrics_address),
            traces: r.optional(&settings::OTEL_EXPORTER_OTLP_ENDPOINT, collector),
        },
    })
}

fn trust_proxy(r: &mut Reader<'_>) -> TrustProxy {
    TrustProxy {
        proxies: r.required(&settings::TRUST_PROXY, Proxies::default(), trusted_proxies),
        header: r.required(&settings::FORWARDED_HEADER, ForwardedHeader::Common, forwarded_header),
    }
}

#[cfg(test)]
mod tests;
