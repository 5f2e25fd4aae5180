//! What is answered instead of a result: challenges, and refusals in one form.

use std::time::Duration;

use axum::response::Response;
use http::{StatusCode, header};
use serde_json::value::RawValue;

use crate::{
    auth::{Caller, Refusal, ScopeSet, step_up_message},
    http::{
        Edge,
        access_log::RequestId,
        problem::{Problem, rpc},
    },
    mcp::{CallScope, ListenError, too_many},
    tools::error::CredentialProblem,
};

pub(super) fn unknown_session() -> Problem {
    let message = "There is no such session.";
    Problem::new(StatusCode::NOT_FOUND, "session_not_found", message, "Start over with initialize.")
}

/// 401, 400 or 503 for a refused credential.
pub(super) fn challenge(edge: &Edge, refusal: Refusal, id: &RequestId) -> Response {
    let (status, header) = edge.challenger.refuse(refusal);
    let mut message = refusal.to_string();
    if let Some(first) = message.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    message.push('.');
    let mut problem = Problem::new(status, refusal.code(), message, refusal.remedy());
    if let Some(retry_after) = refusal.retry_after() {
        problem = problem.retry_after(retry_after);
    } else {
        problem = problem
            .extra(serde_json::json!({"protectedResourceMetadata": edge.challenger.resource_metadata()}));
    }
    let mut response = problem.json_rpc(id, None);
    if let Some(header) = header {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header);
    }
    response
}

/// 403 for a missing scope: an OAuth error (RFC 6750 section 3.1), which is what clients act on.
pub(super) fn step_up(edge: &Edge, caller: &Caller, needed: ScopeSet, id: &RequestId) -> Response {
    let held = caller.scopes();
    let description = step_up_message(held, needed);
    let problem = Problem::new(
        StatusCode::FORBIDDEN,
        "insufficient_scope",
        description.clone(),
        "Sign in again and approve the scopes in the challenge.",
    );
    let members = serde_json::json!({"error": "insufficient_scope", "error_description": description, "scope": held.union(needed).to_string()});
    let mut response = problem.extra(members).plain(id);
    if let Some(header) = edge.challenger.step_up(held, needed) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header);
    }
    response
}

/// The library's plain-text refusals, in our own form.
pub(super) fn unreadable(status: StatusCode, id: &RequestId, message: Option<&RawValue>) -> Response {
    let problem = if status == StatusCode::NOT_FOUND {
        // A live session that ended while the request was on its way.
        unknown_session()
    } else if status.is_server_error() {
        Problem::new(
            status,
            "internal_error",
            "The server failed to handle this request.",
            "Try again; report it with the request id if it happens again.",
        )
    } else {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_params",
            "The message does not fit the schema of its method.",
            "Check params against the protocol's schema.",
        )
        .rpc(rpc::INVALID_PARAMS)
    };
    problem.json_rpc(id, message)
}

/// A subscription for a client that does not read event streams.
pub(super) fn no_stream() -> Problem {
    Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "not_acceptable",
        "A subscription is answered with an event stream.",
        "Accept text/event-stream.",
    )
}

/// Why a `subscriptions/listen` is not listened to.
pub(super) fn not_listening(
    edge: &Edge,
    error: ListenError,
    scope: &CallScope,
    id: &RequestId,
    message: Option<&RawValue>,
) -> Response {
    let problem = match error {
        ListenError::Scope(needed) => return step_up(edge, &scope.caller, needed, id),
        ListenError::TooMany => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_subscriptions",
            too_many(),
            "End another subscription first.",
        ),
        ListenError::Failed(error) => match error.credential_problem() {
            Some(CredentialProblem::Dead) => return challenge(edge, Refusal::Revoked, id),
            Some(CredentialProblem::Scope(needed)) => return step_up(edge, &scope.caller, needed, id),
            None => Problem::new(
                StatusCode::BAD_GATEWAY,
                error.code(),
                "The platform could not be asked about the run.",
                "Try again in a minute.",
            )
            .retry_after(Duration::from_mins(1)),
        },
    };
    problem.json_rpc(id, message)
}
