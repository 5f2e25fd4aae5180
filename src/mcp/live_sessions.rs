//! The library's sessions in memory, for clients of the 2025 revisions that want to be sent something.
//!
//! They are opened and closed to the end, whoever goes away meanwhile: half of one would stay for good, because the
//! library counts none and ends none. How many there are, and whose, is the edge's business.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rmcp::transport::streamable_http_server::{
    SessionManager, StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};

use super::{Answer, McpServer, Served, served};

/// The header with the library's id of a session.
const SESSION_ID: &str = "mcp-session-id";

/// The sessions, and the library's service around them.
pub(super) struct LiveSessions {
    service: StreamableHttpService<Served, LocalSessionManager>,
    sessions: Arc<LocalSessionManager>,
}

impl LiveSessions {
    /// None yet. Each will be served by a copy of `server`.
    pub(super) fn new(server: &McpServer, library: StreamableHttpServerConfig) -> Self {
        let mut sessions = LocalSessionManager::default();
        // The edge ends sessions that are idle: it knows of open streams, which the library does not count.
        sessions.session_config.keep_alive = None;
        let sessions = Arc::new(sessions);
        let factory = {
            let server = server.clone();
            move || Ok(served(McpServer { live: Some(Arc::default()), ..server.clone() }))
        };
        let library = library.with_legacy_session_mode(true);
        Self { service: StreamableHttpService::new(factory, Arc::clone(&sessions), library), sessions }
    }

    /// A message within a session, or the GET that listens to one.
    pub(super) async fn handle(&self, request: Request<Full<Bytes>>) -> Answer {
        self.service.handle(request).await
    }

    /// The `initialize` that opens a session. `opened` hears its id.
    pub(super) async fn open(
        &self,
        request: Request<Full<Bytes>>,
        opened: impl FnOnce(&str) + Send + 'static,
    ) -> Answer {
        let service = self.service.clone();
        to_the_end(async move {
            let answer = service.handle(request).await;
            if let Some(id) = answer.headers().get(SESSION_ID).and_then(|id| id.to_str().ok()) {
                opened(id);
            }
            answer
        })
        .await
    }

    /// Ends a session: its calls are cancelled, its streams end.
    pub(super) async fn close(&self, id: &str) {
        let (sessions, id) = (Arc::clone(&self.sessions), id.into());
        to_the_end(async move {
            if let Err(error) = sessions.close_session(&id).await {
                tracing::debug!(%error, "a live session could not be ended");
            }
        })
        .await;
    }
}

/// Runs `work` to its end, even if this future is dropped before.
async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work).await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // Nobody aborts it: the process ends, and this with it.
        Err(Err(_cancelled)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_is_begun_ends_although_nobody_waits_for_it() {
        let (go, wait) = oneshot::channel::<()>();
        let (done, finished) = oneshot::channel();
        let mut work = Box::pin(to_the_end(async move {
            let _ = wait.await;
            let _ = done.send(());
        }));
        assert!(poll!(&mut work).is_pending());
        drop(work);
        let _ = go.send(());
        finished.await.unwrap();
    }
}
