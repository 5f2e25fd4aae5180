//! Spaces: list, read, find, and the agents in them.

use super::{
    ApiError, Session,
    ids::SpaceId,
    model::{Space, SpaceAgent},
    network::Call,
};

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
}
