//! `get_personal_agent_count`: how many agents are in the personal area.

use crate::{
    api::model::Count,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::NoArgs},
};

/// The tool.
pub struct GetPersonalAgentCount;

impl Tool for GetPersonalAgentCount {
    const NAME: &'static str = "get_personal_agent_count";
    const TITLE: &'static str = "Get Personal Agent Count";
    const DESCRIPTION: &'static str = "Counts the agents in the user's personal area, which is not a space, so the space tools do not see it.";
    const TOOLSET: Toolset = Toolset::Agents;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = NoArgs;
    type Output = Count;

    async fn call(cx: &ToolCx, _: NoArgs) -> Result<Count, ToolError> {
        Ok(cx.api().count_personal_agents().await?)
    }
}
