//! One request to `/mcp`, told from top to bottom.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{body::Body, extract::State, response::Response};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header, request::Parts};
use futures_util::StreamExt;
use http_body_util::{BodyExt, Full};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Edge,
    access_log::{self, RequestId},
    client_addr::{ClientAddress, Peer},
    envelope::{self, Accepts, Envelope, MCP_PROTOCOL_VERSION, MCP_SESSION_ID},
    in_flight,
    limits::{Slot, Standing},
    live::{Entered, Of, Place},
    problem::{Problem, rpc},
    selection,
    sessions::Session,
};
use crate::{
    auth::{Caller, Refusal, ScopeSet, step_up_message},
    mcp::{Audited, CallScope, ListenError, too_many},
    tools::{Reach, error::CredentialProblem},
};

/// Methods of the endpoint without a live session. GET is routed all the same, to challenge crawlers.
pub(super) const ALLOW: HeaderValue = HeaderValue::from_static("POST, DELETE, OPTIONS");
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// `POST /mcp`: one message.
pub(super) async fn post(State(edge): State<Arc<Edge>>, request: Request<Body>) -> Response {
    let id = access_log::id_of(&request);
    let (mut parts, body) = request.into_parts();

    // Who is calling comes before anything is read: an anonymous client cannot make us parse a megabyte.
    let peer = parts.extensions.get::<Peer>().copied();
    let (caller, standing) = match admit(&edge, peer, &parts.headers, &parts.uri, &id).await {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    // Nobody below sees the credential again; it travels inside the caller.
    parts.headers.remove(header::AUTHORIZATION);

    let mut response = match edge.limits.call(&caller) {
        Ok(mut slot) => {
            let response = handle(&edge, parts, body, &caller, &id, &mut slot).await;
            response.map(|body| slot.around(body))
        }
        Err(problem) => problem.json_rpc(&id, None),
    };
    standing.tell(response.headers_mut());
    note_caller(&mut response, &caller);
    response
}

/// Who is calling, if they may call now.
async fn admit(
    edge: &Edge,
    peer: Option<Peer>,
    headers: &HeaderMap,
    uri: &Uri,
    id: &RequestId,
) -> Result<(Arc<Caller>, Standing), Box<Response>> {
    let address = ClientAddress::from_parts(peer.as_ref(), headers, &edge.trust_proxy);
    let refuse = |standing: &Standing, mut response: Response| {
        standing.tell(response.headers_mut());
        Err(Box::new(response))
    };
    // Signed tokens are judged all the same: whoever has a good one does not pay for the neighbours.
    if let Some(spent) = edge.limits.spent(address)
        && !edge.authenticator.judges_alone(headers)
    {
        return refuse(&spent, spent.problem().json_rpc(id, None));
    }
    match edge.authenticator.authenticate(headers, uri).await {
        Ok(caller) => {
            let standing = edge.limits.charge_caller(&caller).await;
            if standing.admitted {
                return Ok((caller, standing));
            }
            let mut response = standing.problem().json_rpc(id, None);
            note_caller(&mut response, &caller);
            refuse(&standing, response)
        }
        // Nobody's fault but ours.
        Err(refusal) if refusal.retry_after().is_some() => Err(Box::new(challenge(edge, refusal, id))),
        Err(refusal) => {
            let standing = edge.limits.charge_address(address).await;
            let refused = if standing.admitted {
                challenge(edge, refusal, id)
            } else {
                standing.problem().json_rpc(id, None)
            };
            refuse(&standing, refused)
        }
    }
}

fn note_caller(response: &mut Response, caller: &Caller) {
    access_log::note(response, |entry| {
        entry.caller = Some(caller.principal().subject().to_owned());
        entry.client = caller.client_id().map(str::to_owned);
    });
}

async fn handle(
    edge: &Edge,
    mut parts: Parts,
    body: Body,
    caller: &Arc<Caller>,
    id: &RequestId,
    slot: &mut Slot,
) -> Response {
    let accepts = match envelope::check_headers(&parts.headers) {
        Ok(accepts) => accepts,
        Err(problem) => return problem.json_rpc(id, None),
    };
    let body = match read_body(body, &parts.headers, edge.max_body_bytes).await {
        Ok(body) => body,
        Err(problem) => return problem.json_rpc(id, None),
    };
    let envelope = match envelope::read(&body) {
        Ok(envelope) => envelope,
        Err((problem, message)) => return problem.json_rpc(id, message),
    };
    if let Err((problem, message)) = envelope::check_revision(&parts.headers, &envelope) {
        return problem.json_rpc(id, message);
    }
    let within = match enter_session(edge, &mut parts, &envelope, caller).await {
        Ok(within) => within,
        Err(problem) => return problem.json_rpc(id, envelope.id),
    };
    if envelope.response && !matches!(within, Within::Live(_)) {
        let (problem, message) = envelope::no_method(envelope.id);
        return problem.json_rpc(id, message);
    }
    let selection = match selection::of(&parts, edge.selection) {
        Ok(selection) => selection,
        Err(problem) => return problem.json_rpc(id, envelope.id),
    };
    // What is not offered is looked at by the library, which refuses it.
    let row = envelope.tool().and_then(|name| edge.catalog.find(name));
    let row = row.filter(|row| selection.admits(Reach::of(row)));
    let streams = accepts != Accepts::Json;
    let links = envelope::knows_links(&parts.headers, &envelope);
    let scope = CallScope::new(Arc::clone(caller), id.as_str().to_owned(), streams, links, selection);
    let live = matches!(within, Within::Live(_));
    let scope = if live { scope.counted(slot.pausable()) } else { scope };
    let scope = Arc::new(match audited(edge, &envelope, &body) {
        Some(audited) => scope.audited(audited),
        None => scope,
    });
    let needed = edge.mcp.required_scopes(&envelope.method, envelope.target());
    if (row.is_some() || envelope.tool().is_none())
        && !caller.scopes().contains(needed)
        && envelope::headers_agree(&parts.headers, &envelope)
    {
        scope.refused("insufficient_scope");
        let mut response = step_up(edge, caller, needed, id);
        access_log::note(&mut response, |entry| {
            entry.method = known_method(&envelope.method);
            entry.tool = row.map(|row| row.name);
        });
        return response;
    }

    let plain = envelope.plain_call(&parts.headers).filter(|_| !live);
    let plain = plain.filter(|_| !row.is_some_and(|row| edge.mcp.may_ask(row, envelope.modern)));
    let in_flight = take_note(edge, &within, &envelope, caller, &scope);
    let mut response = if let (Some(row), Some((message, call))) = (row, plain) {
        json(edge.mcp.call(row, message, call.arguments, envelope.modern, &scope).await)
    } else {
        let body = if envelope.modern && envelope.method == "subscriptions/listen" {
            // From here on it is a stream and no call.
            *slot = match edge.limits.stream(caller) {
                Ok(slot) => slot,
                Err(problem) => return problem.json_rpc(id, envelope.id),
            };
            match listen(edge, &body, &scope, id, envelope.id).await {
                Ok(body) => body,
                Err(response) => return *response,
            }
        } else {
            body.clone()
        };
        parts.headers.insert(header::ACCEPT, envelope::ACCEPT_BOTH);
        parts.extensions.insert(Arc::clone(&scope));
        let request = Request::from_parts(parts, Full::new(body));
        dispatch(edge, request, within, &envelope, caller, accepts).await
    };

    if let Some(problem) = scope.credential_problem()
        && is_json(response.headers())
    {
        // Nothing has been sent yet, so the refusal can still be what clients act on: an HTTP status.
        response = match problem {
            CredentialProblem::Dead => challenge(edge, Refusal::Revoked, id),
            CredentialProblem::Scope(needed) => step_up(edge, caller, needed, id),
        };
    } else if !response.status().is_success() && !is_json(response.headers()) {
        response = unreadable(response.status(), &envelope, id);
    }
    if let Some(in_flight) = in_flight
        && !is_json(response.headers())
    {
        // What comes before the answer is streamed already; it can be taken back until the stream ends.
        response = response.map(|body| in_flight.around(body));
    }
    if live && !is_json(response.headers()) {
        response = response.map(|body| until_hung_up(body, scope.clone()));
    }
    if accepts == Accepts::Stream && response.status().is_success() && is_json(response.headers()) {
        response = as_stream(response).await;
    }
    finish(response.headers_mut());
    access_log::note(&mut response, |entry| {
        entry.method = known_method(&envelope.method);
        entry.tool = row.map(|row| row.name);
        entry.outcome = scope.outcome();
    });
    response
}

/// The body, which tells when its client listens no longer.
fn until_hung_up(body: Body, scope: Arc<CallScope>) -> Body {
    struct Listening(Arc<CallScope>);
    impl Drop for Listening {
        fn drop(&mut self) {
            self.0.hang_up();
        }
    }
    let listening = Listening(scope);
    Body::from_stream(body.into_data_stream().map(move |data| {
        // Owned by the stream, so dropped with it.
        let _ = &listening;
        data
    }))
}

/// `GET /mcp`: what a live session sends without being asked. Without such a session there is nothing to listen to;
/// the challenge comes first all the same, because crawlers look for it here.
pub(super) async fn get(State(edge): State<Arc<Edge>>, mut request: Request<Body>) -> Response {
    let id = access_log::id_of(&request);
    let peer = request.extensions().get::<Peer>().copied();
    let (caller, standing) = match admit(&edge, peer, request.headers(), request.uri(), &id).await {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    request.headers_mut().remove(header::AUTHORIZATION);
    let mut response = hear(&edge, request, &caller, &id).await;
    standing.tell(response.headers_mut());
    response
}

async fn hear(edge: &Edge, request: Request<Body>, caller: &Caller, id: &RequestId) -> Response {
    let Some(live) = &edge.live else { return super::problem::method_not_allowed(request).await };
    let entered = match open_session(edge, request.headers(), caller) {
        Ok(Some(session)) => live.enter(&session.id, Of::Stream).ok_or_else(unknown_session),
        Ok(None) => return super::problem::method_not_allowed(request).await,
        Err(problem) => Err(problem),
    };
    let entered = match entered {
        Ok(entered) => entered,
        Err(problem) => return problem.json_rpc(id, None),
    };
    let slot = match edge.limits.stream(caller) {
        Ok(slot) => slot,
        Err(problem) => return problem.json_rpc(id, None),
    };
    let (mut parts, _) = request.into_parts();
    parts.headers.insert(header::ACCEPT, envelope::ACCEPT_BOTH);
    if let Ok(inner) = HeaderValue::from_str(&entered.id) {
        parts.headers.insert(MCP_SESSION_ID, inner);
    }
    let response = edge.mcp.handle_live(Request::from_parts(parts, Full::new(Bytes::new()))).await;
    if !response.status().is_success() {
        return unknown_session().json_rpc(id, None);
    }
    let mut response = response.map(|body| slot.around(entered.around(Body::new(body), caller)));
    finish(response.headers_mut());
    response
}

/// `DELETE /mcp`: ends a session of the caller's own.
pub(super) async fn delete(State(edge): State<Arc<Edge>>, request: Request<Body>) -> Response {
    let id = access_log::id_of(&request);
    let peer = request.extensions().get::<Peer>().copied();
    let (caller, standing) = match admit(&edge, peer, request.headers(), request.uri(), &id).await {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    let mut response = end(&edge, request, &caller, &id).await;
    standing.tell(response.headers_mut());
    response
}

async fn end(edge: &Edge, request: Request<Body>, caller: &Caller, id: &RequestId) -> Response {
    let Some(sessions) = &edge.sessions else { return super::problem::method_not_allowed(request).await };
    let handle = request.headers().get(MCP_SESSION_ID).and_then(|value| value.to_str().ok());
    match handle.map(|handle| sessions.open(handle, caller)) {
        Some(Ok(session)) => {
            if let Some(live) = &edge.live {
                live.ended(&session.id);
                edge.mcp.close_live(&session.id).await;
            }
            sessions.end(session);
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Some(Err(_)) => unknown_session().json_rpc(id, None),
        None => {
            let message = "There is no session to end.";
            let problem = Problem::new(
                StatusCode::BAD_REQUEST,
                "session_missing",
                message,
                "Send the Mcp-Session-Id to end.",
            );
            problem.json_rpc(id, None)
        }
    }
}

/// Within a sealed session, a request can be taken back from here on, and a notification takes one back.
fn take_note(
    edge: &Edge,
    within: &Within,
    envelope: &Envelope<'_>,
    caller: &Caller,
    scope: &Arc<CallScope>,
) -> Option<in_flight::Entered> {
    match (within, envelope.id, envelope.taken_back) {
        (Within::Sealed(session), Some(id), _) => edge.in_flight.enter(caller, session, id, scope),
        (Within::Sealed(session), None, Some(id)) => {
            edge.in_flight.cancel(caller, session, id);
            None
        }
        _ => None,
    }
}

/// The record of a request that does or shows something, for the audit trail.
fn audited(edge: &Edge, envelope: &Envelope<'_>, body: &Bytes) -> Option<Audited> {
    let arguments = match &*envelope.method {
        "tools/call" => {
            envelope.call.as_ref()?.arguments.map_or(&b"{}"[..], |arguments| arguments.get().as_bytes())
        }
        "resources/read" | "resources/subscribe" => envelope.target()?.as_bytes(),
        // Their arguments stand in the middle of params; the whole message is as good for telling calls apart.
        "prompts/get" | "subscriptions/listen" => body,
        _ => return None,
    };
    let subject = edge.mcp.name_of(&envelope.method, envelope.target());
    Some(edge.auditor.begin(known_method(&envelope.method)?, subject, arguments))
}

/// What a request is within.
enum Within {
    /// No session.
    Nothing,
    /// A sealed session of this id, which is nothing but a handle.
    Sealed(String),
    /// A live session.
    Live(Entered),
    /// A live session that it opens.
    Opening(Place),
}

/// A session id of the 2025 revisions must be the caller's own; its revision stands in for a missing header.
async fn enter_session(
    edge: &Edge,
    parts: &mut Parts,
    envelope: &Envelope<'_>,
    caller: &Caller,
) -> Result<Within, Problem> {
    if envelope.modern {
        return Ok(Within::Nothing);
    }
    if envelope.method == "initialize" {
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
    match parts.headers.get(MCP_PROTOCOL_VERSION) {
        None => {
            if let Ok(revision) = HeaderValue::from_str(&session.revision) {
                parts.headers.insert(MCP_PROTOCOL_VERSION, revision);
            }
        }
        Some(sent) if *sent == *session.revision => {}
        Some(_) => {
            let message = "MCP-Protocol-Version differs from what this session negotiated.";
            let problem = Problem::new(
                StatusCode::BAD_REQUEST,
                "revision_mismatch",
                message,
                "Send the negotiated revision.",
            );
            return Err(problem
                .rpc(rpc::INVALID_REQUEST)
                .extra(serde_json::json!({"negotiated": session.revision})));
        }
    }
    match &edge.live {
        Some(live) => live.enter(&session.id, Of::Call).map(Within::Live).ok_or_else(unknown_session),
        None => Ok(Within::Sealed(session.id)),
    }
}

/// The session that the headers name, if they name one.
fn open_session(edge: &Edge, headers: &HeaderMap, caller: &Caller) -> Result<Option<Session>, Problem> {
    let (Some(sessions), Some(handle)) = (&edge.sessions, headers.get(MCP_SESSION_ID)) else {
        return Ok(None);
    };
    let session = handle.to_str().ok().and_then(|handle| sessions.open(handle, caller).ok());
    session.map(Some).ok_or_else(unknown_session)
}

/// Hands a request to the library, within its session, and sees to the session on the way back.
async fn dispatch(
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
            if envelope.method != "initialize" || !response.status().is_success() {
                return response;
            }
            let (head, content) = response.into_parts();
            // The library answers initialize with a complete JSON body, so this does not wait for anything.
            let content = read_answer(content).await;
            opened(edge, head, content, caller, None)
        }
        Within::Opening(place) => {
            let response = edge.mcp.handle_live(request).await.map(Body::new);
            let id =
                response.headers().get(MCP_SESSION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
            let Some(id) = id else { return response };
            place.fill(&id);
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
    let handle = edge.sessions.as_ref().and_then(|sessions| {
        let revision = negotiated(&content)?;
        sessions.seal(caller, &revision, id)
    });
    let handle = handle.and_then(|handle| HeaderValue::from_str(&handle).ok());
    let mut response = as_json(head, content);
    response.headers_mut().remove(MCP_SESSION_ID);
    if let Some(handle) = handle {
        response.headers_mut().insert(MCP_SESSION_ID, handle);
    }
    response
}

/// Opens what a `subscriptions/listen` asks for, and returns the message without what the caller cannot have.
async fn listen(
    edge: &Edge,
    body: &Bytes,
    scope: &CallScope,
    id: &RequestId,
    message: Option<&RawValue>,
) -> Result<Bytes, Box<Response>> {
    if !scope.streams {
        let problem = Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            "not_acceptable",
            "A subscription is answered with an event stream.",
            "Accept text/event-stream.",
        );
        return Err(Box::new(problem.json_rpc(id, message)));
    }
    edge.mcp.open_subscriptions(body, scope).await.map_err(|error| {
        Box::new(match error {
            ListenError::Scope(needed) => step_up(edge, &scope.caller, needed, id),
            ListenError::TooMany => {
                let problem = Problem::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too_many_subscriptions",
                    too_many(),
                    "End another subscription first.",
                );
                problem.json_rpc(id, message)
            }
            ListenError::Failed(error) => match error.credential_problem() {
                Some(CredentialProblem::Dead) => challenge(edge, Refusal::Revoked, id),
                Some(CredentialProblem::Scope(needed)) => step_up(edge, &scope.caller, needed, id),
                None => {
                    let problem = Problem::new(
                        StatusCode::BAD_GATEWAY,
                        error.code(),
                        "The platform could not be asked about the run.",
                        "Try again in a minute.",
                    );
                    problem.retry_after(Duration::from_mins(1)).json_rpc(id, message)
                }
            },
        })
    })
}

fn unknown_session() -> Problem {
    let message = "There is no such session.";
    Problem::new(StatusCode::NOT_FOUND, "session_not_found", message, "Start over with initialize.")
}

/// 401, 400 or 503 for a refused credential.
fn challenge(edge: &Edge, refusal: Refusal, id: &RequestId) -> Response {
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
fn step_up(edge: &Edge, caller: &Caller, needed: ScopeSet, id: &RequestId) -> Response {
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

/// The whole body, up to the limit, within a time.
async fn read_body(body: Body, headers: &HeaderMap, limit: usize) -> Result<Bytes, Problem> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_large = || {
        let message = format!("The body is larger than {limit} bytes.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message, "Send a smaller message.")
    };
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let collect = async {
        let mut body = body;
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| broken())?;
            let Ok(data) = frame.into_data() else { continue };
            if first.len() + whole.len() + data.len() > limit {
                return Err(too_large());
            }
            // A body that comes in one piece, as most do, is not copied.
            if first.is_empty() && whole.is_empty() {
                first = data;
            } else {
                whole.extend_from_slice(&std::mem::take(&mut first));
                whole.extend_from_slice(&data);
            }
        }
        Ok(if whole.is_empty() { first } else { whole.freeze() })
    };
    tokio::time::timeout(BODY_TIMEOUT, collect).await.unwrap_or_else(|_| {
        let message = "The body did not arrive in time.";
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", message, "Send the request again."))
    })
}

fn broken() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "body_broken",
        "The body could not be read to its end.",
        "Send the request again.",
    )
}

/// The library's plain-text refusals, in our own form.
fn unreadable(status: StatusCode, envelope: &Envelope<'_>, id: &RequestId) -> Response {
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
        let message = "The message does not fit the schema of its method.";
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_params",
            message,
            "Check params against the protocol's schema.",
        )
        .rpc(rpc::INVALID_PARAMS)
    };
    problem.json_rpc(id, envelope.id)
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

/// A body to its end.
async fn read_answer(body: Body) -> Bytes {
    body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

/// The last message of an event stream, which is the answer to the request. The library writes a message on one line.
fn last_event(stream: &[u8]) -> Bytes {
    let messages = stream.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data:"));
    let last = messages.map(<[u8]>::trim_ascii).rfind(|message| !message.is_empty());
    last.map(Bytes::copy_from_slice).unwrap_or_default()
}

/// A complete JSON answer with the head of another.
fn as_json(mut head: http::response::Parts, body: Bytes) -> Response {
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body))
}

/// One event with the answer, for clients that read event streams only.
async fn as_stream(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let body = read_answer(body).await;
    let mut event = BytesMut::with_capacity(body.len() + 24);
    event.extend_from_slice(b"event: message\ndata: ");
    event.extend_from_slice(&body);
    event.extend_from_slice(b"\n\n");
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(event.freeze()))
}

fn json(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

fn finish(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
    {
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    }
}

/// Method names for the log: a name outside the protocol is the client's text and is not written down.
fn known_method(name: &str) -> Option<&'static str> {
    const KNOWN: [&str; 17] = [
        "initialize",
        "notifications/initialized",
        "notifications/cancelled",
        "ping",
        "server/discover",
        "tools/list",
        "tools/call",
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "completion/complete",
        "logging/setLevel",
        "subscriptions/listen",
    ];
    KNOWN.into_iter().find(|known| *known == name).or(Some("other"))
}
