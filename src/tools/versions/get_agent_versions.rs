//! `get_agent_versions`: the saved versions of an agent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::{ids::AgentId, model::AgentVersion},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct GetAgentVersions;

/// Whose versions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
}

/// The versions.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// All versions.
    result: Vec<AgentVersion>,
    /// How many.
    returned: usize,
}

impl Tool for GetAgentVersions {
    const NAME: &'static str = "get_agent_versions";
    const TITLE: &'static str = "Get Agent Versions";
    const DESCRIPTION: &'static str = "Lists every saved version of an agent's configuration with author, time, comment and size. Its version number is what restore_agent_version takes.";
    const TOOLSET: Toolset = Toolset::Versions;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let result = cx.api().versions(args.agent_id).await?;
        Ok(Output { returned: result.len(), result })
    }
}
