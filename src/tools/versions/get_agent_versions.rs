//! `get_agent_versions`: the saved versions of an agent.

use crate::{
    api::model::AgentVersion,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::AgentArgs, listed::Listed},
};

/// The tool.
pub struct GetAgentVersions;

impl Tool for GetAgentVersions {
    const NAME: &'static str = "get_agent_versions";
    const TITLE: &'static str = "Get Agent Versions";
    const DESCRIPTION: &'static str = "Lists every saved version of an agent's configuration with author, time, comment and size. Its version number is what restore_agent_version takes.";
    const TOOLSET: Toolset = Toolset::Versions;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = AgentArgs;
    type Output = Listed<AgentVersion>;

    async fn call(cx: &ToolCx, args: AgentArgs) -> Result<Listed<AgentVersion>, ToolError> {
        Ok(cx.api().versions(args.agent_id).await?.into())
    }
}
