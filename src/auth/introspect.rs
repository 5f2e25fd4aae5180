//! Opaque access tokens: the authorization server is asked what they are worth (RFC 7662).
//!
//! We ask as a confidential client and check the answer as the claims of a JWT are checked: issuer, audience, times,
//! subject. When the endpoint fails, the answer is 503: a token that could not be checked is not let in, and not called
//! bad either.

use std::{fmt, sync::Arc, time::Duration};

use oauth2::{
    AccessToken, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ExtraTokenFields, IntrospectionUrl,
    RequestTokenError, StandardRevocableToken, StandardTokenIntrospectionResponse,
    TokenIntrospectionResponse,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenResponse, BasicTokenType},
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::{
    caller::{Caller, Principal, Verified, organization},
    client::OAuthHttp,
    refusal::Refusal,
    scopes::ScopeSet,
    upstream::Upstream,
    verdicts::{Fingerprint, Verdicts},
    verify::{Audiences, LEEWAY},
};
use crate::{clock::Clock, config};

/// The `Retry-After` while the endpoint fails.
const RETRY: Duration = Duration::from_secs(5);

type Client = oauth2::Client<
    BasicErrorResponse,
    BasicTokenResponse,
    Answer,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
>;
type Answer = StandardTokenIntrospectionResponse<Extra, BasicTokenType>;

/// What the library does not read by itself.
#[derive(Debug, Serialize, Deserialize)]
struct Extra {
    cnf: Option<serde_json::Value>,
    organization_id: Option<serde_json::Value>,
}

impl ExtraTokenFields for Extra {}

/// Asks about the opaque tokens of one issuer.
pub(super) struct Introspector {
    client: Client,
    http: OAuthHttp,
    issuer: String,
    audiences: Audiences,
    clock: Clock,
    verdicts: Verdicts,
}

impl Introspector {
    pub fn new(
        config: &config::Introspection,
        issuer: &str,
        audiences: Audiences,
        http: reqwest::Client,
        clock: Clock,
    ) -> Self {
        // Basic authentication is what the library does unless told otherwise.
        let client = oauth2::Client::new(ClientId::new(config.client.id.clone()))
            .set_client_secret(ClientSecret::new(config.client.secret.expose_secret().to_owned()))
            .set_introspection_url(IntrospectionUrl::from_url(config.url.clone()));
        Self {
            client,
            http: OAuthHttp(http),
            issuer: issuer.to_owned(),
            audiences,
            verdicts: Verdicts::new(clock.clone()),
            clock,
        }
    }

    /// Whether it was found good a moment ago.
    pub async fn knows(&self, key: &Fingerprint) -> bool {
        self.verdicts.has_good(key).await
    }

    /// The caller whom this token stands for.
    pub async fn verify(
        &self,
        token: &str,
        key: Fingerprint,
        upstream: &Upstream,
    ) -> Result<Arc<Caller>, Refusal> {
        // RFC 6750 section 2.1: nothing else is a token, so nobody need be asked.
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if token.is_empty() || !token.bytes().all(is_token) {
            return Err(Refusal::Malformed);
        }
        let ask = async {
            let verified = self.check(&self.ask(token).await?)?;
            Ok(Arc::new(upstream.caller(token, verified)))
        };
        self.verdicts.get(key, ask).await
    }

    async fn ask(&self, token: &str) -> Result<Answer, Refusal> {
        let token = AccessToken::new(token.to_owned());
        let request = self.client.introspect(&token).set_token_type_hint("access_token");
        request.request_async(&self.http).await.map_err(|error| {
            // In our own words: what the server says, and the parser's words about it, could quote the token.
            let cause = match error {
                RequestTokenError::Request(error) => error.to_string(),
                RequestTokenError::ServerResponse(_) => {
                    "the endpoint refuses us; check OAUTH_CLIENT_ID and its secret".to_owned()
                }
                _ => "the endpoint's answer cannot be used".to_owned(),
            };
            tracing::warn!(cause, "a token could not be introspected");
            Refusal::IntrospectionUnavailable { retry_after: RETRY }
        })
    }

    fn check(&self, answer: &Answer) -> Result<Verified, Refusal> {
        if !answer.active() {
            return Err(Refusal::Inactive);
        }
        let kind = answer.token_type().map_or("bearer", AsRef::as_ref).to_ascii_lowercase();
        if answer.extra_fields().cnf.is_some() || kind == "dpop" {
            return Err(Refusal::SenderConstrained);
        }
        // Some servers know refresh tokens here too.
        if !matches!(kind.as_str(), "bearer" | "access_token") {
            return Err(Refusal::Type);
        }
        if answer.iss().is_some_and(|issuer| issuer != self.issuer) {
            return Err(Refusal::Issuer);
        }
        let audiences = answer.aud().ok_or(Refusal::Audience)?;
        if !audiences.iter().any(|audience| self.audiences.has(audience)) {
            return Err(Refusal::Audience);
        }
        let now = self.clock.unix_seconds();
        let expires_at = answer.exp().map(|end| end.timestamp());
        if expires_at.is_some_and(|end| end <= now) {
            return Err(Refusal::Expired);
        }
        // A token that was issued this moment must not fail for a clock that runs ahead of ours.
        if answer.nbf().is_some_and(|start| start.timestamp() > now.saturating_add(LEEWAY)) {
            return Err(Refusal::NotYetValid);
        }
        let subject = answer.sub().filter(|subject| !subject.is_empty()).ok_or(Refusal::Claims)?;
        let scopes = answer.scopes().into_iter().flatten().map(|scope| scope.as_str());
        Ok(Verified {
            principal: Principal::new(&self.issuer, subject),
            client_id: answer.client_id().map(|id| id.to_string()),
            organization: organization(answer.extra_fields().organization_id.as_ref()),
            scopes: ScopeSet::parse(scopes),
            expires_at,
        })
    }
}

impl fmt::Debug for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspector").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
