//! `disable_agent_schedule`: keep a schedule from firing.

use super::{Done, Which};
use crate::{
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct DisableAgentSchedule;

impl Tool for DisableAgentSchedule {
    const NAME: &'static str = "disable_agent_schedule";
    const TITLE: &'static str = "Disable Agent Schedule";
    const DESCRIPTION: &'static str =
        "Keeps a schedule from starting its agent. Its settings are kept; enable_agent_schedule undoes it.";
    const TOOLSET: Toolset = Toolset::Schedules;
    const EFFECT: Effect = Effect::Set;
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    type Args = Which;
    type Output = Done;

    async fn call(cx: &ToolCx, which: Which) -> Result<Done, ToolError> {
        cx.api().disable_schedule(which.agent_id, which.schedule_id).await?;
        Ok(which.done("The schedule is disabled and starts nothing until it is enabled."))
    }
}
