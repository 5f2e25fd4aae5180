//! Notices to the client while a long call goes on.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::time::{Instant, MissedTickBehavior};

/// Between two notices of a call that only waits. Clients and proxies give up on 30 s of silence.
const INTERVAL: Duration = Duration::from_secs(5);

/// Delivers one notice; failures to deliver are nobody's concern.
pub trait ProgressSink: Send + Sync {
    /// Sends `done` of `total` with a short text.
    fn send(&self, done: f64, total: f64, message: String) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Where notices go; nowhere if the client did not ask for them.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn ProgressSink>>);

impl Progress {
    /// Notices for a client that gave a progress token.
    #[must_use]
    pub fn to(sink: Arc<dyn ProgressSink>) -> Self {
        Self(Some(sink))
    }

    /// Sends one notice.
    pub async fn report(&self, done: f64, total: f64, message: String) {
        if let Some(sink) = &self.0 {
            sink.send(done, total, message).await;
        }
    }

    /// Waits for `work`, telling every few seconds how much of `total` has passed.
    pub async fn during<T>(&self, total: Duration, message: &str, work: impl Future<Output = T>) -> T {
        if self.0.is_none() {
            return work.await;
        }
        let start = Instant::now();
        let mut ticks = tokio::time::interval_at(start + INTERVAL, INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                result = &mut work => return result,
                _ = ticks.tick() => {
                    let seconds = start.elapsed().as_secs_f64();
                    self.report(seconds.min(total.as_secs_f64()), total.as_secs_f64(), format!("{message} ({seconds:.0} s)")).await;
                }
            }
        }
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
}
