//! `get_latest_failure`: why an agent's latest failed run failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Diagnostics;
use crate::{
    api::ids::AgentId,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct GetLatestFailure;

/// Which agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
}

/// The failed run, if there is one.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Whether a run failed.
    found: bool,
    #[serde(flatten)]
    failure: Option<Diagnostics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl Tool for GetLatestFailure {
    const NAME: &'static str = "get_latest_failure";
    const TITLE: &'static str = "Get Latest Failure";
    const DESCRIPTION: &'static str = "Explains the latest failed run of an agent: error message, possible causes, suggested actions. Says so when none failed.";
    const TOOLSET: Toolset = Toolset::Analytics;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let failure = cx.api().latest_failure(args.agent_id).await?;
        if failure.is_none() {
            // An agent out of the caller's reach looks the same; asking for its runs tells them apart.
            cx.api().runs(args.agent_id, 1).await?;
        }
        Ok(Output {
            found: failure.is_some(),
            note: failure.is_none().then_some("The platform knows no failed run of this agent."),
            failure: failure.map(Diagnostics::from),
        })
    }
}
