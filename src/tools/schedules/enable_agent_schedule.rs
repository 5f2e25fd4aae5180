//! `enable_agent_schedule`: let a schedule fire again.

use super::{Done, Which};
use crate::{
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct EnableAgentSchedule;

impl Tool for EnableAgentSchedule {
    const NAME: &'static str = "enable_agent_schedule";
    const TITLE: &'static str = "Enable Agent Schedule";
    const DESCRIPTION: &'static str =
        "Lets a disabled schedule start its agent again. get_agent_schedule shows the next run time.";
    const TOOLSET: Toolset = Toolset::Schedules;
    const EFFECT: Effect = Effect::Set;
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    type Args = Which;
    type Output = Done;

    async fn call(cx: &ToolCx, which: Which) -> Result<Done, ToolError> {
        cx.api().enable_schedule(which.agent_id, which.schedule_id).await?;
        Ok(which.done("The schedule is enabled and will start the agent again."))
    }
}
