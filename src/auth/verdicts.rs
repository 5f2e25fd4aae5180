//! Verdicts that cost a question to somebody else: kept for a moment, and asked for once however many wait.
//!
//! The key is a SHA-256 of the credential. A good verdict holds the [`Caller`], and with it the credential that goes to the
//! platform, so this is a cache of secrets: its size is bounded, and what has expired is wiped when the cache is next used.
//! A good verdict lasts a minute at most and never past the credential's own end; a bad one lasts ten seconds, so that a
//! broken client does not become a stream of questions; that nobody could be asked is not kept at all.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;

use super::{caller::Caller, refusal::Refusal};
use crate::clock::Clock;

/// How long a good verdict is kept, in seconds.
pub(super) const KEEP_GOOD: i64 = 60;
/// How long a bad one is kept, in seconds.
pub(super) const KEEP_BAD: i64 = 10;
/// Verdicts kept at a time; the least used ones make room.
const KEPT: u64 = 20_000;

/// What a credential is known by where it must not be kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of the parts together, each with its length, so that no two lists of parts have the same one by accident.
    pub fn of(parts: &[&str]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }

    /// Half of it, in writing: enough to tell credentials apart.
    pub fn short(self) -> String {
        let (half, _) = self.0.split_at(16);
        data_encoding::HEXLOWER.encode(half)
    }
}

/// A verdict and how long it may be kept.
#[derive(Clone)]
struct Verdict {
    outcome: Result<Arc<Caller>, Refusal>,
    /// In Unix seconds.
    until: i64,
}

/// The verdicts of one source.
pub(super) struct Verdicts {
    kept: moka::future::Cache<Fingerprint, Verdict>,
    clock: Clock,
}

impl Verdicts {
    pub fn new(clock: Clock) -> Self {
        let time = Duration::from_secs(KEEP_GOOD.unsigned_abs());
        Self { kept: moka::future::Cache::builder().max_capacity(KEPT).time_to_live(time).build(), clock }
    }

    /// Whether a credential was found good a moment ago.
    pub async fn has_good(&self, key: &Fingerprint) -> bool {
        let kept = self.kept.get(key).await;
        kept.is_some_and(|kept| kept.outcome.is_ok() && kept.until > self.clock.unix_seconds())
    }

    /// The verdict kept for a credential, or what `ask` finds out. One question serves all who ask meanwhile.
    pub async fn get(
        &self,
        key: Fingerprint,
        ask: impl Future<Output = Result<Arc<Caller>, Refusal>>,
    ) -> Result<Arc<Caller>, Refusal> {
        let asked = async {
            let outcome = ask.await;
            let now = self.clock.unix_seconds();
            let until = match &outcome {
                Ok(caller) => caller.expires_at().unwrap_or(i64::MAX).min(now.saturating_add(KEEP_GOOD)),
                Err(refusal) if refusal.retry_after().is_some() => now,
                Err(_) => now.saturating_add(KEEP_BAD),
            };
            Verdict { outcome, until }
        };
        let now = self.clock.unix_seconds();
        let entry = self.kept.entry(key).or_insert_with_if(asked, |kept| kept.until <= now).await;
        entry.into_value().outcome
    }
}
