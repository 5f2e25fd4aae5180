//! `get_space_agent_count`: how many agents a space has.

use crate::{
    api::model::Count,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::SpaceArgs},
};

/// The tool.
pub struct GetSpaceAgentCount;

impl Tool for GetSpaceAgentCount {
    const NAME: &'static str = "get_space_agent_count";
    const TITLE: &'static str = "Get Space Agent Count";
    const DESCRIPTION: &'static str =
        "Counts the agents in a space, archived ones left out. The personal area is not a space.";
    const TOOLSET: Toolset = Toolset::Spaces;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::SpacesRead];

    type Args = SpaceArgs;
    type Output = Count;

    async fn call(cx: &ToolCx, args: SpaceArgs) -> Result<Count, ToolError> {
        Ok(cx.api().space_agent_count(args.space_id).await?)
    }
}
