//! `Authorization` header in, [`Caller`] or [`Refusal`] out.
//!
//! Identity comes from the verified credential alone: never from a session, an argument or another header. Three kinds
//! are understood: JWT access tokens ([`verify`]), and, where the operator wants them, opaque tokens ([`introspect`])
//! and the platform's API keys ([`api_keys`]). What goes to the platform for a caller is decided in [`upstream`].

mod api_keys;
mod caller;
mod challenge;
pub(crate) mod client;
mod introspect;
mod keys;
mod offered;
mod refusal;
mod scopes;
mod upstream;
mod verdicts;
mod verify;

use std::sync::Arc;

use futures_util::future::{join, join_all};
use http::{HeaderMap, Uri, header::AUTHORIZATION};
use url::Url;

use self::{
    api_keys::ApiKeys,
    introspect::Introspector,
    offered::OfferedScopes,
    upstream::{Exchange, Upstream},
    verdicts::Fingerprint,
    verify::Audiences,
};
pub use self::{
    api_keys::Confirm,
    caller::{Caller, Local, Organization, PerCaller, Principal},
    challenge::{Challenger, step_up_message},
    client::metadata_urls,
    keys::{KeyStore, TRUST_FOR, fallback_url, survey},
    refusal::Refusal,
    scopes::{Scope, ScopeSet},
    verify::{LEEWAY, Verifier},
};
use crate::{clock::Clock, config, outbound::Clients};

/// Longest token looked at. Real ones are below 2 kB.
const MAX_TOKEN: usize = 8 * 1024;

/// Tells who is calling.
#[derive(Debug)]
pub struct Authenticator {
    issuers: Vec<Arc<KeyStore>>,
    verifier: Verifier,
    introspector: Option<Introspector>,
    api_keys: Option<ApiKeys>,
    upstream: Upstream,
    offered: OfferedScopes,
    anonymous: Option<Arc<Caller>>,
}

/// Why identity cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An HTTP client cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Http(#[from] reqwest::Error),
    /// An issuer is not a URL.
    #[error("an issuer is not a URL: {0}")]
    Url(#[from] url::ParseError),
    /// The client id or its secret.
    #[error("OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET cannot be sent")]
    Client,
    /// Not one issuer.
    #[error("there is no issuer")]
    NoIssuer,
}

impl Authenticator {
    /// `resources` are the identifiers under which this server is known: its `/mcp` URL and its origin. `confirm` asks
    /// the platform about an API key.
    ///
    /// # Errors
    ///
    /// See [`SetupError`].
    pub fn new(
        config: &config::Auth,
        resources: [String; 2],
        platform: &Url,
        confirm: Confirm,
        clients: &Clients,
        clock: &Clock,
    ) -> Result<Self, SetupError> {
        let mut issuers = Vec::new();
        for issuer in &config.issuers {
            let http = clients.towards(&Url::parse(issuer)?)?;
            issuers.push(Arc::new(KeyStore::new(issuer, http, clock.clone())));
        }
        let first = issuers.first().ok_or(SetupError::NoIssuer)?;
        let audiences = Audiences::new(resources.into_iter().chain(config.audiences.iter().cloned()));
        let introspector = match &config.introspection {
            Some(config) => {
                let http = clients.towards(&config.url)?;
                let issuer = first.issuer();
                Some(Introspector::new(config, issuer, audiences.clone(), http, clock.clone()))
            }
            None => None,
        };
        let upstream = match &config.upstream {
            config::Upstream::Forward => Upstream::Forward,
            config::Upstream::Exchange(client) => {
                let http = clients.towards(&Url::parse(first.issuer())?)?;
                let resource = platform.as_str().trim_end_matches('/').to_owned();
                let exchange = Exchange::new(client, Arc::clone(first), http, resource, clock.clone());
                Upstream::Exchange(Arc::new(exchange.ok_or(SetupError::Client)?))
            }
        };
        Ok(Self {
            verifier: Verifier::new(issuers.clone(), audiences, clock.clone()),
            introspector,
            api_keys: config.api_keys.then(|| ApiKeys::new(confirm, clock.clone())),
            upstream,
            offered: OfferedScopes::new(platform, clients.towards(platform)?, clock.clone()),
            anonymous: (!config.required).then(|| Arc::new(Caller::anonymous())),
            issuers,
        })
    }

    /// Whether tokens of at least one issuer can be verified now: an issuer that is down must not take the users of
    /// another with it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.issuers.iter().any(|keys| keys.is_ready())
    }

    /// The issuers, the one to sign in at first.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.issuers.iter().map(|keys| keys.issuer())
    }

    /// The scopes to publish: the platform's own list, or the known ones until it has been read.
    #[must_use]
    pub fn offered_scopes(&self) -> Arc<Vec<String>> {
        self.offered.current()
    }

    /// Loads signing keys and the list of scopes, and keeps them fresh for as long as the future is polled.
    pub async fn keep_fresh(&self) {
        let keys = self.issuers.iter().map(|keys| async {
            keys.load().await;
            keys.refresh_forever().await;
        });
        join(join_all(keys), self.offered.refresh_forever()).await;
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
        // RFC 9110 section 11.1: the scheme is case-insensitive.
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        let is_key = scheme.eq_ignore_ascii_case("apikey");
        if is_key || token.starts_with(api_keys::PREFIX) {
            return match &self.api_keys {
                None => Err(Refusal::ApiKey),
                Some(keys) if is_key || is_bearer => keys.verify(token).await,
                Some(_) => Err(Refusal::BadRequest),
            };
        }
        if !is_bearer || token.is_empty() {
            return Err(Refusal::BadRequest);
        }
        self.bearer(token).await
    }

    async fn bearer(&self, token: &str) -> Result<Arc<Caller>, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(Refusal::Malformed);
        }
        let key = Fingerprint::of(&[token]);
        if let Some(verdict) = self.verifier.remembered(&key) {
            return verdict;
        }
        match &self.introspector {
            Some(introspector) if !verify::is_jwt(token) => {
                introspector.verify(token, key, &self.upstream).await
            }
            _ => self.verifier.verify(token, key, &self.upstream).await,
        }
    }

    /// Whether the credential is judged without asking anybody else: a signed token, one that was found good a moment ago, or
    /// none where none is needed. Tells only how costly it is to be sure; nothing is verified.
    pub async fn judges_alone(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(AUTHORIZATION) else { return self.anonymous.is_some() };
        let parts = value.to_str().ok().and_then(|text| text.trim().split_once(' '));
        let Some((scheme, token)) = parts.map(|(scheme, token)| (scheme, token.trim())) else { return false };
        // Whatever else it looks like, a key is a question to the platform.
        if scheme.eq_ignore_ascii_case("apikey") || token.starts_with(api_keys::PREFIX) {
            match &self.api_keys {
                Some(keys) => keys.knows(token).await,
                None => false,
            }
        } else if verify::is_jwt(token) {
            true
        } else {
            match &self.introspector {
                Some(introspector) => introspector.knows(&Fingerprint::of(&[token])).await,
                None => false,
            }
        }
    }
}
