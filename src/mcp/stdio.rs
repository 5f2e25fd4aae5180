//! Standard input and output: one client, one caller, the same server object.
//!
//! What the edge does for requests over HTTP is done here for each message: it gets a [`CallScope`], and what a
//! `subscriptions/listen` asks for is opened before it is acknowledged. Nothing else is written to standard output.
//! [`serve`] is the conversation alone, for any service.

use std::{
    borrow::Cow,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use rmcp::{
    ErrorData, RoleServer, Service, ServiceExt,
    model::{ClientNotification, ClientRequest, GetTaskMethod, ProtocolVersion, ServerConfig, ServerResult},
    service::{NotificationContext, QuitReason, RequestContext, ServerInitializeError},
    transport::io::stdio_pipes,
};
use serde_json::json;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::{CallScope, ListenError, McpServer, abilities::is_modern, subscriptions, tasks, tools};
use crate::{
    auth::{Caller, step_up_message},
    telemetry::millis,
    tools::Selection,
};

/// Why serving standard input and output ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    /// The first message was none that a client may begin with.
    #[error("the client began with something other than a request of the protocol")]
    Opening,
    /// Standard output is gone.
    #[error("standard output cannot be written to")]
    Output,
    /// A fault of this process.
    #[error("the service broke down")]
    Broken,
}

/// See [`super::Mcp::serve_stdio`].
pub(super) async fn serve_local(
    server: McpServer,
    caller: Arc<Caller>,
    selection: Selection,
    stop: impl Future<Output = ()>,
) -> Result<(), StdioError> {
    let stopping = server.shared.stopping.clone();
    serve(Local { server, caller, selection }, stopping, stop).await
}

/// Serves until the client closes its end or `stop` completes. `stopping` is cancelled then, for what would not end by
/// itself.
///
/// # Errors
///
/// See [`StdioError`].
pub(crate) async fn serve(
    service: impl Service<RoleServer>,
    stopping: CancellationToken,
    stop: impl Future<Output = ()>,
) -> Result<(), StdioError> {
    let (input, output) = stdio_pipes();
    let input = Input { inner: input, ended: stopping.clone() };
    let cancelled = CancellationToken::new();
    let opening = service.serve_with_ct((input, output), cancelled.clone());
    let session = async {
        match Box::pin(opening).await {
            // Calls that are still running get a moment to answer: requests can be piped in.
            Ok(running) => match running.waiting().await {
                Ok(QuitReason::Closed | QuitReason::Cancelled) => Ok(()),
                _ => Err(StdioError::Broken),
            },
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
            Err(ServerInitializeError::TransportError { .. }) => Err(StdioError::Output),
            // The library's text has the message in it.
            Err(_) => Err(StdioError::Opening),
        }
    };
    let mut session = Box::pin(session);
    tokio::select! {
        ended = &mut session => ended,
        () = stop => {
            stopping.cancel();
            cancelled.cancel();
            session.await
        }
    }
}

/// The server object with a caller of its own.
struct Local {
    server: McpServer,
    caller: Arc<Caller>,
    selection: Selection,
}

impl Service<RoleServer> for Local {
    async fn handle_request(
        &self,
        mut request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let start = Instant::now();
        let version = context.protocol_version();
        let links = version.as_ref().is_none_or(|version| *version >= ProtocolVersion::V_2025_06_18);
        let scope = Arc::new(CallScope::local(Arc::clone(&self.caller), links, self.selection));
        let (method, tool) = self.names(&request);
        let modern = is_modern(&context);
        if !modern && tasks::METHODS.contains(&request.method()) {
            return Err(ErrorData::method_not_found::<GetTaskMethod>());
        }
        let opened = if modern { self.open(&mut request, &scope).await } else { Ok(()) };
        let result = match opened {
            Ok(()) => {
                context.extensions.insert(Arc::clone(&scope));
                Box::pin(self.server.handle_request(request, context)).await
            }
            Err(error) => Err(error),
        };
        tracing::info!(
            request.id = scope.request_id,
            duration_ms = millis(start.elapsed()),
            mcp.method = method,
            tool.name = tool,
            outcome = scope.outcome().unwrap_or(if result.is_ok() { "ok" } else { "error" }),
            "request"
        );
        result
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.server.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        Service::get_info(&self.server)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Service::supported_protocol_versions(&self.server)
    }
}

impl Local {
    /// Method and tool for the log, if they are known ones: others are the client's text.
    fn names(&self, request: &ClientRequest) -> (Option<String>, Option<&'static str>) {
        let method = match request {
            ClientRequest::CustomRequest(_) => None,
            known => Some(known.method().to_owned()),
        };
        let tool = match request {
            ClientRequest::CallToolRequest(call) => {
                self.server.shared.catalog.find(&call.params.name).map(|row| row.name)
            }
            _ => None,
        };
        (method, tool)
    }

    /// Opens what a `subscriptions/listen` asks for and leaves out of it what the caller cannot have.
    async fn open(&self, request: &mut ClientRequest, scope: &CallScope) -> Result<(), ErrorData> {
        let ClientRequest::SubscriptionsListenRequest(listen) = request else { return Ok(()) };
        let Some(uris) = &mut listen.params.notifications.resource_subscriptions else { return Ok(()) };
        let wanted: Vec<_> = uris.iter().map(String::as_str).collect();
        let accepted = subscriptions::follow(&self.server.shared, &wanted, scope).await;
        *uris = accepted.map_err(|error| match error {
            ListenError::Scope(needed) => {
                ErrorData::invalid_request(step_up_message(scope.caller.scopes(), needed), None)
            }
            ListenError::TooMany => subscriptions::too_many_error(scope, None),
            ListenError::Failed(error) => tools::protocol_error(scope, &error, json!({})),
        })?;
        Ok(())
    }
}

/// Standard input, which tells when it has ended: streams without an end of their own end with it.
struct Input<R> {
    inner: R,
    ended: CancellationToken,
}

impl<R: AsyncRead + Unpin> AsyncRead for Input<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer));
        if result.is_err() || buffer.filled().len() == before {
            self.ended.cancel();
        }
        Poll::Ready(result)
    }
}
