//! How this process opens connections to others: one recipe for every HTTP client it builds.
//!
//! Signing keys, the platform's API and client metadata documents all go through [`client`], so that none of them
//! follows a redirect (a credential must not travel along one) or waits without a limit.

mod body;
mod public;

use std::{sync::OnceLock, time::Duration};

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

pub use self::body::{BodyError, body};
pub use self::public::{has_public_literal, is_public, public_client};

/// Longest wait for a TCP and TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections kept per host. Enough for a burst of calls without holding sockets of a quiet night.
const IDLE_PER_HOST: usize = 64;

/// A pooled client without redirects, without cookies and with `TCP_NODELAY`, as `sequentum-mcp/<version>`.
///
/// The usual proxy variables (`HTTPS_PROXY`, `NO_PROXY`, ...) are honoured, except towards this machine: a proxy has no
/// business between two of our own loopback ports.
///
/// There is no overall timeout here: each caller knows how long its own call may take and sets it per request.
///
/// # Errors
///
/// Fails when the TLS back end cannot be set up, for instance when no root certificates can be read.
pub fn client(target: &url::Url) -> Result<reqwest::Client, reqwest::Error> {
    let builder = builder();
    if is_loopback(target) { builder.no_proxy().build() } else { builder.build() }
}

/// The clients of this process: one for this machine, one for all others, each made when it is first needed. Whoever goes
/// the same way shares a pool and a set of root certificates.
#[derive(Debug, Default)]
pub struct Clients {
    local: OnceLock<reqwest::Client>,
    remote: OnceLock<reqwest::Client>,
}

impl Clients {
    /// The client for requests to `target`.
    ///
    /// # Errors
    ///
    /// As [`client`].
    pub fn towards(&self, target: &url::Url) -> Result<reqwest::Client, reqwest::Error> {
        let place = if is_loopback(target) { &self.local } else { &self.remote };
        if let Some(made) = place.get() {
            return Ok(made.clone());
        }
        let made = client(target)?;
        Ok(place.get_or_init(|| made).clone())
    }
}

/// Whether `url` names this machine: `localhost` or a loopback address.
#[must_use]
pub fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The value of an `Authorization` header, such as `Bearer <credential>`, marked sensitive so that no library prints it.
/// `None` if the credential has characters that cannot stand in a header.
#[must_use]
pub fn authorization(scheme: &str, credential: &str) -> Option<HeaderValue> {
    let text = SecretString::from(format!("{scheme} {credential}"));
    let mut value = HeaderValue::from_str(text.expose_secret()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The same recipe, open for the one thing a caller has to add (a resolver, say).
pub fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("sequentum-mcp/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .tcp_nodelay(true)
}
