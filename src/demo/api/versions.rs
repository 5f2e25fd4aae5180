//! Saved versions of an agent, and going back to one.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State as Extract},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    agents::{no_agent, tenant},
    credential::Caller,
    error::Refusal,
    input::{Members, id},
    model::stamp,
};
use crate::demo::state::State;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/agent/{agent_id}/versions", get(list))
        .route("/api/v1/agent/{agent_id}/version/{version}/restore", post(restore))
}

/// Newest first.
async fn list(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(agent_id): Path<String>,
) -> Result<Json<Vec<Value>>, Refusal> {
    let id = id("agentId", &agent_id)?;
    tenant(&state, &caller, |tenant| {
        let agent = tenant.agent(id).ok_or_else(|| no_agent(id))?;
        let view = agent.versions.iter().rev().map(|version| {
            json!({
                "version": version.number, "userName": version.user_name, "created": stamp(version.created),
                "comments": version.comments, "fileSize": version.file_size,
            })
        });
        Ok(Json(view.collect()))
    })
}

/// Adds a copy of an old version on top. Runs in progress keep theirs.
async fn restore(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path((agent_id, version)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let (id, number): (i32, i32) = (id("agentId", &agent_id)?, id("versionNumber", &version)?);
    let members = Members::parse(&body)?;
    let comment = members.text("content")?.ok_or_else(|| Refusal::bad_request("content is required"))?;
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        let user = tenant.user.login.name;
        let agent = tenant.agents.get_mut(&id).ok_or_else(|| no_agent(id))?;
        if agent.restore(number, comment.to_owned(), user, now) {
            Ok(StatusCode::NO_CONTENT)
        } else {
            let message = format!("Version {number} of agent {id} was not found");
            Err(Refusal::vendor(StatusCode::NOT_FOUND, message))
        }
    })
}
