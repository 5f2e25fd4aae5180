//! The accept loop: bind, serve, drain, stop.
//!
//! In place of `axum::serve`, which sets neither `TCP_NODELAY` (every event would wait 40 ms) nor a header timeout (a
//! half-sent header would stay open for good), and has no cap on connections.
//!
//! Promises: after the stop signal no new connection is accepted and `/readyz` answers 503; a request that can finish
//! within the grace period is never cut; then the process ends.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::Request};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tower::ServiceExt;

use super::client_addr::Peer;

/// Streams of one HTTP/2 connection at a time.
const MAX_STREAMS: u32 = 200;
/// Pause after the system refused a connection, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Largest head of a request.
const MAX_HEAD: usize = 64 * 1024;

/// Limits of the accept loop.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections at a time.
    pub connections: usize,
    /// For headers to arrive, and between requests.
    pub idle: Duration,
    /// For running requests after the stop signal.
    pub grace: Duration,
}

/// Serves until `stop` completes and everything has drained or the grace period is over. `draining` is called when the
/// stop begins.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
    draining: impl FnOnce(),
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_buf_size(MAX_HEAD)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(limits.idle)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
    let builder = Arc::new(builder);
    let connections = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut stop = std::pin::pin!(stop);

    loop {
        let accepted = async {
            // Without room the connection stays in the system's queue.
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(error = %error, "TCP_NODELAY could not be set");
        }
        let service = router.clone().map_request(move |mut request: Request<_>| {
            request.extensions_mut().insert(Peer(peer));
            request
        });
        let service = TowerToHyperService::new(service);
        let connection = builder.serve_connection(TokioIo::new(socket), service).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "connection ended with an error");
            }
            drop(permit);
        });
    }

    draining();
    drop(listener);
    tracing::info!(grace_seconds = limits.grace.as_secs(), "stopping: running requests may finish");
    match tokio::time::timeout(limits.grace, connections.shutdown()).await {
        Ok(()) => tracing::info!("stopped: everything had finished"),
        Err(_elapsed) => tracing::warn!("stopped: the grace period is over, running requests were cut"),
    }
}
