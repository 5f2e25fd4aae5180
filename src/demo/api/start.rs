//! Starting a run, at once or holding the connection until it is over.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State as Extract},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{
    agents::{no_agent, tenant},
    credential::Caller,
    error::Refusal,
    input::{Members, id},
    model::AgentRun,
    runs,
};
use crate::demo::{
    state::State,
    world::{Behaviour, StartOptions, StartRefusal, dataset::csv, run::Status},
};

pub(super) async fn start(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(agent_id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let agent_id = id("agentId", &agent_id)?;
    let members = Members::parse(&body)?;
    let options = options(&members)?;
    let synchronously = members.flag("isRunSynchronously", false)?;
    let timeout = members.number("timeout", 1, 3600)?.unwrap_or(60);
    if synchronously && options.parallelism > 1 {
        return Err(Refusal::bad_request("Parallelism must be 1 when the agent is run synchronously"));
    }
    let now = state.now();
    let (run_id, answer) = tenant(&state, &caller, |tenant| {
        let run = tenant.start(agent_id, &options, now).map_err(|refusal| refused(agent_id, refusal))?;
        let mut answer = AgentRun::new(tenant, &run, now);
        // The run is in no table yet.
        answer.table_type = None;
        Ok((run.id, answer))
    })?;
    if synchronously {
        let timeout = Duration::from_secs(u64::from(timeout.unsigned_abs()));
        return finish(&state, &caller, agent_id, run_id, timeout).await;
    }
    Ok(Json(answer).into_response())
}

fn options(members: &Members) -> Result<StartOptions, Refusal> {
    // Read only to be checked: the simulation logs the same whatever level is asked for.
    members.one_of("logLevel", &["Fatal", "Error", "Warning", "Info"])?;
    members.one_of("logMode", &["Text", "TextAndHtml"])?;
    members.flag("isWaitOnFailure", false)?;
    members.number("proxyPoolId", 1, i32::MAX)?;
    let inputs = inputs(members)?;
    Ok(StartOptions {
        parallelism: members.number("parallelism", 1, 50)?.unwrap_or(1),
        parallel_max_concurrency: members.number("parallelMaxConcurrency", 1, 50)?,
        parallel_export: members.one_of("parallelExport", &["Combined", "Separated"])?,
        is_exclusive: members.flag("isExclusive", false)?,
        inputs,
    })
}

/// The number of input rows, when there are any.
pub(super) fn inputs(members: &Members) -> Result<Option<i64>, Refusal> {
    match members.text("inputParameters")?.filter(|text| !text.trim().is_empty()) {
        None => Ok(None),
        Some(text) => match serde_json::from_str(text) {
            Ok(Value::Object(_)) => Ok(Some(1)),
            _ => Err(Refusal::bad_request("inputParameters must be the JSON text of an object")),
        },
    }
}

pub(super) fn refused(agent_id: i32, refusal: StartRefusal) -> Refusal {
    match refusal {
        StartRefusal::NoAgent => no_agent(agent_id),
        StartRefusal::Inactive => Refusal::bad_request(format!("Agent {agent_id} is not active")),
        StartRefusal::Archived => Refusal::bad_request(format!("Agent {agent_id} is archived")),
        StartRefusal::NoCredits => Refusal::bad_request("The organization has no credits left"),
        StartRefusal::Busy(run_id) => Refusal::vendor(
            StatusCode::CONFLICT,
            format!("Agent {agent_id} already has run {run_id} in progress, and the start is exclusive"),
        ),
    }
}

/// Waits for the end of a run and answers with what it extracted. When the time is up, or the client goes away, the
/// run itself goes on.
async fn finish(
    state: &State,
    caller: &Caller,
    agent_id: i32,
    run_id: i64,
    timeout: Duration,
) -> Result<Response, Refusal> {
    let mut changes = state.watch_runs();
    let deadline = state.now().checked_add(timeout).unwrap_or(jiff::Timestamp::MAX);
    loop {
        let now = state.now();
        let end = tenant(state, caller, |tenant| {
            let (_, run) = runs::find(tenant, agent_id, run_id)?;
            Ok(run.end())
        })?;
        // By the world's time, not by when this task gets to look at it.
        if now >= end && end <= deadline {
            return result(state, caller, agent_id, run_id);
        }
        if now >= deadline {
            return Err(Refusal::vendor(
                StatusCode::GATEWAY_TIMEOUT,
                format!("Run {run_id} did not finish within {} seconds and goes on", timeout.as_secs()),
            ));
        }
        tokio::select! {
            () = state.options.clock.sleep_until(end.min(deadline)) => {}
            // Somebody stopped a run, perhaps this one.
            _ = changes.changed() => {}
        }
    }
}

fn result(state: &State, caller: &Caller, agent_id: i32, run_id: i64) -> Result<Response, Refusal> {
    tenant(state, caller, |tenant| {
        let (agent, run) = runs::find(tenant, agent_id, run_id)?;
        let snapshot = run.at(state.now());
        match snapshot.status {
            Status::Completed | Status::Success => {
                let rows = agent.dataset.rows(agent.id, run.id, snapshot.data_count);
                Ok(if agent.behaviour == Behaviour::AnswersCsv {
                    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
                    (headers, csv(agent.dataset, &rows)).into_response()
                } else {
                    Json(rows).into_response()
                })
            }
            Status::Stopped => {
                Err(Refusal::vendor(StatusCode::CONFLICT, format!("Run {run_id} was stopped")))
            }
            _ => {
                let message = snapshot.message.unwrap_or_default();
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Err(Refusal::vendor(status, format!("Run {run_id} failed: {message}")))
            }
        }
    })
}
