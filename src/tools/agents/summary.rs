//! An agent as tools show it: the seven members that a list needs, or all of them.

use std::borrow::Cow;

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
    status: Cow<'static, str>,
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
            status: status_name(agent.status),
            config_type: agent.config_type,
            version: agent.version,
            last_activity: agent.last_activity,
        }
    }
}

/// An agent in a list, with everything but icon and image, which are large.
#[derive(Debug, Serialize)]
pub struct WholeAgent {
    #[serde(flatten)]
    agent: Agent,
    /// By name, as in the short form: a member does not change its type with the length of the record.
    status: Cow<'static, str>,
}

impl From<Agent> for WholeAgent {
    fn from(agent: Agent) -> Self {
        let status = status_name(agent.status);
        Self { status, agent: Agent { status: None, icon: None, image: None, ..agent } }
    }
}

/// A latest run's status by name.
pub fn status_name(code: Option<i64>) -> Cow<'static, str> {
    code.map_or(Cow::Borrowed("Never Run"), run_status_name)
}
