//! The protocol: one short method per MCP method, both eras on one object.
//!
//! [`McpServer`] is built once and shared by every request; nothing in here is per client. Who is calling travels with
//! each request in a [`CallScope`] that the edge puts in. Only this module names the MCP library.

mod completions;
mod direct;
mod guard;
mod instructions;
mod progress;
mod prompts;
mod resources;
mod scope;
mod tools;

use std::{borrow::Cow, sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
        DiscoverResult, GetPromptRequestParams, GetPromptResponse, Implementation, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams, Prompt,
        ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, Resource, ResourceTemplate,
        ServerCapabilities, ServerConfig, Tool,
    },
    service::{NotificationContext, RequestContext},
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};

use bytes::Bytes;
use http_body_util::{Full, combinators::BoxBody};
use serde_json::value::RawValue;

pub use self::scope::CallScope;
use crate::{
    api::Api,
    auth::ScopeSet,
    clock::Clock,
    completions::Completions,
    config,
    prompts::{PromptError, Prompts},
    resources::ResourceUri,
    tools::{Catalog, Row},
};

/// The revisions served, oldest first. Those before 2026-07-28 begin with `initialize`.
pub const REVISIONS: [&str; 4] = ["2025-03-26", "2025-06-18", "2025-11-25", NEWEST];
/// The revision without handshake.
pub const NEWEST: &str = "2026-07-28";
/// The member of `_meta` that marks a request of [`NEWEST`].
pub const META_PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

const SUPPORTED: [ProtocolVersion; 4] = [
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// The protocol, as the edge uses it: one message in, one answer out.
pub struct Mcp {
    server: McpServer,
    /// The library's HTTP service around the same server object.
    service: StreamableHttpService<McpServer, NeverSessionManager>,
}

/// The server object that the library calls. Cloning it copies one pointer.
#[derive(Clone)]
pub(crate) struct McpServer(Arc<Shared>);

pub(crate) struct Shared {
    api: Arc<Api>,
    clock: Clock,
    catalog: Arc<Catalog>,
    prompts: Prompts,
    completions: Arc<Completions>,
    lists: Lists,
    info: ServerConfig,
    list_cache_ttl: Duration,
    call_timeout: Duration,
}

/// What clients list, in the library's types, each item with the scopes of what it leads to. Built once.
struct Lists {
    tools: Vec<(ScopeSet, Tool)>,
    prompts: Vec<(ScopeSet, Prompt)>,
    resources: Vec<(ScopeSet, Resource)>,
    templates: Vec<(ScopeSet, ResourceTemplate)>,
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
    ) -> Result<Self, PromptError> {
        let capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_prompts()
            .enable_resources()
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
        let lists = Lists {
            tools: catalog.rows().iter().map(|row| (row.scopes, tools::describe(row))).collect(),
            prompts: prompts.all().iter().map(|prompt| prompts::describe(prompt, &catalog)).collect(),
            resources: resources::describe_fixed(&catalog),
            templates: resources::describe_templates(&catalog),
        };
        let server = McpServer(Arc::new(Shared {
            api,
            completions: Arc::new(Completions::new(clock.clone())),
            clock,
            catalog,
            prompts,
            lists,
            info,
            list_cache_ttl: config.list_cache_ttl,
            call_timeout: config.call_timeout,
        }));
        // Hosts, origins, sessions and body limits are the edge's business, so they are off here.
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .disable_allowed_hosts()
            .disable_allowed_origins()
            .with_sse_keep_alive(Some(Duration::from_secs(15)));
        let factory = {
            let server = server.clone();
            move || Ok(server.clone())
        };
        let service = StreamableHttpService::new(factory, Arc::default(), config);
        Ok(Self { server, service })
    }

    /// What a caller must hold for a request to be dispatched: nothing for a list, the scopes of the tool for a call,
    /// those of the tool behind it for a resource. `target` is what the request names: a tool, a prompt, a URI.
    #[must_use]
    pub fn required_scopes(&self, method: &str, target: Option<&str>) -> ScopeSet {
        let catalog = &self.server.0.catalog;
        match (method, target) {
            ("tools/call", Some(name)) => catalog.find(name).map_or(ScopeSet::EMPTY, |row| row.scopes),
            ("resources/read", Some(uri)) => {
                let uri = uri.parse::<ResourceUri>();
                uri.map_or(ScopeSet::EMPTY, |uri| resources::scopes(uri.kind(), catalog))
            }
            _ => ScopeSet::EMPTY,
        }
    }

    /// Any message, with the library's rules for its era.
    pub async fn handle(
        &self,
        request: http::Request<Full<Bytes>>,
    ) -> http::Response<BoxBody<Bytes, std::convert::Infallible>> {
        self.service.handle(request).await
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
        direct::call(&self.server.0, row, id, arguments, modern, scope).await
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        self.0.info.clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&SUPPORTED)
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
        let items = Self::visible(request, &context, &self.0.lists.tools)?;
        Ok(ListToolsResult::with_all_items(items)
            .with_ttl_ms(self.list_cache_ttl_ms())
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let items = Self::visible(request, &context, &self.0.lists.prompts)?;
        Ok(ListPromptsResult::with_all_items(items)
            .with_ttl_ms(self.list_cache_ttl_ms())
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let items = Self::visible(request, &context, &self.0.lists.resources)?;
        Ok(ListResourcesResult::with_all_items(items)
            .with_ttl_ms(self.list_cache_ttl_ms())
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let items = Self::visible(request, &context, &self.0.lists.templates)?;
        Ok(ListResourceTemplatesResult::with_all_items(items)
            .with_ttl_ms(self.list_cache_ttl_ms())
            .with_cache_scope(CacheScope::Private))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let scope = CallScope::of(&context)?;
        let got = prompts::get(&self.0, request);
        scope.report(got.as_ref().err().map_or("ok", |(code, _)| code), None);
        got.map(Into::into).map_err(|(_, error)| error)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let scope = CallScope::of(&context)?;
        resources::read(&self.0, &request.uri, &context.ct, &scope).await.map(Into::into)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let scope = CallScope::of(&context)?;
        completions::complete(&self.0, request, &context.ct, &scope).await
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.lists.tools.iter().map(|(_, tool)| tool).find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        tools::call(&self.0, request, context).await
    }

    async fn on_initialized(&self, _: NotificationContext<RoleServer>) {}
}

impl McpServer {
    /// The items of a list that this caller can use, in their order; every list is one page.
    ///
    /// What lacks nothing but a scope that is never asked for at first sign-in stays visible: calling it is what leads
    /// to the challenge that asks for it.
    fn visible<T: Clone>(
        request: Option<PaginatedRequestParams>,
        context: &RequestContext<RoleServer>,
        list: &[(ScopeSet, T)],
    ) -> Result<Vec<T>, ErrorData> {
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("Unknown cursor: this list is one page.", None));
        }
        let held = CallScope::of(context)?.caller.scopes().union(ScopeSet::STEP_UP);
        Ok(list.iter().filter(|(needed, _)| held.contains(*needed)).map(|(_, item)| item.clone()).collect())
    }

    fn list_cache_ttl_ms(&self) -> u64 {
        u64::try_from(self.0.list_cache_ttl.as_millis()).unwrap_or(u64::MAX)
    }
}
