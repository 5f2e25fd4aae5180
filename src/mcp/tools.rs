//! From a catalogue row to the protocol and back.

use std::{borrow::Cow, sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer,
    model::{
        Annotations, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Resource, Tool,
        ToolAnnotations,
    },
    service::RequestContext,
};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::{
    CallScope, McpServer, Shared,
    abilities::is_modern,
    asking::{self, AskOutcome, Asker},
    guard,
    progress::PeerSink,
    tasks,
};
use crate::{
    auth::step_up_message,
    tools::{
        Asked, Effect, Link, Links, Prepared, Progress, Reach, Reply, Row, ToolCx, ToolError,
        asking::NAME_PATIENCE,
    },
};

/// What a tool has beyond its deadline, to say what became of its last request.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// A tool in the library's words.
pub(super) fn describe(row: &Row) -> Tool {
    let [read_only, destructive, idempotent, open_world] = row.effect.hints();
    let annotations = ToolAnnotations::with_title(row.title)
        .read_only(read_only)
        .destructive(destructive)
        .idempotent(idempotent)
        .open_world(open_world);
    let mut tool =
        Tool::new(row.name, row.description, Arc::clone(&row.published_input)).with_annotations(annotations);
    tool.title = Some(row.title.to_owned());
    tool.output_schema = Some(Arc::clone(&row.output_schema));
    tool
}

/// `tools/call`, as the library hands it over.
pub(super) async fn call(
    server: &McpServer,
    request: CallToolRequestParams,
    context: RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let scope = CallScope::of(&context)?;
    let shared = &*server.shared;
    let Some(row) = shared.catalog.find(&request.name) else {
        scope.report("unknown_tool", None);
        return Err(ErrorData::invalid_params("unknown tool: tools/list shows the names", None));
    };
    if !scope.selection.admits(Reach::of(row)) {
        scope.report("tool_not_offered", None);
        let message = "this tool is switched off here, by the operator (READ_ONLY, TOOLSETS) or by the address of this connection (readonly, toolsets)";
        return Err(ErrorData::invalid_params(message, None));
    }
    // The edge has checked this before dispatch; here it holds for whoever else may call.
    if !scope.caller.scopes().contains(row.scopes) {
        scope.report("insufficient_scope", None);
        return Err(ErrorData::invalid_request(step_up_message(scope.caller.scopes(), row.scopes), None));
    }
    let progress = match context.meta.get_progress_token() {
        Some(token) if scope.streams => {
            Progress::to(Arc::new(PeerSink { peer: context.peer.clone(), token }))
        }
        _ => Progress::default(),
    };
    let prepared = match ready(server, row, request, &context, &scope).await {
        Ready::Yes(prepared) => prepared,
        Ready::No(error) => return Ok(result(Err(refuse(&scope, &error)), &scope).into()),
        Ready::Instead(answer) => return answer,
    };
    if let Some(long) = tasks::wanted(row, &context, &scope) {
        return Ok(tasks::begin(shared, row, long, prepared, progress, &context.ct, &scope).await);
    }
    let cancelled = taken_back(row, &context, &scope, server.live.is_some());
    let reply = perform(shared, row, prepared, progress, &cancelled, &scope).await;
    Ok(result(told_of(&scope, reply), &scope).into())
}

/// What takes this call back: the client, by saying so or, in the newer era, by hanging up. In the 2025 revisions a
/// connection that breaks is no cancellation (2025-11-25, "Transports"): what reads is dropped all the same, because without
/// a live session nobody can ever fetch the answer; what writes goes on and is not asked to stop. On a `live` connection the
/// client can say that it takes a call back, so a broken request means nothing.
fn taken_back(
    row: &Row,
    context: &RequestContext<RoleServer>,
    scope: &CallScope,
    live: bool,
) -> CancellationToken {
    if live || !row.effect.writes() || is_modern(context) {
        return context.ct.clone();
    }
    let said = CancellationToken::new();
    scope.cancels(&said);
    said
}

/// The result of a call in the library's words. The error is the text for the client.
pub(super) fn result(reply: Result<Reply, String>, scope: &CallScope) -> CallToolResult {
    match reply {
        Ok(reply) => {
            let structured = reply.to_value();
            let links = reply.links().iter().filter(|_| scope.links).map(link);
            let links: Vec<_> = links.collect();
            let mut blocks = vec![ContentBlock::text(reply.into_json())];
            blocks.extend(links);
            let mut result = CallToolResult::success(blocks);
            result.structured_content = Some(structured);
            result
        }
        Err(text) => CallToolResult::error(vec![ContentBlock::text(text)]),
    }
}

/// A link in the library's words.
pub(super) fn link(link: &Link) -> ContentBlock {
    let mut resource = Resource::new(link.uri.to_string(), link.name.as_str());
    resource.mime_type.clone_from(&link.mime_type);
    resource.size = link.size;
    resource.annotations = link.annotations.as_ref().map(|modified| {
        let mut annotations = Annotations::default();
        annotations.last_modified = Some(modified.last_modified.clone());
        annotations
    });
    ContentBlock::resource_link(resource)
}

/// Runs a tool under its guards and reports to the edge and the log. The error is the text for the client.
pub(super) async fn run(
    shared: &Shared,
    row: &Row,
    arguments: Map<String, Value>,
    progress: Progress,
    cancelled: &CancellationToken,
    scope: &CallScope,
) -> Result<Reply, String> {
    told_of(scope, attempt(shared, row, arguments, progress, cancelled, scope).await)
}

/// Reports how a call ended. The error is the text for the client.
fn told_of(scope: &CallScope, result: Result<Reply, ToolError>) -> Result<Reply, String> {
    match result {
        Ok(reply) => {
            scope.report("ok", None);
            Ok(reply)
        }
        Err(error) => Err(refuse(scope, &error)),
    }
}

/// Whether a call can start.
enum Ready {
    Yes(Prepared),
    No(ToolError),
    /// It is answered with something that is no result of the tool.
    Instead(Result<CallToolResponse, ErrorData>),
}

/// Reads the arguments of a call and asks the user what the tool wants to know first.
async fn ready(
    server: &McpServer,
    row: &Row,
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
    scope: &Arc<CallScope>,
) -> Ready {
    let mut arguments = request.arguments.unwrap_or_default();
    let rounds = (request.input_responses, request.request_state);
    let asker = row
        .asks
        .anything()
        .then(|| Asker::new(server, context, scope, ("tools/call", row.name, Some(&arguments)), rounds));
    if let (Some(asker), Asked::Details(details)) = (&asker, row.asks)
        && let Some(question) = (details.missing)(&arguments)
    {
        let words = std::future::ready(Ok(question.message));
        match asker.ask(asking::DETAILS, question.fields, words).await {
            AskOutcome::Answered(answers) => (details.complete)(&mut arguments, &answers),
            other => {
                if let Some(not_ready) = other.into_not_ready() {
                    return not_ready;
                }
            }
        }
    }
    let mut prepared = match row.prepare(arguments) {
        Ok(prepared) => prepared,
        Err(error) => return Ready::No(error),
    };
    if let (Some(asker), Some(confirmation)) = (&asker, prepared.confirmation.take()) {
        let cx = self::context(&server.shared, scope, Progress::default(), &context.ct, NAME_PATIENCE);
        let words = async move { confirmation.question(&cx).await };
        let words = Box::pin(guarded(Work::looking(row, NAME_PATIENCE), words, &context.ct, scope));
        if let Some(not_ready) = asker.ask(asking::CONFIRMATION, &[], words).await.into_not_ready() {
            return not_ready;
        }
    }
    Ready::Yes(prepared)
}

impl AskOutcome {
    /// What a call is answered with instead of being started, if that is what came of asking.
    fn into_not_ready(self) -> Option<Ready> {
        match self {
            Self::Nobody | Self::Answered(_) => None,
            Self::Round(round) => Some(Ready::Instead(Ok(round.into()))),
            Self::Refused(error) => Some(Ready::No(error)),
            Self::Foreign(error) => Some(Ready::Instead(Err(error))),
        }
    }
}

/// Runs a tool under its guards.
pub(super) async fn attempt(
    shared: &Shared,
    row: &Row,
    arguments: Map<String, Value>,
    progress: Progress,
    cancelled: &CancellationToken,
    scope: &CallScope,
) -> Result<Reply, ToolError> {
    perform(shared, row, row.prepare(arguments)?, progress, cancelled, scope).await
}

/// Runs a tool whose arguments were read, under its guards.
async fn perform(
    shared: &Shared,
    row: &Row,
    prepared: Prepared,
    progress: Progress,
    cancelled: &CancellationToken,
    scope: &CallScope,
) -> Result<Reply, ToolError> {
    let patience = prepared.patience.unwrap_or(shared.call_timeout);
    let cx = context(shared, scope, progress, cancelled, patience);
    guarded(Work::of(row, patience), prepared.start(cx), cancelled, scope).await
}

/// What a call may use, for as long as it may take.
pub(super) fn context(
    shared: &Shared,
    scope: &CallScope,
    progress: Progress,
    cancelled: &CancellationToken,
    patience: Duration,
) -> ToolCx {
    ToolCx {
        api: Arc::clone(&shared.api),
        caller: Arc::clone(&scope.caller),
        deadline: guard::deadline(patience),
        clock: shared.clock.clone(),
        progress,
        links: Links::default(),
        span: scope.span.clone(),
        cancelled: cancelled.clone(),
    }
}

/// What is guarded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    /// The name of the tool, for the log, if it is one's.
    pub tool: Option<&'static str>,
    /// What it does to the platform: what changes something runs on when its client goes away, and nobody is told to repeat
    /// what may have been done.
    pub effect: Effect,
    /// How long it may take.
    pub patience: Duration,
}

impl Work {
    /// That of a tool.
    pub(super) fn of(row: &Row, patience: Duration) -> Self {
        Self { tool: Some(row.name), effect: row.effect, patience }
    }

    /// What is looked up before a tool begins.
    fn looking(row: &Row, patience: Duration) -> Self {
        Self { effect: Effect::Read, ..Self::of(row, patience) }
    }
}

/// Runs work that asks the platform under its guards and logs the cause of a failure, once.
pub(super) async fn guarded<T: Send + 'static>(
    work: Work,
    run: impl Future<Output = Result<T, ToolError>> + Send + 'static,
    cancelled: &CancellationToken,
    scope: &CallScope,
) -> Result<T, ToolError> {
    let Work { tool, effect, patience } = work;
    // A little longer than the requests of the tool may take: it knows best what a lost one means.
    let deadline = guard::deadline(patience + LAST_WORDS);
    let ended = guard::run(run, deadline, effect.writes(), cancelled).await;
    let result = ended.into_result(effect, patience);
    result.inspect_err(|error| log_cause(scope, tool, error))
}

/// The inside voice of a failure.
pub(super) fn log_cause(scope: &CallScope, tool: Option<&'static str>, error: &ToolError) {
    if let Some(cause) = error.cause() {
        tracing::warn!(
            request.id = scope.request_id,
            tool.name = tool,
            code = error.code(),
            cause,
            "call failed"
        );
    }
}

/// The error as this caller has to be told: whose credential is a setting cannot sign in again.
fn told<'a>(scope: &CallScope, error: &'a ToolError) -> Cow<'a, ToolError> {
    match scope.caller.local_credential() {
        None => Cow::Borrowed(error),
        Some(local) => Cow::Owned(error.clone().for_local_user(local)),
    }
}

/// Reports a failed call to the edge and returns its text for the client.
pub(super) fn refuse(scope: &CallScope, error: &ToolError) -> String {
    let error = &*told(scope, error);
    scope.report(error.code(), error.credential_problem());
    error.to_json(Some(&scope.request_id))
}

/// The same as an error of the protocol, for methods whose results cannot say that they failed. `about` is what the
/// error is about, beside its code, remedy and request id.
pub(super) fn protocol_error(scope: &CallScope, error: &ToolError, about: Value) -> ErrorData {
    let error = &*told(scope, error);
    scope.report(error.code(), error.credential_problem());
    let mut data = match about {
        Value::Object(about) => about,
        _ => Map::new(),
    };
    if let Ok(Value::Object(said)) = serde_json::to_value(error) {
        data.extend(said);
    }
    let message = data.remove("message").and_then(|message| message.as_str().map(str::to_owned));
    data.insert("requestId".to_owned(), scope.request_id.as_str().into());
    ErrorData::internal_error(message.unwrap_or_default(), Some(Value::Object(data)))
}
