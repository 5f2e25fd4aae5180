//! The agent builder: start, poll, stop. Errors are problem details.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State as Extract},
    http::{StatusCode, Uri},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{agents::tenant, credential::Caller, error::Refusal, input::Members, model::with};
use crate::demo::{
    Profile, secrets,
    state::State,
    world::build::{Build, Stage},
};

/// Characters of a prompt, after trimming.
const PROMPT: std::ops::RangeInclusive<usize> = 10..=5_000;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/agent-builder/start", post(start))
        .route("/api/v1/agent-builder/{session_id}/status", get(status))
        .route("/api/v1/agent-builder/{session_id}/stop", post(stop))
}

async fn start(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let parse = || {
        let members = Members::parse(&body)?;
        let prompt = members.text("prompt")?.unwrap_or_default().trim().to_owned();
        Ok((prompt, members.number("spaceId", 1, i32::MAX)?))
    };
    let (prompt, space_id) = parse().map_err(|refusal: Refusal| refusal.about(uri.path()))?;
    if !PROMPT.contains(&prompt.chars().count()) {
        let message = "The prompt must have between 10 and 5000 characters";
        return Err(Refusal::problem(StatusCode::UNPROCESSABLE_ENTITY, message, uri.path()));
    }
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        if let Some(id) = space_id.filter(|id| tenant.space(*id).is_none()) {
            // What a body names is no resource of this path: not a 404.
            let message = format!("Space {id} does not exist");
            return Err(Refusal::problem(StatusCode::UNPROCESSABLE_ENTITY, message, uri.path()));
        }
        // Without a space the agent goes to the organisation's default one.
        let default = || tenant.spaces.iter().find(|space| space.is_default_access).map(|space| space.id);
        let build = Build::new(&prompt, space_id.or_else(default), now);
        let session = secrets::token();
        tenant.builds.insert(now, session.clone(), build.expires(), build);
        Ok(Json(json!({ "sessionId": session })))
    })
}

fn no_session(path: &str) -> Refusal {
    Refusal::problem(StatusCode::NOT_FOUND, "The build session does not exist", path)
}

async fn status(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    Path(session): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        let build = tenant.builds.get(now, &session).ok_or_else(|| no_session(uri.path()))?;
        let progress = build.stage(now);
        let agent = build.agent().filter(|_| matches!(progress, Stage::Ready | Stage::Completed));
        // Raw on purpose: the real platform lets such texts through.
        let error = (progress == Stage::Error).then_some(
            "System.InvalidOperationException: Sequence contains no elements\n   at Builder.Plan.Compile(Step s)",
        );
        let id = agent.map(|(id, _)| id);
        let base = json!({
            "status": progress.name(), "agentId": id, "agentName": agent.map(|(_, name)| name), "error": error,
        });
        let elapsed = build.elapsed(now).as_secs_f64();
        let newer = json!({ "agentElapsedSeconds": elapsed, "browserIoSeconds": elapsed / 4.0 });
        let older = json!({ "lastEventIndex": build.elapsed(now).as_secs() / 2, "configId": id });
        let is_newer = state.options.profile == Profile::Newer;
        Ok(Json(with(with(base, newer, is_newer), older, !is_newer)))
    })
}

/// Has no effect once the build is over. An agent that is saved already stays.
async fn stop(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    Path(session): Path<String>,
) -> Result<StatusCode, Refusal> {
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        let build = tenant.builds.get_mut(now, &session).ok_or_else(|| no_session(uri.path()))?;
        build.cancel(now);
        Ok(StatusCode::NO_CONTENT)
    })
}
