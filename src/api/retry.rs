//! What may be repeated, how often, and how long to wait.
//!
//! - Only calls marked [`Repeat::Allowed`] are repeated: reads, never a start.
//! - Only after a failure that can pass by itself ([`Fault::is_transient`](super::Fault::is_transient)).
//! - `Retry-After` wins over our own backoff. One beyond [`MAX_WAIT`] is passed on instead of waited for.
//! - A wait that would not leave time for another attempt before the deadline is not begun: the caller hears at once.

use std::{fmt, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

/// Longest wait between two attempts.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// Time an attempt should have at least; a shorter rest of the deadline is not worth waiting for.
const WORTHWHILE: Duration = Duration::from_millis(500);

/// Whether a call may be sent again after its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The call changes nothing, or puts something into a named state.
    Allowed,
    /// Sending it again would do the work again.
    Never,
}

/// A failure that says of itself whether repeating helps.
pub(crate) trait Failure: fmt::Display {
    /// Whether the same call may succeed later without anybody changing anything.
    fn is_transient(&self) -> bool;

    /// How long the other side asks to wait.
    fn retry_after(&self) -> Option<Duration>;
}

/// How often and how patiently to repeat.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// First wait; it doubles from attempt to attempt, with jitter.
    pub first_wait: Duration,
    /// Repetitions after the first attempt.
    pub repetitions: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { first_wait: Duration::from_secs(1), repetitions: 3 }
    }
}

impl Policy {
    /// Sends until it succeeds, may not be repeated, or time is up.
    pub(crate) async fn run<T, E, F, S>(self, repeat: Repeat, deadline: Instant, mut send: S) -> Result<T, E>
    where
        S: FnMut() -> F,
        F: Future<Output = Result<T, E>>,
        E: Failure,
    {
        // Built on the first failure only: most calls need no backoff.
        let mut waits = None;
        loop {
            let error = match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if repeat == Repeat::Never || !error.is_transient() {
                return Err(error);
            }
            let waits = waits.get_or_insert_with(|| {
                ExponentialBuilder::default()
                    .with_min_delay(self.first_wait)
                    .with_max_delay(MAX_WAIT)
                    .with_max_times(self.repetitions)
                    .with_jitter()
                    .build()
            });
            let Some(wait) = waits.next() else { return Err(error) };
            let wait = error.retry_after().filter(|asked| !asked.is_zero()).unwrap_or(wait);
            if wait > MAX_WAIT || Instant::now() + wait + WORTHWHILE > deadline {
                return Err(error);
            }
            tracing::debug!(error = %error, wait_ms = wait.as_millis(), "platform call is repeated");
            tokio::time::sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::api::{ApiError, Fault};

    async fn attempts(fault: Fault, repeat: Repeat, seconds: u64) -> (usize, Duration) {
        let count = Cell::new(0);
        let start = Instant::now();
        let deadline = start + Duration::from_secs(seconds);
        let send = || {
            count.set(count.get() + 1);
            std::future::ready(Err::<(), _>(ApiError::new("op", fault.clone())))
        };
        assert!(Policy::default().run(repeat, deadline, send).await.is_err());
        (count.get(), start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn transient_failures_of_repeatable_calls_get_four_attempts() {
        assert_eq!(attempts(Fault::Server(503), Repeat::Allowed, 120).await.0, 4);
        assert_eq!(attempts(Fault::RateLimited, Repeat::Allowed, 120).await.0, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_else_is_repeated() {
        assert_eq!(attempts(Fault::Server(503), Repeat::Never, 120).await.0, 1);
        assert_eq!(attempts(Fault::Server(500), Repeat::Allowed, 120).await.0, 1);
        assert_eq!(attempts(Fault::NotFound, Repeat::Allowed, 120).await.0, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_past_the_deadline_is_not_begun() {
        let (count, elapsed) = attempts(Fault::Timeout, Repeat::Allowed, 1).await;
        assert_eq!((count, elapsed), (1, Duration::ZERO));
    }
}
