//! What is said of a run that something was done to.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::ids::{AgentId, RunId};

/// The acknowledgement.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledged {
    /// Agent id.
    pub agent_id: AgentId,
    /// Run id.
    pub run_id: RunId,
    /// What was done, or happens next.
    pub message: &'static str,
}
