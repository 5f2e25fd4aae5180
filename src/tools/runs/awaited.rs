//! What the tasks of runs keep with their client.

use serde::{Deserialize, Serialize};

use crate::api::ids::{AgentId, RunId};

/// Which run is waited for, and until when. Short names: it travels.
#[derive(Debug, Serialize, Deserialize)]
pub struct AwaitedRun {
    #[serde(rename = "a")]
    pub agent: AgentId,
    #[serde(rename = "r")]
    pub run: RunId,
    /// In Unix seconds.
    #[serde(rename = "u")]
    pub until: i64,
}
