//! The token endpoint.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State as Extract,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use oauth2::{
    AccessToken, ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier, RefreshToken, StandardErrorResponse,
    StandardTokenResponse,
    basic::{BasicErrorResponseType, BasicTokenType},
};

use serde::{Deserialize, Serialize};

use super::{
    authorize::audience,
    confidential,
    grants::{self, Refresh},
    introspect::current,
    ledger::{Code, Terms, Usage},
    params::Params,
    scope::Scope,
};
use crate::demo::{keys::Claims, secrets, state::State};

/// Lifetime of a code.
const CODE: SignedDuration = SignedDuration::from_secs(60);

/// The grant type of token exchange (RFC 8693).
pub(super) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

type Tokens = StandardTokenResponse<Extra, BasicTokenType>;

/// What an exchange has besides (RFC 8693 section 2.2.1).
#[derive(Debug, Default, Serialize, Deserialize)]
struct Extra {
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<String>,
}

impl ExtraTokenFields for Extra {}

/// A refusal (RFC 6749 section 5.2), with status 400 unless the client is not who it says.
struct Refused(BasicErrorResponseType, &'static str);

fn invalid_request(description: &'static str) -> Refused {
    Refused(BasicErrorResponseType::InvalidRequest, description)
}

fn invalid_grant(description: &'static str) -> Refused {
    Refused(BasicErrorResponseType::InvalidGrant, description)
}

pub(super) async fn token(Extract(state): Extract<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let no_store = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    match exchange(&state, &headers, &body) {
        Ok(tokens) => (no_store, Json(tokens)).into_response(),
        Err(Refused(error, description)) => {
            let status = match error {
                BasicErrorResponseType::InvalidClient => StatusCode::UNAUTHORIZED,
                _ => StatusCode::BAD_REQUEST,
            };
            let body = StandardErrorResponse::new(error, Some(description.to_owned()), None);
            (status, no_store, Json(body)).into_response()
        }
    }
}

fn exchange(state: &State, headers: &HeaderMap, body: &[u8]) -> Result<Tokens, Refused> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(invalid_request("The body must be a form"));
    }
    let params = Params::parse(body);
    if params.repeated().is_some() {
        return Err(invalid_request("A parameter is repeated"));
    }
    if params.get("grant_type") == Some(EXCHANGE) {
        return swap(state, headers, &params);
    }
    let client_id = params.get("client_id").ok_or(invalid_request("The parameter client_id is required"))?;
    match params.get("grant_type") {
        Some("authorization_code") => redeem(state, &params, client_id),
        Some("refresh_token") => refresh(state, &params, client_id),
        Some(_) => Err(Refused(
            BasicErrorResponseType::UnsupportedGrantType,
            "The grant_type must be authorization_code or refresh_token",
        )),
        None => Err(invalid_request("The parameter grant_type is required")),
    }
}

fn redeem(state: &State, params: &Params, client_id: &str) -> Result<Tokens, Refused> {
    let required = |name| params.get(name).ok_or(invalid_request("A required parameter is missing"));
    let (presented, redirect_uri, verifier) =
        (required("code")?, required("redirect_uri")?, required("code_verifier")?);
    let unusable = "The code is not usable";
    let now = state.now();
    let mut ledger = state.oauth();
    let code = ledger.code(now, presented).ok_or(invalid_grant(unusable))?;
    if code.terms.client_id != client_id {
        return Err(invalid_grant(unusable));
    }
    // One attempt per code, successful or not.
    let before = std::mem::replace(&mut code.usage, Usage::Spent);
    if before != Usage::Fresh {
        // Somebody else has it too: what came of the first use ends (RFC 6749 section 4.1.2).
        if let Usage::Redeemed(grant) = before {
            ledger.grants.remove(now, &grant);
        }
        return Err(invalid_grant("The code has been used before"));
    }
    let code = code.clone();
    if now.duration_since(code.issued) >= CODE || code.redirect_uri != redirect_uri {
        return Err(invalid_grant(unusable));
    }
    if !proves(verifier, &code.challenge) {
        return Err(invalid_grant("The code_verifier does not match"));
    }
    check_resource(params, &code)?;
    let grant = grants::open(&mut ledger, now, code.issued, code.terms.clone());
    if let Some(code) = ledger.code(now, presented) {
        code.usage = Usage::Redeemed(grant.clone());
    }
    drop(ledger);
    tokens(state, &grant, 0, &code.terms)
}

/// Whether this is the verifier behind the challenge (RFC 7636 section 4.6).
fn proves(verifier: &str, challenge: &str) -> bool {
    // The library insists on these lengths by panicking.
    if !(43..=128).contains(&verifier.len()) {
        return false;
    }
    let verifier = PkceCodeVerifier::new(verifier.to_owned());
    secrets::same(PkceCodeChallenge::from_code_verifier_sha256(&verifier).as_str(), challenge)
}

/// A resource named here must be the one that was consented to (RFC 8707 section 2.2).
fn check_resource(params: &Params, code: &Code) -> Result<(), Refused> {
    let (Some(named), Some(granted)) = (params.get("resource"), &code.resource) else { return Ok(()) };
    if audience(named).is_ok_and(|named| named == *granted) {
        return Ok(());
    }
    let error = BasicErrorResponseType::Extension("invalid_target".to_owned());
    Err(Refused(error, "The resource is not the one that was granted"))
}

/// A `resource` here is ignored: the grant keeps the one it was given first.
fn refresh(state: &State, params: &Params, client_id: &str) -> Result<Tokens, Refused> {
    let token =
        params.get("refresh_token").ok_or(invalid_request("The parameter refresh_token is required"))?;
    let wanted = params.get("scope").map(|list| {
        Scope::parse(list)
            .ok_or(Refused(BasicErrorResponseType::InvalidScope, "A requested scope is not known"))
    });
    let wanted = wanted.transpose()?;
    match grants::refresh(state, state.now(), token, client_id) {
        Refresh::Rotated { grant, number, mut terms } => {
            if let Some(wanted) = wanted {
                // Fewer scopes may be asked for, never more (RFC 6749 section 6).
                let granted: Vec<&str> = terms.scope.split(' ').collect();
                let kept: Vec<Scope> =
                    wanted.into_iter().filter(|scope| granted.contains(&scope.name())).collect();
                if !kept.is_empty() {
                    terms.scope = Scope::list(&kept);
                }
            }
            let mut tokens = tokens(state, &grant, number, &terms)?;
            tokens.set_refresh_token(Some(RefreshToken::new(grants::refresh_token(state, &grant, number))));
            Ok(tokens)
        }
        Refresh::Replayed => {
            Err(invalid_grant("The refresh token has been used before; the grant is revoked"))
        }
        Refresh::Unusable => Err(invalid_grant("The refresh token is not usable")),
    }
}

/// A token for the platform in exchange for one that a resource server was sent (RFC 8693).
fn swap(state: &State, headers: &HeaderMap, params: &Params) -> Result<Tokens, Refused> {
    if !confidential::is_authentic(headers) {
        return Err(Refused(BasicErrorResponseType::InvalidClient, "Only the resource server may do this"));
    }
    let wanted = params.get("requested_token_type").unwrap_or(ACCESS_TOKEN);
    if params.get("subject_token_type") != Some(ACCESS_TOKEN) || wanted != ACCESS_TOKEN {
        return Err(invalid_request("Only access tokens are exchanged"));
    }
    // Section 2.2.2 wants this error, not invalid_grant, for a subject token that is no good.
    let unusable = "The subject_token is not usable";
    let subject = params.get("subject_token").and_then(|token| current(state, token));
    let claims: Claims =
        subject.and_then(|claims| serde_json::from_value(claims).ok()).ok_or(invalid_request(unusable))?;
    let user = claims.sub.parse().map_err(|_| invalid_request(unusable))?;
    let resource = params.get("resource").unwrap_or_default();
    if resource.trim_end_matches('/') != state.issuer {
        let error = BasicErrorResponseType::Extension("invalid_target".to_owned());
        return Err(Refused(error, "The resource must be the platform"));
    }
    let scope = params.get("scope").unwrap_or(&claims.scope);
    if !scope.split(' ').all(|name| claims.scope.split(' ').any(|held| held == name)) {
        return Err(Refused(BasicErrorResponseType::InvalidScope, "More scope than the subject_token has"));
    }
    let terms = Terms {
        client_id: confidential::CLIENT_ID.to_owned(),
        user,
        scope: scope.to_owned(),
        audience: resource.to_owned(),
    };
    // It ends with the grant of the token it was given for.
    let grant = claims.jti.split('.').next().unwrap_or_default();
    let mut tokens = tokens(state, grant, 0, &terms)?;
    tokens.set_refresh_token(None);
    tokens.set_extra_fields(Extra { issued_token_type: Some(ACCESS_TOKEN.to_owned()) });
    Ok(tokens)
}

fn tokens(state: &State, grant: &str, number: u64, terms: &Terms) -> Result<Tokens, Refused> {
    let access_token = grants::access_token(state, grant, terms).map_err(|_| {
        Refused(BasicErrorResponseType::Extension("server_error".to_owned()), "The token cannot be signed")
    })?;
    let access_token =
        if state.options.opaque_tokens { grants::opaque(state, access_token) } else { access_token };
    // The library's own `Bearer` is written in lower case, which some clients do not take.
    let kind = BasicTokenType::Extension("Bearer".to_owned());
    let mut tokens = Tokens::new(AccessToken::new(access_token), kind, Extra::default());
    tokens.set_expires_in(Some(&state.options.access_token_lifetime));
    let scopes = terms.scope.split(' ').map(|scope| oauth2::Scope::new(scope.to_owned()));
    tokens.set_scopes(Some(scopes.collect()));
    if terms.scope.split(' ').any(|scope| scope == Scope::OfflineAccess.name()) {
        tokens.set_refresh_token(Some(RefreshToken::new(grants::refresh_token(state, grant, number))));
    }
    Ok(tokens)
}
