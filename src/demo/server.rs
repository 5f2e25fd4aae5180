//! Listening and answering: the accept loop, and what happens to every request before its route sees it.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State as Extract},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{
    api,
    faults::{Dropped, FaultKind},
    oauth,
    state::State,
    storage as files,
};

/// Largest request body taken; nothing that this platform offers needs more.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// The address a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The API and the authorization server.
pub(crate) fn platform(state: &Arc<State>) -> Router {
    Router::new()
        .merge(api::router(state))
        .merge(oauth::router())
        .layer(middleware::from_fn_with_state(Arc::clone(state), observe))
        .with_state(Arc::clone(state))
}

/// The file storage.
pub(crate) fn storage(state: &Arc<State>) -> Router {
    files::router()
        .layer(middleware::from_fn_with_state(Arc::clone(state), observe))
        .with_state(Arc::clone(state))
}

/// Accepts connections in the background until `stop` is cancelled.
pub(crate) fn serve(listener: TcpListener, routes: Router, tasks: &TaskTracker, stop: &CancellationToken) {
    let (connections, stop) = (tasks.clone(), stop.clone());
    tasks.spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            // A failed accept concerns one connection (or a passing lack of descriptors), not the listener.
            let Ok((stream, peer)) = accepted else {
                tokio::task::yield_now().await;
                continue;
            };
            let connection = connection(stream, Peer(peer.ip()), routes.clone());
            let stop = stop.clone();
            connections.spawn(async move {
                // Hanging answers never end by themselves, so a stop cuts connections instead of draining them.
                tokio::select! {
                    () = connection => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    });
    // `wait` returns once the tracker is closed and empty; closing does not keep it from tracking more.
    tasks.close();
}

async fn connection(stream: TcpStream, peer: Peer, routes: Router) {
    // Answers are small; waiting for a full segment would add 40 ms to some of them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let routes = routes.clone();
        async move {
            let Ok(response) = routes.oneshot(request).await;
            if response.extensions().get::<Dropped>().is_some() {
                // An error from the service makes hyper close the connection without an answer.
                return Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
            }
            Ok(response)
        }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    // Errors here are clients that went away, or faults we injected.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

/// Records the request and lets a waiting fault have it.
async fn observe(Extract(state): Extract<Arc<State>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let number = state.journal.arrived(&parts, &body);
    let request = Request::from_parts(parts, Body::from(body));
    let response = match state.faults.take(request.method(), request.uri().path()) {
        None => next.run(request).await,
        Some(FaultKind::Delay(by)) => {
            state.options.clock.sleep(by).await;
            next.run(request).await
        }
        Some(kind @ FaultKind::HangAfterAction) => {
            next.run(request).await;
            kind.answer().await
        }
        Some(kind) => kind.answer().await,
    };
    if let Some(number) = number
        && response.extensions().get::<Dropped>().is_none()
    {
        state.journal.answered(number, response.status());
    }
    response
}
