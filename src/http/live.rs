//! Live sessions: how many there may be, and when they end.
//!
//! The library keeps sessions in memory and binds them to nobody, counts none and would end a quiet one in the middle of
//! a long call. So a sealed handle stands in front of each (who it belongs to), and this table beside them (how many,
//! how idle). Clients whose session has gone get 404 and start over.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::Body;
use futures_util::StreamExt;
use http::StatusCode;
use jiff::Timestamp;

use super::{held_body::hold, problem::Problem};
use crate::{
    auth::{Caller, PerCaller},
    clock::Clock,
};

/// Live sessions of one caller at a time. Clients that crash leave theirs behind, so beyond it the quietest gives way; one
/// with a running call never does.
const PER_CALLER: usize = 20;
/// Between two looks for idle sessions.
const SWEEP: Duration = Duration::from_secs(30);
/// When to try again while there is no room.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// The table of live sessions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LiveSessions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max: usize,
    idle: Duration,
    clock: Clock,
    sessions: Mutex<HashMap<String, Entry>>,
}

#[derive(Debug)]
struct Entry {
    owner: PerCaller<()>,
    /// When its last request began or ended.
    last: Timestamp,
    /// Requests that are open.
    calls: usize,
    /// Streams that are open without a request.
    streams: usize,
}

impl Entry {
    fn open(&mut self, of: Of) -> &mut usize {
        match of {
            Of::Call => &mut self.calls,
            Of::Stream => &mut self.streams,
        }
    }
}

/// What keeps a session from being idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// A request that waits for its answer.
    Call,
    /// A stream of what is sent without being asked.
    Stream,
}

/// A request or a stream within a live session: as long as this exists, the session is not idle.
#[derive(Debug)]
pub(super) struct InUse {
    table: LiveSessions,
    /// The library's id of the session.
    pub id: String,
    of: Of,
}

/// Room for a session that is being opened; given back when dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    table: LiveSessions,
    reserved: String,
}

impl Reservation {
    /// The session was opened under this id.
    pub(super) fn fill(self, id: &str) {
        let mut sessions = self.table.lock();
        if let Some(mut entry) = sessions.remove(&self.reserved) {
            entry.calls = 0;
            sessions.insert(id.to_owned(), entry);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.table.lock().remove(&self.reserved);
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let now = self.table.0.clock.now();
        if let Some(entry) = self.table.lock().get_mut(&self.id) {
            let open = entry.open(self.of);
            *open = open.saturating_sub(1);
            entry.last = now;
        }
    }
}

impl LiveSessions {
    /// Room for `max` sessions, each of which may be idle for so long.
    #[must_use]
    pub fn new(max: usize, idle: Duration, clock: Clock) -> Self {
        Self(Arc::new(Inner { max, idle, clock, sessions: Mutex::default() }))
    }

    /// Takes a place for one more session of `caller`; also returns the caller's quietest session if that has to end
    /// for it.
    pub(super) fn make_room(&self, caller: &Caller) -> Result<(Reservation, Option<String>), Problem> {
        let owner = caller.key(());
        let mut sessions = self.lock();
        let own = sessions.iter().filter(|(_, entry)| entry.owner == owner);
        let quietest = if own.clone().count() < PER_CALLER {
            None
        } else {
            // Clients leave streams open without listening any more, so an open stream only puts a session last.
            let quiet = own.filter(|(_, entry)| entry.calls == 0);
            let quiet = quiet.min_by_key(|(_, entry)| (entry.streams > 0, entry.last));
            Some(quiet.map(|(id, _)| id.clone()).ok_or_else(full)?)
        };
        if let Some(id) = &quietest {
            sessions.remove(id);
        } else if sessions.len() >= self.0.max {
            return Err(full());
        }
        // Counts as a session until it is one.
        let reserved = uuid::Uuid::now_v7().to_string();
        sessions.insert(reserved.clone(), Entry { owner, last: self.0.clock.now(), calls: 1, streams: 0 });
        Ok((Reservation { table: self.clone(), reserved }, quietest))
    }

    /// Enters a session, if it is there and not idle for too long.
    pub(super) fn enter(&self, id: &str, of: Of) -> Option<InUse> {
        let now = self.0.clock.now();
        let mut sessions = self.lock();
        let entry = sessions.get_mut(id).filter(|entry| !self.is_idle(entry, now))?;
        *entry.open(of) += 1;
        entry.last = now;
        Some(InUse { table: self.clone(), id: id.to_owned(), of })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Forgets a session.
    pub(super) fn ended(&self, id: &str) {
        self.lock().remove(id);
    }

    /// Ends idle sessions with `end`, for as long as the process lives.
    pub async fn sweep_forever(&self, mut end: impl AsyncFnMut(String)) {
        loop {
            self.0.clock.sleep(SWEEP).await;
            for id in self.take_idle() {
                end(id).await;
            }
        }
    }

    fn take_idle(&self) -> Vec<String> {
        let now = self.0.clock.now();
        self.lock().extract_if(|_, entry| self.is_idle(entry, now)).map(|(id, _)| id).collect()
    }

    fn is_idle(&self, entry: &Entry, now: Timestamp) -> bool {
        entry.calls == 0 && entry.streams == 0 && now.duration_since(entry.last).unsigned_abs() >= self.0.idle
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InUse {
    /// The body, which keeps the session from being idle until it has ended; and which ends with the caller's token.
    pub(super) fn around(self, body: Body, caller: &Caller) -> Body {
        let clock = self.table.0.clock.clone();
        let end = caller.ends();
        let expired = async move { clock.sleep_until(end).await };
        hold(Body::from_stream(body.into_data_stream().take_until(Box::pin(expired))), self)
    }
}

fn full() -> Problem {
    let message = "There is no room for another session.";
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too_many_sessions",
        message,
        "Try again in a minute, or end a session that is not needed.",
    )
    .retry_after(RETRY_AFTER)
}
