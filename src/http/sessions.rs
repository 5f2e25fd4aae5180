//! Session ids of the 2025 revisions: sealed handles that need no table ([`crate::seal`]).
//!
//! A handle says what was negotiated. Unknown, altered, expired, ended and foreign ones cannot be told apart. Ended sessions
//! are remembered until they would have expired, by this process only.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    auth::Caller,
    seal::{Purpose, Sealer, Unopenable},
};

/// How long a session lasts. Clients start over by themselves when they meet a 404.
const LIFETIME: Duration = Duration::from_hours(24);
/// Ended sessions remembered at a time.
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
        let ended = moka::sync::Cache::builder().max_capacity(ENDED).time_to_live(LIFETIME).build();
        Self { sealer, ended }
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
