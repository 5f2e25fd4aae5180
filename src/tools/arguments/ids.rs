//! Arguments that name one object, and nothing else.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::ids::{AgentId, RunId, SpaceId};

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NoArgs {}

/// Which agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentArgs {
    /// Agent id.
    pub agent_id: AgentId,
}

/// Which run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunArgs {
    /// Agent id.
    pub agent_id: AgentId,
    /// Run id.
    pub run_id: RunId,
}

/// Which space.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpaceArgs {
    /// From `list_spaces`.
    pub space_id: SpaceId,
}
