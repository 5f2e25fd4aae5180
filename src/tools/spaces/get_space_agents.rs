//! `get_space_agents`: the agents of a space.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        ids::SpaceId,
        model::{SpaceAgent, run_status_name},
    },
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct GetSpaceAgents;

/// Which space.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Space id from `list_spaces` or `search_space_by_name`.
    space_id: SpaceId,
}

/// The agents.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// All agents of the space, archived ones left out.
    result: Vec<Listed>,
    /// How many there are.
    returned: usize,
}

/// One agent of the space.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    #[serde(flatten)]
    agent: SpaceAgent,
    /// Status of the latest run by name, or `Never Run`.
    status_name: Cow<'static, str>,
}

impl Tool for GetSpaceAgents {
    const NAME: &'static str = "get_space_agents";
    const TITLE: &'static str = "Get Space Agents";
    const DESCRIPTION: &'static str = "Lists all agents in a space, archived ones left out, with the status of the latest run. list_agents with spaceId does the same page by page.";
    const TOOLSET: Toolset = Toolset::Spaces;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::SpacesRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let agents = cx.api().space_agents(args.space_id).await?;
        let listed = |agent: SpaceAgent| {
            let status_name = agent.status.map_or(Cow::Borrowed("Never Run"), run_status_name);
            Listed { agent, status_name }
        };
        Ok(Output { returned: agents.len(), result: agents.into_iter().map(listed).collect() })
    }
}
