//! `get_space_agents`: the agents of a space.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::{ids::SpaceId, model::SpaceAgent},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, agents::status_name, arguments::Verbosity},
};

/// Most agents shown: the platform sends the agents of a space all at once, however many there are.
const MOST: usize = 50;

/// The tool.
pub struct GetSpaceAgents;

/// Which space.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// From `list_spaces`.
    space_id: SpaceId,
    /// Short (the default) or whole records.
    verbosity: Option<Verbosity>,
}

/// The agents, and whether they are all of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Agents of the space, archived ones left out.
    result: Vec<Member>,
    /// How many are in this answer.
    returned: usize,
    /// Whether the space has more than are shown.
    truncated: bool,
    /// How to get the rest, when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// One agent of the space.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    #[serde(flatten)]
    agent: SpaceAgent,
    /// Status of the latest run by name, or `Never Run`.
    status_name: Cow<'static, str>,
}

impl Member {
    /// Short unless the whole record was asked for.
    fn of(agent: SpaceAgent, verbosity: Option<Verbosity>) -> Self {
        let agent = match verbosity {
            Some(Verbosity::Full) => agent,
            Some(Verbosity::Summary) | None => SpaceAgent {
                id: agent.id,
                name: agent.name,
                description: agent.description,
                config_type: agent.config_type,
                status: agent.status,
                last_activity: agent.last_activity,
                ..SpaceAgent::default()
            },
        };
        Self { status_name: status_name(agent.status), agent }
    }
}

impl Tool for GetSpaceAgents {
    const NAME: &'static str = "get_space_agents";
    const TITLE: &'static str = "Get Space Agents";
    const DESCRIPTION: &'static str = "Lists the agents in a space, up to 50, archived ones left out, with the status of the latest run. list_agents with spaceId does the same page by page.";
    const TOOLSET: Toolset = Toolset::Spaces;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::SpacesRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let mut agents = cx.api().space_agents(args.space_id).await?;
        let total = agents.len();
        agents.truncate(MOST);
        let returned = agents.len();
        let truncated = returned < total;
        let note = format!(
            "{returned} of {total} are shown. list_agents with this spaceId shows all, page by page."
        );
        let result = agents.into_iter().map(|agent| Member::of(agent, args.verbosity)).collect();
        Ok(Output { result, returned, truncated, note: truncated.then_some(note) })
    }
}
