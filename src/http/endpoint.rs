//! One request to `/mcp`, told from top to bottom.

mod bodies;
mod in_session;
mod refusals;

use std::sync::Arc;

use axum::{body::Body, extract::State, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header, request::Parts};
use http_body_util::Full;

use self::{
    bodies::{as_stream, finish, is_json, json, read_body},
    in_session::{Within, dispatch, enter_session, open_session, same_revision, take_note},
    refusals::{challenge, no_stream, not_listening, step_up, unknown_session, unreadable},
};
use super::{
    Edge,
    access_log::{self, RequestId},
    client_addr::{ClientAddress, Peer},
    envelope::{self, Envelope},
    headers::{self, ACCEPT_BOTH, Accepts, MCP_SESSION_ID},
    held_body::hold,
    limits::{Slot, Standing},
    live::Of,
    problem::{Problem, refuse_method},
    selection,
};
use crate::{
    auth::{Caller, Refusal},
    mcp::{Audited, CallScope},
    metrics::Charged,
    tools::{Reach, error::CredentialProblem},
    traces::{Incoming, Span},
};

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
            response.map(|body| hold(body, slot))
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
    let question = if edge.authenticator.judges_alone(headers).await {
        None
    } else {
        match edge.limits.question(address) {
            Ok(question) => Some(question),
            Err(spent) => {
                edge.metrics.charged(Charged::Address, false);
                return refuse(&spent, spent.problem().json_rpc(id, None));
            }
        }
    };
    let verdict = edge.authenticator.authenticate(headers, uri).await;
    edge.metrics.credential(verdict.as_ref().err().map(|refusal| refusal.code()));
    match verdict {
        Ok(caller) => {
            let standing = edge.limits.charge_caller(&caller).await;
            if standing.admitted {
                return Ok((caller, standing));
            }
            let mut response = standing.problem().json_rpc(id, None);
            note_caller(&mut response, &caller);
            refuse(&standing, response)
        }
        // Nobody's fault but ours. A question was asked all the same, and whoever cannot answer is not to be asked for ever.
        Err(refusal) if refusal.retry_after().is_some() => {
            if question.is_some() {
                edge.limits.charge_address(address).await;
            }
            Err(Box::new(challenge(edge, refusal, id)))
        }
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

fn note_caller(response: &mut Response, caller: &Arc<Caller>) {
    access_log::note(response, |entry| entry.caller = Some(Arc::clone(caller)));
}

async fn handle(
    edge: &Edge,
    mut parts: Parts,
    body: Body,
    caller: &Arc<Caller>,
    id: &RequestId,
    slot: &mut Slot,
) -> Response {
    let accepts = match headers::check(&parts.headers) {
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
    let known = headers::check_revision(&parts.headers, &envelope);
    if let Err((problem, message)) = known.and_then(|()| envelope::check_method(&envelope)) {
        return problem.json_rpc(id, message);
    }
    let within = match enter_session(edge, &mut parts, &envelope, caller).await {
        Ok(within) => within,
        Err(problem) => return problem.json_rpc(id, envelope.id),
    };
    let selection = match selection::of(&parts, edge.selection) {
        Ok(selection) => selection,
        Err(problem) => return problem.json_rpc(id, envelope.id),
    };
    // What is not offered is looked at by the library, which refuses it.
    let row = envelope.tool().and_then(|name| edge.catalog.find(name));
    let row = row.filter(|row| selection.admits(Reach::of(row)));
    let target = edge.mcp.target(&envelope.method, envelope.target(), caller);
    let of_task = || target.name.filter(|_| envelope.method.starts_with("tasks/"));
    let tool = row.map(|row| row.name).or_else(of_task);
    let streams = accepts != Accepts::Json;
    let links = headers::knows_links(&parts.headers, &envelope);
    let scope = CallScope::new(Arc::clone(caller), id.as_str().to_owned(), streams, links, selection);
    let scope = scope.traced(begin(edge, &mut parts, &envelope, target.name));
    let live = matches!(within, Within::Live(_));
    let scope = scope.counted(live.then(|| slot.pausable()));
    let scope = Arc::new(scope.audited(audited(edge, &envelope, &body, target.name)));
    let needed = target.required_scopes(selection);
    if !caller.scopes().contains(needed) && headers::agree(&parts.headers, &envelope) {
        scope.refused("insufficient_scope");
        let mut response = step_up(edge, caller, needed, id);
        access_log::note(&mut response, |entry| {
            entry.method = Some(known_method(&envelope.method));
            entry.tool = tool;
        });
        return response;
    }

    let task = envelope.tasks && row.is_some_and(|row| row.long.is_some());
    let asks = row.is_some_and(|row| edge.mcp.may_ask(row, envelope.modern));
    let plain = headers::plain_call(&parts.headers, &envelope).filter(|_| !task && !asks && !live);
    let in_flight = take_note(edge, &within, &envelope, caller, &scope);
    let mut response = if let (Some(row), Some((message, call))) = (row, plain) {
        json(edge.mcp.call(row, message, call.arguments, envelope.modern, &scope).await)
    } else {
        let listening = envelope.modern && envelope.method == "subscriptions/listen";
        let body = if listening {
            match listen(edge, &body, &envelope, &scope, id, slot).await {
                Ok(body) => body,
                Err(refused) => return *refused,
            }
        } else {
            body.clone()
        };
        parts.headers.insert(header::ACCEPT, ACCEPT_BOTH);
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
        response = unreadable(response.status(), id, envelope.id);
    }
    if let Some(in_flight) = in_flight
        && !is_json(response.headers())
    {
        // What comes before the answer is streamed already; it can be taken back until the stream ends.
        response = response.map(|body| hold(body, in_flight));
    }
    if live {
        response = response.map(|body| hold(body, Listening(Arc::clone(&scope))));
    }
    if accepts == Accepts::Stream && response.status().is_success() && is_json(response.headers()) {
        response = as_stream(response).await;
    }
    finish(response.headers_mut());
    access_log::note(&mut response, |entry| {
        entry.method = Some(known_method(&envelope.method));
        entry.tool = tool;
        entry.outcome = scope.outcome();
    });
    response
}

/// Opens the subscriptions that the message asks for and returns it without what the caller cannot have.
async fn listen(
    edge: &Edge,
    body: &Bytes,
    envelope: &Envelope<'_>,
    scope: &CallScope,
    id: &RequestId,
    slot: &mut Slot,
) -> Result<Bytes, Box<Response>> {
    if !scope.streams {
        return Err(Box::new(no_stream().json_rpc(id, envelope.id)));
    }
    // From here on it is a stream and no call.
    *slot =
        edge.limits.stream(&scope.caller).map_err(|problem| Box::new(problem.json_rpc(id, envelope.id)))?;
    let opened = edge.mcp.open_subscriptions(body, scope).await;
    opened.map_err(|error| Box::new(not_listening(edge, error, scope, id, envelope.id)))
}

/// A client that listens to an answer.
struct Listening(Arc<CallScope>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.hang_up();
    }
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
    request.extensions_mut().remove::<Span>();
    let mut response = hear(&edge, request, &caller, &id).await;
    standing.tell(response.headers_mut());
    note_caller(&mut response, &caller);
    response
}

async fn hear(edge: &Edge, request: Request<Body>, caller: &Caller, id: &RequestId) -> Response {
    let Some(live) = &edge.live else { return refuse_method(edge, &request) };
    let session = match open_session(edge, request.headers(), caller) {
        Ok(Some(session)) => session,
        Ok(None) => return refuse_method(edge, &request),
        Err(problem) => return problem.json_rpc(id, None),
    };
    let (mut parts, _) = request.into_parts();
    let entered = same_revision(&mut parts.headers, &session)
        .and_then(|()| live.enter(&session.id, Of::Stream).ok_or_else(unknown_session));
    let slot = entered.and_then(|entered| Ok((entered, edge.limits.stream(caller)?)));
    let (entered, slot) = match slot {
        Ok(open) => open,
        Err(problem) => return problem.json_rpc(id, None),
    };
    parts.headers.insert(header::ACCEPT, ACCEPT_BOTH);
    if let Ok(inner) = HeaderValue::from_str(&entered.id) {
        parts.headers.insert(MCP_SESSION_ID, inner);
    }
    let response = edge.mcp.handle_live(Request::from_parts(parts, Full::new(Bytes::new()))).await;
    if !response.status().is_success() {
        return unreadable(response.status(), id, None);
    }
    let mut response = response.map(|body| hold(entered.around(Body::new(body), caller), slot));
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
    note_caller(&mut response, &caller);
    response
}

async fn end(edge: &Edge, request: Request<Body>, caller: &Caller, id: &RequestId) -> Response {
    let Some(sessions) = &edge.sessions else { return refuse_method(edge, &request) };
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

/// Counts a message and begins its span.
fn begin(edge: &Edge, parts: &mut Parts, envelope: &Envelope<'_>, subject: Option<&'static str>) -> Span {
    let method = known_method(&envelope.method);
    let revision = headers::revision(&parts.headers, envelope);
    edge.metrics.message(method, revision);
    // Taken out: what is handed on may be kept for longer than the request.
    let Some(request) = parts.extensions.remove::<Span>() else { return Span::OFF };
    let trace = envelope.trace();
    let [parent, state] = trace.each_ref().map(Option::as_deref);
    request.message(method, subject, revision, Incoming { parent, state })
}

/// The record of a request that does or shows something, for the audit trail.
fn audited(
    edge: &Edge,
    envelope: &Envelope<'_>,
    body: &Bytes,
    subject: Option<&'static str>,
) -> Option<Audited> {
    let arguments = match &*envelope.method {
        "tools/call" => {
            envelope.call.as_ref()?.arguments.map_or(&b"{}"[..], |arguments| arguments.get().as_bytes())
        }
        "resources/read" | "resources/subscribe" | "tasks/get" | "tasks/update" | "tasks/cancel" => {
            envelope.target()?.as_bytes()
        }
        // Their arguments stand in the middle of params; the whole message is as good for telling calls apart.
        "prompts/get" | "subscriptions/listen" => body,
        _ => return None,
    };
    Some(edge.auditor.begin(known_method(&envelope.method), subject, arguments))
}

/// Method names for the log: a name outside the protocol is the client's text and is not written down.
fn known_method(name: &str) -> &'static str {
    const KNOWN: [&str; 20] = [
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
        "tasks/get",
        "tasks/update",
        "tasks/cancel",
    ];
    KNOWN.into_iter().find(|known| *known == name).unwrap_or("other")
}
