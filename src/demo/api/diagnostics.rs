//! Why a run went the way it did.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::Uri,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    agents::{no_agent, tenant},
    analytics::{agent_id, nothing},
    credential::Caller,
    error::Refusal,
    input::id,
    model::{BYTES_PER_PAGE, stamp},
    runs,
};
use crate::demo::{
    state::State,
    world::{
        Agent,
        run::{Run, Status},
    },
};

/// About any run.
pub(super) async fn one(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    Path((agent_id, run_id)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let found = || {
        let (agent_id, run_id) = (id("agentId", &agent_id)?, id("runId", &run_id)?);
        tenant(&state, &caller, |tenant| {
            let (agent, run) = runs::find(tenant, agent_id, run_id)?;
            Ok(Json(diagnostics(agent, run, state.now())))
        })
    };
    found().map_err(|refusal| refusal.about(uri.path()))
}

/// About the newest run that failed.
pub(super) async fn latest_failure(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    uri: Uri,
    path: Path<String>,
) -> Result<Json<Value>, Refusal> {
    let id = agent_id(&path, uri.path())?;
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        let agent = tenant.agent(id).ok_or_else(|| no_agent(id).about(uri.path()))?;
        let failed = agent.runs.iter().rev().find(|run| run.at(now).status.failed());
        let run = failed.ok_or_else(|| nothing(format!("Agent {id} has no failed run"), uri.path()))?;
        Ok(Json(diagnostics(agent, run, now)))
    })
}

fn diagnostics(agent: &Agent, run: &Run, now: Timestamp) -> Value {
    let at = run.at(now);
    let (causes, actions) = advice(at.status, at.message.as_deref().unwrap_or_default());
    json!({
        "runId": run.id, "agentId": agent.id, "agentName": agent.name, "status": at.status.number(),
        "errorMessage": at.message, "startTime": at.started.map(stamp), "endTime": at.ended.map(stamp),
        "runtimeSeconds": at.run_time.map(|time| time.as_secs()),
        "stats": {
            "dataCount": at.data_count, "inputCount": run.inputs.filter(|_| !run.input_removed), "errorCount": at.error_count,
            "pageCount": at.page_count, "exportCount": at.export_count,
            "traffic": at.page_count * BYTES_PER_PAGE,
        },
        "possibleCauses": causes, "suggestedActions": actions,
    })
}

/// Possible causes and suggested actions.
fn advice(status: Status, message: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match status {
        Status::Failure | Status::Failed if message.contains("not found") => (
            &["The page layout has changed", "The page needs more time to load"],
            &["Open the agent and check the selectors of the failing command", "Raise the page load timeout"],
        ),
        Status::Failure | Status::Failed if message.contains("Captcha") => (
            &["The site asks for a captcha"],
            &["Use a proxy pool with residential addresses", "Run the agent less often"],
        ),
        Status::Failure | Status::Failed => {
            (&["The site was slow or could not be reached"], &["Run the agent again"])
        }
        Status::Skipped => {
            (&["The agent could not be run at that time"], &["Check that the agent is active"])
        }
        _ => (&[], &[]),
    }
}
