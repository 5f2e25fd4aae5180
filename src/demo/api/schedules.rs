//! Schedules of an agent: list, read, make, change, switch, delete.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State as Extract},
    http::StatusCode,
    routing::{get, post},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    agents::{no_agent, tenant},
    credential::Caller,
    error::Refusal,
    input::{Members, id},
    model::{stamp, with},
    schedule_settings,
};
use crate::demo::{
    Profile,
    state::State,
    world::{
        Agent, Tenant,
        schedule::{Schedule, Trigger},
    },
};

/// Schedules one agent can have.
const MOST_SCHEDULES: usize = 50;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/agent/{agent_id}/schedules", get(list).post(create))
        .route("/api/v1/agent/{agent_id}/schedules/{schedule_id}", get(read).put(update).delete(delete))
        .route("/api/v1/agent/{agent_id}/schedules/{schedule_id}/enable", post(enable))
        .route("/api/v1/agent/{agent_id}/schedules/{schedule_id}/disable", post(disable))
}

fn view(agent: &Agent, schedule: &Schedule, now: Timestamp, profile: Profile) -> Value {
    let settings = &schedule.settings;
    let (cron, start, every) = match &settings.trigger {
        Trigger::Once(time) => (None, Some(*time), None),
        Trigger::Every { count, period, start } => (None, *start, Some((*count, *period as i32))),
        Trigger::Cron { text, .. } => (Some(text), None, None),
    };
    let when = json!({
        "tag": "", "id": schedule.id, "configId": agent.id, "name": settings.name, "schedule": cron,
        "localSchedule": cron, "timezone": settings.timezone, "nextRunTime": schedule.next(now).map(stamp),
        "startTime": start.map(stamp), "scheduleType": settings.trigger.number(),
        "runEveryCount": every.map(|(count, _)| count), "runEveryPeriod": every.map(|(_, period)| period),
    });
    let how = json!({
        "isEnabled": settings.is_enabled, "inputParameters": settings.input_parameters,
        "parallelism": settings.parallelism, "parallelMaxConcurrency": settings.parallel_max_concurrency,
        "parallelExport": settings.parallel_export, "proxyPoolId": settings.proxy_pool_id,
        "serverGroupId": settings.server_group_id, "logLevel": settings.log_level,
        "logMode": settings.log_mode, "isExclusive": settings.is_exclusive,
        "isWaitOnFailure": settings.is_wait_on_failure, "created": stamp(schedule.created),
    });
    let newer = json!({
        "startedBy": null, "serverId": null, "httpVersion": null, "saveContentCache": false,
        "configName": agent.name,
    });
    let older = json!({ "updated": stamp(schedule.updated) });
    let is_newer = profile == Profile::Newer;
    with(with(with(when, how, true), newer, is_newer), older, !is_newer)
}

fn no_schedule(id: i64) -> Refusal {
    Refusal::vendor(StatusCode::NOT_FOUND, format!("Schedule {id} was not found"))
}

fn agent_mut(tenant: &mut Tenant, id: i32) -> Result<&mut Agent, Refusal> {
    tenant.agents.get_mut(&id).ok_or_else(|| no_agent(id))
}

/// Runs `f` on the schedule a path names, and shows what has become of it.
fn change(
    state: &State,
    caller: &Caller,
    path: &(String, String),
    f: impl FnOnce(&mut Schedule),
) -> Result<Value, Refusal> {
    let (agent_id, schedule_id) = (id("agentId", &path.0)?, id("scheduleId", &path.1)?);
    tenant(state, caller, |tenant| {
        let agent = agent_mut(tenant, agent_id)?;
        let found = agent.schedules.iter_mut().find(|schedule| schedule.id == schedule_id);
        let schedule = found.ok_or_else(|| no_schedule(schedule_id))?;
        f(schedule);
        let schedule = schedule.clone();
        Ok(view(agent, &schedule, state.now(), state.options.profile))
    })
}

async fn list(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(agent_id): Path<String>,
) -> Result<Json<Vec<Value>>, Refusal> {
    let id = id("agentId", &agent_id)?;
    let (now, profile) = (state.now(), state.options.profile);
    tenant(&state, &caller, |tenant| {
        let agent = tenant.agent(id).ok_or_else(|| no_agent(id))?;
        Ok(Json(agent.schedules.iter().map(|schedule| view(agent, schedule, now, profile)).collect()))
    })
}

async fn read(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(path): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    change(&state, &caller, &path, |_| {}).map(Json)
}

async fn create(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(agent_id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let agent_id = id("agentId", &agent_id)?;
    let now = state.now();
    let settings = schedule_settings::parse(&Members::parse(&body)?, now)?;
    tenant(&state, &caller, |tenant| {
        let id = tenant.next_schedule_id;
        let agent = agent_mut(tenant, agent_id)?;
        if agent.schedules.len() >= MOST_SCHEDULES {
            let message = format!("Agent {agent_id} has too many schedules");
            return Err(Refusal::vendor(StatusCode::UNPROCESSABLE_ENTITY, message));
        }
        let schedule = Schedule { id, created: now, updated: now, settings };
        let answer = view(agent, &schedule, now, state.options.profile);
        agent.schedules.push(schedule);
        tenant.next_schedule_id += 1;
        Ok(Json(answer))
    })
}

/// Replaces all settings: what the body leaves out goes back to its default.
async fn update(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(path): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let now = state.now();
    // Unknown ids are refused as such, whatever the body is like.
    change(&state, &caller, &path, |_| {})?;
    let settings = schedule_settings::parse(&Members::parse(&body)?, now)?;
    change(&state, &caller, &path, |schedule| {
        schedule.settings = settings;
        schedule.updated = now;
    })
    .map(Json)
}

async fn delete(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path((agent_id, schedule_id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let (agent_id, schedule_id) = (id("agentId", &agent_id)?, id("scheduleId", &schedule_id)?);
    tenant(&state, &caller, |tenant| {
        let agent = agent_mut(tenant, agent_id)?;
        let before = agent.schedules.len();
        agent.schedules.retain(|schedule| schedule.id != schedule_id);
        if agent.schedules.len() == before {
            Err(no_schedule(schedule_id))
        } else {
            Ok(StatusCode::NO_CONTENT)
        }
    })
}

async fn enable(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(path): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    change(&state, &caller, &path, |schedule| schedule.settings.is_enabled = true)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn disable(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(path): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    change(&state, &caller, &path, |schedule| schedule.settings.is_enabled = false)?;
    Ok(StatusCode::NO_CONTENT)
}
