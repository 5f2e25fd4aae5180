//! What every request of the simulated platform may touch.

use std::sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicBool};

use aws_lc_rs::hmac;
use jiff::Timestamp;
use tokio::sync::watch;
use url::Url;

use super::{
    Options, api::RateLimiter, faults::Faults, journal::Journal, keys::Keys, oauth::Ledger, secrets, seed,
    world::World,
};

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) url: Url,
    pub(crate) issuer: String,
    pub(crate) storage_url: Url,
    pub(crate) options: Options,
    pub(crate) keys: Keys,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) limiter: RateLimiter,
    /// Set once the storage host has seen an `Authorization` header.
    pub(crate) credential_leaked: AtomicBool,
    /// Signs storage addresses and refresh tokens.
    pub(crate) secret: hmac::Key,
    world: Mutex<World>,
    oauth: Mutex<Ledger>,
    // Bumped whenever a caller changes a run, to wake held synchronous starts.
    runs_changed: watch::Sender<()>,
}

impl State {
    pub(crate) fn new(url: Url, storage_url: Url, keys: Keys, options: Options) -> Self {
        let now = options.clock.now();
        Self {
            issuer: url.as_str().trim_end_matches('/').to_owned(),
            url,
            storage_url,
            keys,
            faults: Faults::default(),
            journal: Journal::default(),
            limiter: RateLimiter::new(options.rate_limit),
            credential_leaked: AtomicBool::new(false),
            secret: hmac::Key::new(hmac::HMAC_SHA256, &secrets::bytes::<32>()),
            world: Mutex::new(seed::world(now)),
            oauth: Mutex::new(Ledger::new()),
            runs_changed: watch::Sender::new(()),
            options,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// The world, locked: do not hold it across an await. A panic elsewhere while it was held does not take the whole
    /// simulation down.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The authorization server's tables, locked: do not hold them across an await.
    pub(crate) fn oauth(&self) -> MutexGuard<'_, Ledger> {
        self.oauth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn runs_changed(&self) {
        self.runs_changed.send_replace(());
    }

    pub(crate) fn watch_runs(&self) -> watch::Receiver<()> {
        self.runs_changed.subscribe()
    }

    /// A base64url MAC over `text`; `purpose` keeps a MAC made for one use from passing in another.
    pub(crate) fn mac(&self, purpose: &str, text: &str) -> String {
        let tag = hmac::sign(&self.secret, format!("{purpose}\n{text}").as_bytes());
        data_encoding::BASE64URL_NOPAD.encode(tag.as_ref())
    }
}
