//! The protocol: one short method per MCP method, both eras on one object.
//!
//! [`McpServer`] is built once and shared by every request; only a live session has anything of its own. Who is calling
//! travels with each request in a [`CallScope`] that the edge puts in. Only this module and [`sequence`](crate::sequence) name
//! the MCP library.

pub(crate) mod abilities;
mod asking;
mod audit;
mod completions;
mod direct;
#[cfg(feature = "conformance-fixtures")]
mod fixtures;
pub(crate) mod guard;
mod instructions;
mod lists;
mod live_sessions;
mod progress;
mod prompts;
mod request_target;
mod resources;
mod scope;
pub(crate) mod stdio;
mod subscriptions;
mod tasks;
mod tools;

use std::{borrow::Cow, sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams,
        CompleteResult, DiscoverResult, GetPromptRequestParams, GetPromptResponse, GetTaskParams,
        GetTaskResult, Implementation, InitializeRequestParams, InitializeResult, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
        SubscribeRequestMethod, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestMethod,
        UnsubscribeRequestParams, UpdateTaskParams,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};

use bytes::Bytes;
use http_body_util::{Full, combinators::BoxBody};
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

// What the library serves: in a fixture build with the official suite's test tools in front of it.
#[cfg(not(feature = "conformance-fixtures"))]
use self::McpServer as Served;
#[cfg(feature = "conformance-fixtures")]
use self::fixtures::{WithFixtures as Served, with_fixtures as served};
#[cfg(not(feature = "conformance-fixtures"))]
use std::convert::identity as served;

use self::live_sessions::LiveSessions;
pub(crate) use self::subscriptions::too_many;
pub use self::{
    audit::{Audited, Auditor},
    request_target::RequestTarget,
    scope::{CallScope, Counted},
    stdio::StdioError,
    subscriptions::ListenError,
};
use self::{lists::Lists, subscriptions::LiveSubscriptions};
use crate::{
    api::Api,
    auth::Caller,
    clock::Clock,
    completions::Completions,
    config,
    prompts::{PromptError, Prompts},
    seal::Sealer,
    subscriptions::Subscriptions,
    tools::{Catalog, Row, Selection},
};

/// The revisions served, oldest first. Those before 2026-07-28 begin with `initialize`.
pub const REVISIONS: [&str; 4] = ["2025-03-26", "2025-06-18", "2025-11-25", NEWEST];
/// The revision without handshake.
pub const NEWEST: &str = "2026-07-28";
/// The member of `_meta` that marks a request of [`NEWEST`].
pub const META_PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// The extension under which calls become tasks, in [`NEWEST`] only.
pub const TASKS_EXTENSION: &str = rmcp::model::TASKS_EXTENSION_ID;

/// [`REVISIONS`] in the library's words.
pub(crate) const SUPPORTED: [ProtocolVersion; 4] = [
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// Between two comments on a quiet event stream, so that nothing in between takes it for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What the library answers.
pub type Answer = http::Response<BoxBody<Bytes, std::convert::Infallible>>;

/// The protocol, as the edge uses it: one message in, one answer out.
pub struct Mcp {
    server: McpServer,
    /// The library's HTTP service around the same server object.
    service: StreamableHttpService<Served, NeverSessionManager>,
    /// The same with sessions in memory, for clients of the 2025 revisions.
    live: Option<LiveSessions>,
}

/// The server object that the library calls. Cloning it copies one pointer.
#[derive(Clone)]
pub(crate) struct McpServer {
    shared: Arc<Shared>,
    /// What a live session, or the client of standard input, is subscribed to; nothing else is kept per client.
    live: Option<Arc<LiveSubscriptions>>,
}

pub(crate) struct Shared {
    api: Arc<Api>,
    clock: Clock,
    catalog: Arc<Catalog>,
    prompts: Prompts,
    completions: Arc<Completions>,
    subscriptions: Subscriptions,
    lists: Lists,
    info: ServerConfig,
    /// Makes and opens what clients keep for the server.
    sealer: Arc<Sealer>,
    /// Cancelled when the process is about to end: streams without an end of their own end then.
    stopping: CancellationToken,
    list_cache_ttl: Duration,
    call_timeout: Duration,
    /// Whether users are asked before a call, where they can be.
    asks: bool,
}

impl Mcp {
    /// Builds everything that requests share.
    ///
    /// # Errors
    ///
    /// When the template of a prompt is broken.
    pub fn new(
        config: &config::Mcp,
        api: Arc<Api>,
        catalog: Arc<Catalog>,
        clock: Clock,
        sealer: Arc<Sealer>,
    ) -> Result<Self, PromptError> {
        let capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_prompts()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_tasks()
            .enable_tools()
            .build();
        let implementation = Implementation::new("sequentum-mcp", env!("CARGO_PKG_VERSION"))
            .with_title("Sequentum")
            .with_description(env!("CARGO_PKG_DESCRIPTION"))
            .with_website_url("https://www.sequentum.com");
        let info = ServerConfig::new(capabilities)
            .with_server_info(implementation)
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
            .with_instructions(instructions::text());
        let prompts = Prompts::new()?;
        let lists = Lists::new(&catalog, &prompts);
        let shared = Arc::new(Shared {
            subscriptions: Subscriptions::new(Arc::clone(&api), clock.clone()),
            api,
            completions: Arc::new(Completions::new(clock.clone())),
            stopping: CancellationToken::new(),
            clock,
            catalog,
            prompts,
            lists,
            info,
            sealer,
            list_cache_ttl: config.list_cache_ttl,
            call_timeout: config.call_timeout,
            asks: config.confirm,
        });
        let server = McpServer { shared, live: None };
        // Hosts, origins and body limits are the edge's business, so they are off here.
        let library = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .disable_allowed_hosts()
            .disable_allowed_origins()
            .with_sse_keep_alive(Some(KEEP_ALIVE));
        let live = config.live_sessions.then(|| LiveSessions::new(&server, library.clone()));
        let factory = {
            let server = server.clone();
            move || Ok(served(server.clone()))
        };
        let service = StreamableHttpService::new(factory, Arc::default(), library);
        Ok(Self { server, service, live })
    }

    /// Ends every stream that has no end of its own. Calls are not touched.
    pub fn drain(&self) {
        self.server.shared.stopping.cancel();
    }

    /// What a request names, if that is known here. `named` is its text: the name of a tool or a prompt, a URI, the id of a
    /// task of the caller's. Opening such an id costs something: to be asked once for each request.
    #[must_use]
    pub fn target(&self, method: &str, named: Option<&str>, caller: &Caller) -> RequestTarget {
        RequestTarget::of(&self.server.shared, method, named, caller)
    }

    /// Any message, with the library's rules for its era.
    pub async fn handle(&self, request: http::Request<Full<Bytes>>) -> Answer {
        self.service.handle(request).await
    }

    /// The `initialize` that opens a live session. It is opened to the end although this future may be dropped on the way,
    /// when the client goes: the library would keep half of one for good. `opened` hears the library's id of it.
    pub async fn open_live(
        &self,
        request: http::Request<Full<Bytes>>,
        opened: impl FnOnce(&str) + Send + 'static,
    ) -> Answer {
        match &self.live {
            Some(live) => live.open(request, opened).await,
            None => self.handle(request).await,
        }
    }

    /// A message within a live session (with the library's id of it) or the GET that listens to one. Without live sessions
    /// this is [`Mcp::handle`].
    pub async fn handle_live(&self, request: http::Request<Full<Bytes>>) -> Answer {
        match &self.live {
            Some(live) => live.handle(request).await,
            None => self.handle(request).await,
        }
    }

    /// Ends a live session, to the end as well: its calls are cancelled, its streams end.
    pub async fn close_live(&self, id: &str) {
        if let Some(live) = &self.live {
            live.close(id).await;
        }
    }

    /// Opens what a `subscriptions/listen` asks for and returns the message to hand on: without what the caller cannot
    /// have.
    ///
    /// # Errors
    ///
    /// See [`ListenError`].
    pub async fn open_subscriptions(&self, body: &Bytes, scope: &CallScope) -> Result<Bytes, ListenError> {
        subscriptions::open(&self.server.shared, body, scope).await
    }

    /// Serves the user who started this process over standard input and output, in whichever era the client begins,
    /// until the client closes its end or `stop` completes.
    ///
    /// # Errors
    ///
    /// See [`StdioError`].
    pub async fn serve_stdio(
        &self,
        caller: Arc<Caller>,
        selection: Selection,
        stop: impl Future<Output = ()>,
    ) -> Result<(), StdioError> {
        let server = McpServer { live: Some(Arc::default()), ..self.server.clone() };
        stdio::serve_local(server, caller, selection, stop).await
    }

    /// Whether a call of this tool may be answered with a question (`input_required`), so that it needs the library. In
    /// the 2025 revisions a question is a request, for which the library is needed anyway.
    #[must_use]
    pub fn may_ask(&self, row: &Row, modern: bool) -> bool {
        modern && self.server.shared.asks && row.asks.anything()
    }

    /// A call of a known tool that asks for nothing but its result, and about which the library has nothing to say.
    /// Returns the complete JSON-RPC answer.
    pub async fn call(
        &self,
        row: &Row,
        id: &RawValue,
        arguments: Option<&RawValue>,
        modern: bool,
        scope: &CallScope,
    ) -> Vec<u8> {
        direct::call(&self.server.shared, row, id, arguments, modern, scope).await
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        self.shared.info.clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&SUPPORTED)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        let mut result = self.negotiate_initialize(&request)?;
        // In the 2025 revisions there is nowhere to send updates to but a live session or standard output.
        if self.live.is_none()
            && let Some(resources) = &mut result.capabilities.resources
        {
            resources.subscribe = None;
        }
        // Tasks came with the newer era.
        result.capabilities.extensions = None;
        Ok(result)
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        // Only revisions that can be used without a handshake belong here.
        let discovered =
            DiscoverResult::from_server_info(vec![ProtocolVersion::V_2026_07_28], self.get_info());
        Ok(discovered.with_ttl_ms(self.list_cache_ttl_ms()).with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let items = lists::visible(request, &context, &self.shared.lists.tools)?;
        Ok(ListToolsResult::with_all_items(items)
            .with_ttl_ms(self.list_cache_ttl_ms())
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let items = lists::visible(request, &context, &self.shared.lists.prompts)?;
        Ok(ListPromptsResult::with_all_items(items)
            .with_ttl_ms(self.list_cache_ttl_ms())
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let items = lists::visible(request, &context, &self.shared.lists.resources)?;
        Ok(ListResourcesResult::with_all_items(items)
            .with_ttl_ms(self.list_cache_ttl_ms())
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let items = lists::visible(request, &context, &self.shared.lists.templates)?;
        Ok(ListResourceTemplatesResult::with_all_items(items)
            .with_ttl_ms(self.list_cache_ttl_ms())
            .with_cache_scope(CacheScope::Private))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(self, request, context).await
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let scope = CallScope::of(&context)?;
        resources::read(&self.shared, &request.uri, &context.ct, &scope).await.map(Into::into)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let scope = CallScope::of(&context)?;
        completions::complete(&self.shared, request, &context.ct, &scope).await
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(subscriptions::served(requested))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let scope = CallScope::of(context.request_context())?;
        scope.report("ok", None);
        subscriptions::serve(&self.shared, &context, &scope).await;
        Ok(())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let scope = CallScope::of(&context)?;
        let Some(live) = &self.live else {
            return Err(ErrorData::method_not_found::<SubscribeRequestMethod>());
        };
        live.subscribe(&self.shared, request.uri, context.peer.clone(), &scope).await
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let Some(live) = &self.live else {
            return Err(ErrorData::method_not_found::<UnsubscribeRequestMethod>());
        };
        live.unsubscribe(&request.uri);
        Ok(())
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.shared.lists.tools.iter().map(|(_, tool)| tool).find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        tools::call(self, request, context).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        tasks::get(&self.shared, &request.task_id, &context).await
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::update(&self.shared, &request.task_id, &context)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::cancel(&self.shared, &request.task_id, &context).await
    }

    async fn on_initialized(&self, _: NotificationContext<RoleServer>) {}
}

impl McpServer {
    fn list_cache_ttl_ms(&self) -> u64 {
        u64::try_from(self.shared.list_cache_ttl.as_millis()).unwrap_or(u64::MAX)
    }
}
