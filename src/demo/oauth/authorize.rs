//! The authorization endpoint: checks what a client asks for and takes the browser to sign-in or consent.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State as Extract},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::json;
use url::Url;

use super::{
    browser,
    client::{self, Client},
    ledger::Pending,
    params::Params,
    scope::Scope,
};
use crate::demo::state::State;

pub(super) async fn authorize(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    // Until client and redirect URI are known to belong together nothing is sent there: anybody can write this URL.
    let (client, redirect_uri) = match addressee(&state, &params).await {
        Ok(addressee) => addressee,
        Err((error, description)) => {
            let body = json!({ "error": error, "error_description": description });
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        }
    };
    let client_state = params.get("state");
    let asked = match Asked::parse(&params) {
        Ok(asked) => asked,
        Err((error, description)) => {
            let answer = [("error", error), ("error_description", description)];
            let found = StatusCode::FOUND;
            return browser::to_client(found, &state.issuer, &redirect_uri, client_state, &answer);
        }
    };
    let now = state.now();
    let mut ledger = state.oauth();
    let known = browser::session_id(&state, &headers)
        .and_then(|id| ledger.session(now, &id).map(|session| (id.clone(), session.user)));
    let (session, user) = known.clone().unwrap_or_else(|| (ledger.open_session(now, None), None));
    let pending = ledger.add_pending(
        now,
        Pending {
            session: session.clone(),
            client,
            redirect_uri,
            state: client_state.map(str::to_owned),
            challenge: asked.challenge,
            scopes: asked.scopes,
            resource: asked.resource,
        },
    );
    drop(ledger);
    let page = if user.is_some() { "/oauth/consent" } else { "/oauth/sign-in" };
    let response = browser::to_page(StatusCode::FOUND, page, &pending);
    if known.is_some() {
        response
    } else {
        ([browser::set_session(&state, &session)], response).into_response()
    }
}

type Problem<D = &'static str> = (&'static str, D);

async fn addressee(state: &State, params: &Params) -> Result<(Client, String), Problem<String>> {
    let required = |name: &str| {
        params.get(name).ok_or_else(|| ("invalid_request", format!("The parameter {name} is required")))
    };
    let id = required("client_id")?;
    let client = client::resolve(state, id).await.map_err(|description| ("invalid_client", description))?;
    let redirect_uri = required("redirect_uri")?;
    // Byte for byte, port included, also on loopback addresses.
    if !client.redirect_uris.iter().any(|registered| registered == redirect_uri) {
        return Err(("invalid_request", "The redirect_uri is not registered for this client".to_owned()));
    }
    if let Some(name) = ["client_id", "redirect_uri"].into_iter().find(|name| params.repeated() == Some(name))
    {
        return Err(("invalid_request", format!("The parameter {name} is repeated")));
    }
    Ok((client, redirect_uri.to_owned()))
}

/// The part of the request that the client is told about when it is wrong.
struct Asked {
    challenge: String,
    scopes: Vec<Scope>,
    resource: Option<String>,
}

impl Asked {
    fn parse(params: &Params) -> Result<Self, Problem> {
        match params.repeated() {
            Some("resource") => return Err(("invalid_target", "Only one resource can be named")),
            Some(_) => return Err(("invalid_request", "A parameter is repeated")),
            None => {}
        }
        match params.get("response_type") {
            Some("code") => {}
            Some(_) => return Err(("unsupported_response_type", "The response_type must be code")),
            None => return Err(("invalid_request", "The parameter response_type is required")),
        }
        let challenge = params
            .get("code_challenge")
            .ok_or(("invalid_request", "PKCE is required: there is no code_challenge"))?;
        if params.get("code_challenge_method") != Some("S256") {
            return Err(("invalid_request", "The code_challenge_method must be S256"));
        }
        // base64url of a SHA-256 digest (RFC 7636 section 4.2).
        let digest = data_encoding::BASE64URL_NOPAD.decode(challenge.as_bytes());
        if !digest.is_ok_and(|digest| digest.len() == 32) {
            return Err(("invalid_request", "The code_challenge is not a base64url SHA-256 digest"));
        }
        let scopes = match params.get("scope") {
            None => Scope::API.to_vec(),
            Some(list) => Scope::parse(list)
                .filter(|scopes| !scopes.is_empty())
                .ok_or(("invalid_scope", "A requested scope is not known"))?,
        };
        let resource = params.get("resource").map(audience).transpose()?;
        Ok(Self { challenge: challenge.to_owned(), scopes, resource })
    }
}

/// The audience a resource indicator stands for (RFC 8707 section 2): the URI as it was sent, without its query.
pub(super) fn audience(resource: &str) -> Result<String, Problem> {
    let wrong = ("invalid_target", "The resource must be an absolute URI without a fragment");
    let url = Url::parse(resource).map_err(|_| wrong)?;
    if url.fragment().is_some() || !url.has_host() {
        return Err(wrong);
    }
    Ok(resource.split('?').next().unwrap_or(resource).to_owned())
}
