//! A simulated Sequentum platform: its REST API and a real OAuth 2.1 authorization server over a small living world.
//!
//! It speaks HTTP on loopback like the real one, so that whatever is in front of it (the `demo` command, the
//! integration tests) is configured and behaves exactly as in production. Two tenants live in it; runs move with the
//! [`Clock`]; [`Faults`] break it on purpose. Nothing in the product path imports this module, and nothing it holds
//! outlives the process.

mod api;
mod faults;
mod journal;
mod keys;
mod oauth;
mod secrets;
mod seed;
mod server;
mod state;
mod storage;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod world;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::net::TcpListener;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use url::Url;

pub use faults::{Fault, FaultKind, Faults};
pub use journal::Recorded;
pub use keys::SignError;

use self::state::State;
use crate::clock::Clock;

/// How a [`Platform`] behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the world's time comes from: runs, token lifetimes and rate-limit windows follow it.
    pub clock: Clock,
    /// Which deployment's response members are sent.
    pub profile: Profile,
    /// Whether a token without the operation's scope is refused with 403, as an enforcing deployment does. Otherwise
    /// every valid token may do everything.
    pub enforce_scopes: bool,
    /// API requests allowed per credential in 60 seconds.
    pub rate_limit: u32,
    /// Whether the token endpoint issues opaque access tokens, which only introspection can read, instead of JWTs.
    pub opaque_tokens: bool,
    /// Lifetime of access tokens.
    pub access_token_lifetime: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            profile: Profile::Newer,
            enforce_scopes: true,
            rate_limit: 1000,
            opaque_tokens: false,
            access_token_lifetime: Duration::from_hours(1),
        }
    }
}

/// Which deployment of the platform is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The newest deployments: every known response member.
    Newer,
    /// What production is known to send: without the members only newer deployments have, and with a few that those
    /// no longer have.
    Production,
}

/// One of the demo accounts. The passwords are public on purpose: there is nothing behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// What to type into the sign-in page.
    pub username: &'static str,
    /// The password that goes with it.
    pub password: &'static str,
    /// The person's display name.
    pub name: &'static str,
    /// The organisation (tenant) whose agents this login sees.
    pub organization: &'static str,
    /// A fixed API key (`Authorization: ApiKey sk-...`) with all rights of this user.
    pub api_key: &'static str,
}

/// A running simulated platform. Cheap to clone; it stops when [`Platform::shutdown`] is called or the last handle is
/// dropped.
#[derive(Clone, Debug)]
pub struct Platform(Arc<Running>);

#[derive(Debug)]
struct Running {
    state: Arc<State>,
    tasks: TaskTracker,
    stop: CancellationToken,
    // Cancels `stop` when the last handle goes away without a shutdown.
    _guard: DropGuard,
}

impl Platform {
    /// Serves the API and the authorization server on `listener`, and file storage on a second loopback port, because
    /// the real storage is another host that must never see an API credential.
    ///
    /// # Errors
    ///
    /// Fails when the storage port cannot be bound or no signing key can be made.
    pub async fn start(listener: TcpListener, options: Options) -> io::Result<Self> {
        let storage = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = base_url(listener.local_addr()?)?;
        let storage_url = base_url(storage.local_addr()?)?;
        // Making an RSA key takes a tenth of a second of CPU: too long for a runtime thread.
        let keys = tokio::task::spawn_blocking(keys::Keys::generate)
            .await
            .map_err(io::Error::other)?
            .map_err(io::Error::other)?;
        let state = Arc::new(State::new(url, storage_url, keys, options));
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        server::serve(listener, server::platform(&state), &tasks, &stop);
        server::serve(storage, server::storage(&state), &tasks, &stop);
        let guard = stop.clone().drop_guard();
        Ok(Self(Arc::new(Running { state, tasks, stop, _guard: guard })))
    }

    /// The platform's origin, `http://127.0.0.1:PORT/`.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0.state.url
    }

    /// The OAuth issuer: the origin without a trailing slash, compared as a string by verifiers (RFC 8414 section 3.3).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.state.issuer
    }

    /// The origin of the file storage.
    #[must_use]
    pub fn storage_url(&self) -> &Url {
        &self.0.state.storage_url
    }

    /// The demo accounts, one per tenant.
    #[must_use]
    pub fn logins() -> [Login; 2] {
        seed::LOGINS
    }

    /// The switches that break this platform on purpose.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.state.faults
    }

    /// The API requests seen so far, newest last; the oldest are forgotten beyond 10,000. OAuth requests are not
    /// among them.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.0.state.journal.requests()
    }

    /// How many OAuth and well-known requests arrived whose path ends in `path_suffix`.
    #[must_use]
    pub fn oauth_requests(&self, path_suffix: &str) -> usize {
        self.0.state.journal.oauth_requests(path_suffix)
    }

    /// Whether the storage host has ever been sent an `Authorization` header.
    #[must_use]
    pub fn credential_leaked(&self) -> bool {
        self.0.state.credential_leaked.load(Ordering::SeqCst)
    }

    /// A compact JWS (RFC 7515 section 3.1) over any header and claims, signed RS256 with the current key *whatever
    /// the header says*; `alg` and `kid` are filled in only when the header lacks them. For forging tokens in tests.
    ///
    /// # Errors
    ///
    /// Fails when `header` or `claims` is not a JSON object.
    pub fn sign(&self, header: &serde_json::Value, claims: &serde_json::Value) -> Result<String, SignError> {
        self.0.state.keys.sign(header, claims)
    }

    /// An access token for `login` such as the token endpoint would issue, without walking through the pages.
    ///
    /// # Errors
    ///
    /// Fails only when the signature cannot be computed.
    pub fn access_token(&self, login: &Login, audience: &str, scope: &str) -> Result<String, SignError> {
        oauth::direct_token(&self.0.state, login, audience, scope)
    }

    /// The same as an opaque token, whatever the options say.
    ///
    /// # Errors
    ///
    /// Fails only when the signature of the JWT behind it cannot be computed.
    pub fn opaque_token(&self, login: &Login, audience: &str, scope: &str) -> Result<String, SignError> {
        Ok(oauth::opaque(&self.0.state, self.access_token(login, audience, scope)?))
    }

    /// Id and secret of the confidential client that may introspect and exchange tokens. Public on purpose.
    #[must_use]
    pub fn resource_server() -> [&'static str; 2] {
        [oauth::CLIENT_ID, oauth::CLIENT_SECRET]
    }

    /// `SubjectPublicKeyInfo` DER of the current public key: what an attacker uses as HMAC secret to forge HS256.
    #[must_use]
    pub fn public_key_der(&self) -> Vec<u8> {
        self.0.state.keys.current().spki()
    }

    /// Makes a new key sign from now on. The key set lists the new key and the one before it; older ones are gone.
    pub fn rotate_keys(&self) {
        self.0.state.keys.rotate();
    }

    /// Ends everything `login` holds: from now on the API answers 401 to this user's tokens and key, refresh tokens
    /// are dead and browsers are signed out.
    pub fn revoke_everything_of(&self, login: &Login) {
        let user = self.0.state.world().revoke(login.username);
        if let Some(user) = user {
            self.0.state.oauth().forget_user(user);
        }
    }

    /// Takes the last credit from `login`'s organisation, so that no run can be started any more.
    pub fn exhaust_credits_of(&self, login: &Login) {
        self.0.state.world().exhaust_credits(login.username, self.0.state.now());
    }

    /// Stops listening, closes every connection and waits until that is done.
    pub async fn shutdown(self) {
        self.0.stop.cancel();
        self.0.tasks.wait().await;
    }
}

/// A listener on all addresses is reached over loopback.
fn base_url(address: SocketAddr) -> io::Result<Url> {
    let address = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, v4.port())),
        other => other,
    };
    Url::parse(&format!("http://{address}/")).map_err(io::Error::other)
}
