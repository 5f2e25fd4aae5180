//! What the tests stand on: a started server in front of a started platform, and ways to talk to it.

pub mod browser;
pub mod events;
mod schema;
pub mod server;

pub use server::{Answer, TestServer};

/// Every scope, as a token's `scope` claim has it.
pub const ALL_SCOPES: &str = "agents:read agents:write runs:read spaces:read spaces:write billing:read";

/// Moves the clock until the call is over.
pub async fn moving_time<T>(server: &TestServer, call: impl Future<Output = T>) -> T {
    tokio::pin!(call);
    loop {
        tokio::select! {
            biased;
            answer = &mut call => return answer,
            // Each turn lets the request travel, then moves time on.
            () = tokio::task::yield_now() => server.clock.advance(std::time::Duration::from_millis(10)),
        }
    }
}
