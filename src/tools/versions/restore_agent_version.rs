//! `restore_agent_version`: make an old version current again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::ids::AgentId,
    auth::Scope,
    tools::{
        Asks, Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Bounded, Text},
        asking::{About, Confirmation},
        lost_writes,
    },
};

/// The tool.
pub struct RestoreAgentVersion;

/// What to restore, and why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// From `get_agent_versions`.
    version_number: Bounded<1, { i32::MAX as u32 }>,
    /// The reason, kept in the version history.
    comments: Text<1000>,
}

/// The acknowledgement.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    agent_id: AgentId,
    /// The one restored.
    version_number: u32,
    message: &'static str,
}

impl Tool for RestoreAgentVersion {
    const NAME: &'static str = "restore_agent_version";
    const TITLE: &'static str = "Restore Agent Version";
    const DESCRIPTION: &'static str = "Makes an earlier version of an agent current again by saving it as a new version. Nothing is overwritten; calling it twice adds two versions.";
    const TOOLSET: Toolset = Toolset::Versions;
    const EFFECT: Effect = Effect::Create;
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    const ASKS: Asks<Args> = Asks::Confirmation(|args| {
        let version = args.version_number.get();
        Confirmation::new(About::Agent(args.agent_id), move |agent| {
            format!(
                "Make version {version} of {agent} current again? It is saved as a new version; nothing is overwritten."
            )
        })
    });

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let version_number = args.version_number.get();
        let restored = cx.api().restore_version(args.agent_id, version_number, args.comments.as_str()).await;
        restored.map_err(|error| {
            lost_writes::once(
                error,
                "It is not known whether the version was restored. Look with get_agent_versions before calling again.",
            )
        })?;
        Ok(Output {
            agent_id: args.agent_id,
            version_number,
            message: "The version was restored and saved as a new one. get_agent_versions shows its number.",
        })
    }
}
