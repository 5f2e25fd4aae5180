//! Sequence banking (getsequence.io), a second and much smaller system: a router of personal finances, whose rules move money
//! between accounts.
//!
//! `sequence-mcp` serves one user over standard input and output with two tools. It shares the plumbing of
//! `sequentum-mcp` (settings, logs, the HTTP client, retries, the words of errors) and none of its platform.
//!
//! What it holds to: a rule's secret is looked up here and never passes through a model unless the user has said so; a
//! call that moves money carries an idempotency key, so that it moves once; the user is asked first where the client can
//! ask; nothing that a call is about reaches a log.

mod bank;
mod config;
mod confirm;
mod error;
mod get_accounts;
mod protocol;
mod rule;
pub mod settings;
mod trigger_rule;

use tokio_util::sync::CancellationToken;

pub use self::config::Config;
use self::{bank::Bank, protocol::SequenceServer};
use crate::mcp::stdio::{self, StdioError};

/// Why serving could not begin, or ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Http(#[from] reqwest::Error),
    /// The conversation broke.
    #[error(transparent)]
    Stdio(#[from] StdioError),
}

/// Serves standard input and output until the client closes its end or `stop` completes.
///
/// # Errors
///
/// See [`ServeError`].
pub async fn serve(config: &Config, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let bank = Bank::new(&config.url)?;
    tracing::info!(
        bank = config.url.as_str(),
        rules = config.rule_secrets.len(),
        version = env!("CARGO_PKG_VERSION"),
        "serving standard input and output"
    );
    Ok(stdio::serve(SequenceServer::new(config, bank), CancellationToken::new(), stop).await?)
}
