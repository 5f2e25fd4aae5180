//! What goes to the platform: the caller's own token, or one that the issuer gives for it.
//!
//! Forwarding is the default, because the platform's own authorization server issues one token for both
//! (`docs/security.md`). An exchange (RFC 8693) is made when the first call of a caller needs it, as a confidential
//! client, for the platform as resource and with no more scope than the caller holds; what comes back is checked, kept in
//! memory under a hash until it or the caller's token ends, and dropped when the platform refuses it.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use http::{HeaderValue, StatusCode, header};
use oauth2::{
    ExtraTokenFields, StandardTokenResponse, TokenResponse,
    basic::{BasicErrorResponse, BasicTokenType},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    caller::{Caller, Verified},
    client::{self, FetchError},
    keys::KeyStore,
    scopes::ScopeSet,
    verdicts::{Fingerprint, KEEP_BAD},
    verify::LEEWAY,
};
use crate::{
    api::credential::{Credential, LendError, Lender},
    clock::Clock,
    config::OAuthClient,
    outbound,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// A token is not used in its last seconds, in which it could end on the way.
const SKEW: i64 = 30;
/// Unless it is young: the token of a caller whose own is about to end is used for so long, or every call of the last
/// minutes would be an exchange.
const SHORTEST: i64 = 10;
/// Lifetime taken for granted when the answer does not say.
const UNSTATED: i64 = 300;
/// Tokens kept at a time; the least used ones make room.
const KEPT: u64 = 20_000;
/// Nothing is kept longer, whatever it says of itself.
const LONGEST: Duration = Duration::from_hours(1);

/// What goes to the platform.
#[derive(Debug, Clone)]
pub(super) enum Upstream {
    /// The caller's own token.
    Forward,
    /// Another one for it.
    Exchange(Arc<Exchange>),
}

impl Upstream {
    /// The bearer of `token`. Nothing is exchanged yet: many requests never reach the platform.
    pub fn caller(&self, token: &str, verified: Verified) -> Caller {
        let credential = self.credential(token, &verified);
        Caller::from_token(verified, credential)
    }

    fn credential(&self, token: &str, verified: &Verified) -> Credential {
        match self {
            Self::Forward => Credential::bearer(token),
            Self::Exchange(exchange) => Credential::lent(Arc::new(Subject {
                exchange: Arc::clone(exchange),
                key: Fingerprint::of(&[token, &verified.scopes.to_string()]),
                token: token.into(),
                scopes: verified.scopes,
                expires_at: verified.expires_at,
            })),
        }
    }
}

/// Exchanges tokens at one issuer for one platform.
pub(super) struct Exchange {
    /// Knows the issuer's token endpoint.
    keys: Arc<KeyStore>,
    http: reqwest::Client,
    authorization: HeaderValue,
    /// The platform, as `resource` (RFC 8707).
    resource: String,
    clock: Clock,
    kept: moka::future::Cache<Fingerprint, Lent>,
}

/// What an exchange came to.
#[derive(Clone)]
struct Lent {
    /// As the header value to send.
    outcome: Result<HeaderValue, LendError>,
    /// In Unix seconds.
    until: i64,
}

/// The token of one caller, to be exchanged.
struct Subject {
    exchange: Arc<Exchange>,
    key: Fingerprint,
    token: SecretString,
    scopes: ScopeSet,
    expires_at: Option<i64>,
}

impl Subject {
    /// When it is good for nothing any more, with the leeway that it is verified with.
    fn end(&self) -> i64 {
        self.expires_at.unwrap_or(i64::MAX).saturating_add(LEEWAY)
    }
}

impl Lender for Subject {
    fn lend<'a>(&'a self, refused: Option<&'a HeaderValue>) -> BoxFuture<'a, Result<HeaderValue, LendError>> {
        Box::pin(self.exchange.token(self, refused))
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

impl Exchange {
    /// As `client` at the issuer of `keys`; `None` if id or secret cannot be put into a header.
    pub fn new(
        client: &OAuthClient,
        keys: Arc<KeyStore>,
        http: reqwest::Client,
        resource: String,
        clock: Clock,
    ) -> Option<Self> {
        let authorization = client::basic(client)?;
        let kept = moka::future::Cache::builder().max_capacity(KEPT).time_to_live(LONGEST).build();
        Some(Self { keys, http, authorization, resource, clock, kept })
    }

    async fn token(
        &self,
        subject: &Subject,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue, LendError> {
        let now = self.clock.unix_seconds();
        if subject.end() <= now {
            // The call began while the token was good. No other is asked for on the strength of one that has ended.
            return Err(LendError::Refused);
        }
        let useless = |lent: &Lent| {
            let is_refused = matches!((&lent.outcome, refused), (Ok(kept), Some(refused)) if kept == refused);
            lent.until <= now || is_refused
        };
        // One exchange serves all calls of this caller that wait for it.
        let entry = self.kept.entry(subject.key).or_insert_with_if(self.exchange(subject), useless).await;
        entry.into_value().outcome
    }

    async fn exchange(&self, subject: &Subject) -> Lent {
        let now = self.clock.unix_seconds();
        match self.ask(subject).await {
            Ok((token, lifetime)) => {
                Lent { outcome: Ok(token), until: kept_until(now, lifetime, subject.end()) }
            }
            Err(error) => {
                tracing::warn!(error = %error, issuer = self.keys.issuer(), "a token could not be exchanged");
                match error {
                    ExchangeError::SubjectRefused => {
                        Lent { outcome: Err(LendError::Refused), until: now.saturating_add(KEEP_BAD) }
                    }
                    _ => Lent { outcome: Err(LendError::Unavailable), until: now },
                }
            }
        }
    }

    async fn ask(&self, subject: &Subject) -> Result<(HeaderValue, i64), ExchangeError> {
        let endpoint = self.keys.token_endpoint().ok_or(ExchangeError::NoEndpoint)?;
        if subject.scopes == ScopeSet::EMPTY {
            // Asking for no scope would mean asking for the issuer's default.
            return Err(ExchangeError::NoScope);
        }
        let scope = subject.scopes.to_string();
        let form = [
            ("grant_type", GRANT),
            ("subject_token", subject.token.expose_secret()),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
            ("resource", &self.resource),
            ("scope", &scope),
        ];
        let request = self.http.post((*endpoint).clone()).form(&form);
        let request = request.header(header::AUTHORIZATION, self.authorization.clone());
        let request = request.header(header::ACCEPT, "application/json").timeout(client::TIMEOUT);
        let response = request.send().await.map_err(FetchError::from)?;
        let status = response.status();
        let body = client::read(response).await?;
        if status.is_client_error() {
            let error: BasicErrorResponse = serde_json::from_slice(&body).map_err(FetchError::from)?;
            return Err(match error.error().as_ref() {
                // RFC 8693 section 2.2.2: this is what a subject token that is no longer good is answered with.
                "invalid_request" | "invalid_grant" => ExchangeError::SubjectRefused,
                _ => ExchangeError::Status(status),
            });
        }
        if status != StatusCode::OK {
            return Err(ExchangeError::Status(status));
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(FetchError::from)?;
        check(&answer, subject.scopes)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("resource", &self.resource).finish_non_exhaustive()
    }
}

type Answer = StandardTokenResponse<Issued, BasicTokenType>;

/// How long a token is used that was given for so many seconds, to the bearer of one that ends at `subject_end`.
fn kept_until(now: i64, lifetime: i64, subject_end: i64) -> i64 {
    let end = now.saturating_add(lifetime).min(subject_end);
    end.saturating_sub(SKEW).max(now.saturating_add(SHORTEST)).min(end)
}

/// RFC 8693 section 2.2.1: what was asked for, and no more.
fn check(answer: &Answer, asked: ScopeSet) -> Result<(HeaderValue, i64), ExchangeError> {
    if answer.extra_fields().issued_token_type != ACCESS_TOKEN {
        return Err(ExchangeError::NotAnAccessToken);
    }
    if !answer.token_type().as_ref().eq_ignore_ascii_case("bearer") {
        return Err(ExchangeError::NotABearerToken);
    }
    let granted = |name: &str| asked.iter().any(|scope| scope.as_str() == name);
    if answer.scopes().into_iter().flatten().any(|scope| !granted(scope.as_str())) {
        return Err(ExchangeError::MoreScope);
    }
    let value = outbound::authorization("Bearer", answer.access_token().secret())
        .ok_or(ExchangeError::NotAnAccessToken)?;
    let lifetime =
        answer.expires_in().map_or(UNSTATED, |life| i64::try_from(life.as_secs()).unwrap_or(i64::MAX));
    Ok((value, lifetime))
}

/// What the answer to an exchange has besides (RFC 8693 section 2.2.1).
#[derive(Debug, Serialize, Deserialize)]
struct Issued {
    issued_token_type: String,
}

impl ExtraTokenFields for Issued {}

/// Why there is no other token. For the log.
#[derive(Debug, thiserror::Error)]
enum ExchangeError {
    #[error("the issuer's metadata names no token endpoint, or could not be read")]
    NoEndpoint,
    #[error("the caller's token has no scope that the platform knows")]
    NoScope,
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the issuer does not take the caller's token")]
    SubjectRefused,
    #[error(
        "the issuer refused the exchange with status {0}; check OAUTH_CLIENT_ID, its secret and what it may ask for"
    )]
    Status(StatusCode),
    #[error("the issuer gave something that is not an access token")]
    NotAnAccessToken,
    #[error("the issuer gave a token that a bearer cannot use")]
    NotABearerToken,
    #[error("the issuer gave more scope than was asked for")]
    MoreScope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_until_its_last_seconds_or_for_a_few() {
        for (lifetime, left_of_the_subject, kept) in [
            (3600, 7200, 3570),
            (3600, 600, 570),
            (3600, 40, 10),
            (3600, 20, 10),
            (35, 7200, 10),
            // Never past either end.
            (3600, 4, 4),
            (4, 3600, 4),
            (0, 3600, 0),
            (i64::MAX, i64::MAX, i64::MAX - 30),
        ] {
            assert_eq!(
                kept_until(0, lifetime, left_of_the_subject),
                kept,
                "{lifetime}, {left_of_the_subject}"
            );
        }
    }
}
