//! How much of the server one client or caller may use.

use std::{num::NonZeroU32, time::Duration};

use secrecy::SecretString;
use url::Url;

use super::{lookup::Reader, settings};

/// How long the store of the limits may take to answer: a call is never held up longer.
const STORE_TIMEOUT: Duration = Duration::from_millis(50);

/// How much of the server one client or caller may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests of one caller within the window.
    pub requests: NonZeroU32,
    /// Unauthenticated requests from one address within the window.
    pub requests_per_address: NonZeroU32,
    /// The window of both.
    pub window: Duration,
    /// Calls at a time, of all callers.
    pub calls: usize,
    /// Calls of one caller at a time.
    pub calls_per_caller: usize,
    /// Calls of all callers of one organisation at a time.
    pub calls_per_organization: usize,
    /// Event streams of one caller at a time.
    pub streams_per_caller: usize,
    /// The URL of a Redis that replicas share; `None` counts in this process.
    pub store: Option<SecretString>,
    /// How long that may take to answer. Not a setting: tests run on busy machines.
    pub store_timeout: Duration,
}

/// Reads and checks them.
pub(super) fn read(r: &mut Reader<'_>) -> Option<Limits> {
    let requests = |number| NonZeroU32::new(u32::try_from(number).ok()?);
    let mut open = |setting| usize::try_from(r.number(setting, 1..=100_000)).ok();
    let calls = open(&settings::MAX_CONCURRENT_CALLS)?;
    let calls_per_caller = open(&settings::MAX_CONCURRENT_CALLS_PER_USER)?;
    let calls_per_organization = open(&settings::MAX_CONCURRENT_CALLS_PER_ORGANIZATION)?;
    let streams_per_caller = open(&settings::MAX_STREAMS_PER_USER)?;
    Some(Limits {
        requests: requests(r.number(&settings::MCP_RATE_LIMIT_MAX, 1..=1_000_000))?,
        requests_per_address: requests(r.number(&settings::RATE_LIMIT_PER_ADDRESS, 1..=1_000_000))?,
        window: Duration::from_millis(r.number(&settings::MCP_RATE_LIMIT_WINDOW_MS, 1000..=3_600_000)),
        calls,
        calls_per_caller,
        calls_per_organization,
        streams_per_caller,
        store: r.required(&settings::LIMITS_STORE, None, store),
        store_timeout: STORE_TIMEOUT,
    })
}

/// `None` for memory.
#[expect(clippy::option_option, reason = "the outer one tells whether the text is understood")]
fn store(text: &str) -> Option<Option<SecretString>> {
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
