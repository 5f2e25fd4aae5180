//! Runs: list, read, start, stop.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State as Extract},
    http::StatusCode,
    routing::{delete, get, post},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    agents::{no_agent, tenant},
    credential::Caller,
    error::Refusal,
    input::{Query, id},
    model::AgentRun,
    start,
};
use crate::demo::{
    state::State,
    world::{
        Agent, Tenant,
        run::{Run, Status},
    },
};

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/agent/{agent_id}/runs", get(list))
        .route("/api/v1/agent/{agent_id}/runs/summary", get(summary))
        .route("/api/v1/agent/{agent_id}/start", post(start::start))
        .route("/api/v1/agent/{agent_id}/run/{run_id}/status", get(status))
        .route("/api/v1/agent/{agent_id}/run/{run_id}/stop", post(stop))
        .route("/api/v1/agent/{agent_id}/run/{run_id}/kill", post(kill))
        .route("/api/v1/agent/{agent_id}/run/{run_id}", delete(remove))
}

/// The agent and run a path names.
pub(super) fn find(tenant: &Tenant, agent_id: i32, run_id: i64) -> Result<(&Agent, &Run), Refusal> {
    let agent = tenant.agent(agent_id).ok_or_else(|| no_agent(agent_id))?;
    let run = agent.run(run_id).ok_or_else(|| no_run(run_id))?;
    Ok((agent, run))
}

fn no_run(id: i64) -> Refusal {
    Refusal::vendor(StatusCode::NOT_FOUND, format!("Run {id} was not found"))
}

async fn list(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(agent_id): Path<String>,
    query: Query,
) -> Result<Json<Vec<AgentRun>>, Refusal> {
    let id = id("agentId", &agent_id)?;
    let most = query.max_records()?;
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        let agent = tenant.agent(id).ok_or_else(|| no_agent(id))?;
        // Newest first.
        let runs = agent.runs.iter().rev().take(most);
        Ok(Json(runs.map(|run| AgentRun::new(tenant, run, now)).collect()))
    })
}

async fn status(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path((agent_id, run_id)): Path<(String, String)>,
) -> Result<Json<AgentRun>, Refusal> {
    let (agent_id, run_id) = (id("agentId", &agent_id)?, id("runId", &run_id)?);
    tenant(&state, &caller, |tenant| {
        let (_, run) = find(tenant, agent_id, run_id)?;
        Ok(Json(AgentRun::new(tenant, run, state.now())))
    })
}

/// How many runs there are in each state; states without any are left out.
async fn summary(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(agent_id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let id = id("agentId", &agent_id)?;
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        let agent = tenant.agent(id).ok_or_else(|| no_agent(id))?;
        let statuses: Vec<Status> = agent.runs.iter().map(|run| run.at(now).status).collect();
        let row = |status: Status| {
            let count = statuses.iter().filter(|other| **other == status).count();
            (count > 0)
                .then(|| json!({ "status": status.number(), "statusName": status.name(), "count": count }))
        };
        let counts: Vec<Value> = Status::ALL.into_iter().filter_map(row).collect();
        Ok(Json(json!({ "totalCount": statuses.len(), "statusCounts": counts })))
    })
}

/// Runs `f` on the run a path names, and tells whoever waits for it.
fn change(
    state: &State,
    caller: &Caller,
    (agent_id, run_id): &(String, String),
    f: impl FnOnce(&mut Run, Timestamp) -> Result<(), Refusal>,
) -> Result<StatusCode, Refusal> {
    let (agent_id, run_id) = (id("agentId", agent_id)?, id("runId", run_id)?);
    let now = state.now();
    tenant(state, caller, |tenant| {
        let agent = tenant.agents.get_mut(&agent_id).ok_or_else(|| no_agent(agent_id))?;
        let run = agent.runs.iter_mut().find(|run| run.id == run_id).ok_or_else(|| no_run(run_id))?;
        f(run, now)
    })?;
    state.runs_changed();
    Ok(StatusCode::NO_CONTENT)
}

fn in_progress(run: &Run, now: Timestamp) -> Result<(), Refusal> {
    if run.at(now).status.in_progress() {
        Ok(())
    } else {
        Err(Refusal::bad_request(format!("Run {} is not in progress", run.id)))
    }
}

/// Asks a run to stop; it takes a few seconds to do so. Asking again changes nothing.
async fn stop(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(path): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    change(&state, &caller, &path, |run, now| {
        in_progress(run, now)?;
        run.stop_requested.get_or_insert(now);
        Ok(())
    })
}

/// Asks a run to stop, or, when it was asked already, ends it at once.
async fn kill(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(path): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    change(&state, &caller, &path, |run, now| {
        in_progress(run, now)?;
        if run.stop_requested.is_some() {
            run.killed.get_or_insert(now);
        } else {
            run.stop_requested = Some(now);
        }
        Ok(())
    })
}

/// Deletes a finished run, or only its files.
async fn remove(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path((agent_id, run_id)): Path<(String, String)>,
    query: Query,
) -> Result<StatusCode, Refusal> {
    let (agent_id, run_id): (i32, i64) = (id("agentId", &agent_id)?, id("runId", &run_id)?);
    let method = Remove::parse(&query)?;
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        let agent = tenant.agents.get_mut(&agent_id).ok_or_else(|| no_agent(agent_id))?;
        let run = agent.runs.iter_mut().find(|run| run.id == run_id).ok_or_else(|| no_run(run_id))?;
        if run.at(now).status.in_progress() {
            return Err(Refusal::bad_request(format!("Run {run_id} is in progress: stop it first")));
        }
        run.files_removed = true;
        match method {
            Remove::Files => {}
            // The count stays: it is part of what the run cost.
            Remove::FilesAndInput => run.input_removed = true,
            Remove::Everything => {
                agent.delete(run_id);
            }
        }
        Ok(StatusCode::NO_CONTENT)
    })
}

/// How much of a run to delete.
enum Remove {
    Everything,
    Files,
    FilesAndInput,
}

impl Remove {
    fn parse(query: &Query) -> Result<Self, Refusal> {
        match query.text("removeMethod").map(str::to_lowercase).as_deref() {
            None | Some("removeentirerun") => Ok(Self::Everything),
            Some("removeallfiles") => Ok(Self::Files),
            Some("removeallfilesandagentinput") => Ok(Self::FilesAndInput),
            Some(_) => Err(Refusal::bad_request(
                "removeMethod must be RemoveEntireRun, RemoveAllFiles or RemoveAllFilesAndAgentInput",
            )),
        }
    }
}
