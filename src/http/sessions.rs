//! Session ids of the 2025 revisions: sealed handles that need no table ([`crate::seal`]).
//!
//! A handle says what was negotiated. Unknown, altered, expired, ended and foreign ones cannot be told apart. Ended sessions
//! are remembered until they would have expired, by this process only.

use std::{sync::Arc, time::Duration};

use moka::policy::EvictionPolicy;
use serde::{Deserialize, Serialize};

use crate::{
    auth::Caller,
    seal::{Purpose, Sealer, Unopenable},
};

/// How long a session lasts. Clients start over by themselves when they meet a 404.
const LIFETIME: Duration = Duration::from_hours(24);
/// Ended sessions remembered at a time; the oldest make room.
const ENDED: u64 = 100_000;

/// Makes and opens handles.
#[derive(Debug)]
pub struct Sessions {
    sealer: Arc<Sealer>,
    ended: moka::sync::Cache<String, ()>,
}

/// What a handle says to its owner. Short names: the handle travels with every request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Session {
    /// Its id; that of the live session behind it, if there is one.
    #[serde(rename = "i")]
    pub id: String,
    /// The revision negotiated by `initialize`.
    #[serde(rename = "r")]
    pub revision: String,
}

impl Sessions {
    /// Sessions whose handles `sealer` makes.
    #[must_use]
    pub fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, ended: remembered(ENDED) }
    }

    /// A handle for a session that `caller` has just opened. `id` is that of the live session behind it, if there is one.
    pub(super) fn seal(&self, caller: &Caller, revision: &str, id: Option<String>) -> Option<String> {
        let id = id.unwrap_or_else(|| uuid::Uuid::now_v7().simple().to_string());
        let session = Session { id, revision: revision.to_owned() };
        self.sealer.seal(Purpose::Session, caller, LIFETIME, &session)
    }

    /// Opens a handle for `caller`.
    pub(super) fn open(&self, handle: &str, caller: &Caller) -> Result<Session, Unopenable> {
        let session: Session = self.sealer.open(Purpose::Session, caller, handle)?;
        if self.ended.contains_key(&session.id) { Err(Unopenable) } else { Ok(session) }
    }

    /// Ends a session: its handle is unknown from now on.
    pub(super) fn end(&self, session: Session) {
        self.ended.insert(session.id, ());
    }
}

/// A memory of so many. The usual policy would, when it is full, rather forget a new one than one that was asked for often:
/// a client could keep a session from being ended.
fn remembered(capacity: u64) -> moka::sync::Cache<String, ()> {
    let memory = moka::sync::Cache::builder().max_capacity(capacity).time_to_live(LIFETIME);
    memory.eviction_policy(EvictionPolicy::lru()).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_memory_takes_a_session_that_ends_now() {
        let ended = remembered(100);
        for id in 0..100 {
            ended.insert(id.to_string(), ());
        }
        for _ in 0..20 {
            for id in 0..100 {
                assert!(ended.contains_key(&id.to_string()) && ended.get(&id.to_string()).is_some());
            }
            ended.run_pending_tasks();
        }
        for id in 100..150 {
            ended.insert(id.to_string(), ());
            ended.run_pending_tasks();
            assert!(ended.contains_key(&id.to_string()), "{id}");
        }
        assert!(!ended.contains_key("0") && ended.contains_key("99"));
    }
}
