//! Building agents from prompts: start, follow, stop.

use serde::Deserialize;
use serde_json::json;

use super::{
    ApiError, Session,
    ids::{BuildSessionId, SpaceId},
    model::BuildStatus,
    network::Call,
};

/// The answer to a start.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    session_id: BuildSessionId,
}

impl Session<'_> {
    /// `startAgentBuild`: begins a build. Never repeated: a second call builds a second agent.
    pub async fn start_build(
        &self,
        prompt: &str,
        space: Option<SpaceId>,
    ) -> Result<BuildSessionId, ApiError> {
        let body = match space {
            Some(space) => json!({"prompt": prompt, "spaceId": space}),
            None => json!({"prompt": prompt}),
        };
        let call = Call::post("startAgentBuild", "/api/v1/agent-builder/start".to_owned(), Some(body));
        let started: Started = self.fetch(call).await?;
        Ok(started.session_id)
    }

    /// `getAgentBuildStatus`: how far a build is.
    pub async fn build_status(&self, session: &BuildSessionId) -> Result<BuildStatus, ApiError> {
        self.fetch(Call::get("getAgentBuildStatus", format!("/api/v1/agent-builder/{session}/status"))).await
    }

    /// `stopAgentBuild`: ends a build; one that has ended stays as it is.
    pub async fn stop_build(&self, session: &BuildSessionId) -> Result<(), ApiError> {
        let call = Call::post("stopAgentBuild", format!("/api/v1/agent-builder/{session}/stop"), None);
        self.send(call.repeatable()).await?;
        Ok(())
    }
}
