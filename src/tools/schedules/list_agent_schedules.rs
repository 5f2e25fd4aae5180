//! `list_agent_schedules`: every schedule of an agent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::{ids::AgentId, model::Schedule},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct ListAgentSchedules;

/// Whose schedules.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
}

/// The schedules.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    result: Vec<Schedule>,
    returned: usize,
}

impl Tool for ListAgentSchedules {
    const NAME: &'static str = "list_agent_schedules";
    const TITLE: &'static str = "List Agent Schedules";
    const DESCRIPTION: &'static str = "Lists all schedules of an agent with timing, next run and whether they are enabled. A cron expression is in the member schedule.";
    const TOOLSET: Toolset = Toolset::Schedules;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let result = cx.api().schedules(args.agent_id).await?;
        Ok(Output { returned: result.len(), result })
    }
}
