//! `get_agent_build_status`: how far a build is.

use schemars::JsonSchema;
use serde::Serialize;

use super::{FAILED, Which};
use crate::{
    auth::Scope,
    policies::polling,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, untrusted::Notice},
};

/// The tool.
pub struct GetAgentBuildStatus;

/// The state.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// processing, ready, completed, error or cancelled.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_elapsed_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    browser_io_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    /// Beside a name, which the build service took from the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
}

impl Tool for GetAgentBuildStatus {
    const NAME: &'static str = "get_agent_build_status";
    const TITLE: &'static str = "Get Agent Build Status";
    const DESCRIPTION: &'static str =
        concat!("Returns the state of a build and, once there is one, the new agent. ", polling!());
    const TOOLSET: Toolset = Toolset::Builder;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = Which;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Which) -> Result<Output, ToolError> {
        let build = cx.api().build_status(&args.session_id).await?;
        let status = build.status.unwrap_or_else(|| "processing".to_owned());
        Ok(Output {
            error: (status == "error").then_some(FAILED),
            status,
            agent_id: build.agent_id.or(build.config_id),
            notice: build.agent_name.is_some().then_some(Notice),
            agent_name: build.agent_name,
            agent_elapsed_seconds: build.agent_elapsed_seconds,
            browser_io_seconds: build.browser_io_seconds,
        })
    }
}
