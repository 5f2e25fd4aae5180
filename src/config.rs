//! Settings: flags before environment before file before defaults, checked once at start.
//!
//! [`Config`] is the only place where a text becomes a typed setting. Whatever it accepts is safe to use without a
//! second look; whatever it refuses is reported with key, value, origin and what is allowed.

pub mod lookup;
pub mod reference;
pub mod settings;

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use ipnet::IpNet;
use secrecy::{SecretSlice, SecretString};
use url::Url;

use self::lookup::Reader;
pub use self::lookup::{Problem, Sources};
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
    /// Logs.
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
    /// Further Host values, in small letters.
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
    /// Time for running calls after SIGTERM.
    pub shutdown_grace: Duration,
}

/// Whose tokens are accepted.
#[derive(Debug, Clone)]
pub struct Auth {
    /// The issuers, byte for byte as in the tokens, without trailing slash. There is at least one; clients are sent to
    /// the first.
    pub issuers: Vec<String>,
    /// Audiences besides our own URL and origin.
    pub audiences: Vec<String>,
    /// Whether a request without a token is refused.
    pub required: bool,
    /// Where opaque tokens of the first issuer are looked up, and as whom.
    pub introspection: Option<Introspection>,
    /// Whether the platform's API keys are accepted.
    pub api_keys: bool,
    /// What goes to the platform.
    pub upstream: Upstream,
}

/// Where opaque tokens are looked up, and as whom.
#[derive(Debug, Clone)]
pub struct Introspection {
    /// The endpoint (RFC 7662).
    pub url: Url,
    /// Us.
    pub client: OAuthClient,
}

/// What goes to the platform.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// The caller's own token.
    Forward,
    /// A token exchanged for it (RFC 8693), by us as this client.
    Exchange(OAuthClient),
}

/// This server as a confidential client of the issuer.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: SecretString,
}

/// The platform behind.
#[derive(Debug, Clone)]
pub struct Api {
    /// Base URL, without trailing slash in its path.
    pub url: Url,
    /// The API key of the one user of `stdio`.
    pub key: Option<SecretString>,
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

/// Which proxies in front of the server are believed about the address of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustProxy {
    /// The so many nearest ones, whatever their addresses.
    Hops(usize),
    /// Those with an address in one of these networks.
    Networks(Vec<IpNet>),
}

impl Default for TrustProxy {
    /// Nobody.
    fn default() -> Self {
        Self::Hops(0)
    }
}

/// How much of the server one client or caller may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests of one caller within the window.
    pub requests: NonZeroU32,
    /// Requests from one address within the window that nobody answers for.
    pub requests_per_address: NonZeroU32,
    /// The window of both.
    pub window: Duration,
    /// Calls at a time, of all callers.
    pub calls: usize,
    /// Calls of one caller at a time.
    pub calls_per_caller: usize,
    /// Event streams of one caller at a time.
    pub streams_per_caller: usize,
    /// The URL of a Redis that replicas share; `None` counts in this process.
    pub store: Option<SecretString>,
    /// How long that may take to answer. Not a setting: tests run on busy machines.
    pub store_timeout: Duration,
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

/// Logs.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// Whether to log at debug level.
    pub debug: bool,
    /// Form of the lines.
    pub format: LogFormat,
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

/// How long the store of the limits may take to answer: a call is never held up longer.
const STORE_TIMEOUT: Duration = Duration::from_millis(50);
/// More proxies in a row than anybody has.
const MAX_HOPS: usize = 16;

impl Config {
    /// Reads and checks all settings.
    ///
    /// # Errors
    ///
    /// Every problem found, each naming key, value, origin and what is allowed.
    pub fn load(sources: &Sources) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(sources);
        let config = read(&mut reader);
        match (config, reader.problems) {
            (Some(config), problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(problems),
        }
    }
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
    let required = r.required(&settings::REQUIRE_AUTH, true, boolean);
    if !required && !host.is_loopback() {
        r.refuse(&settings::REQUIRE_AUTH, format!("is refused because HOST={host} is not loopback"));
    }

    let default_api = Url::parse(DEFAULT_API_URL).ok()?;
    let api_url = r.required(&settings::SEQUENTUM_API_URL, default_api, service_url);
    let auth = read_auth(r, &api_url, required);

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
            trust_proxy: r.required(&settings::TRUST_PROXY, TrustProxy::default(), trusted_proxies),
            max_body_bytes: usize::try_from(r.number(&settings::MAX_BODY_BYTES, 1024..=16_777_216)).ok()?,
            max_connections: usize::try_from(r.number(&settings::MAX_CONNECTIONS, 1..=1_000_000)).ok()?,
            idle_timeout: seconds(r.number(&settings::IDLE_TIMEOUT_SECONDS, 1..=3600)),
            shutdown_grace: seconds(r.number(&settings::SHUTDOWN_GRACE_SECONDS, 0..=600)),
        },
        auth,
        api: Api {
            url: api_url,
            key: r.optional(&settings::SEQUENTUM_API_KEY, api_key),
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
        limits: limits(r)?,
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
            format: r.required(&settings::LOG_FORMAT, LogFormat::Text, |text| match text {
                "text" => Some(LogFormat::Text),
                "json" => Some(LogFormat::Json),
                _ => None,
            }),
        },
    })
}

fn read_auth(r: &mut Reader<'_>, api_url: &Url, required: bool) -> Auth {
    let issuers = r
        .optional(&settings::SEQUENTUM_OAUTH_ISSUER, |text| {
            let issuers = list(text, |item| service_url(item).map(|_| trimmed(item)))?;
            let repeated = issuers
                .iter()
                .enumerate()
                .any(|(at, issuer)| issuers.iter().skip(at + 1).any(|other| other == issuer));
            (!issuers.is_empty() && !repeated).then_some(issuers)
        })
        .unwrap_or_else(|| vec![trimmed(api_url.as_str())]);

    let id = r.optional(&settings::OAUTH_CLIENT_ID, |text| Some(text.to_owned()));
    let secret = r.optional(&settings::OAUTH_CLIENT_SECRET, |text| Some(SecretString::from(text)));
    let client = match (id, secret) {
        (Some(id), Some(secret)) => Some(OAuthClient { id, secret }),
        (Some(_), None) => {
            r.refuse(&settings::OAUTH_CLIENT_ID, "needs OAUTH_CLIENT_SECRET beside it");
            None
        }
        (None, Some(_)) => {
            r.refuse(&settings::OAUTH_CLIENT_SECRET, "needs OAUTH_CLIENT_ID beside it");
            None
        }
        (None, None) => None,
    };
    let needs_client = "needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET: it is asked as a confidential client";
    let endpoint = r.optional(&settings::OAUTH_INTROSPECTION_URL, |text| {
        service_url(text).and_then(|_| Url::parse(text).ok())
    });
    let introspection = match (endpoint, &client) {
        (Some(url), Some(client)) => Some(Introspection { url, client: client.clone() }),
        (Some(_), None) => {
            r.refuse(&settings::OAUTH_INTROSPECTION_URL, needs_client);
            None
        }
        (None, _) => None,
    };
    let exchange = r.required(&settings::UPSTREAM_CREDENTIAL, false, |text| match text {
        "forward" => Some(false),
        "exchange" => Some(true),
        _ => None,
    });
    let upstream = match client {
        Some(client) if exchange => Upstream::Exchange(client),
        None if exchange => {
            r.refuse(&settings::UPSTREAM_CREDENTIAL, needs_client);
            Upstream::Forward
        }
        _ => Upstream::Forward,
    };
    if exchange && issuers.len() > 1 {
        r.refuse(
            &settings::UPSTREAM_CREDENTIAL,
            "is allowed with one issuer only, because OAUTH_CLIENT_ID is registered with one: name one in SEQUENTUM_OAUTH_ISSUER",
        );
    }
    Auth {
        issuers,
        audiences: r.required(&settings::OAUTH_AUDIENCES, Vec::new(), |text| {
            list(text, |item| Some(item.to_owned()))
        }),
        required,
        introspection,
        api_keys: r.required(&settings::ALLOW_API_KEYS, false, boolean),
        upstream,
    }
}

fn limits(r: &mut Reader<'_>) -> Option<Limits> {
    let requests = |number| NonZeroU32::new(u32::try_from(number).ok()?);
    let mut open = |setting| usize::try_from(r.number(setting, 1..=100_000)).ok();
    let calls = open(&settings::MAX_CONCURRENT_CALLS)?;
    let calls_per_caller = open(&settings::MAX_CONCURRENT_CALLS_PER_USER)?;
    let streams_per_caller = open(&settings::MAX_STREAMS_PER_USER)?;
    Some(Limits {
        requests: requests(r.number(&settings::MCP_RATE_LIMIT_MAX, 1..=1_000_000))?,
        requests_per_address: requests(r.number(&settings::RATE_LIMIT_PER_ADDRESS, 1..=1_000_000))?,
        window: Duration::from_millis(r.number(&settings::MCP_RATE_LIMIT_WINDOW_MS, 1000..=3_600_000)),
        calls,
        calls_per_caller,
        streams_per_caller,
        store: r.required(&settings::LIMITS_STORE, None, limits_store),
        store_timeout: STORE_TIMEOUT,
    })
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn list<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(parse).collect()
}

/// A URL we may send credentials or trust to: https, or http towards this machine; no user, query or fragment.
fn service_url(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    (secure && plain && url.has_host()).then_some(url)
}

/// The same without a path: scheme, host and port.
fn origin(text: &str) -> Option<Url> {
    service_url(text).filter(|url| url.path() == "/")
}

fn browser_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let serialized = url.origin().ascii_serialization();
    (serialized == text).then_some(serialized)
}

fn host_name(text: &str) -> Option<String> {
    let authority: http::uri::Authority = text.parse().ok()?;
    (!text.contains('@') && !authority.host().is_empty()).then(|| text.to_ascii_lowercase())
}

fn trusted_proxies(text: &str) -> Option<TrustProxy> {
    if text.eq_ignore_ascii_case("false") {
        return Some(TrustProxy::default());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|hops| *hops <= MAX_HOPS).map(TrustProxy::Hops);
    }
    let network = |text: &str| match text.parse::<IpNet>() {
        Ok(network) => Some(network.trunc()),
        Err(_) => text.parse::<IpAddr>().ok().map(IpNet::from),
    };
    list(text, network).filter(|networks| !networks.is_empty()).map(TrustProxy::Networks)
}

/// `None` for memory.
#[expect(clippy::option_option, reason = "the outer one tells whether the text is understood")]
fn limits_store(text: &str) -> Option<Option<SecretString>> {
    if text == "memory" {
        return Some(None);
    }
    let url = Url::parse(text).ok()?;
    let database = url.path().trim_start_matches('/');
    let known = matches!(url.scheme(), "redis" | "rediss") && url.host_str().is_some_and(|h| !h.is_empty());
    let plain = url.query().is_none() && url.fragment().is_none();
    let numbered = database.is_empty() || database.parse::<u16>().is_ok();
    (known && plain && numbered).then(|| Some(SecretString::from(text)))
}

/// Enough to tell a key from a placeholder or an access token, and from what cannot stand in a header.
fn api_key(text: &str) -> Option<SecretString> {
    let rest = text.strip_prefix("sk-")?;
    (!rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.into())
}

fn session_key(text: &str) -> Option<SecretSlice<u8>> {
    use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
    [&HEXLOWER_PERMISSIVE, &BASE64URL_NOPAD, &BASE64URL, &BASE64_NOPAD, &BASE64]
        .iter()
        .find_map(|encoding| encoding.decode(text.as_bytes()).ok().filter(|key| key.len() == 32))
        .map(SecretSlice::from)
}

#[cfg(test)]
mod tests;
