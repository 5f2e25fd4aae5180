//! `stop_agent_build`: end a build.

use schemars::JsonSchema;
use serde::Serialize;

use super::Which;
use crate::{
    api::ids::BuildSessionId,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct StopAgentBuild;

/// The acknowledgement.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    stopped: bool,
    session_id: BuildSessionId,
}

impl Tool for StopAgentBuild {
    const NAME: &'static str = "stop_agent_build";
    const TITLE: &'static str = "Stop Agent Build";
    const DESCRIPTION: &'static str = "Ends a build that is in progress. One that has ended stays as it is, and an agent that was saved already stays too.";
    const TOOLSET: Toolset = Toolset::Builder;
    const EFFECT: Effect = Effect::Set;
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    type Args = Which;
    type Output = Output;

    async fn call(cx: &ToolCx, Which { session_id }: Which) -> Result<Output, ToolError> {
        cx.api().stop_build(&session_id).await?;
        Ok(Output { stopped: true, session_id })
    }
}
