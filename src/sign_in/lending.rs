//! The kept sign-in as a credential: an access token for each call, refreshed when it ends or is refused.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use http::HeaderValue;
use oauth2::{
    AuthType, ClientId, RefreshToken, RequestTokenError, TokenResponse as _, TokenUrl,
    basic::{BasicClient, BasicTokenResponse, BasicTokenType},
};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use url::Url;

use super::{SignIn, Store, token_failure};
use crate::{
    api::credential::{Credential, LendError, Lender},
    auth::client::{OAuthHttp, secure},
    clock::Clock,
    outbound,
};

/// A token is not used in its last seconds, in which it could end on the way.
const SKEW: i64 = 30;

/// Lends the access tokens of one sign-in.
pub struct Lending(Arc<Kept>);

struct Kept {
    store: Store,
    http: OAuthHttp,
    clock: Clock,
    /// What this process last knew. Held during a refresh: all calls that wait for it use what comes of it.
    current: Mutex<SignIn>,
}

impl Lending {
    /// From what is kept. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the HTTP client cannot be built.
    pub fn new(store: Store, sign_in: SignIn, clock: Clock) -> Result<Self, reqwest::Error> {
        let http = match Url::parse(&sign_in.token_endpoint) {
            Ok(url) => outbound::client(&url)?,
            // Found out when it is needed.
            Err(_) => outbound::builder().build()?,
        };
        Ok(Self(Arc::new(Kept { store, http: OAuthHttp(http), clock, current: Mutex::new(sign_in) })))
    }

    /// As a credential for the platform.
    #[must_use]
    pub fn credential(self) -> Credential {
        Credential::lent(Arc::new(self))
    }
}

impl Kept {
    async fn token(&self, refused: Option<&HeaderValue>) -> Result<HeaderValue, LendError> {
        let mut current = self.current.lock().await;
        if let Some(token) = self.usable(&current, refused) {
            return Ok(token);
        }
        let store = self.store.clone();
        // Other processes of this user may be about to do the same, and a refresh token is taken once.
        let lock = tokio::task::spawn_blocking(move || store.lock()).await;
        let _lock = lock.map_err(|error| unavailable(&error))?.map_err(|error| unavailable(&error))?;
        let kept = self.store.read().map_err(|error| unavailable(&error))?;
        let Some(kept) = kept.filter(|kept| kept.platform == current.platform) else {
            tracing::warn!("the sign-in is gone: run `sequentum-mcp login`");
            return Err(LendError::Refused);
        };
        *current = kept;
        if let Some(token) = self.usable(&current, refused) {
            return Ok(token);
        }
        *current = self.refresh(&current).await?;
        if let Err(error) = self.store.write(&current) {
            // The old refresh token is used up, so the sign-in lives in this process alone from here on.
            tracing::error!(%error, "the refreshed sign-in could not be kept; run `sequentum-mcp login` after this");
        }
        self.usable(&current, refused).ok_or(LendError::Refused)
    }

    /// The header value, unless the token has ended or is the one that was refused.
    fn usable(&self, sign_in: &SignIn, refused: Option<&HeaderValue>) -> Option<HeaderValue> {
        let now = self.clock.unix_seconds();
        if sign_in.expires_at.is_some_and(|end| end.saturating_sub(SKEW) <= now) {
            return None;
        }
        let value = outbound::authorization("Bearer", sign_in.access_token.expose_secret())?;
        (Some(&value) != refused).then_some(value)
    }

    /// Another access token (RFC 6749 section 6), and another refresh token if the server rotates them.
    async fn refresh(&self, old: &SignIn) -> Result<SignIn, LendError> {
        let Some(refresh_token) = &old.refresh_token else {
            tracing::warn!("the sign-in has ended and cannot be refreshed: run `sequentum-mcp login`");
            return Err(LendError::Refused);
        };
        let endpoint = secure(&old.token_endpoint).map_err(|error| unavailable(&error))?;
        let client = BasicClient::new(ClientId::new(old.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(endpoint))
            .set_auth_type(AuthType::RequestBody);
        let refresh_token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let request =
            client.exchange_refresh_token(&refresh_token).add_extra_param("resource", old.platform.clone());
        match request.request_async(&self.http).await {
            Ok(tokens) if !is_bearer(&tokens) => Err(unavailable(&"the new token is no bearer token")),
            Ok(tokens) => {
                tracing::debug!("the sign-in was refreshed");
                Ok(old.renewed(&tokens, self.clock.unix_seconds()))
            }
            Err(error) => {
                tracing::warn!(cause = token_failure(&error), "the sign-in could not be refreshed");
                // RFC 6749 section 5.2: these stay so until somebody signs in again; others may pass.
                let is_over = matches!(&error, RequestTokenError::ServerResponse(answer)
                    if matches!(answer.error().as_ref(), "invalid_grant" | "invalid_client" | "unauthorized_client"));
                Err(if is_over { LendError::Refused } else { LendError::Unavailable })
            }
        }
    }
}

/// Whether the token may be sent as it is (RFC 6749 section 7.1: whoever does not know the type must not use it).
pub(super) fn is_bearer(tokens: &BasicTokenResponse) -> bool {
    matches!(tokens.token_type(), BasicTokenType::Bearer)
}

fn unavailable(error: &dyn fmt::Display) -> LendError {
    tracing::warn!(%error, "the sign-in cannot be used");
    LendError::Unavailable
}

impl SignIn {
    /// With new tokens; what an answer leaves out stays as it was.
    pub(super) fn renewed(&self, tokens: &BasicTokenResponse, now: i64) -> Self {
        let lifetime = tokens.expires_in().and_then(|lifetime| i64::try_from(lifetime.as_secs()).ok());
        let scope = tokens
            .scopes()
            .map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "));
        let refresh_token = tokens.refresh_token().map(|token| token.secret().as_str().into());
        Self {
            scope: scope.unwrap_or_else(|| self.scope.clone()),
            access_token: tokens.access_token().secret().as_str().into(),
            refresh_token: refresh_token.or_else(|| self.refresh_token.clone()),
            expires_at: lifetime.map(|lifetime| now.saturating_add(lifetime)),
            ..self.clone()
        }
    }
}

impl Lender for Lending {
    fn lend<'a>(&'a self, refused: Option<&'a HeaderValue>) -> BoxFuture<'a, Result<HeaderValue, LendError>> {
        let (kept, refused) = (Arc::clone(&self.0), refused.cloned());
        // To the end, although the call may be taken back meanwhile: a refresh token is used up by the request, and the next
        // one is in its answer.
        let lent = tokio::spawn(async move { kept.token(refused.as_ref()).await });
        Box::pin(async move { lent.await.unwrap_or_else(|error| Err(unavailable(&error))) })
    }
}

impl fmt::Debug for Lending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lending").field("store", &self.0.store).finish_non_exhaustive()
    }
}
