//! `get_run_diagnostics`: why one run ended as it did.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Diagnostics;
use crate::{
    api::ids::{AgentId, RunId},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct GetRunDiagnostics;

/// Which run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Run id from `get_agent_runs`.
    run_id: RunId,
}

impl Tool for GetRunDiagnostics {
    const NAME: &'static str = "get_run_diagnostics";
    const TITLE: &'static str = "Get Run Diagnostics";
    const DESCRIPTION: &'static str = "Explains one run: error message, possible causes, suggested actions, counters. get_latest_failure needs no run id.";
    const TOOLSET: Toolset = Toolset::Analytics;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = Args;
    type Output = Diagnostics;

    async fn call(cx: &ToolCx, args: Args) -> Result<Diagnostics, ToolError> {
        Ok(cx.api().diagnostics(args.agent_id, args.run_id).await?.into())
    }
}
