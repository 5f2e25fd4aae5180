//! `list_agent_schedules`: every schedule of an agent.

use crate::{
    api::model::Schedule,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::AgentArgs, listed::Listed},
};

/// The tool.
pub struct ListAgentSchedules;

impl Tool for ListAgentSchedules {
    const NAME: &'static str = "list_agent_schedules";
    const TITLE: &'static str = "List Agent Schedules";
    const DESCRIPTION: &'static str = "Lists all schedules of an agent with timing, next run and whether they are enabled. A cron expression is in the member schedule.";
    const TOOLSET: Toolset = Toolset::Schedules;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = AgentArgs;
    type Output = Listed<Schedule>;

    async fn call(cx: &ToolCx, args: AgentArgs) -> Result<Listed<Schedule>, ToolError> {
        Ok(cx.api().schedules(args.agent_id).await?.into())
    }
}
