//! Agents.
//!
//! Members that few callers need are passed on, but left out of the published schema, which every client reads into its
//! context.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

super::record! {
    /// An agent: one scraper configuration.
    Agent {
        /// Agent id.
        id: i64,
        /// Name.
        name: String,
        /// Description.
        description: String,
        /// Documentation text.
        #[schemars(skip)]
        documentation: String,
        /// Icon reference.
        #[schemars(skip)]
        icon: String,
        /// Base64 image data.
        #[schemars(skip)]
        image: String,
        /// Input parameter names with their default values.
        input_parameters: BTreeMap<String, serde_json::Value>,
        /// Kind: 1 Agent, 2 SharedFile, 3 Template, 4 Command.
        config_type: i64,
        /// Proxy pool id.
        #[schemars(skip)]
        proxy_pool_id: i64,
        /// Space id; absent for the personal area.
        space_id: i64,
        /// First page visited.
        start_url: String,
        /// Status code of the latest run; absent if it never ran.
        status: i64,
        /// Owner's user id.
        #[schemars(skip)]
        user_id: i64,
        /// Validation: 1 Unknown, 2 Invalid, 3 Valid.
        #[schemars(skip)]
        validation_status: i64,
        /// Saved version number.
        version: i64,
        /// Activity flag of the platform.
        #[schemars(skip)]
        is_active: bool,
        /// Time of the last activity, UTC.
        last_activity: String,
        /// Creation time, UTC.
        #[schemars(skip)]
        created: String,
        /// Time of the last change, UTC.
        #[schemars(skip)]
        updated: String,
        /// Template text.
        #[schemars(skip)]
        agent_templates: String,
    }
}

super::record! {
    /// How many there are.
    Count {
        total_count: i64,
    }
}

/// One page of agents.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentPage {
    /// The agents of this page.
    pub agents: Vec<Agent>,
    /// Matches on all pages; absent when the platform answered with a bare array.
    pub total: Option<u64>,
}

/// The platform sends a page object when it is asked for a page, and may send a bare array all the same.
#[derive(Deserialize)]
#[serde(untagged)]
enum Shape {
    #[serde(rename_all = "camelCase")]
    Page {
        agents: Vec<Agent>,
        total_record_count: Option<u64>,
    },
    Bare(Vec<Agent>),
}

impl<'de> Deserialize<'de> for AgentPage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Shape::deserialize(deserializer)? {
            Shape::Page { agents, total_record_count } => Self { agents, total: total_record_count },
            Shape::Bare(agents) => Self { agents, total: None },
        })
    }
}
