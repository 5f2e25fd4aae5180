//! Waiting for what happens by itself, and moving the runtime's time, which the product waits by for the platform.
//!
//! [`Clock`](sequentum_mcp::clock::Clock) is the time of day. Deadlines, pauses and notices of progress go by the
//! runtime's time, which is moved here, by hand too. Only runtimes of one thread can do that.

use std::time::{Duration, Instant};

use reqwest::RequestBuilder;

/// Longest wait for something that happens by itself: nothing is waited for that long, unless it never happens.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until this is so.
pub async fn until(mut so: impl FnMut() -> bool) {
    // Of the machine's time: the runtime's may be moved meanwhile.
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "it has not happened");
        tokio::task::yield_now().await;
    }
}

/// Sends a request and hangs up as soon as this is so, on an event stream that has begun by then too.
pub async fn hang_up(request: RequestBuilder, when: impl FnMut() -> bool) {
    let sending = tokio::spawn(request.send());
    until(when).await;
    sending.abort();
}

/// Moves the runtime's time on: whoever sleeps until then, or waits no longer, goes on.
pub async fn skip(by: Duration) {
    let _stopped = Stopped::now();
    tokio::time::advance(by).await;
}

/// The runtime's time stands still while this exists.
struct Stopped;

impl Stopped {
    fn now() -> Self {
        tokio::time::pause();
        Self
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        tokio::time::resume();
    }
}

/// Lets the runtime's time pass a hundred times as fast while `work` goes on: for what begins to wait where a test cannot
/// see it.
pub async fn quickly<T>(work: impl Future<Output = T>) -> T {
    const FASTER: u32 = 100;
    let pass = async {
        loop {
            let turn = Instant::now();
            tokio::task::yield_now().await;
            skip(turn.elapsed() * FASTER).await;
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        () = pass => unreachable!("time passes for ever"),
    }
}
