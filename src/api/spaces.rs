//! Spaces: list, read, find, run, and the agents in them.

use std::time::Duration;

use serde_json::json;

use super::{
    ApiError, Session,
    ids::SpaceId,
    model::{Count, Space, SpaceAgent, SpaceRun},
    network::Call,
};

/// How long the platform may take to start the agents of a large space.
pub const RUN_SPACE_PATIENCE: Duration = Duration::from_mins(5);

impl Session<'_> {
    /// `listSpaces`: every space the caller can see. The personal area is not a space.
    pub async fn spaces(&self) -> Result<Vec<Space>, ApiError> {
        self.fetch(Call::get("listSpaces", "/api/v1/spaces".to_owned())).await
    }

    /// `getSpace`: one space.
    pub async fn space(&self, space: SpaceId) -> Result<Space, ApiError> {
        self.fetch(Call::get("getSpace", format!("/api/v1/spaces/{space}"))).await
    }

    /// `listSpaceAgents`: the agents of a space, archived ones left out, not capped.
    pub async fn space_agents(&self, space: SpaceId) -> Result<Vec<SpaceAgent>, ApiError> {
        self.fetch(Call::get("listSpaceAgents", format!("/api/v1/spaces/{space}/agents"))).await
    }

    /// `searchSpaceByName`: one space by its name, whatever the case.
    pub async fn space_by_name(&self, name: &str) -> Result<Space, ApiError> {
        self.fetch(
            Call::get("searchSpaceByName", "/api/v1/spaces/search".to_owned()).query("name", Some(name)),
        )
        .await
    }

    /// `getSpaceAgentCount`: how many agents `listSpaceAgents` would return.
    pub async fn space_agent_count(&self, space: SpaceId) -> Result<Count, ApiError> {
        self.fetch(Call::get("getSpaceAgentCount", format!("/api/v1/spaces/{space}/agents/count"))).await
    }

    /// `runSpaceAgents`: starts every agent of a space. Never repeated: a second call starts them all again.
    pub async fn run_space(
        &self,
        space: SpaceId,
        input_parameters: Option<&str>,
    ) -> Result<SpaceRun, ApiError> {
        let body = input_parameters.map_or_else(|| json!({}), |text| json!({"inputParameters": text}));
        let mut call = Call::post("runSpaceAgents", format!("/api/v1/spaces/{space}/run-all"), Some(body));
        call.timeout = Some(RUN_SPACE_PATIENCE);
        self.fetch(call).await
    }
}
