//! Who is calling: an access token of our own issuer, or an API key.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
};

use super::error::Refusal;
use crate::demo::{
    keys::Claims,
    oauth::{self, Scope},
    state::State,
    world::UserId,
};

/// A user whose credential was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    /// What the rate limit counts by.
    pub(crate) credential: String,
    /// The token's scopes; None for an API key, which has all rights of its user.
    scope: Option<String>,
}

impl Caller {
    /// Refuses a token that was not granted `scope` (RFC 6750 section 3.1).
    pub(crate) fn require(&self, state: &State, scope: Scope) -> Result<(), Refusal> {
        let Some(granted) = &self.scope else { return Ok(()) };
        if !state.options.enforce_scopes || granted.split(' ').any(|name| name == scope.name()) {
            return Ok(());
        }
        Err(Refusal::insufficient_scope(scope))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unauthorized)
    }
}

pub(crate) fn authenticate(state: &State, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, credential) = value.and_then(|value| value.split_once(' ')).ok_or_else(unauthorized)?;
    let credential = credential.trim();
    // Schemes are case-insensitive (RFC 9110 section 11.1).
    let (user, scope) = if scheme.eq_ignore_ascii_case("apikey") {
        (state.world().user_by_key(credential), None)
    } else if scheme.eq_ignore_ascii_case("bearer") {
        let claims = oauth::current(state, credential).ok_or_else(unauthorized)?;
        let claims: Claims = serde_json::from_value(claims).map_err(|_| unauthorized())?;
        (claims.sub.parse().ok(), Some(claims.scope))
    } else {
        (None, None)
    };
    let user = user.ok_or_else(unauthorized)?;
    let world = state.world();
    if world.tenant(user).is_none() || world.revoked.contains(&user) {
        return Err(unauthorized());
    }
    Ok(Caller { user, credential: credential.to_owned(), scope })
}

/// One answer for every way of not being somebody.
fn unauthorized() -> Refusal {
    Refusal::vendor(StatusCode::UNAUTHORIZED, "The credential is missing, invalid, expired or revoked")
}
