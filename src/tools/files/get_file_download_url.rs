//! `get_file_download_url`: a signed, short-lived link to one file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::ids::{AgentId, FileId, RunId},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct GetFileDownloadUrl;

/// Which file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Run id.
    run_id: RunId,
    /// From `get_run_files`.
    file_id: FileId,
}

/// The link.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Signed link; whoever has it can download the file until it expires.
    download_url: String,
    /// How to treat it.
    note: &'static str,
}

impl Tool for GetFileDownloadUrl {
    const NAME: &'static str = "get_file_download_url";
    const TITLE: &'static str = "Get File Download URL";
    const DESCRIPTION: &'static str = "Returns a signed link to a file of a run. It needs no sign-in and expires soon: give it to the user only.";
    const TOOLSET: Toolset = Toolset::Files;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let url = cx.api().download_url(args.agent_id, args.run_id, args.file_id).await?;
        Ok(Output {
            download_url: url.into(),
            note: "The link expires soon and needs no sign-in: treat it as a secret and ask for a new one when it has expired.",
        })
    }
}
