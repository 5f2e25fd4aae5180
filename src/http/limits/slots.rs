//! How many calls and event streams are open at a time, of one caller, of one organisation and of all.
//!
//! A [`Slot`] is taken before anything is read and given back when the last byte of the answer has been handed over, or
//! when the client has gone. The table knows callers with something open only, so it needs no other bound. No organisation
//! can take all calls, so that its users may bring nobody to a stop but themselves.

use std::{
    collections::{HashMap, hash_map},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::StatusCode;

use super::super::problem::Problem;
use crate::{
    auth::{Caller, Organization, PerCaller},
    config,
    mcp::Counted,
};

/// When to try again: calls end all the time, streams do not.
const CALL_ENDS: Duration = Duration::from_secs(1);
const STREAM_ENDS: Duration = Duration::from_secs(30);

/// All slots. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    calls: usize,
    calls_per_caller: usize,
    calls_per_organization: usize,
    streams_per_caller: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    calls: usize,
    callers: HashMap<PerCaller<()>, Count>,
    /// Calls alone; streams are no work.
    organizations: HashMap<Organization, usize>,
}

impl Open {
    fn calls_of(&self, organization: Option<&Organization>) -> usize {
        organization
            .and_then(|organization| self.organizations.get(organization))
            .copied()
            .unwrap_or_default()
    }

    /// Counts a call among all and among those of its organisation.
    fn begin_call(&mut self, organization: Option<Organization>) {
        self.calls += 1;
        if let Some(organization) = organization {
            *self.organizations.entry(organization).or_default() += 1;
        }
    }

    fn end_call(&mut self, organization: Option<Organization>) {
        self.calls = self.calls.saturating_sub(1);
        let Some(organization) = organization else { return };
        if let hash_map::Entry::Occupied(mut entry) = self.organizations.entry(organization) {
            *entry.get_mut() = entry.get().saturating_sub(1);
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[derive(Debug, Default)]
struct Count {
    calls: usize,
    streams: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Call,
    Stream,
}

impl Slots {
    pub(super) fn new(config: &config::Limits) -> Self {
        let config::Limits { calls, calls_per_caller, calls_per_organization, streams_per_caller, .. } =
            *config;
        let open = Mutex::default();
        Self(Arc::new(Inner { calls, calls_per_caller, calls_per_organization, streams_per_caller, open }))
    }

    /// For a request and its answer.
    pub(super) fn call(&self, caller: &Caller) -> Result<Slot, Problem> {
        let key = caller.key(());
        let organization = key.organization();
        let mut open = self.lock();
        // The caller's own limit first: it is the one that they can do something about.
        let own = open.callers.get(&key).map_or(0, |count| count.calls);
        if own >= self.0.calls_per_caller {
            return Err(too_many("user", own));
        }
        let together = open.calls_of(organization.as_ref());
        if together >= self.0.calls_per_organization {
            return Err(too_many("organisation", together));
        }
        if open.calls >= self.0.calls {
            return Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "The server is answering as many calls as it can.",
                "Try again in a moment.",
            )
            .retry_after(CALL_ENDS));
        }
        open.begin_call(organization);
        open.callers.entry(key.clone()).or_default().calls += 1;
        Ok(Slot(Arc::new(Taken { slots: self.clone(), key, kind: Mutex::new(Some(Kind::Call)) })))
    }

    /// For an event stream, which stays open for as long as the client likes.
    pub(super) fn stream(&self, caller: &Caller) -> Result<Slot, Problem> {
        let key = caller.key(());
        let mut open = self.lock();
        let own = open.callers.get(&key).map_or(0, |count| count.streams);
        if own >= self.0.streams_per_caller {
            let message = format!("This user has as many event streams open as one may have: {own}.");
            return Err(Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_streams",
                message,
                "End another one first; clients that are not used any more may keep some open.",
            )
            .retry_after(STREAM_ENDS));
        }
        open.callers.entry(key.clone()).or_default().streams += 1;
        Ok(Slot(Arc::new(Taken { slots: self.clone(), key, kind: Mutex::new(Some(Kind::Stream)) })))
    }

    /// Calls and streams that are open, of all callers.
    pub(super) fn open(&self) -> (usize, usize) {
        let open = self.lock();
        (open.calls, open.callers.values().map(|count| count.streams).sum())
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many(whose: &str, calls: usize) -> Problem {
    let message = format!("This {whose} has as many calls running as one may have: {calls}.");
    let remedy = "Wait until one of them has ended.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_calls", message, remedy).retry_after(CALL_ENDS)
}

/// One open call or stream; given back when dropped.
#[derive(Debug)]
pub(in crate::http) struct Slot(Arc<Taken>);

/// What a slot takes, which the work that it was taken for sees too.
#[derive(Debug)]
struct Taken {
    slots: Slots,
    key: PerCaller<()>,
    /// Locked before the table, never after it.
    kind: Mutex<Option<Kind>>,
}

/// A slot as it is seen by the work for which it was taken: while that waits for its user, it is an open stream and no
/// running call.
#[derive(Debug)]
pub(in crate::http) struct Pausable(Arc<Taken>);

impl Counted for Pausable {
    fn pause(&self) -> bool {
        self.0.become_stream()
    }

    fn resume(&self) {
        self.0.become_call();
    }
}

impl Slot {
    /// The same slot for the work that it was taken for. It does not keep it.
    pub(in crate::http) fn pausable(&self) -> Pausable {
        Pausable(Arc::clone(&self.0))
    }
}

impl Taken {
    fn become_stream(&self) -> bool {
        let mut kind = self.lock();
        if *kind != Some(Kind::Call) {
            return true;
        }
        let mut open = self.slots.lock();
        let Some(count) = open.callers.get_mut(&self.key) else { return true };
        if count.streams >= self.slots.0.streams_per_caller {
            return false;
        }
        count.streams += 1;
        count.calls = count.calls.saturating_sub(1);
        open.end_call(self.key.organization());
        *kind = Some(Kind::Stream);
        true
    }

    fn become_call(&self) {
        let mut kind = self.lock();
        // One that was given back meanwhile stays given back.
        if *kind != Some(Kind::Stream) {
            return;
        }
        let mut open = self.slots.lock();
        let Some(count) = open.callers.get_mut(&self.key) else { return };
        count.streams = count.streams.saturating_sub(1);
        count.calls += 1;
        open.begin_call(self.key.organization());
        *kind = Some(Kind::Call);
    }

    fn give_back(&self) {
        let Some(kind) = self.lock().take() else { return };
        let mut open = self.slots.lock();
        if kind == Kind::Call {
            open.end_call(self.key.organization());
        }
        let hash_map::Entry::Occupied(mut entry) = open.callers.entry(self.key.clone()) else { return };
        let count = entry.get_mut();
        match kind {
            Kind::Call => count.calls = count.calls.saturating_sub(1),
            Kind::Stream => count.streams = count.streams.saturating_sub(1),
        }
        if count.calls == 0 && count.streams == 0 {
            entry.remove();
        }
    }

    /// What it is at the moment; nothing once it was given back.
    fn lock(&self) -> MutexGuard<'_, Option<Kind>> {
        self.kind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.give_back();
    }
}
