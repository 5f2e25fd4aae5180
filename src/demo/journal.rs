//! What arrived: tests read here which requests were made, with which credential, and how they were answered.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::{StatusCode, header, request::Parts};
use serde_json::Value;

/// API requests kept; the oldest go first.
const CAPACITY: usize = 10_000;
/// Distinct OAuth paths counted. There are a dozen real ones; probing with made-up paths must not grow the table.
const PATHS: usize = 1_000;
/// Bytes of a request body kept.
const BODY: usize = 16 * 1024;

/// One API request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Method in capitals.
    pub method: String,
    /// Path as sent, still percent-encoded.
    pub path: String,
    /// Query as sent, without the question mark.
    pub query: Option<String>,
    /// The whole `Authorization` header: this is a test double on loopback, and which credential went out is exactly
    /// what tests want to know.
    pub authorization: Option<String>,
    /// The `traceparent` header.
    pub traceparent: Option<String>,
    /// Body as it was read: JSON, or a text if it was none or too large to keep whole; null when there was no body.
    pub body: Value,
    /// Status it was answered with; 0 when no answer was sent (yet).
    pub status: u16,
}

#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    requests: VecDeque<Recorded>,
    // Requests dropped from the front so far, so that an entry's number stays valid.
    dropped: u64,
    oauth: BTreeMap<String, usize>,
}

impl Journal {
    /// Notes an arrival; the number returned is for [`Journal::answered`].
    pub(crate) fn arrived(&self, request: &Parts, body: &[u8]) -> Option<u64> {
        let path = request.uri.path();
        let mut entries = self.lock();
        if path.starts_with("/api/oauth/") || path.starts_with("/.well-known/") {
            if entries.oauth.len() < PATHS || entries.oauth.contains_key(path) {
                *entries.oauth.entry(path.to_owned()).or_default() += 1;
            }
            return None;
        }
        if !path.starts_with("/api/") {
            return None;
        }
        if entries.requests.len() >= CAPACITY {
            entries.requests.pop_front();
            entries.dropped += 1;
        }
        let number = entries.dropped + entries.requests.len() as u64;
        let authorization = request.headers.get(header::AUTHORIZATION);
        let text = |name| Some(request.headers.get(name)?.to_str().ok()?.to_owned());
        entries.requests.push_back(Recorded {
            method: request.method.to_string(),
            path: path.to_owned(),
            query: request.uri.query().map(str::to_owned),
            traceparent: text("traceparent"),
            authorization: authorization.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            body: readable(body),
            status: 0,
        });
        Some(number)
    }

    pub(crate) fn answered(&self, number: u64, status: StatusCode) {
        let mut entries = self.lock();
        let at = number.checked_sub(entries.dropped).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = at.and_then(|at| entries.requests.get_mut(at)) {
            entry.status = status.as_u16();
        }
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.lock().requests.iter().cloned().collect()
    }

    pub(crate) fn oauth_requests(&self, path_suffix: &str) -> usize {
        let entries = self.lock();
        entries.oauth.iter().filter(|(path, _)| path.ends_with(path_suffix)).map(|(_, n)| n).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body as a test wants to read it.
fn readable(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let kept = body.get(..BODY).unwrap_or(body);
    let parsed = (kept.len() == body.len()).then(|| serde_json::from_slice(body).ok()).flatten();
    parsed.unwrap_or_else(|| Value::String(String::from_utf8_lossy(kept).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_kept_as_json_as_text_or_in_part() {
        assert_eq!(readable(b""), Value::Null);
        assert_eq!(readable(br#"{"a":1}"#), serde_json::json!({"a": 1}));
        assert_eq!(readable(b"a=1&b=2"), "a=1&b=2");
        let long = format!("[{}1]", "1,".repeat(BODY));
        assert_eq!(readable(long.as_bytes()).as_str().map(str::len), Some(BODY));
    }
}
