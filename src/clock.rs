//! Now and sleep, replaceable in tests.
//!
//! Everything that depends on the wall clock (token expiry, key refresh, the simulated platform's runs) takes a
//! [`Clock`], so that a test moves time by hand instead of sleeping.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A source of wall-clock time. Cheap to clone; clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// The operating system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(watch::Sender::new(start))))
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
            Source::System => Timestamp::now(),
            Source::Manual(time) => *time.borrow(),
        }
    }

    /// Whole seconds since 1970, the unit of token claims.
    #[must_use]
    pub fn unix_seconds(&self) -> i64 {
        self.now().as_second()
    }

    /// Waits until [`Clock::now`] has reached `deadline`.
    pub async fn sleep_until(&self, deadline: Timestamp) {
        match &self.0 {
            Source::System => {
                let left = deadline.duration_since(self.now());
                if let Ok(left) = Duration::try_from(left) {
                    tokio::time::sleep(left).await;
                }
            }
            Source::Manual(time) => {
                // The sender lives as long as `self`, so the wait cannot fail.
                let _ = time.subscribe().wait_for(|now| *now >= deadline).await;
            }
        }
    }

    /// Waits for `duration` of this clock's time.
    pub async fn sleep(&self, duration: Duration) {
        let now = self.now();
        let deadline = SignedDuration::try_from(duration).ok().and_then(|d| now.checked_add(d).ok());
        self.sleep_until(deadline.unwrap_or(Timestamp::MAX)).await;
    }

    /// Moves a manual clock forward and wakes whoever waits for the new time. Does nothing to the system clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(time) = &self.0 {
            time.send_modify(|now| {
                if let Some(later) = SignedDuration::try_from(by).ok().and_then(|d| now.checked_add(d).ok()) {
                    *now = later;
                }
            });
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_sleepers_when_it_is_moved() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_mins(1)).await;
                clock.unix_seconds()
            }
        });
        tokio::task::yield_now().await; // the sleeper has read the clock
        clock.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(sleeper.await.unwrap(), 60);
    }
}
