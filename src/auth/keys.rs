//! The issuer's signing keys: found through its metadata, loaded at start, refreshed ahead of time.
//!
//! Promises, in plain words:
//! - a request never waits for a refresh of keys that are still good;
//! - however many requests meet an unknown key or an empty store at once, one fetch serves them all;
//! - an unknown `kid` causes a fetch at most every ten seconds, so made-up ids cannot make us hammer the issuer;
//! - nobody is told that a key is unknown when the issuer could not be asked;
//! - an outage of the issuer is bridged with the last good keys for [`TRUST_FOR`], then everything is refused.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::client::{self, FetchError, secure};
use crate::clock::Clock;

/// Keys are fetched again when they are this old.
const REFRESH_AFTER: Duration = Duration::from_mins(10);
/// Keys older than this verify nothing any more.
pub const TRUST_FOR: Duration = Duration::from_hours(1);
/// Between two fetches for an unknown `kid`.
const UNKNOWN_KEY_INTERVAL: SignedDuration = SignedDuration::from_secs(10);
/// Between two fetches after one that failed, and while there are no good keys at all; also the `Retry-After` of the 503.
const RETRY: Duration = Duration::from_secs(5);
/// Keys in a set. Issuers publish a handful; a set beyond this is refused as a whole.
const MAX_KEYS: usize = 100;
/// Where the platform serves its keys, should its metadata not say.
const FALLBACK_PATH: &str = "/api/oauth/certs";

/// One verification key with the algorithms it may be used with.
pub(super) struct Key {
    pub decoding: DecodingKey,
    pub algorithms: &'static [Algorithm],
}

/// Why no key can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyError {
    /// The issuer does not publish such a key.
    Unknown,
    /// There are no keys that may be trusted.
    Unavailable { retry_after: Duration },
}

struct KeySet {
    keys: HashMap<String, Arc<Key>>,
    fetched: Timestamp,
}

/// The last fetch.
#[derive(Default)]
struct Attempts {
    last: Option<Timestamp>,
    failed: bool,
}

/// The keys of one issuer, shared by all requests.
pub struct KeyStore {
    issuer: String,
    http: reqwest::Client,
    clock: Clock,
    current: ArcSwapOption<KeySet>,
    /// From the same metadata, for token exchange.
    token_endpoint: ArcSwapOption<Url>,
    /// Held during a fetch: whoever waits for it finds the result when the lock is free.
    fetching: Mutex<Attempts>,
}

impl KeyStore {
    /// An empty store; call [`KeyStore::load`] before the first request.
    #[must_use]
    pub fn new(issuer: &str, http: reqwest::Client, clock: Clock) -> Self {
        Self {
            issuer: issuer.to_owned(),
            http,
            clock,
            current: ArcSwapOption::empty(),
            token_endpoint: ArcSwapOption::empty(),
            fetching: Mutex::default(),
        }
    }

    /// Whose keys they are.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the issuer gives out tokens, according to its metadata.
    pub(super) fn token_endpoint(&self) -> Option<Arc<Url>> {
        self.token_endpoint.load_full()
    }

    /// Whether there are keys that may be trusted now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.trusted().is_some()
    }

    /// Fetches the keys. A failure is logged and leaves the last good ones in place.
    pub async fn load(&self) {
        let mut attempts = self.fetching.lock().await;
        self.fetch(&mut attempts).await;
    }

    /// Keeps the keys fresh for as long as the future is polled.
    pub async fn refresh_forever(&self) {
        loop {
            let pause = match self.current.load().as_deref() {
                Some(set) => {
                    let due = after(set.fetched, REFRESH_AFTER);
                    // A failed refresh is repeated every minute, not at once.
                    if due <= self.clock.now() { Duration::from_mins(1) } else { Duration::ZERO }
                }
                None => RETRY,
            };
            if pause.is_zero() {
                let fetched = self.current.load().as_deref().map(|set| set.fetched);
                self.clock
                    .sleep_until(after(fetched.unwrap_or_else(|| self.clock.now()), REFRESH_AFTER))
                    .await;
            } else {
                self.clock.sleep(pause).await;
            }
            self.load().await;
        }
    }

    /// The key with this id, fetching once if it is not known yet.
    pub(super) async fn find(&self, kid: &str) -> Result<Arc<Key>, KeyError> {
        let seen = self.trusted();
        if let Some(key) = seen.as_ref().and_then(|set| set.keys.get(kid)) {
            return Ok(Arc::clone(key));
        }
        let mut attempts = self.fetching.lock().await;
        // Somebody else may have fetched while this request waited for the lock.
        let seen_at = seen.as_ref().map(|set| set.fetched);
        if self.trusted().map(|set| set.fetched) == seen_at {
            let good = seen.is_some() && !attempts.failed;
            let interval = if good { UNKNOWN_KEY_INTERVAL } else { signed(RETRY) };
            let due = attempts.last.is_none_or(|last| self.clock.now().duration_since(last) >= interval);
            if due {
                self.fetch(&mut attempts).await;
            }
        }
        let Some(set) = self.trusted() else {
            return Err(KeyError::Unavailable { retry_after: RETRY });
        };
        // A key that is not among the last good ones may be new.
        let absent =
            if attempts.failed { KeyError::Unavailable { retry_after: RETRY } } else { KeyError::Unknown };
        set.keys.get(kid).map(Arc::clone).ok_or(absent)
    }

    fn trusted(&self) -> Option<Arc<KeySet>> {
        let set = self.current.load_full()?;
        (self.clock.now() < after(set.fetched, TRUST_FOR)).then_some(set)
    }

    async fn fetch(&self, attempts: &mut Attempts) {
        attempts.last = Some(self.clock.now());
        let fetched = self.fetch_keys().await;
        attempts.failed = fetched.is_err();
        match fetched {
            Ok(keys) => {
                tracing::debug!(keys = keys.len(), "signing keys loaded");
                self.current.store(Some(Arc::new(KeySet { keys, fetched: self.clock.now() })));
            }
            Err(error) => {
                tracing::warn!(error = %error, issuer = %self.issuer, "signing keys could not be loaded");
            }
        }
    }

    async fn fetch_keys(&self) -> Result<HashMap<String, Arc<Key>>, FetchError> {
        let metadata: Option<Metadata> = client::discover(&self.http, &self.issuer).await?;
        let address = |text: &Option<String>| text.as_deref().map(secure).transpose();
        let url = match metadata.as_ref().map(|metadata| address(&metadata.jwks_uri)).transpose()?.flatten() {
            Some(url) => url,
            None => fallback_url(&self.issuer)?,
        };
        let document: JwkDocument = client::get(&self.http, &url).await?.ok_or(FetchError::Missing)?;
        if document.keys.len() > MAX_KEYS {
            return Err(FetchError::TooManyKeys(MAX_KEYS));
        }
        let keys: HashMap<_, _> = document.keys.into_iter().filter_map(usable).collect();
        // A document without a usable key never replaces one that has some.
        if keys.is_empty() {
            return Err(FetchError::NoUsableKey);
        }
        // An issuer whose metadata cannot be found for once still gives out tokens where it did.
        if let Some(metadata) = metadata {
            self.token_endpoint.store(address(&metadata.token_endpoint)?.map(Arc::new));
        }
        Ok(keys)
    }
}

/// Where the keys of `issuer` are looked for when its metadata does not say.
///
/// # Errors
///
/// When the issuer is no URL.
pub fn fallback_url(issuer: &str) -> Result<Url, url::ParseError> {
    Url::parse(&format!("{}{FALLBACK_PATH}", issuer.trim_end_matches('/')))
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyStore")
            .field("issuer", &self.issuer)
            .field("ready", &self.is_ready())
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Metadata {
    jwks_uri: Option<String>,
    token_endpoint: Option<String>,
}

/// The key set, entry by entry: one that cannot be read must not spoil the others.
#[derive(Deserialize)]
struct JwkDocument {
    keys: Vec<serde_json::Value>,
}

/// What a key set offers, for diagnosis: how many entries it has, and for those that can be used their algorithms.
/// `None` if it is no key set.
#[must_use]
pub fn survey(document: &[u8]) -> Option<(usize, Vec<&'static [Algorithm]>)> {
    let document: JwkDocument = serde_json::from_slice(document).ok()?;
    let count = document.keys.len();
    Some((count, document.keys.into_iter().filter_map(usable).map(|(_, key)| key.algorithms).collect()))
}

/// An asymmetric signature key with an id, or nothing.
fn usable(value: serde_json::Value) -> Option<(String, Arc<Key>)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let kid = jwk.common.key_id.clone().filter(|kid| !kid.is_empty())?;
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    if jwk.common.key_operations.as_ref().is_some_and(|uses| !uses.contains(&KeyOperations::Verify)) {
        return None;
    }
    let family: &'static [Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        _ => return None,
    };
    let algorithms = match jwk.common.key_algorithm {
        None => family,
        Some(algorithm) => {
            let position = family.iter().position(|a| is_same(*a, algorithm))?;
            family.get(position..=position)?
        }
    };
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    Some((kid, Arc::new(Key { decoding, algorithms })))
}

fn is_same(algorithm: Algorithm, key_algorithm: KeyAlgorithm) -> bool {
    key_algorithm.to_string() == format!("{algorithm:?}")
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn after(start: Timestamp, by: Duration) -> Timestamp {
    start.checked_add(signed(by)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_asymmetric_signature_keys_are_kept() {
        let oct = serde_json::json!({"kty": "oct", "kid": "a", "k": "c2VjcmV0", "alg": "HS256"});
        assert!(usable(oct).is_none());
        let rsa = serde_json::json!({"kty": "RSA", "kid": "b", "n": "sXch", "e": "AQAB", "alg": "RS256"});
        assert_eq!(usable(rsa).unwrap().1.algorithms, [Algorithm::RS256]);
        let encryption =
            serde_json::json!({"kty": "RSA", "kid": "c", "n": "sXch", "e": "AQAB", "use": "enc"});
        assert!(usable(encryption).is_none());
        let for_signing =
            serde_json::json!({"kty": "RSA", "kid": "d", "n": "sXch", "e": "AQAB", "key_ops": ["sign"]});
        assert!(usable(for_signing).is_none());
        let p521 = serde_json::json!({"kty": "EC", "kid": "e", "crv": "P-521", "x": "AA", "y": "AA"});
        assert!(usable(p521).is_none());
        let nameless = serde_json::json!({"kty": "RSA", "n": "sXch", "e": "AQAB"});
        assert!(usable(nameless).is_none());
    }
}
