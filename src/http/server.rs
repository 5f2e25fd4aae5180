//! The accept loop: bind, serve, drain, stop.
//!
//! In place of `axum::serve`, which sets neither `TCP_NODELAY` (every event would wait 40 ms) nor a time limit (a
//! half-sent header would stay open for good), and has no cap on connections.
//!
//! A connection without an open request is closed after the idle time, whatever it sends in the meantime: nothing at all,
//! the beginning of a request, or the answers to the pings of HTTP/2; and one address has half of all connections at
//! most, unless it is a trusted proxy's or this machine's. Otherwise anybody could take all the room.
//!
//! Promises: from the stop signal on `/readyz` answers 503, and after the notice no new connection is accepted; a request
//! that can finish within the grace period is never cut; then the process ends. With a notice longer than a balancer
//! takes to ask `/readyz` or keeps idle connections, not one request meets a closing door.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Request};
use http::{HeaderValue, Version, header};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{ServiceExt, service_fn};

use super::{
    activity::Activity,
    client_addr::{ClientAddress, Peer},
    held_body::HeldBody,
    open_by_address::OpenByAddress,
};
use crate::config::Proxies;

/// Streams of one HTTP/2 connection at a time.
const MAX_STREAMS: u32 = 200;
/// Pause after the system refused a connection, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Largest head of a request.
const MAX_HEAD: usize = 64 * 1024;
/// How long connections that were being opened when the notice ended have to arrive.
const CLOSING: Duration = Duration::from_millis(250);

/// Limits of the accept loop.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open connections at a time.
    pub connections: usize,
    /// Whose connections are those of many clients.
    pub proxies: Proxies,
    /// For headers to arrive, and between requests.
    pub idle: Duration,
    /// For balancers to learn of the stop signal; new requests are served all the while.
    pub notice: Duration,
    /// For running requests after that.
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
    let door = Door::new(router, &limits);
    tokio::select! {
        biased;
        () = stop => {}
        never = door.accept_forever(&listener) => match never {},
    }
    draining();
    if !limits.notice.is_zero() {
        tracing::info!(
            seconds = limits.notice.as_secs(),
            "stopping: requests are served until balancers know"
        );
        door.leaving.store(true, Ordering::Relaxed);
        let _over = tokio::time::timeout(limits.notice, door.accept_forever(&listener)).await;
        turn_away(&listener);
        let _over = tokio::time::timeout(CLOSING, door.accept_forever(&listener)).await;
    }
    drop(listener);
    tracing::info!(grace_seconds = limits.grace.as_secs(), "stopping: running requests may finish");
    door.closing.cancel();
    door.connections.close();
    match tokio::time::timeout(limits.grace, door.connections.wait()).await {
        Ok(()) => tracing::info!("stopped: everything had finished"),
        Err(_elapsed) => tracing::warn!("stopped: the grace period is over, running requests were cut"),
    }
}

/// What is behind an accepted connection.
struct Door {
    builder: Arc<Builder<TokioExecutor>>,
    router: Router,
    /// The tasks of the open connections.
    connections: TaskTracker,
    room: Arc<Semaphore>,
    by_address: OpenByAddress,
    /// Most connections of one address.
    share: usize,
    proxies: Proxies,
    idle: Duration,
    /// Set with the notice: every answer is the last one on its connection.
    leaving: Arc<AtomicBool>,
    /// Set after the notice: connections end with the requests that are open on them.
    closing: CancellationToken,
}

impl Door {
    fn new(router: Router, limits: &Limits) -> Self {
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
        Self {
            builder: Arc::new(builder),
            router,
            connections: TaskTracker::new(),
            room: Arc::new(Semaphore::new(limits.connections)),
            by_address: OpenByAddress::default(),
            share: limits.connections.div_ceil(2),
            proxies: limits.proxies.clone(),
            idle: limits.idle,
            leaving: Arc::default(),
            closing: CancellationToken::new(),
        }
    }

    /// Takes connections in until it is dropped, which loses none.
    async fn accept_forever(&self, listener: &TcpListener) -> Infallible {
        loop {
            // Without room the connection stays in the system's queue.
            let permit = Arc::clone(&self.room).acquire_owned().await;
            match listener.accept().await {
                Ok((socket, peer)) => {
                    let opened = self.by_address.begin(ClientAddress::keyed(peer.ip()));
                    if self.has_room_for(peer.ip(), opened.others) {
                        self.attend(socket, peer, (permit, opened));
                    } else {
                        tracing::debug!(peer = %peer.ip(), "one address has too many connections");
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Whether an address that has so many connections may have one more.
    fn has_room_for(&self, address: IpAddr, others: usize) -> bool {
        let address = address.to_canonical();
        others < self.share
            || address.is_loopback()
            || match &self.proxies {
                Proxies::Hops(hops) => *hops > 0,
                Proxies::Networks(networks) => networks.iter().any(|network| network.contains(&address)),
            }
    }

    /// Serves one connection in a task of its own; `permit` is its place among the connections.
    fn attend(&self, socket: TcpStream, peer: SocketAddr, permit: impl Send + 'static) {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(error = %error, "TCP_NODELAY could not be set");
        }
        let (router, leaving) = (self.router.clone(), Arc::clone(&self.leaving));
        let activity = Activity::new();
        let of_connection = activity.clone();
        let service = service_fn(move |mut request: Request<_>| {
            request.extensions_mut().insert(Peer(peer));
            let multiplexed = request.version() >= Version::HTTP_2;
            let open = of_connection.begin();
            let (answer, leaving) = (router.clone().oneshot(request), Arc::clone(&leaving));
            async move {
                let mut response = answer.await?;
                // HTTP/2 has no such header; its connections are told with a frame when the notice is over.
                if leaving.load(Ordering::Relaxed) && !multiplexed {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response.map(|body| HeldBody::new(body, open)))
            }
        });
        let service = TowerToHyperService::new(service);
        let connection = self.builder.serve_connection(TokioIo::new(socket), service).into_owned();
        let (closing, idle) = (self.closing.clone(), self.idle);
        self.connections.spawn(async move {
            let mut connection = pin!(connection);
            let mut ended = tokio::select! {
                ended = connection.as_mut() => Some(ended),
                () = closing.cancelled() => None,
                () = activity.idle_for(idle) => None,
            };
            if ended.is_none() {
                connection.as_mut().graceful_shutdown();
                // Open requests go on; a client that does not hang up in its turn is left.
                let left = async {
                    tokio::time::sleep(idle).await;
                    activity.idle_for(idle).await;
                };
                ended = tokio::select! {
                    ended = connection => Some(ended),
                    () = left => None,
                };
            }
            if let Some(Err(error)) = ended {
                tracing::debug!(error = %error, "connection ended with an error");
            }
            drop(permit);
        });
    }
}

/// Leaves further attempts to connect unanswered. Closing a socket resets the connections that the system has completed
/// and nobody has accepted yet, and a balancer may not repeat what it has sent on them. An unanswered attempt is repeated
/// after a second, is refused by then, and goes elsewhere.
#[cfg(target_os = "linux")]
fn turn_away(listener: &TcpListener) {
    /// A classic packet filter. The packet begins with the TCP header; byte 13 has the flags.
    const SYN_ONLY_IS_DROPPED: [(u16, u8, u8, u32); 5] = [
        (0x30, 0, 0, 13),          // load the byte at 13
        (0x54, 0, 0, 0x12),        // keep SYN and ACK
        (0x15, 0, 1, 0x02),        // only SYN? else skip one
        (0x06, 0, 0, 0),           // drop
        (0x06, 0, 0, 0xffff_ffff), // pass all of it
    ];
    let filter =
        SYN_ONLY_IS_DROPPED.map(|(code, yes, no, operand)| socket2::SockFilter::new(code, yes, no, operand));
    if let Err(error) = socket2::SockRef::from(listener).attach_filter(&filter) {
        tracing::debug!(error = %error, "attempts to connect cannot be filtered");
    }
}

#[cfg(not(target_os = "linux"))]
fn turn_away(_: &TcpListener) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_half_of_the_connections_unless_many_come_from_it() {
        let allows = |proxies: Proxies, address: &str, others: usize| {
            let second = Duration::from_secs(1);
            let limits = Limits { connections: 5, proxies, idle: second, notice: second, grace: second };
            Door::new(Router::new(), &limits).has_room_for(address.parse().unwrap(), others)
        };
        let networks = || Proxies::Networks(vec!["10.0.0.0/8".parse().unwrap()]);
        for (proxies, address, others, expected) in [
            (Proxies::default(), "192.0.2.1", 2, true),
            (Proxies::default(), "192.0.2.1", 3, false),
            (Proxies::default(), "127.0.0.1", 3, true),
            (Proxies::default(), "::1", 3, true),
            (Proxies::Hops(1), "192.0.2.1", 3, true),
            (networks(), "192.0.2.1", 3, false),
            (networks(), "::ffff:10.1.2.3", 3, true),
        ] {
            assert_eq!(allows(proxies.clone(), address, others), expected, "{proxies:?} {address} {others}");
        }
    }
}
