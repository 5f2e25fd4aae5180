//! Building agents from a prompt.

mod get_agent_build_status;
mod start_agent_build;
mod stop_agent_build;
mod wait;

pub use get_agent_build_status::GetAgentBuildStatus;
pub use start_agent_build::StartAgentBuild;
pub use stop_agent_build::StopAgentBuild;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::ids::BuildSessionId;

/// Which build.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    /// From `start_agent_build`.
    session_id: BuildSessionId,
}

/// What is said of a failed build: the platform's own text holds internals.
const FAILED: &str = "The agent could not be built.";
