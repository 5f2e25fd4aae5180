//! Session ids of the 2025 revisions: sealed handles that need no table.
//!
//! A handle is an AES-256-GCM box around who opened the session, what was negotiated and until when it holds. It proves
//! nothing by itself: every request is authenticated by its own token, and the handle must belong to that principal.
//! Unknown, altered, expired, ended and foreign ones cannot be told apart. A restart or another replica with the same
//! key loses none. Ended sessions are remembered until they would have expired, by this process only.

use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};

use super::envelope::ClientCapabilities;
use crate::{
    auth::{Caller, Principal},
    clock::Clock,
};

/// How long a session lasts. Clients start over by themselves when they meet a 404.
const LIFETIME: Duration = Duration::from_hours(24);
/// Ended sessions remembered at a time.
const ENDED: u64 = 100_000;
/// Longest handle looked at.
const MAX_HANDLE: usize = 1024;
/// Binds a box to its purpose, so that one sealed for something else is not a session.
const PURPOSE: &[u8] = b"sequentum-mcp session 1";

/// Seals and opens handles.
pub struct Sessions {
    keys: Vec<RandomizedNonceKey>,
    ended: moka::sync::Cache<String, ()>,
    clock: Clock,
}

/// What a handle says. Short names: the handle travels with every request.
#[derive(Debug, Serialize, Deserialize)]
struct Handle {
    #[serde(rename = "i")]
    id: String,
    #[serde(rename = "p")]
    issuer: String,
    #[serde(rename = "s")]
    subject: String,
    #[serde(rename = "c")]
    client: Option<String>,
    #[serde(rename = "r")]
    revision: String,
    /// Client capabilities: 1 elicitation, 2 sampling, 4 roots.
    #[serde(rename = "k")]
    capabilities: u8,
    #[serde(rename = "e")]
    expires: i64,
}

/// A handle that was opened by its owner.
#[derive(Debug)]
pub(super) struct Session {
    /// Its id; that of the live session behind it, if there is one.
    pub id: String,
    /// The revision negotiated by `initialize`.
    pub revision: String,
}

/// The handle is not one of this caller's sessions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownSession;

/// The session keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the session keys cannot be used")]
pub struct SealError;

impl Sessions {
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
        let ended = moka::sync::Cache::builder().max_capacity(ENDED).time_to_live(LIFETIME).build();
        Ok(Self { keys: all, ended, clock })
    }

    /// A handle for a session that `caller` has just opened. `id` is that of the live session behind it, if there is one.
    pub(super) fn seal(
        &self,
        caller: &Caller,
        revision: &str,
        client: ClientCapabilities,
        id: Option<String>,
    ) -> Option<String> {
        let lifetime = i64::try_from(LIFETIME.as_secs()).ok()?;
        let handle = Handle {
            id: id.unwrap_or_else(|| uuid::Uuid::now_v7().simple().to_string()),
            issuer: caller.principal().issuer().to_owned(),
            subject: caller.principal().subject().to_owned(),
            client: caller.client_id().map(str::to_owned),
            revision: revision.to_owned(),
            capabilities: u8::from(client.elicitation)
                | u8::from(client.sampling) << 1
                | u8::from(client.roots) << 2,
            expires: self.clock.unix_seconds().saturating_add(lifetime),
        };
        let mut sealed = serde_json::to_vec(&handle).ok()?;
        let nonce = self.keys.first()?.seal_in_place_append_tag(Aad::from(PURPOSE), &mut sealed).ok()?;
        let mut whole = nonce.as_ref().to_vec();
        whole.append(&mut sealed);
        Some(BASE64URL_NOPAD.encode(&whole))
    }

    /// Opens a handle for `caller`.
    pub(super) fn open(&self, handle: &str, caller: &Caller) -> Result<Session, UnknownSession> {
        let handle = self.unseal(handle).ok_or(UnknownSession)?;
        let owns = |principal: &Principal| {
            principal.issuer() == handle.issuer && principal.subject() == handle.subject
        };
        let same_client = handle.client.as_deref() == caller.client_id();
        let current = handle.expires > self.clock.unix_seconds();
        if owns(caller.principal()) && same_client && current && !self.ended.contains_key(&handle.id) {
            Ok(Session { id: handle.id, revision: handle.revision })
        } else {
            Err(UnknownSession)
        }
    }

    /// Ends a session: its handle is unknown from now on.
    pub(super) fn end(&self, session: Session) {
        self.ended.insert(session.id, ());
    }

    fn unseal(&self, handle: &str) -> Option<Handle> {
        if handle.len() > MAX_HANDLE {
            return None;
        }
        let whole = BASE64URL_NOPAD.decode(handle.as_bytes()).ok()?;
        let (nonce, sealed) = whole.split_at_checked(NONCE_LEN)?;
        self.keys.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut sealed = sealed.to_vec();
            let opened = key.open_in_place(nonce, Aad::from(PURPOSE), &mut sealed).ok()?;
            serde_json::from_slice(opened).ok()
        })
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}
