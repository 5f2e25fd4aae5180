//! What clients keep for the server: boxes that only this server can make and open, and only for whom they were made.
//!
//! A box is AES-256-GCM over a value and the time until which it holds; its purpose and its owner are bound to it, so that
//! one made for something or somebody else is as unreadable as an altered one. So there is no table: a restart or another
//! replica with the same `SESSION_KEY` loses nothing. A box proves nothing by itself: every request is authenticated by its
//! own token, and whoever opens a box must be its owner.

use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{auth::Caller, clock::Clock};

/// Longest box made and looked at, in characters: they travel in headers.
const LONGEST: usize = 4096;

/// What boxes are for. One for each use, so that none can be taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The session ids of the 2025 revisions.
    Session,
    /// What a client keeps while its user is asked something (2026-07-28, `requestState`).
    Question,
    /// The ids of tasks.
    Task,
}

impl Purpose {
    /// Bound to every box; the number changes with the shape of what is inside.
    fn label(self) -> &'static str {
        match self {
            Self::Session => "sequentum-mcp session 2",
            Self::Question => "sequentum-mcp question 1",
            Self::Task => "sequentum-mcp task 1",
        }
    }
}

/// Makes and opens boxes.
pub struct Sealer {
    keys: Vec<RandomizedNonceKey>,
    clock: Clock,
}

/// Altered, expired, of another owner or purpose, or sealed by another key: these cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this cannot be opened")]
pub struct Unopenable;

/// The keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the session keys cannot be used")]
pub struct SealError;

/// What is inside. Short names: boxes travel with every request.
#[derive(Serialize, Deserialize)]
struct Content<T> {
    /// Holds until then, in Unix seconds.
    #[serde(rename = "e")]
    expires: i64,
    #[serde(rename = "v")]
    value: T,
}

impl Sealer {
    /// With the configured keys: the first seals, all open. Without any, a random one for this process.
    ///
    /// # Errors
    ///
    /// When a key cannot be used, or the system has no randomness.
    pub fn new(keys: &[SecretSlice<u8>], clock: Clock) -> Result<Self, SealError> {
        let key = |bytes: &[u8]| RandomizedNonceKey::new(&AES_256_GCM, bytes).map_err(|_| SealError);
        let mut all: Vec<_> =
            keys.iter().map(|bytes| key(bytes.expose_secret())).collect::<Result<_, _>>()?;
        if all.is_empty() {
            let mut random = [0; 32];
            aws_lc_rs::rand::fill(&mut random).map_err(|_| SealError)?;
            all.push(key(&random)?);
        }
        Ok(Self { keys: all, clock })
    }

    /// A box around `value` that `owner` can have opened until `lifetime` has passed. Text without padding, safe in headers
    /// and URLs. `None` when the value cannot be written as JSON, or is too long.
    pub fn seal(
        &self,
        purpose: Purpose,
        owner: &Caller,
        lifetime: Duration,
        value: &impl Serialize,
    ) -> Option<String> {
        let lifetime = i64::try_from(lifetime.as_secs()).ok()?;
        let expires = self.clock.unix_seconds().saturating_add(lifetime);
        let mut sealed = serde_json::to_vec(&Content { expires, value }).ok()?;
        let bound = Aad::from(bound(purpose, owner));
        let nonce = self.keys.first()?.seal_in_place_append_tag(bound, &mut sealed).ok()?;
        let mut whole = nonce.as_ref().to_vec();
        whole.append(&mut sealed);
        Some(BASE64URL_NOPAD.encode(&whole)).filter(|text| text.len() <= LONGEST)
    }

    /// Opens a box of `owner`.
    ///
    /// # Errors
    ///
    /// [`Unopenable`], whatever is wrong with it.
    pub fn open<T: DeserializeOwned>(
        &self,
        purpose: Purpose,
        owner: &Caller,
        text: &str,
    ) -> Result<T, Unopenable> {
        let content: Content<T> = self.unseal(purpose, owner, text).ok_or(Unopenable)?;
        if content.expires > self.clock.unix_seconds() { Ok(content.value) } else { Err(Unopenable) }
    }

    fn unseal<T: DeserializeOwned>(&self, purpose: Purpose, owner: &Caller, text: &str) -> Option<T> {
        if text.len() > LONGEST {
            return None;
        }
        let whole = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (nonce, sealed) = whole.split_at_checked(NONCE_LEN)?;
        let bound = bound(purpose, owner);
        self.keys.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut sealed = sealed.to_vec();
            let opened = key.open_in_place(nonce, Aad::from(&bound), &mut sealed).ok()?;
            serde_json::from_slice(opened).ok()
        })
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// Purpose and owner, each part with its length in front, so that no two owners have the same bytes.
fn bound(purpose: Purpose, owner: &Caller) -> Vec<u8> {
    let principal = owner.principal();
    let parts = [
        Some(purpose.label()),
        Some(principal.issuer()),
        Some(principal.subject()),
        owner.client_id(),
        owner.organization(),
    ];
    let mut bytes = Vec::with_capacity(192);
    for part in parts {
        // An absent part is not an empty one.
        bytes.extend(part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
        bytes.extend(part.unwrap_or_default().as_bytes());
    }
    bytes
}
