//! Runs as the tools of this group show them, with the status by name beside the code.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    api::{
        ids::AgentId,
        model::{AgentRun, RunDiagnostics, run_status_name},
    },
    tools::untrusted::Notice,
};

/// Why a run ended as it did.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostics {
    #[serde(flatten)]
    run: RunDiagnostics,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_name: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
    /// Why there is no explanation, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl Diagnostics {
    /// Nothing to explain.
    pub(super) fn none(note: &'static str) -> Self {
        Self { run: RunDiagnostics::default(), status_name: None, notice: None, note: Some(note) }
    }

    /// A run of which the platform has no analysis: what its record says.
    pub(super) fn from_record(agent: AgentId, run: AgentRun) -> Self {
        let run = RunDiagnostics {
            run_id: run.id,
            agent_id: i64::try_from(agent.get()).ok(),
            status: run.status,
            error_message: run.message,
            runtime_seconds: run.run_time_sec,
            ..RunDiagnostics::default()
        };
        Self { note: Some("The platform has no analysis of this run; its record says this."), ..run.into() }
    }
}

impl From<RunDiagnostics> for Diagnostics {
    fn from(run: RunDiagnostics) -> Self {
        Self { status_name: run.status.map(run_status_name), run, notice: Some(Notice), note: None }
    }
}
