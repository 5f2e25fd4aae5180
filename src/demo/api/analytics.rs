//! Analytics: what ran, what it brought, what will run, and why it failed. Errors are problem details.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State as Extract},
    http::{StatusCode, Uri},
    routing::get,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    agents::tenant,
    credential::Caller,
    diagnostics,
    error::Refusal,
    input::{Query, id},
    model::{stamp, with},
    window::Window,
};
use crate::demo::{
    Profile,
    state::State,
    world::{
        Agent, Tenant,
        run::{Run, Snapshot, Status},
        schedule::{Schedule, Trigger},
    },
};

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/analytics/schedules/upcoming", get(upcoming))
        .route("/api/v1/analytics/runs/summary", get(runs))
        .route("/api/v1/analytics/records/summary", get(records))
        .route("/api/v1/analytics/agents/{agent_id}/runs/{run_id}/diagnostics", get(diagnostics::one))
        .route("/api/v1/analytics/agents/{agent_id}/latest-failure", get(diagnostics::latest_failure))
}

/// Every schedule that fires in the window, with the first time it does.
async fn upcoming(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Json<Vec<Value>>, Refusal> {
    let now = state.now();
    let window = Window::coming(&query, now).map_err(|refusal| refusal.about(uri.path()))?;
    // Strictly after this, so that one at the very beginning of the window counts.
    let after = now.max(window.start.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(now));
    tenant(&state, &caller, |tenant| {
        let all = tenant.agents.values().flat_map(|agent| agent.schedules.iter().map(move |s| (agent, s)));
        let mut coming: Vec<_> = all
            .filter_map(|(agent, schedule)| Some((schedule.next(after)?, agent, schedule)))
            .filter(|(next, ..)| *next <= window.end)
            .collect();
        coming.sort_by_key(|(next, _, schedule)| (*next, schedule.id));
        let view = |(next, agent, schedule)| entry(tenant, agent, schedule, next, now, state.options.profile);
        Ok(Json(coming.into_iter().map(view).collect()))
    })
}

fn entry(
    tenant: &Tenant,
    agent: &Agent,
    schedule: &Schedule,
    next: Timestamp,
    now: Timestamp,
    profile: Profile,
) -> Value {
    let settings = &schedule.settings;
    let (cron, every) = match &settings.trigger {
        Trigger::Cron { text, .. } => (Some(text), None),
        Trigger::Every { count, period, .. } => (None, Some((*count, *period as i32))),
        Trigger::Once(_) => (None, None),
    };
    let latest = agent.latest(now);
    let space = agent.space_id.and_then(|id| tenant.space(id));
    let base = json!({
        "scheduleId": schedule.id, "agentId": agent.id, "agentName": agent.name,
        "scheduleName": settings.name, "nextRunTime": stamp(next), "timezone": settings.timezone,
        "isEnabled": settings.is_enabled,
    });
    let newer = json!({
        "schedule": cron, "scheduleType": settings.trigger.number(),
        "runEveryCount": every.map(|(count, _)| count), "runEveryPeriod": every.map(|(_, period)| period),
        "spaceId": agent.space_id.unwrap_or(0), "spaceName": space.map(|space| space.name),
        "approvalStatus": null,
    });
    let last = json!({
        // Runs in history carry their id negated here, unlike everywhere else.
        "lastRunId": latest.as_ref().map(|(run, at)| if at.archived { -run.id } else { run.id }),
        "lastRunTime": latest.as_ref().and_then(|(_, at)| at.started).map(stamp),
        "lastRunStatus": latest.as_ref().map(|(_, at)| at.status.number()),
        "lastRunMessage": latest.as_ref().and_then(|(_, at)| at.message.clone()),
    });
    let is_newer = profile == Profile::Newer;
    with(with(base, newer, is_newer), last, is_newer)
}

async fn runs(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Json<Value>, Refusal> {
    let now = state.now();
    let parse = || {
        let wanted = query.text("status").map(status).transpose()?;
        Ok((Window::recent(&query, now)?, wanted, query.flag("includeDetails", true)?))
    };
    let (window, wanted, details) = parse().map_err(|refusal: Refusal| refusal.about(uri.path()))?;
    let (from, to) = (&window.start_text, &window.end_text);
    tenant(&state, &caller, |tenant| {
        let is_wanted = |at: &Snapshot| wanted.as_ref().is_none_or(|wanted| wanted.contains(&at.status));
        let found: Vec<_> =
            in_window(tenant, &window, None, now).filter(|(_, _, at)| is_wanted(at)).collect();
        let count =
            |statuses: &[Status]| found.iter().filter(|(_, _, at)| statuses.contains(&at.status)).count();
        let failures = found.iter().filter(|(_, _, at)| at.status.failed());
        let failures: Vec<Value> = failures.map(|(agent, run, at)| failure(tenant, agent, run, at)).collect();
        Ok(Json(json!({
            "startDate": from, "endDate": to,
            "totalRuns": found.len(),
            "completedRuns": count(&[Status::Completed, Status::Success]),
            "failedRuns": failures.len(),
            "completedWithErrorsRuns": 0,
            "runningRuns": count(&[Status::Running, Status::Exporting, Status::Starting, Status::Stopping]),
            "queuedRuns": count(&[Status::Queuing]),
            "stoppedRuns": count(&[Status::Stopped]),
            "failedRunDetails": (details && !failures.is_empty()).then_some(failures),
        })))
    })
}

/// The statuses a name stands for: none for those that no run of this world is ever in.
fn status(name: &str) -> Result<Vec<Status>, Refusal> {
    const UNUSED: [&str; 3] = ["Invalid", "Waiting", "UpdatingDataSet"];
    let found = Status::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(name));
    match found {
        Some(Status::Failure | Status::Failed) => Ok(vec![Status::Failure, Status::Failed]),
        Some(Status::Completed | Status::Success) => Ok(vec![Status::Completed, Status::Success]),
        Some(other) => Ok(vec![other]),
        None if UNUSED.iter().any(|unused| unused.eq_ignore_ascii_case(name)) => Ok(Vec::new()),
        None => Err(Refusal::bad_request(format!("The value '{name}' is not valid for status"))),
    }
}

fn failure(tenant: &Tenant, agent: &Agent, run: &Run, at: &Snapshot) -> Value {
    let space = agent.space_id.and_then(|id| tenant.space(id));
    json!({
        "runId": run.id, "agentId": agent.id, "agentName": agent.name,
        "startTime": at.started.map(stamp), "endTime": at.ended.map(stamp),
        "status": at.status.number(), "errorMessage": at.message,
        "spaceId": agent.space_id, "spaceName": space.map(|space| space.name),
    })
}

/// The runs that were made in a window, newest first.
fn in_window<'a>(
    tenant: &'a Tenant,
    window: &'a Window,
    agent: Option<i32>,
    now: Timestamp,
) -> impl Iterator<Item = (&'a Agent, &'a Run, Snapshot)> {
    let agents = tenant.agents.values().filter(move |other| agent.is_none_or(|id| other.id == id));
    let mut runs: Vec<_> = agents
        .flat_map(|agent| agent.runs.iter().map(move |run| (agent, run)))
        .filter(|(_, run)| window.contains(run.created))
        .collect();
    runs.sort_by_key(|(_, run)| std::cmp::Reverse(run.id));
    runs.into_iter().map(move |(agent, run)| (agent, run, run.at(now)))
}

async fn records(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Json<Value>, Refusal> {
    let now = state.now();
    let about = |refusal: Refusal| refusal.about(uri.path());
    let window = Window::recent(&query, now).map_err(about)?;
    let agent_id: Option<i32> =
        query.text("agentId").map(|text| id("agentId", text)).transpose().map_err(about)?;
    tenant(&state, &caller, |tenant| {
        // The agent is a filter like the dates: one that nobody can see has no runs, and is no error.
        let found: Vec<Snapshot> = in_window(tenant, &window, agent_id, now).map(|(_, _, at)| at).collect();
        let sum = |part: fn(&Snapshot) -> i64| found.iter().map(part).sum::<i64>();
        Ok(Json(json!({
            "startDate": window.start_text, "endDate": window.end_text,
            "totalRecordsExtracted": sum(|at| at.data_count),
            "totalRecordsExported": sum(|at| at.export_count.unwrap_or(0)),
            "totalErrors": sum(|at| at.error_count),
            "totalPageLoads": sum(|at| at.page_count),
            "runCount": found.len(),
            "agentId": agent_id,
        })))
    })
}

/// No run of this kind.
pub(super) fn nothing(message: impl Into<String>, path: &str) -> Refusal {
    Refusal::problem(StatusCode::NOT_FOUND, message, path)
}

/// The ids in a path, refused as problem details.
pub(super) fn agent_id(Path(text): &Path<String>, path: &str) -> Result<i32, Refusal> {
    id("agentId", text).map_err(|refusal| refusal.about(path))
}
