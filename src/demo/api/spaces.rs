//! Spaces and the agents in them. Their errors are problem details, unlike those of agents.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State as Extract},
    http::{StatusCode, Uri},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    agents::tenant,
    credential::Caller,
    error::Refusal,
    input::{Members, Query},
    model::{self, Space, SpaceAgent},
    start,
};
use crate::demo::{
    state::State,
    world::{Agent, StartOptions, Tenant},
};

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/spaces", get(list))
        .route("/api/v1/spaces/search", get(search))
        .route("/api/v1/spaces/{space_id}", get(read))
        .route("/api/v1/spaces/{space_id}/agents", get(agents))
        .route("/api/v1/spaces/{space_id}/agents/count", get(count))
        .route("/api/v1/spaces/{space_id}/run-all", post(run_all))
}

fn space_id(text: &str, path: &str) -> Result<i32, Refusal> {
    let wrong = || {
        Refusal::problem(
            StatusCode::BAD_REQUEST,
            format!("The value '{text}' is not valid for spaceId"),
            path,
        )
    };
    text.parse().map_err(|_| wrong())
}

fn no_space(id: i32, path: &str) -> Refusal {
    Refusal::problem(StatusCode::NOT_FOUND, format!("Space {id} does not exist"), path)
}

async fn list(Extract(state): Extract<Arc<State>>, caller: Caller) -> Result<Json<Vec<Space>>, Refusal> {
    tenant(&state, &caller, |tenant| {
        let spaces = tenant.spaces.iter();
        Ok(Json(spaces.map(|space| Space::new(tenant, space, state.options.profile)).collect()))
    })
}

/// One space: the one of exactly this name, else the first whose name contains it.
async fn search(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    query: Query,
) -> Result<Json<Space>, Refusal> {
    let Some(name) = query.text("name").map(str::to_lowercase) else {
        let message = "The parameter name is required";
        return Err(Refusal::problem(StatusCode::BAD_REQUEST, message, uri.path()));
    };
    tenant(&state, &caller, |tenant| {
        let find = |matches: &dyn Fn(&str) -> bool| {
            tenant.spaces.iter().find(|space| matches(&space.name.to_lowercase()))
        };
        let space = find(&|other| other == name).or_else(|| find(&|other| other.contains(&name)));
        let space = space
            .ok_or_else(|| Refusal::problem(StatusCode::NOT_FOUND, "No space has this name", uri.path()))?;
        Ok(Json(Space::new(tenant, space, state.options.profile)))
    })
}

async fn read(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<String>,
) -> Result<Json<Space>, Refusal> {
    let id = space_id(&id, uri.path())?;
    tenant(&state, &caller, |tenant| {
        let space = tenant.space(id).ok_or_else(|| no_space(id, uri.path()))?;
        Ok(Json(Space::new(tenant, space, state.options.profile)))
    })
}

/// Leaves archived agents out.
async fn agents(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<String>,
) -> Result<Json<Vec<SpaceAgent>>, Refusal> {
    let id = space_id(&id, uri.path())?;
    let (now, profile) = (state.now(), state.options.profile);
    tenant(&state, &caller, |tenant| {
        tenant.space(id).ok_or_else(|| no_space(id, uri.path()))?;
        Ok(Json(inside(tenant, id).map(|agent| SpaceAgent::new(agent, now, profile)).collect()))
    })
}

/// The agents of a space, without archived ones.
fn inside(tenant: &Tenant, space_id: i32) -> impl Iterator<Item = &Agent> {
    tenant.agents.values().filter(move |agent| agent.space_id == Some(space_id) && !agent.is_archived)
}

async fn count(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let id = space_id(&id, uri.path())?;
    tenant(&state, &caller, |tenant| {
        tenant.space(id).ok_or_else(|| no_space(id, uri.path()))?;
        Ok(Json(model::count(inside(tenant, id).count())))
    })
}

/// Starts every agent of a space. That some do not start is part of the answer, not an error.
async fn run_all(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let id = space_id(&id, uri.path())?;
    let inputs = Members::parse(&body).and_then(|members| start::inputs(&members));
    let inputs = inputs.map_err(|refusal| refusal.about(uri.path()))?;
    let options = StartOptions {
        parallelism: 1,
        parallel_max_concurrency: None,
        parallel_export: None,
        // An agent at work is left alone.
        is_exclusive: true,
        inputs,
    };
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        let name = tenant.space(id).ok_or_else(|| no_space(id, uri.path()))?.name;
        let agents: Vec<_> = inside(tenant, id).map(|agent| (agent.id, agent.name.clone())).collect();
        let mut started = 0_usize;
        let mut results = Vec::with_capacity(agents.len());
        for (agent_id, agent_name) in agents {
            let outcome = tenant.start(agent_id, &options, now);
            started += usize::from(outcome.is_ok());
            let (run_id, error) = match outcome {
                Ok(run) => (Some(run.id), None),
                Err(refusal) => (None, Some(start::refused(agent_id, refusal).message().to_owned())),
            };
            results.push(json!({
                "agentId": agent_id, "agentName": agent_name, "success": error.is_none(), "runId": run_id,
                "errorMessage": error,
            }));
        }
        Ok(Json(json!({
            "spaceId": id, "spaceName": name, "totalAgents": results.len(), "agentsStarted": started,
            "agentsFailed": results.len() - started, "results": results,
        })))
    })
}
