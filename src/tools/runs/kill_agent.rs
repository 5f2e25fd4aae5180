//! `kill_agent`: end a run that does not react to a stop.

use super::Acknowledged;
use crate::{
    auth::Scope,
    tools::{
        Asks, Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::RunArgs,
        asking::{About, Confirmation},
        lost_writes,
    },
};

/// The tool.
pub struct KillAgent;

impl Tool for KillAgent {
    const NAME: &'static str = "kill_agent";
    const TITLE: &'static str = "Kill Agent";
    const DESCRIPTION: &'static str = "Ends a run that stop_agent did not end. The first call asks it to stop; a second one, while it is stopping, ends it by force: what was not saved is lost.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Destroy { repeatable: false };
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    const ASKS: Asks<RunArgs> = Asks::Confirmation(|&RunArgs { agent_id, run_id }| {
        Confirmation::new(About::Agent(agent_id), move |agent| {
            format!(
                "End run {run_id} of {agent}? If it is stopping already, it is ended by force and what was not saved is lost."
            )
        })
    });

    type Args = RunArgs;
    type Output = Acknowledged;

    async fn call(cx: &ToolCx, RunArgs { agent_id, run_id }: RunArgs) -> Result<Acknowledged, ToolError> {
        cx.api().kill_run(agent_id, run_id).await.map_err(|error| {
            let look = "It is not known whether this arrived, and a second call uses force. Look with get_run_status first.";
            lost_writes::once(error, look)
        })?;
        Ok(Acknowledged {
            agent_id,
            run_id,
            message: "The run was asked to end, by force if it was stopping already. Check with get_run_status.",
        })
    }
}
