//! `delete_agent_schedule`: remove a schedule.

use super::{Done, Which};
use crate::{
    auth::Scope,
    tools::{
        Asks, Effect, Tool, ToolCx, ToolError, Toolset,
        asking::{About, Confirmation},
    },
};

/// The tool.
pub struct DeleteAgentSchedule;

impl Tool for DeleteAgentSchedule {
    const NAME: &'static str = "delete_agent_schedule";
    const TITLE: &'static str = "Delete Agent Schedule";
    const DESCRIPTION: &'static str = "Removes one schedule for good; runs already started go on. disable_agent_schedule is the way that can be undone.";
    const TOOLSET: Toolset = Toolset::Schedules;
    const EFFECT: Effect = Effect::Destroy { repeatable: true };
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    const ASKS: Asks<Which> = Asks::Confirmation(|&Which { agent_id, schedule_id }| {
        Confirmation::new(About::Agent(agent_id), move |agent| {
            format!("Delete schedule {schedule_id} of {agent} for good? Runs that it has started go on.")
        })
    });

    type Args = Which;
    type Output = Done;

    async fn call(cx: &ToolCx, which: Which) -> Result<Done, ToolError> {
        cx.api().delete_schedule(which.agent_id, which.schedule_id).await?;
        Ok(which.done("The schedule was deleted."))
    }
}
