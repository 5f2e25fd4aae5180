//! The seven members of an agent that a list needs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::model::{Agent, run_status_name};

/// An agent in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentSummary {
    /// Agent id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Description.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Status of the latest run by name, or `Never Run`.
    status: String,
    /// Kind: 1 Agent, 2 `SharedFile`, 3 Template, 4 Command.
    #[serde(skip_serializing_if = "Option::is_none")]
    config_type: Option<i64>,
    /// Saved version number.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Time of the last activity, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_activity: Option<String>,
}

impl From<Agent> for AgentSummary {
    fn from(agent: Agent) -> Self {
        Self {
            id: agent.id,
            name: agent.name,
            description: agent.description,
            status: agent
                .status
                .map_or_else(|| "Never Run".to_owned(), |code| run_status_name(code).into_owned()),
            config_type: agent.config_type,
            version: agent.version,
            last_activity: agent.last_activity,
        }
    }
}
