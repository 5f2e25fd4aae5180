//! `get_latest_failure`: why an agent's latest failed run failed.

use schemars::JsonSchema;
use serde::Serialize;

use super::Diagnostics;
use crate::{
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::AgentArgs},
};

/// The tool.
pub struct GetLatestFailure;

/// The failed run, if there is one.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Whether a run failed.
    found: bool,
    #[serde(flatten)]
    failure: Diagnostics,
}

impl Tool for GetLatestFailure {
    const NAME: &'static str = "get_latest_failure";
    const TITLE: &'static str = "Get Latest Failure";
    const DESCRIPTION: &'static str = "Explains the latest failed run of an agent: error message, possible causes, suggested actions. Says so when none failed.";
    const TOOLSET: Toolset = Toolset::Analytics;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = AgentArgs;
    type Output = Output;

    async fn call(cx: &ToolCx, args: AgentArgs) -> Result<Output, ToolError> {
        if let Some(failure) = cx.api().latest_failure(args.agent_id).await? {
            return Ok(Output { found: true, failure: failure.into() });
        }
        // An agent out of the caller's reach looks the same; asking for its runs tells them apart.
        cx.api().runs(args.agent_id, 1).await?;
        Ok(Output {
            found: false,
            failure: Diagnostics::none("The platform knows no failed run of this agent."),
        })
    }
}
