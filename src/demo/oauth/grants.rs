//! Grants and the tokens issued from them.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::ledger::{GRANT_PREFIX, Grant, Ledger, Terms, after};
use crate::demo::{Login, keys::SignError, secrets, state::State};

/// Grants end this long after consent, however often they are refreshed.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Opens a grant that was consented to at `consent`.
pub(super) fn open(ledger: &mut Ledger, now: Timestamp, consent: Timestamp, terms: Terms) -> String {
    let id = format!("{GRANT_PREFIX}{}", secrets::token());
    ledger.grants.insert(now, id.clone(), after(consent, LIFETIME), Grant { terms, refreshes: 0 });
    id
}

/// The grant's refresh token number `number`: the grant, the number and a MAC over both. That an old one was genuine
/// can so be told without keeping it.
pub(super) fn refresh_token(state: &State, grant: &str, number: u64) -> String {
    let text = format!("{grant}.{number}");
    let mac = state.mac("refresh", &text);
    format!("{text}.{mac}")
}

/// What presenting a refresh token comes to.
pub(super) enum Refresh {
    Rotated {
        grant: String,
        number: u64,
        terms: Terms,
    },
    /// It had been used before: the whole grant has been revoked, because either the client or a thief holds a copy.
    Replayed,
    /// Unknown, expired, revoked, or somebody else's.
    Unusable,
}

pub(super) fn refresh(state: &State, now: Timestamp, token: &str, client_id: &str) -> Refresh {
    let mut parts = token.splitn(3, '.');
    let (Some(grant), Some(number), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return Refresh::Unusable;
    };
    let Ok(number) = number.parse::<u64>() else { return Refresh::Unusable };
    if !secrets::same(&refresh_token(state, grant, number), token) {
        return Refresh::Unusable;
    }
    // One lock from look-up to rotation: of two simultaneous redemptions exactly one wins.
    let mut ledger = state.oauth();
    let Some(found) = ledger.grants.get_mut(now, grant) else { return Refresh::Unusable };
    if found.terms.client_id != client_id {
        return Refresh::Unusable;
    }
    if number != found.refreshes {
        ledger.grants.remove(now, grant);
        return Refresh::Replayed;
    }
    found.refreshes += 1;
    Refresh::Rotated { grant: grant.to_owned(), number: found.refreshes, terms: found.terms.clone() }
}

/// An access token (RFC 9068) from a grant.
pub(super) fn access_token(state: &State, grant: &str, terms: &Terms) -> Result<String, SignError> {
    let now = state.options.clock.unix_seconds();
    let lifetime = i64::try_from(state.options.access_token_lifetime.as_secs()).unwrap_or(i64::MAX);
    let organization = state.world().tenant(terms.user).map(|tenant| tenant.organization_id);
    state.keys.sign(
        &json!({ "typ": "at+jwt" }),
        &json!({
            "iss": state.issuer,
            "sub": terms.user.to_string(),
            "aud": terms.audience,
            "iat": now,
            "nbf": now,
            "exp": now.saturating_add(lifetime),
            "jti": format!("{grant}.{}", secrets::token()),
            "client_id": terms.client_id,
            "scope": terms.scope,
            "organization_id": organization,
            "token_type": "authorization_code",
        }),
    )
}

/// An opaque access token that stands for the JWT as long as tokens last.
pub(crate) fn opaque(state: &State, jwt: String) -> String {
    let now = state.now();
    let lifetime =
        SignedDuration::try_from(state.options.access_token_lifetime).unwrap_or(SignedDuration::MAX);
    state.oauth().add_opaque(now, after(now, lifetime), jwt)
}

/// See [`crate::demo::Platform::access_token`].
pub(crate) fn direct_token(
    state: &State,
    login: &Login,
    audience: &str,
    scope: &str,
) -> Result<String, SignError> {
    // Unknown logins get a token that no API accepts.
    let user = state.world().user_by_name(login.username).map_or(0, |user| user.id);
    let terms = Terms {
        client_id: "demo-client".to_owned(),
        user,
        scope: scope.to_owned(),
        audience: audience.to_owned(),
    };
    access_token(state, "direct", &terms)
}
