//! The rate limit: so many requests per credential in a window of 60 seconds.

use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use super::error::Refusal;
use crate::demo::table::Table;

const WINDOW_SECONDS: i64 = 60;
const CREDENTIALS: usize = 10_000;

#[derive(Debug)]
pub(crate) struct RateLimiter {
    limit: u32,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    windows: Table<Window>,
    refusals: u64,
}

#[derive(Debug)]
struct Window {
    ends: Timestamp,
    requests: u32,
}

impl RateLimiter {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, counts: Mutex::new(Counts { windows: Table::new(CREDENTIALS), refusals: 0 }) }
    }

    /// Counts one request. Over the limit it says when to come back, alternately in both forms `Retry-After` may have
    /// (RFC 9110 section 10.2.3), so that clients meet both.
    pub(crate) fn count(&self, credential: &str, now: Timestamp) -> Result<(), Refusal> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = if let Some(window) = counts.windows.get_mut(now, credential) {
            window.requests += 1;
            if window.requests <= self.limit {
                return Ok(());
            }
            window.ends
        } else {
            let ends = now.checked_add(SignedDuration::from_secs(WINDOW_SECONDS)).unwrap_or(Timestamp::MAX);
            counts.windows.insert(now, credential.to_owned(), ends, Window { ends, requests: 1 });
            if self.limit > 0 {
                return Ok(());
            }
            ends
        };
        counts.refusals += 1;
        let left = ends.duration_since(now);
        // Rounded up: coming back early is refused again.
        let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
        let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&ends);
        Err(Refusal::too_many_requests(match date {
            Ok(date) if counts.refusals.is_multiple_of(2) => date,
            _ => seconds.to_string(),
        }))
    }

    /// Adds the headers that every API answer has.
    pub(crate) fn describe(&self, headers: &mut HeaderMap) {
        headers.insert(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(self.limit));
        headers
            .insert(HeaderName::from_static("x-ratelimit-window-seconds"), HeaderValue::from(WINDOW_SECONDS));
    }
}
