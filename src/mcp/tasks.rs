//! Long calls as tasks (2026-07-28, extension `io.modelcontextprotocol/tasks`, SEP-2663).
//!
//! The id of a task is a sealed handle: which tool, since when, until when, and what that tool needs to follow its work
//! on the platform, for this caller only. Nothing is kept here, so a task survives a restart and every replica can answer
//! for it; an id that is foreign, altered or expired is that of no task, and nothing of it reaches the platform. What a
//! task is of which call, says the tool ([`LongTool`](crate::tools::LongTool)).

use std::time::Duration;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolResponse, CreateTaskResult, DetailedTask, GetTaskResult, JsonObject, Task, TaskPayload,
        TaskStatus,
    },
    service::RequestContext,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    CallScope, Shared,
    abilities::is_modern,
    tools::{self, Work},
};
use crate::{
    auth::{Caller, step_up_message},
    seal::Purpose,
    tools::{Effect, Long, Phase, Prepared, Progress, Reach, Row, Stage, Started, ToolError},
};

/// The methods about a task; what they name is its id.
pub(super) const METHODS: [&str; 3] = ["tasks/get", "tasks/update", "tasks/cancel"];

/// How long a result can be fetched after the longest that the work is followed.
const KEPT: Duration = Duration::from_hours(1);

/// What the id of a task says to its owner. Short names: it travels with every request.
#[derive(Debug, Serialize, Deserialize)]
struct Handle {
    #[serde(rename = "t")]
    tool: String,
    /// Unix seconds.
    #[serde(rename = "c")]
    created: i64,
    /// Seconds from then on, after which it is unknown.
    #[serde(rename = "l")]
    lifetime: u64,
    /// What the tool needs to follow the work.
    #[serde(rename = "w")]
    work: Value,
}

/// A task that the caller owns and may ask about.
struct Owned<'a> {
    handle: Handle,
    row: &'a Row,
    long: Long,
}

/// How the calls of this tool become tasks, if this client and this caller can have them: the request has to declare the
/// extension, and belong to the revision that has it.
pub(super) fn wanted(row: &Row, context: &RequestContext<RoleServer>, scope: &CallScope) -> Option<Long> {
    let long = row.long?;
    let declared = is_modern(context)
        && context.meta.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks());
    (declared && scope.caller.scopes().contains(long.scopes)).then_some(long)
}

/// Begins a call that may become a task.
pub(super) async fn begin(
    shared: &Shared,
    row: &Row,
    long: Long,
    prepared: Prepared,
    progress: Progress,
    cancelled: &CancellationToken,
    scope: &CallScope,
) -> CallToolResponse {
    let begun = async {
        let patience = prepared.patience.unwrap_or(shared.call_timeout);
        let cx = tools::context(shared, scope, progress, cancelled, patience);
        match tools::guarded(Work::of(row, patience), prepared.begin(cx), cancelled, scope).await? {
            Started::Done(reply) => Ok(tools::result(Ok(reply), scope).into()),
            Started::On { work, within, state } => {
                let task = create(shared, row, long, work, within, &scope.caller)?;
                Ok(CallToolResponse::Task(CreateTaskResult::new(task.with_status_message(state))))
            }
        }
    };
    match begun.await {
        Ok(response) => {
            let task = matches!(response, CallToolResponse::Task(_));
            scope.report(if task { "task" } else { "ok" }, None);
            response
        }
        Err(error) => tools::result(Err(tools::refuse(scope, &error)), scope).into(),
    }
}

fn create(
    shared: &Shared,
    row: &Row,
    long: Long,
    work: Value,
    within: Duration,
    caller: &Caller,
) -> Result<Task, ToolError> {
    let lifetime = within + KEPT;
    let created = shared.clock.unix_seconds();
    let handle = Handle { tool: row.name.to_owned(), created, lifetime: lifetime.as_secs(), work };
    let id = shared.sealer.seal(Purpose::Task, caller, lifetime, &handle);
    // The work has begun: whatever is wrong here must not lead to its being begun again.
    let id = id.ok_or_else(ToolError::untraceable)?;
    Ok(task(shared, &id, &handle, long))
}

/// `tasks/get`: looks how far the work is.
pub(super) async fn get(
    shared: &Shared,
    id: &str,
    context: &RequestContext<RoleServer>,
) -> Result<GetTaskResult, ErrorData> {
    let scope = CallScope::of(context)?;
    let Owned { handle, row, long } = open(shared, id, context, &scope)?;
    let described = task(shared, id, &handle, long);
    let patience = shared.call_timeout;
    let cx = tools::context(shared, &scope, Progress::default(), &context.ct, patience);
    let look = long.look(cx, handle.work);
    let work = Work { effect: Effect::Read, ..Work::of(row, patience) };
    let (said, payload) = match tools::guarded(work, look, &context.ct, &scope).await {
        Ok(Phase::On(said)) => (said, TaskPayload::Working),
        Ok(Stage::Stopped(said)) => (said.to_owned(), TaskPayload::Cancelled),
        Ok(Stage::Done(reply)) => {
            scope.report("ok", None);
            ("The call has ended.".to_owned(), completed(Ok(reply), &scope)?)
        }
        Err(error) if is_of_this_look(&error) => {
            return Err(tools::protocol_error(&scope, &error, json!({})));
        }
        // The call has ended like this: a result all the same (SEP-2663, "Task Execution Errors").
        Err(error) => {
            ("The call has failed.".to_owned(), completed(Err(tools::refuse(&scope, &error)), &scope)?)
        }
    };
    scope.report("ok", None);
    Ok(GetTaskResult::new(DetailedTask::new(described.with_status_message(said), payload)))
}

/// `tasks/update`: nothing here asks for input while it works, so whatever comes answers nothing and is ignored.
pub(super) fn update(
    shared: &Shared,
    id: &str,
    context: &RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    let scope = CallScope::of(context)?;
    open(shared, id, context, &scope)?;
    scope.report("ok", None);
    Ok(())
}

/// `tasks/cancel`: has the tool stop what the task stands for. What has ended meanwhile has ended.
pub(super) async fn cancel(
    shared: &Shared,
    id: &str,
    context: &RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    let scope = CallScope::of(context)?;
    let Owned { handle, row, long } = open(shared, id, context, &scope)?;
    let patience = shared.call_timeout;
    let cx = tools::context(shared, &scope, Progress::default(), &context.ct, patience);
    let stop = long.stop(cx, handle.work);
    match tools::guarded(Work::of(row, patience), stop, &context.ct, &scope).await {
        Err(error) if !matches!(error.code(), "not_found" | "conflict") => {
            Err(tools::protocol_error(&scope, &error, json!({})))
        }
        _ => {
            scope.report("ok", None);
            Ok(())
        }
    }
}

/// The tool behind a task of this caller.
pub(super) fn row<'a>(shared: &'a Shared, id: &str, caller: &Caller) -> Option<&'a Row> {
    shared.catalog.find(&unseal(shared, id, caller)?.tool)
}

fn unseal(shared: &Shared, id: &str, caller: &Caller) -> Option<Handle> {
    shared.sealer.open(Purpose::Task, caller, id).ok()
}

/// Opens the id of a task. The same checks as for a call of the tool.
fn open<'a>(
    shared: &'a Shared,
    id: &str,
    context: &RequestContext<RoleServer>,
    scope: &CallScope,
) -> Result<Owned<'a>, ErrorData> {
    let owned = unseal(shared, id, &scope.caller).filter(|_| is_modern(context)).and_then(|handle| {
        let row = shared.catalog.find(&handle.tool).filter(|row| scope.selection.admits(Reach::of(row)))?;
        Some(Owned { handle, row, long: row.long? })
    });
    let Some(owned) = owned else {
        scope.report("task_not_found", None);
        return Err(ErrorData::invalid_params(
            "There is no such task.",
            Some(json!({"code": "task_not_found"})),
        ));
    };
    // The edge has checked this before dispatch; here it holds for whoever else may call.
    if !scope.caller.scopes().contains(owned.long.scopes) {
        scope.report("insufficient_scope", None);
        let message = step_up_message(scope.caller.scopes(), owned.long.scopes);
        return Err(ErrorData::invalid_request(message, None));
    }
    Ok(owned)
}

/// The task as it is described beside its status. When it was last updated is not kept: now is when it was looked at.
fn task(shared: &Shared, id: &str, handle: &Handle, long: Long) -> Task {
    let now = shared.clock.unix_seconds();
    let time = |seconds| jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string();
    Task::new(id, TaskStatus::Working, time(handle.created), time(now))
        .with_ttl_ms(handle.lifetime.saturating_mul(1000))
        .with_poll_interval_ms(u64::try_from(long.pause.as_millis()).unwrap_or(u64::MAX))
}

/// An error that says nothing about the work: the platform could not be asked.
fn is_of_this_look(error: &ToolError) -> bool {
    error.may_pass()
        || error.credential_problem().is_some()
        || matches!(error.code(), "internal_error" | "cancelled" | "authentication_required")
}

fn completed(
    result: Result<crate::tools::Reply, String>,
    scope: &CallScope,
) -> Result<TaskPayload, ErrorData> {
    let result = serde_json::to_value(tools::result(result, scope)).ok();
    let result: Option<JsonObject> = result.and_then(|value| value.as_object().cloned());
    let result = result.ok_or_else(|| ErrorData::internal_error("the result cannot be written", None))?;
    Ok(TaskPayload::Completed { result })
}
