//! `get_agent_schedule`: one schedule with its settings.

use super::Which;
use crate::{
    api::model::Schedule,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct GetAgentSchedule;

impl Tool for GetAgentSchedule {
    const NAME: &'static str = "get_agent_schedule";
    const TITLE: &'static str = "Get Agent Schedule";
    const DESCRIPTION: &'static str = "Returns one schedule with its timing, next run and run options.";
    const TOOLSET: Toolset = Toolset::Schedules;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = Which;
    type Output = Schedule;

    async fn call(cx: &ToolCx, which: Which) -> Result<Schedule, ToolError> {
        Ok(cx.api().schedule(which.agent_id, which.schedule_id).await?)
    }
}
