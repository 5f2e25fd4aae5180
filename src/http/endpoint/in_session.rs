//! What a request is within: nothing, a sealed session, or a live one.

use std::{borrow::Cow, sync::Arc};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, request::Parts};
use http_body_util::Full;
use serde::Deserialize;

use super::{
    bodies::{as_json, is_json, last_event, read_answer},
    refusals::unknown_session,
};
use crate::{
    auth::Caller,
    http::{
        Edge,
        envelope::{Envelope, no_method},
        headers::{Accepts, MCP_PROTOCOL_VERSION, MCP_SESSION_ID},
        in_flight,
        live::{InUse, Of, Reservation},
        problem::{Problem, rpc},
        sessions::Session,
    },
    mcp::CallScope,
};

/// What a request is within.
pub(super) enum Within {
    /// No session.
    Nothing,
    /// A sealed session of this id, which is nothing but a handle.
    Sealed(String),
    /// A live session.
    Live(InUse),
    /// A live session that it opens.
    Opening(Reservation),
}

/// A session id of the 2025 revisions must be the caller's own; its revision stands in for a missing header.
pub(super) async fn enter_session(
    edge: &Edge,
    parts: &mut Parts,
    envelope: &Envelope<'_>,
    caller: &Caller,
) -> Result<Within, Problem> {
    // Only a live session was ever asked anything.
    if envelope.is_response() && (edge.live.is_none() || !parts.headers.contains_key(MCP_SESSION_ID)) {
        return Err(no_method());
    }
    if envelope.modern {
        return Ok(Within::Nothing);
    }
    if envelope.is_initialize() {
        let Some(live) = &edge.live else { return Ok(Within::Nothing) };
        let (place, replaced) = live.make_room(caller)?;
        if let Some(replaced) = replaced {
            edge.mcp.close_live(&replaced).await;
        }
        // The library would take it for a request within a session.
        parts.headers.remove(MCP_SESSION_ID);
        return Ok(Within::Opening(place));
    }
    let Some(session) = open_session(edge, &parts.headers, caller)? else { return Ok(Within::Nothing) };
    same_revision(&mut parts.headers, &session)?;
    match &edge.live {
        Some(live) => live.enter(&session.id, Of::Call).map(Within::Live).ok_or_else(unknown_session),
        None => Ok(Within::Sealed(session.id)),
    }
}

/// The revision of the session holds for every request within it, and stands in for a missing header.
pub(super) fn same_revision(headers: &mut HeaderMap, session: &Session) -> Result<(), Problem> {
    match headers.get(MCP_PROTOCOL_VERSION) {
        None => {
            if let Ok(revision) = HeaderValue::from_str(&session.revision) {
                headers.insert(MCP_PROTOCOL_VERSION, revision);
            }
            Ok(())
        }
        Some(sent) if *sent == *session.revision => Ok(()),
        Some(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "revision_mismatch",
            "MCP-Protocol-Version differs from what this session negotiated.",
            "Send the negotiated revision.",
        )
        .rpc(rpc::INVALID_REQUEST)
        .extra(serde_json::json!({"negotiated": session.revision}))),
    }
}

/// The session that the headers name, if they name one.
pub(super) fn open_session(
    edge: &Edge,
    headers: &HeaderMap,
    caller: &Caller,
) -> Result<Option<Session>, Problem> {
    let (Some(sessions), Some(handle)) = (&edge.sessions, headers.get(MCP_SESSION_ID)) else {
        return Ok(None);
    };
    let session = handle.to_str().ok().and_then(|handle| sessions.open(handle, caller).ok());
    session.map(Some).ok_or_else(unknown_session)
}

/// Within a sealed session, a request can be taken back from here on, and a notification takes one back.
pub(super) fn take_note(
    edge: &Edge,
    within: &Within,
    envelope: &Envelope<'_>,
    caller: &Caller,
    scope: &Arc<CallScope>,
) -> Option<in_flight::Cancellable> {
    match (within, envelope.id, envelope.taken_back) {
        (Within::Sealed(session), Some(id), _) => edge.in_flight.enter(caller, session, id, scope),
        (Within::Sealed(session), None, Some(id)) => {
            edge.in_flight.cancel(caller, session, id);
            None
        }
        _ => None,
    }
}

/// Hands a request to the library, within its session, and sees to the session on the way back.
pub(super) async fn dispatch(
    edge: &Edge,
    mut request: Request<Full<Bytes>>,
    within: Within,
    envelope: &Envelope<'_>,
    caller: &Caller,
    accepts: Accepts,
) -> Response {
    match within {
        Within::Nothing | Within::Sealed(_) => {
            let response = edge.mcp.handle(request).await.map(Body::new);
            if !envelope.is_initialize() || !response.status().is_success() {
                return response;
            }
            let (head, content) = response.into_parts();
            // The library answers initialize with a complete JSON body, so this does not wait for anything.
            let content = read_answer(content).await;
            opened(edge, head, content, caller, None)
        }
        Within::Opening(place) => {
            let response = edge.mcp.open_live(request, move |id| place.fill(id)).await.map(Body::new);
            let id =
                response.headers().get(MCP_SESSION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
            let Some(id) = id else { return response };
            let (head, content) = response.into_parts();
            let content = last_event(&read_answer(content).await);
            opened(edge, head, content, caller, Some(id))
        }
        Within::Live(entered) => {
            if let Ok(id) = HeaderValue::from_str(&entered.id) {
                request.headers_mut().insert(MCP_SESSION_ID, id);
            }
            let response = edge.mcp.handle_live(request).await.map(Body::new);
            if response.status() == StatusCode::NOT_FOUND {
                // It ended by itself.
                if let Some(live) = &edge.live {
                    live.ended(&entered.id);
                }
            }
            if accepts == Accepts::Json && !is_json(response.headers()) && response.status() == StatusCode::OK
            {
                let (head, content) = response.into_parts();
                return as_json(head, last_event(&read_answer(content).await));
            }
            response.map(|body| entered.around(body, caller))
        }
    }
}

/// The answer to `initialize`, with the handle of the session it opened.
fn opened(
    edge: &Edge,
    head: http::response::Parts,
    content: Bytes,
    caller: &Caller,
    id: Option<String>,
) -> Response {
    let live = id.is_some();
    let handle = edge.sessions.as_ref().and_then(|sessions| {
        let revision = negotiated(&content)?;
        sessions.seal(caller, &revision, id)
    });
    let handle = handle.and_then(|handle| HeaderValue::from_str(&handle).ok());
    let mut response = as_json(head, content);
    response.headers_mut().remove(MCP_SESSION_ID);
    if let Some(handle) = handle {
        edge.metrics.session(live);
        response.headers_mut().insert(MCP_SESSION_ID, handle);
    }
    response
}

/// The revision in an answer to `initialize`.
fn negotiated(body: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        result: Initialized<'a>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Initialized<'a> {
        #[serde(borrow)]
        protocol_version: Cow<'a, str>,
    }
    serde_json::from_slice::<Answer<'_>>(body).ok().map(|answer| answer.result.protocol_version)
}
