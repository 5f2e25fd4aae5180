//! `stop_agent`: ask a run to end.

use super::Acknowledged;
use crate::{
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::RunArgs},
};

/// The tool.
pub struct StopAgent;

impl Tool for StopAgent {
    const NAME: &'static str = "stop_agent";
    const TITLE: &'static str = "Stop Agent";
    const DESCRIPTION: &'static str = "Asks a run to stop. What was extracted so far is kept. It passes through Stopping, which can take a minute.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Set;
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    type Args = RunArgs;
    type Output = Acknowledged;

    async fn call(cx: &ToolCx, RunArgs { agent_id, run_id }: RunArgs) -> Result<Acknowledged, ToolError> {
        cx.api().stop_run(agent_id, run_id).await?;
        Ok(Acknowledged {
            agent_id,
            run_id,
            message: "The stop was requested. Check with get_run_status that the run has ended.",
        })
    }
}
