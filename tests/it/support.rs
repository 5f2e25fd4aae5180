//! What the tests stand on: a started server in front of a started platform, and ways to talk to it.

pub mod bank;
pub mod browser;
pub mod child;
pub mod contract;
pub mod events;
pub mod leaks;
pub mod otlp;
pub mod redis;
mod schema;
pub mod server;
pub mod tools;
pub mod waiting;

pub use contract::Contract;
pub use server::{Answer, TestServer};

/// Every scope, as a token's `scope` claim has it.
pub const ALL_SCOPES: &str = "agents:read agents:write runs:read spaces:read spaces:write billing:read";
