//! What the official conformance suite asks of a server under test; only in builds with the feature
//! `conformance-fixtures`, which no release has.
//!
//! The suite is written for a server with test tools, resources and prompts of its own. Here they stand beside the
//! product's, behind the same edge, under the same identity, limits and guards: [`WithFixtures`] is the product's server
//! object with them in front, and everything else goes through to it. Names and contents are those that the suite's
//! scenarios state (`@modelcontextprotocol/conformance`).
//!
//! A group of fixtures is one file below with a function that returns them, and one line in [`TOOLS`] or [`PROMPTS`].

#![expect(
    deprecated,
    reason = "logs, sampling and resources/subscribe left the protocol; the suite still asks for them in older revisions"
)]

mod asking;
mod content;
mod input_required;
mod notices;
mod prompts;
mod registry;
mod resources;
mod schemas;
mod stateless;
mod tasks;

use std::{
    borrow::Cow,
    sync::{LazyLock, Mutex, PoisonError},
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams, CompleteResult,
        DiscoverResult, GetPromptRequestParams, GetPromptResponse, GetTaskParams, GetTaskResult,
        InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListToolsResult, LoggingLevel, PaginatedRequestParams, ProtocolVersion,
        ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
        SetLevelRequestMethod, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
        UnsubscribeRequestParams, UpdateTaskParams,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};

use self::registry::{Call, PromptFixture, ToolFixture, find};
use super::{McpServer, abilities};

/// Every test tool: one line for each file.
static TOOLS: LazyLock<Vec<ToolFixture>> = LazyLock::new(|| {
    [
        content::tools(),
        notices::tools(),
        asking::tools(),
        stateless::tools(),
        schemas::tools(),
        input_required::tools(),
        tasks::tools(),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// Every test prompt: one line for each file.
static PROMPTS: LazyLock<Vec<PromptFixture>> =
    LazyLock::new(|| [prompts::prompts(), input_required::prompts()].into_iter().flatten().collect());

/// The product's server object with the fixtures in front of it: one per request, or per live session.
pub(super) struct WithFixtures {
    product: McpServer,
    /// What `logging/setLevel` asked for on this live session.
    level: Mutex<LoggingLevel>,
}

/// Puts the fixtures in front of the product.
pub(super) fn with_fixtures(product: McpServer) -> WithFixtures {
    WithFixtures { product, level: Mutex::new(LoggingLevel::Debug) }
}

impl WithFixtures {
    /// What the fixtures can beyond the product: logs (2025 revisions), and notices that lists have changed.
    fn offer(capabilities: &mut ServerCapabilities) {
        capabilities.logging = Some(serde_json::Map::new());
        if let Some(tools) = &mut capabilities.tools {
            tools.list_changed = Some(true);
        }
        if let Some(prompts) = &mut capabilities.prompts {
            prompts.list_changed = Some(true);
        }
    }

    fn call<P>(&self, params: P, context: RequestContext<RoleServer>) -> Call<P> {
        let level = *self.level.lock().unwrap_or_else(PoisonError::into_inner);
        Call { product: self.product.clone(), level, params, context }
    }
}

impl ServerHandler for WithFixtures {
    fn get_info(&self) -> ServerConfig {
        let mut info = self.product.get_info();
        Self::offer(&mut info.capabilities);
        info
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.product.supported_protocol_versions()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut result = self.product.initialize(request, context).await?;
        Self::offer(&mut result.capabilities);
        Ok(result)
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let mut result = self.product.discover(context).await?;
        Self::offer(&mut result.capabilities);
        Ok(result)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut result = self.product.list_tools(request, context).await?;
        result.tools.extend(TOOLS.iter().map(|fixture| fixture.listed.clone()));
        Ok(result)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        find(&TOOLS, name).map(|fixture| fixture.listed.clone()).or_else(|| self.product.get_tool(name))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match find(&TOOLS, &request.name) {
            Some(fixture) => fixture.answer(self.call(request, context)).await,
            None => self.product.call_tool(request, context).await,
        }
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut result = self.product.list_prompts(request, context).await?;
        result.prompts.extend(PROMPTS.iter().map(|fixture| fixture.listed.clone()));
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        match find(&PROMPTS, &request.name) {
            Some(fixture) => fixture.answer(self.call(request, context)).await,
            None => self.product.get_prompt(request, context).await,
        }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        match prompts::complete(&request) {
            Some(result) => result,
            None => self.product.complete(request, context).await,
        }
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut result = self.product.list_resources(request, context).await?;
        result.resources.extend(resources::fixed());
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut result = self.product.list_resource_templates(request, context).await?;
        result.resource_templates.push(resources::template());
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match resources::read(&request.uri) {
            Some(result) => Ok(result.into()),
            None => self.product.read_resource(request, context).await,
        }
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let mut accepted = self.product.accepted_subscription_filter(requested)?;
        accepted.tools_list_changed = requested.tools_list_changed;
        accepted.prompts_list_changed = requested.prompts_list_changed;
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        if notices::wanted(context.accepted()) {
            notices::listen(&self.product, &context).await
        } else {
            self.product.listen(context).await
        }
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        // There is nothing to tell of it: it never changes.
        if request.uri == resources::WATCHED {
            Ok(())
        } else {
            self.product.subscribe(request, context).await
        }
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if request.uri == resources::WATCHED {
            Ok(())
        } else {
            self.product.unsubscribe(request, context).await
        }
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if abilities::is_modern(&context) {
            return Err(ErrorData::method_not_found::<SetLevelRequestMethod>());
        }
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = request.level;
        Ok(())
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        match tasks::get(&request) {
            Some(task) => Ok(task),
            None => self.product.get_task(request, context).await,
        }
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if tasks::update(&request) { Ok(()) } else { self.product.update_task(request, context).await }
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if tasks::cancel(&request) { Ok(()) } else { self.product.cancel_task(request, context).await }
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.product.on_initialized(context).await;
    }
}
