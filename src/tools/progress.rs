//! Notices to the client while a long call goes on.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Between two notices of a call that only waits. Clients and proxies give up on 30 s of silence.
const INTERVAL: Duration = Duration::from_secs(5);
/// Waiting that is over by then is not worth a notice, however long ago the last one was.
const SHORT: Duration = Duration::from_secs(1);

/// Delivers one notice; failures to deliver are nobody's concern.
pub trait ProgressSink: Send + Sync {
    /// Sends `done` of `total` with a short text.
    fn send(&self, done: f64, total: f64, message: String) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Where notices go; nowhere if the client did not ask for them. Clones are of one call.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<Told>>);

/// What the client of one call was told. Values must rise (2025-11-25, "Progress"), whoever reports them.
struct Told {
    sink: Arc<dyn ProgressSink>,
    begun: Instant,
    last: Mutex<Last>,
}

#[derive(Clone, Copy)]
struct Last {
    value: Option<f64>,
    at: Instant,
}

impl Progress {
    /// Notices for a client that gave a progress token.
    #[must_use]
    pub fn to(sink: Arc<dyn ProgressSink>) -> Self {
        let begun = Instant::now();
        Self(Some(Arc::new(Told { sink, begun, last: Mutex::new(Last { value: None, at: begun }) })))
    }

    /// Sends one notice, unless its value does not rise.
    pub async fn report(&self, done: f64, total: f64, message: String) {
        if let Some(told) = &self.0
            && told.rises(done)
        {
            told.sink.send(done, total, message).await;
        }
    }

    /// Waits for `work`, telling every few seconds how much of `total` has passed since the call began.
    pub async fn during<T>(&self, total: Duration, message: &str, work: impl Future<Output = T>) -> T {
        let Some(told) = &self.0 else { return work.await };
        let mut next = (told.last().at + INTERVAL).max(Instant::now() + SHORT);
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                result = &mut work => return result,
                () = tokio::time::sleep_until(next) => {
                    let seconds = told.begun.elapsed().as_secs_f64();
                    // What takes longer than it may still goes on.
                    let total = total.as_secs_f64().max(seconds);
                    self.report(seconds, total, format!("{message} ({seconds:.0} s)")).await;
                    next = Instant::now() + INTERVAL;
                }
            }
        }
    }
}

impl Told {
    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rises(&self, value: f64) -> bool {
        let mut last = self.last();
        let rises = last.value.is_none_or(|told| told < value);
        if rises {
            *last = Last { value: Some(value), at: Instant::now() };
        }
        rises
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Progress(on)" } else { "Progress(off)" })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<Vec<(f64, String)>>);

    impl ProgressSink for Heard {
        fn send(&self, done: f64, _: f64, message: String) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            self.0.lock().unwrap().push((done, message));
            Box::pin(std::future::ready(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_reported_every_five_seconds() {
        let heard = Arc::new(Heard::default());
        let progress = Progress::to(Arc::clone(&heard) as Arc<dyn ProgressSink>);
        let work = async {
            tokio::time::sleep(Duration::from_secs(12)).await;
            7
        };
        assert_eq!(progress.during(Duration::from_mins(1), "Waiting", work).await, 7);
        let heard = heard.0.lock().unwrap();
        assert_eq!(*heard, [(5.0, "Waiting (5 s)".to_owned()), (10.0, "Waiting (10 s)".to_owned())]);
    }

    #[tokio::test(start_paused = true)]
    async fn values_rise_whoever_reports_them_and_nobody_is_silent_for_ten_seconds() {
        let heard = Arc::new(Heard::default());
        let progress = Progress::to(Arc::clone(&heard) as Arc<dyn ProgressSink>);
        let minute = Duration::from_mins(1);
        let begun = Instant::now();
        for _ in 0..3 {
            // A quick look, a pause, a slow look, which takes longer than it may.
            progress.during(minute, "Looking", tokio::time::sleep(Duration::from_millis(300))).await;
            progress.report(begun.elapsed().as_secs_f64(), 60.0, "found something".to_owned()).await;
            progress.report(0.1, 60.0, "an older value".to_owned()).await;
            tokio::time::sleep(Duration::from_secs(8)).await;
            progress.during(minute, "Looking", tokio::time::sleep(Duration::from_secs(20))).await;
        }
        let heard: Vec<f64> = heard.0.lock().unwrap().iter().map(|(value, _)| *value).collect();
        assert!(heard.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] < 10.0), "{heard:?}");
        assert!(heard.first().is_some_and(|value| *value < 10.0) && heard.len() > 12, "{heard:?}");
    }
}
