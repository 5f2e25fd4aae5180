//! `Authorization` header in, [`Caller`] or [`Refusal`] out.
//!
//! Identity comes from the verified credential alone: never from a session, an argument or another header.

mod caller;
mod challenge;
mod keys;
mod refusal;
mod scopes;
mod verify;

use std::sync::Arc;

use http::{HeaderMap, Uri, header::AUTHORIZATION};
use secrecy::SecretString;

pub use self::{
    caller::{Caller, PerCaller, Principal},
    challenge::{Challenger, step_up_message},
    keys::{FALLBACK_PATH, KeyStore, TRUST_FOR, metadata_urls, survey},
    refusal::Refusal,
    scopes::{Scope, ScopeSet},
    verify::{LEEWAY, Verifier},
};
use crate::{clock::Clock, config};

/// Tells who is calling.
#[derive(Debug)]
pub struct Authenticator {
    keys: Arc<KeyStore>,
    verifier: Verifier,
    anonymous: Option<Arc<Caller>>,
}

impl Authenticator {
    /// `resources` are the identifiers under which this server is known: its `/mcp` URL and its origin. `http` fetches
    /// the issuer's keys.
    #[must_use]
    pub fn new(config: &config::Auth, resources: [String; 2], http: reqwest::Client, clock: Clock) -> Self {
        let keys = Arc::new(KeyStore::new(&config.issuer, http, clock.clone()));
        let audiences = resources.into_iter().chain(config.audiences.iter().cloned()).collect();
        let verifier = Verifier::new(Arc::clone(&keys), config.issuer.clone(), audiences, clock);
        let anonymous = (!config.required).then(|| Arc::new(Caller::anonymous()));
        Self { keys, verifier, anonymous }
    }

    /// The issuer's signing keys.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyStore> {
        &self.keys
    }

    /// Who sent this request.
    ///
    /// # Errors
    ///
    /// [`Refusal::Missing`] without a credential (unless sign-in is switched off), any other [`Refusal`] for one that
    /// is not accepted; a bad token is refused even where none is needed.
    pub async fn authenticate(&self, headers: &HeaderMap, uri: &Uri) -> Result<Arc<Caller>, Refusal> {
        // RFC 6750 section 2: one method only, and never the query, which ends up in logs.
        if uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("access_token="))) {
            return Err(Refusal::BadRequest);
        }
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return self.anonymous.clone().ok_or(Refusal::Missing);
        };
        if values.next().is_some() {
            return Err(Refusal::BadRequest);
        }
        let (scheme, token) =
            value.to_str().ok().and_then(|text| text.trim().split_once(' ')).ok_or(Refusal::BadRequest)?;
        let token = token.trim();
        if scheme.eq_ignore_ascii_case("apikey") || token.starts_with("sk-") {
            return Err(Refusal::ApiKey);
        }
        // RFC 9110 section 11.1: the scheme is case-insensitive.
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(Refusal::BadRequest);
        }
        self.verifier.verify(&SecretString::from(token)).await
    }
}
