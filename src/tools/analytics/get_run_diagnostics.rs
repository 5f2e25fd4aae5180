//! `get_run_diagnostics`: why one run ended as it did.

use super::Diagnostics;
use crate::{
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::RunArgs},
};

/// The tool.
pub struct GetRunDiagnostics;

impl Tool for GetRunDiagnostics {
    const NAME: &'static str = "get_run_diagnostics";
    const TITLE: &'static str = "Get Run Diagnostics";
    const DESCRIPTION: &'static str = "Explains one run: error message, possible causes, suggested actions, counters. get_latest_failure needs no run id.";
    const TOOLSET: Toolset = Toolset::Analytics;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = RunArgs;
    type Output = Diagnostics;

    async fn call(cx: &ToolCx, args: RunArgs) -> Result<Diagnostics, ToolError> {
        let api = cx.api();
        match api.diagnostics(args.agent_id, args.run_id).await? {
            Some(found) => Ok(found.into()),
            // A run out of the caller's reach looks the same; asking for it tells them apart.
            None => Ok(Diagnostics::from_record(args.agent_id, api.run(args.agent_id, args.run_id).await?)),
        }
    }
}
