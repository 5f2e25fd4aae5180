//! Signing in through the browser, for the one user of `stdio` who has no API key.
//!
//! `sequentum-mcp login` is an OAuth client of its own: authorization code with PKCE (RFC 7636), a redirect to this machine
//! (RFC 8252), `state` and `iss` (RFC 9207) checked, for the platform as resource (RFC 8707) ([`Attempt`]). The tokens are
//! kept in a file that only the user can read ([`Store`]), and `stdio` lends them out call by call, refreshing them when
//! they end or are refused ([`Lending`]). Several processes can do so at a time: a refresh is made under a lock, because
//! the server takes each refresh token once.

mod attempt;
mod lending;
mod redirect;
mod store;

use std::time::Duration;

use oauth2::{RequestTokenError, basic::BasicErrorResponse};

pub use self::{
    attempt::{Attempt, Wanted, revoke},
    lending::Lending,
    store::{SignIn, Store, StoreError},
};
use crate::auth::client::FetchError;

/// How long a user may take in the browser.
const PATIENCE: Duration = Duration::from_mins(10);

/// Why nobody was signed in, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Http(#[from] reqwest::Error),
    /// The metadata cannot be had.
    #[error(
        "the authorization server {issuer} cannot be asked for its metadata: {cause}. Check SEQUENTUM_OAUTH_ISSUER and the network; `sequentum-mcp doctor` looks closer"
    )]
    Metadata {
        /// The issuer.
        issuer: String,
        /// What went wrong.
        cause: String,
    },
    /// Something that this kind of sign-in needs is missing there.
    #[error("the authorization server {issuer} {lacks}")]
    Unsuitable {
        /// The issuer.
        issuer: String,
        /// What it lacks, and what to do.
        lacks: &'static str,
    },
    /// The client could not be registered.
    #[error(
        "the authorization server does not register this client: {0}. Have one registered, and name it in LOGIN_CLIENT_ID"
    )]
    Registration(String),
    /// The port for the redirect is taken.
    #[error(
        "cannot listen on 127.0.0.1:{port} for the redirect: {cause}. Choose another --redirect-port, or leave it out"
    )]
    Listen {
        /// The port.
        port: u16,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The user did not agree, or the server refused.
    #[error("the authorization server did not sign you in: {0}. Run `sequentum-mcp login` again")]
    Refused(String),
    /// The answer names another issuer, or none: somebody else may have sent it.
    #[error(
        "the answer does not come from the authorization server that was asked. Run `sequentum-mcp login` again; if it happens again, check SEQUENTUM_OAUTH_ISSUER"
    )]
    Issuer,
    /// Nobody came back from the browser.
    #[error("nobody signed in within {} minutes. Run `sequentum-mcp login` again", PATIENCE.as_secs() / 60)]
    Nobody,
    /// The code could not be redeemed.
    #[error("the sign-in could not be completed: {0}. Run `sequentum-mcp login` again")]
    Tokens(String),
    /// The tokens cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What went wrong at the token endpoint, in our own words and the server's code: the parser's could quote a token.
fn token_failure(error: &RequestTokenError<FetchError, BasicErrorResponse>) -> String {
    match error {
        RequestTokenError::ServerResponse(answer) => {
            format!("the token endpoint answered `{}`", printable(answer.error().as_ref()))
        }
        RequestTokenError::Request(error) => format!("the token endpoint cannot be reached: {error}"),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            "the answer of the token endpoint cannot be used".to_owned()
        }
    }
}

/// A text of somebody else's, for a terminal or a log.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
