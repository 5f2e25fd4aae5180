//! `kill_agent`: end a run that does not react to a stop.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::ids::{AgentId, RunId},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, lost},
};

/// The tool.
pub struct KillAgent;

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
    agent_id: AgentId,
    run_id: RunId,
    message: &'static str,
}

impl Tool for KillAgent {
    const NAME: &'static str = "kill_agent";
    const TITLE: &'static str = "Kill Agent";
    const DESCRIPTION: &'static str = "Ends a run that stop_agent did not end. The first call asks it to stop; a second one, while it is stopping, ends it by force: what was not saved is lost.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Destroy { repeatable: false };
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, Args { agent_id, run_id }: Args) -> Result<Output, ToolError> {
        cx.api().kill_run(agent_id, run_id).await.map_err(|error| {
            let look = "It is not known whether this arrived, and a second call uses force. Look with get_run_status first.";
            lost::once(error, look)
        })?;
        Ok(Output {
            agent_id,
            run_id,
            message: "The run was asked to end, by force if it was stopping already. Check with get_run_status.",
        })
    }
}
