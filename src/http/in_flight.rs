//! Requests that can be taken back: `notifications/cancelled` of the 2025 revisions.
//!
//! The notification arrives as a request of its own, so the one it means has to be found: by the caller, the session
//! and the id that the client gave it. Without a session two windows of one user could both have a request 1, so then
//! nothing is taken back. The newer era cancels by hanging up, which needs no table.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use serde_json::value::RawValue;

use crate::{
    auth::{Caller, PerCaller},
    mcp::CallScope,
};

/// Session and request id, the latter as it was written.
type Key = PerCaller<(String, String)>;

/// The table. Bounded by what is running at a time. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<HashMap<Key, Weak<CallScope>>>>);

/// A request that can be taken back for as long as this exists.
#[derive(Debug)]
pub(super) struct Cancellable {
    table: InFlight,
    key: Key,
}

impl InFlight {
    /// Notes a request. Ids must not be used twice in a session; if one is, the first keeps it.
    pub(super) fn enter(
        &self,
        caller: &Caller,
        session: &str,
        id: &RawValue,
        scope: &Arc<CallScope>,
    ) -> Option<Cancellable> {
        let key = caller.key((session.to_owned(), id.get().to_owned()));
        let mut table = self.lock();
        if table.contains_key(&key) {
            return None;
        }
        table.insert(key.clone(), Arc::downgrade(scope));
        drop(table);
        Some(Cancellable { table: self.clone(), key })
    }

    /// Takes a request back, if it is running and the caller's own.
    pub(super) fn cancel(&self, caller: &Caller, session: &str, id: &RawValue) {
        let key = caller.key((session.to_owned(), id.get().to_owned()));
        let scope = self.lock().get(&key).and_then(Weak::upgrade);
        if let Some(scope) = scope {
            scope.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Weak<CallScope>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cancellable {
    fn drop(&mut self) {
        self.table.lock().remove(&self.key);
    }
}
