//! `get_space_agent_count`: how many agents a space has.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    api::{ids::SpaceId, model::Count},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct GetSpaceAgentCount;

/// Which space.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Space id from `list_spaces` or `search_space_by_name`.
    space_id: SpaceId,
}

impl Tool for GetSpaceAgentCount {
    const NAME: &'static str = "get_space_agent_count";
    const TITLE: &'static str = "Get Space Agent Count";
    const DESCRIPTION: &'static str = "Counts the agents in a space, archived ones left out: as many as get_space_agents lists. The personal area is not a space.";
    const TOOLSET: Toolset = Toolset::Spaces;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::SpacesRead];

    type Args = Args;
    type Output = Count;

    async fn call(cx: &ToolCx, args: Args) -> Result<Count, ToolError> {
        Ok(cx.api().space_agent_count(args.space_id).await?)
    }
}
