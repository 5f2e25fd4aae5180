//! The sign-in page.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Query, State as Extract},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{browser, ledger::Pending, pages};
use crate::demo::{secrets, state::State};

/// Names the pending authorization in a page's address.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    pub(super) request: String,
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    request: String,
    csrf: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// The session a browser presents and the authorization that is pending in it.
pub(super) struct Visit {
    pub(super) session_id: String,
    pub(super) user: Option<i32>,
    pub(super) csrf: String,
    pub(super) pending: Pending,
}

impl Visit {
    /// None when the browser has no session, or the request has expired or belongs to another browser.
    pub(super) fn find(state: &State, headers: &HeaderMap, request: &str) -> Option<Self> {
        let session_id = browser::session_id(state, headers)?;
        let (now, ledger) = (state.now(), state.oauth());
        let session = ledger.session(now, &session_id)?;
        let pending = ledger.pending(now, request, &session_id)?.clone();
        Some(Self { user: session.user, csrf: session.csrf.clone(), pending, session_id })
    }

    /// The same for a form, which must have been sent from a page of this session.
    pub(super) fn of_form(state: &State, headers: &HeaderMap, request: &str, csrf: &str) -> Option<Self> {
        Self::find(state, headers, request).filter(|visit| secrets::same(&visit.csrf, csrf))
    }
}

pub(super) async fn show(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Query(Request { request }): Query<Request>,
) -> Response {
    match Visit::find(&state, &headers, &request) {
        Some(visit) => pages::sign_in(StatusCode::OK, &visit, &request, None, ""),
        None => pages::expired(),
    }
}

pub(super) async fn submit(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Form(form): Form<Credentials>,
) -> Response {
    let visit = Visit::of_form(&state, &headers, &form.request, &form.csrf);
    let Some(visit) = visit else { return pages::expired() };
    let user = state.world().user_by_name(form.username.trim()).map(|user| (user.id, user.login.password));
    // Compared with something also when there is no such user.
    let (user, password) = user.map_or((None, ""), |(id, password)| (Some(id), password));
    let right = secrets::same(password, &form.password);
    let Some(user) = user.filter(|_| right) else {
        let error = Some("That username and password do not match. Try one of the demo accounts.");
        return pages::sign_in(StatusCode::UNAUTHORIZED, &visit, &form.request, error, &form.username);
    };
    let session = state.oauth().sign_in(state.now(), &visit.session_id, &form.request, user);
    let next = browser::to_page(StatusCode::SEE_OTHER, "/oauth/consent", &form.request);
    ([browser::set_session(&state, &session)], next).into_response()
}
