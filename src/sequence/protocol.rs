//! The two tools in the words of the protocol, in both eras.

use std::{borrow::Cow, sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, DiscoverResult,
        Implementation, ListToolsResult, PaginatedRequestParams, ProtocolVersion, ServerCapabilities,
        ServerConfig, Tool, ToolAnnotations,
    },
    service::RequestContext,
};
use schemars::JsonSchema;
use tokio::time::Instant;

use super::{
    bank::Bank,
    config::Config,
    confirm::{Confirmations, Confirmed},
    get_accounts, trigger_rule,
};
use crate::{
    mcp::{SUPPORTED, guard},
    telemetry::millis,
    tools::{Effect, Reply, ToolError, arguments, schema},
};

const INSTRUCTIONS: &str = "Sequence routes the user's money between Pods, income sources and accounts by rules. \
get_accounts shows balances. trigger_rule can move money: call it only when the user asks for that rule, and never \
again after an error unless its remedy says so.";

/// Deadline of a call, all attempts together.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// What the guard of a call waits beyond that, so that the call can say itself what is known.
const MARGIN: Duration = Duration::from_secs(5);
/// How long a client may keep the list of tools: it is the same until this process ends.
const LIST_TTL_MS: u64 = 300_000;

/// The server object. Cloning it copies one pointer.
#[derive(Clone)]
pub(super) struct SequenceServer {
    shared: Arc<Shared>,
}

struct Shared {
    bank: Bank,
    config: Config,
    confirmations: Confirmations,
    accounts: Tool,
    trigger: Tool,
}

impl SequenceServer {
    /// Builds everything. Nothing is sent yet.
    pub fn new(config: &Config, bank: Bank) -> Self {
        let accounts = describe::<get_accounts::Args, get_accounts::Output>(
            get_accounts::NAME,
            get_accounts::DESCRIPTION,
            ToolAnnotations::with_title(get_accounts::TITLE)
                .read_only(true)
                .destructive(false)
                .idempotent(true),
        );
        // Idempotent only with a key, so the hint says no.
        let mut trigger = describe::<trigger_rule::Args, trigger_rule::Output>(
            trigger_rule::NAME,
            trigger_rule::DESCRIPTION,
            ToolAnnotations::with_title(trigger_rule::TITLE)
                .read_only(false)
                .destructive(true)
                .idempotent(false),
        );
        if !config.secret_argument
            && let Some(properties) = Arc::make_mut(&mut trigger.input_schema).get_mut("properties")
            && let Some(properties) = properties.as_object_mut()
        {
            properties.remove(trigger_rule::SECRET_ARGUMENT);
        }
        let confirmations = Confirmations::default();
        Self { shared: Arc::new(Shared { bank, config: config.clone(), confirmations, accounts, trigger }) }
    }

    async fn call(
        &self,
        tool: &Tool,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Answer, ToolError> {
        let shared = Arc::clone(&self.shared);
        if tool.name == get_accounts::NAME {
            let arguments = request.arguments.unwrap_or_default();
            let get_accounts::Args {} = arguments::read(&tool.input_schema, arguments)?;
            let deadline = guard::deadline(CALL_TIMEOUT);
            let work = async move {
                get_accounts::call(&shared.bank, shared.config.access_token.as_ref(), deadline).await
            };
            return guarded(work, deadline, Effect::Read, context).await.map(Answer::Reply);
        }
        let arguments = request.arguments.clone().unwrap_or_default();
        let order = trigger_rule::prepare(&shared.config, &tool.input_schema, arguments)?;
        match shared.confirmations.confirm(order, &request, context).await? {
            Confirmed::Ask(question) => Ok(Answer::Ask(question.into())),
            Confirmed::Go(order) => {
                let deadline = guard::deadline(CALL_TIMEOUT);
                let work = async move { order.send(&shared.bank, deadline).await };
                guarded(work, deadline, Effect::Create, context).await.map(Answer::Reply)
            }
        }
    }
}

/// What a call leads to.
enum Answer {
    Reply(Reply),
    Ask(CallToolResponse),
}

/// A tool in the library's words. Both reach out to a system that others change too.
fn describe<A: JsonSchema, O: JsonSchema>(
    name: &'static str,
    description: &'static str,
    annotations: ToolAnnotations,
) -> Tool {
    let title = annotations.title.clone();
    let mut tool =
        Tool::new(name, description, schema::input::<A>()).with_annotations(annotations.open_world(true));
    tool.title = title;
    tool.output_schema = Some(schema::reference::<O>());
    tool
}

async fn guarded(
    work: impl Future<Output = Result<Reply, ToolError>> + Send + 'static,
    deadline: Instant,
    effect: Effect,
    context: &RequestContext<RoleServer>,
) -> Result<Reply, ToolError> {
    let ended = guard::run(work, deadline + MARGIN, effect.writes(), &context.ct).await;
    ended.into_result(effect, CALL_TIMEOUT + MARGIN)
}

impl ServerHandler for SequenceServer {
    fn get_info(&self) -> ServerConfig {
        let implementation = Implementation::new("sequence-banking", env!("CARGO_PKG_VERSION"))
            .with_title("Sequence banking")
            .with_description("Balances and rules of one user of Sequence, a router of personal finances.")
            .with_website_url("https://getsequence.io");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(implementation)
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
            .with_instructions(INSTRUCTIONS)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&SUPPORTED)
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let discovered =
            DiscoverResult::from_server_info(vec![ProtocolVersion::V_2026_07_28], self.get_info());
        Ok(discovered.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("Unknown cursor: this list is one page.", None));
        }
        let tools = vec![self.shared.accounts.clone(), self.shared.trigger.clone()];
        Ok(ListToolsResult::with_all_items(tools)
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Private))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        [&self.shared.accounts, &self.shared.trigger].into_iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let start = Instant::now();
        let request_id = uuid::Uuid::now_v7().to_string();
        let Some(tool) = self.get_tool(&request.name) else {
            return Err(ErrorData::invalid_params("unknown tool: tools/list shows the names", None));
        };
        let answer = self.call(&tool, request, &context).await;
        let (outcome, cause) = match &answer {
            Ok(Answer::Reply(_)) => ("ok", None),
            Ok(Answer::Ask(_)) => ("asked", None),
            Err(error) => (error.code(), error.cause()),
        };
        tracing::info!(
            request.id = request_id,
            tool.name = &*tool.name,
            duration_ms = millis(start.elapsed()),
            outcome,
            cause,
            "request"
        );
        Ok(match answer {
            Ok(Answer::Ask(question)) => question,
            Ok(Answer::Reply(reply)) => {
                let structured = reply.to_value();
                let mut result = CallToolResult::success(vec![ContentBlock::text(reply.into_json())]);
                result.structured_content = Some(structured);
                result.into()
            }
            Err(error) => {
                CallToolResult::error(vec![ContentBlock::text(error.to_json(Some(&request_id)))]).into()
            }
        })
    }
}
