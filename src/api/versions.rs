//! Saved versions of agents: list, restore.

use serde_json::json;

use super::{ApiError, Session, ids::AgentId, model::AgentVersion, network::Call};

impl Session<'_> {
    /// `listAgentVersions`: every saved version, not capped.
    pub async fn versions(&self, agent: AgentId) -> Result<Vec<AgentVersion>, ApiError> {
        self.fetch(Call::get("listAgentVersions", format!("/api/v1/agent/{agent}/versions"))).await
    }

    /// `restoreAgentVersion`: saves an old version as a new one. Never repeated: each call adds a version.
    pub async fn restore_version(
        &self,
        agent: AgentId,
        version: u32,
        comments: &str,
    ) -> Result<(), ApiError> {
        let path = format!("/api/v1/agent/{agent}/version/{version}/restore");
        // The platform calls the comments `content`.
        let call = Call::post("restoreAgentVersion", path, Some(json!({"content": comments})));
        self.send(call).await.map(drop)
    }
}
