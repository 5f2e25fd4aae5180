//! The consent page, and the code that follows from it.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Query, State as Extract},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;

use super::{
    browser,
    ledger::{Code, Terms, Usage},
    pages,
    scope::Scope,
    sign_in::{Request, Visit},
};
use crate::demo::state::State;

/// The audience of a token for which no resource was named.
const DEFAULT_AUDIENCE: &str = "Sequentum Enterprise";

#[derive(Deserialize)]
pub(super) struct Decision {
    request: String,
    csrf: String,
    #[serde(default, rename = "decision")]
    choice: String,
}

pub(super) async fn show(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Query(Request { request }): Query<Request>,
) -> Response {
    let Some(visit) = Visit::find(&state, &headers, &request) else { return pages::expired() };
    let Some(user) = visit.user else {
        return browser::to_page(StatusCode::SEE_OTHER, "/oauth/sign-in", &request);
    };
    let login = state.world().tenant(user).map(|tenant| tenant.user.login);
    login.map_or_else(pages::expired, |login| pages::consent(&visit, &request, &login))
}

pub(super) async fn submit(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Form(form): Form<Decision>,
) -> Response {
    let visit = Visit::of_form(&state, &headers, &form.request, &form.csrf);
    let Some(visit) = visit else { return pages::expired() };
    let Some(user) = visit.user else { return pages::expired() };
    let now = state.now();
    let mut ledger = state.oauth();
    let Some(pending) = ledger.decide(now, &form.request, &visit.session_id) else {
        return pages::expired();
    };
    let code = (form.choice == "allow").then(|| {
        ledger.add_code(
            now,
            Code {
                terms: Terms {
                    client_id: pending.client.id,
                    user,
                    scope: Scope::list(&pending.scopes),
                    audience: pending.resource.clone().unwrap_or_else(|| DEFAULT_AUDIENCE.to_owned()),
                },
                resource: pending.resource,
                redirect_uri: pending.redirect_uri.clone(),
                challenge: pending.challenge,
                issued: now,
                usage: Usage::Fresh,
            },
        )
    });
    drop(ledger);
    let answer = match &code {
        Some(code) => vec![("code", code.as_str())],
        None => vec![("error", "access_denied"), ("error_description", "The user denied the request")],
    };
    let (status, state_param) = (StatusCode::SEE_OTHER, pending.state.as_deref());
    browser::to_client(status, &state.issuer, &pending.redirect_uri, state_param, &answer)
}
