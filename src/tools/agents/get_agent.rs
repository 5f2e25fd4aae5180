//! `get_agent`: the complete record of one agent.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status_name;
use crate::{
    api::{ids::AgentId, model::Agent},
    auth::Scope,
    resources::ResourceUri,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::Flag},
};

/// The tool.
pub struct GetAgent;

/// Which agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Also icon and image, which are large; default: false.
    include_images: Option<Flag>,
}

/// The agent.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    #[serde(flatten)]
    agent: Agent,
    /// Status of the latest run by name, or `Never Run`.
    status_name: Cow<'static, str>,
}

impl Tool for GetAgent {
    const NAME: &'static str = "get_agent";
    const TITLE: &'static str = "Get Agent";
    const DESCRIPTION: &'static str =
        "Returns one agent in full, with the inputParameters (names and defaults) that start_agent accepts.";
    const TOOLSET: Toolset = Toolset::Agents;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let mut agent = cx.api().agent(args.agent_id).await?;
        cx.links.add(ResourceUri::AgentRuns { agent: args.agent_id });
        if !args.include_images.unwrap_or_default().0 {
            agent.icon = None;
            agent.image = None;
        }
        Ok(Output { status_name: status_name(agent.status), agent })
    }
}
