//! Spaces and the agents in them. Their errors are problem details, unlike those of agents.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State as Extract},
    http::{StatusCode, Uri},
    routing::get,
};

use super::{
    agents::tenant,
    credential::Caller,
    error::Refusal,
    input::Query,
    model::{Space, SpaceAgent},
};
use crate::demo::state::State;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/spaces", get(list))
        .route("/api/v1/spaces/search", get(search))
        .route("/api/v1/spaces/{space_id}", get(read))
        .route("/api/v1/spaces/{space_id}/agents", get(agents))
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
        let inside = tenant.agents.values().filter(|agent| agent.space_id == Some(id) && !agent.is_archived);
        Ok(Json(inside.map(|agent| SpaceAgent::new(agent, now, profile)).collect()))
    })
}
