//! Runs: list, read, start, stop.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State as Extract},
    http::StatusCode,
    routing::{get, post},
};

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
    world::{Agent, Tenant, run::Run},
};

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/agent/{agent_id}/runs", get(list))
        .route("/api/v1/agent/{agent_id}/start", post(start::start))
        .route("/api/v1/agent/{agent_id}/run/{run_id}/status", get(status))
        .route("/api/v1/agent/{agent_id}/run/{run_id}/stop", post(stop))
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

/// Asks a run to stop; it takes a few seconds to do so. Asking again changes nothing.
async fn stop(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path((agent_id, run_id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let (agent_id, run_id) = (id("agentId", &agent_id)?, id("runId", &run_id)?);
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        find(tenant, agent_id, run_id)?;
        let agent = tenant.agents.get_mut(&agent_id).ok_or_else(|| no_agent(agent_id))?;
        let run = agent.runs.iter_mut().find(|run| run.id == run_id).ok_or_else(|| no_run(run_id))?;
        if !run.at(now).status.in_progress() {
            return Err(Refusal::bad_request(format!("Run {run_id} is not in progress")));
        }
        run.stop_requested.get_or_insert(now);
        Ok(())
    })?;
    state.runs_changed();
    Ok(StatusCode::NO_CONTENT)
}
