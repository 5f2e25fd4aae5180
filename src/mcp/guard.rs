//! Every call under a deadline, cancellable, and safe to panic.
//!
//! The library does none of the three: a panicking handler would leave its client waiting forever.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::tools::{Effect, ToolError, lost_writes};

/// How a guarded call ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended<T> {
    /// By itself.
    Done(T),
    /// Its deadline passed first.
    TimedOut,
    /// It panicked; the panic hook has logged where.
    Panicked,
    /// The client went away or cancelled.
    Cancelled,
}

impl<T> Ended<Result<T, ToolError>> {
    /// What the caller of a tool hears that has this effect and might take so long.
    pub(crate) fn into_result(self, effect: Effect, patience: Duration) -> Result<T, ToolError> {
        match self {
            Self::Done(result) => result,
            Self::TimedOut => Err(lost_writes::cut_short(ToolError::timeout(patience), effect)),
            Self::Panicked => Err(lost_writes::cut_short(ToolError::panicked(), effect)),
            Self::Cancelled => Err(ToolError::cancelled()),
        }
    }
}

/// Runs `call` until it ends, its deadline passes or the client goes away.
///
/// What only reads is dropped on cancellation, which aborts its request to the platform. What writes runs on in a task
/// of its own: a write is never torn in the middle because somebody closed a window.
pub(crate) async fn run<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
    deadline: Instant,
    writes: bool,
    cancelled: &CancellationToken,
) -> Ended<T> {
    let bounded = AssertUnwindSafe(tokio::time::timeout_at(deadline, call)).catch_unwind();
    let result = if writes {
        match cancelled.run_until_cancelled(tokio::spawn(bounded)).await {
            None => return Ended::Cancelled,
            Some(Ok(result)) => result,
            Some(Err(_join)) => return Ended::Panicked,
        }
    } else {
        match cancelled.run_until_cancelled(bounded).await {
            None => return Ended::Cancelled,
            Some(result) => result,
        }
    };
    match result {
        Ok(Ok(value)) => Ended::Done(value),
        Ok(Err(_elapsed)) => Ended::TimedOut,
        Err(_panic) => Ended::Panicked,
    }
}

/// The deadline of a call that may take `patience`.
pub(crate) fn deadline(patience: Duration) -> Instant {
    Instant::now() + patience
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn outcome(call: impl Future<Output = u8> + Send + 'static, writes: bool) -> Ended<u8> {
        run(call, deadline(Duration::from_secs(5)), writes, &CancellationToken::new()).await
    }

    #[tokio::test(start_paused = true)]
    async fn every_end_is_told() {
        for writes in [false, true] {
            assert_eq!(outcome(async { 7 }, writes).await, Ended::Done(7));
            assert_eq!(outcome(std::future::pending(), writes).await, Ended::TimedOut);
            assert_eq!(outcome(async { panic!("boom") }, writes).await, Ended::Panicked);
        }
    }

    #[tokio::test]
    async fn cancelling_drops_a_read_and_lets_a_write_finish() {
        for writes in [false, true] {
            let (go, wait) = tokio::sync::oneshot::channel::<()>();
            let (done, finished) = tokio::sync::oneshot::channel();
            let token = CancellationToken::new();
            token.cancel();
            let call = async move {
                let _ = wait.await;
                let _ = done.send(());
            };
            let ended = run(call, deadline(Duration::from_secs(5)), writes, &token).await;
            assert_eq!(ended, Ended::Cancelled);
            let _ = go.send(());
            assert_eq!(finished.await.is_ok(), writes);
        }
    }
}
