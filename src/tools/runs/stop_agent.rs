//! `stop_agent`: ask a run to end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::ids::{AgentId, RunId},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct StopAgent;

/// Which run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Run id.
    run_id: RunId,
}

/// The acknowledgement.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Agent id.
    agent_id: AgentId,
    /// Run id.
    run_id: RunId,
    /// What happens next.
    message: &'static str,
}

impl Tool for StopAgent {
    const NAME: &'static str = "stop_agent";
    const TITLE: &'static str = "Stop Agent";
    const DESCRIPTION: &'static str = "Asks a run to stop. What was extracted so far is kept. It passes through Stopping, which can take a minute.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Set;
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, Args { agent_id, run_id }: Args) -> Result<Output, ToolError> {
        cx.api().stop_run(agent_id, run_id).await?;
        Ok(Output {
            agent_id,
            run_id,
            message: "The stop was requested. Check with get_run_status that the run has ended.",
        })
    }
}
