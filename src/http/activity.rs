//! Whether a connection is in use, and since when it is not.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// The open requests of one connection. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    open: usize,
    /// When the connection was opened or a request of it ended last.
    since: Instant,
}

/// An open request, until this is dropped.
#[derive(Debug)]
pub(super) struct OpenRequest(Activity);

impl Activity {
    /// Of a connection that was opened just now.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { open: 0, since: Instant::now() })))
    }

    /// A request has begun.
    pub(super) fn begin(&self) -> OpenRequest {
        self.lock().open += 1;
        OpenRequest(self.clone())
    }

    /// Waits until no request has been open for `limit`. A request that is open when the time is first up makes it longer,
    /// by `limit` at most: a look at the clock now and then, because waking this for each request would cost more.
    pub(super) async fn idle_for(&self, limit: Duration) {
        let mut end = self.lock().since + limit;
        loop {
            sleep_until(end).await;
            let now = Instant::now();
            end = match &*self.lock() {
                State { open: 0, since } => *since + limit,
                State { .. } => now + limit,
            };
            if end <= now {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.open = state.open.saturating_sub(1);
        state.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    async fn is_idle_within(activity: &Activity, seconds: u64) -> bool {
        timeout(Duration::from_secs(seconds), activity.idle_for(LIMIT)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_never_asks_is_idle_from_its_beginning() {
        let activity = Activity::new();
        assert!(!is_idle_within(&activity, 9).await);
        assert!(is_idle_within(&activity, 2).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_request_is_waited_for_and_its_end_begins_the_time_anew() {
        let activity = Activity::new();
        let first = activity.begin();
        let second = activity.begin();
        assert!(!is_idle_within(&activity, 100).await);
        drop(first);
        assert!(!is_idle_within(&activity, 100).await);
        drop(second);
        assert!(!is_idle_within(&activity, 9).await);
        drop(activity.begin());
        assert!(!is_idle_within(&activity, 9).await);
        assert!(is_idle_within(&activity, 2).await);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_long_request_is_noticed_within_twice_the_time() {
        let activity = Activity::new();
        let request = activity.begin();
        let waiting = {
            let activity = activity.clone();
            tokio::spawn(async move { activity.idle_for(LIMIT).await })
        };
        tokio::task::yield_now().await;
        advance(Duration::from_secs(11)).await;
        drop(request);
        assert!(timeout(Duration::from_secs(20), waiting).await.is_ok());
    }
}
