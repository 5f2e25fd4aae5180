//! A run's files: the list, and the way to the storage host.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State as Extract},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{agents::tenant, credential::Caller, error::Refusal, input::id, model::RunFile, runs};
use crate::demo::{state::State, storage, world::files};

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/agent/{agent_id}/run/{run_id}/files", get(list))
        .route("/api/v1/agent/{agent_id}/run/{run_id}/file/{file_id}/download", get(download))
}

async fn list(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path((agent_id, run_id)): Path<(String, String)>,
) -> Result<Json<Vec<RunFile>>, Refusal> {
    let (agent_id, run_id) = (id("agentId", &agent_id)?, id("runId", &run_id)?);
    tenant(&state, &caller, |tenant| {
        let (agent, run) = runs::find(tenant, agent_id, run_id)?;
        let files = files::of(agent, run, state.now());
        Ok(Json(files.into_iter().map(RunFile::new).collect()))
    })
}

/// Redirects to the file on the storage host. The address is its own permission: it is signed and short-lived, and no
/// credential may travel along.
async fn download(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path((agent_id, run_id, file_id)): Path<(String, String, String)>,
) -> Result<Response, Refusal> {
    let (agent_id, run_id) = (id("agentId", &agent_id)?, id("runId", &run_id)?);
    let file_id: i64 = id("fileId", &file_id)?;
    let address = tenant(&state, &caller, |tenant| {
        let (agent, run) = runs::find(tenant, agent_id, run_id)?;
        let files = files::of(agent, run, state.now());
        let file = files
            .into_iter()
            .find(|file| file.id == file_id)
            .ok_or_else(|| Refusal::vendor(StatusCode::NOT_FOUND, format!("File {file_id} was not found")))?;
        Ok(storage::address(&state, caller.user, agent_id, run_id, &file))
    })?;
    Ok((StatusCode::FOUND, [(header::LOCATION, address)]).into_response())
}
