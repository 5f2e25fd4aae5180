//! `get_run_files`: the files of a run.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    api::{ids::FileId, model::RunFile},
    auth::Scope,
    resources::ResourceUri,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::RunArgs},
};

/// The tool.
pub struct GetRunFiles;

/// The files.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The files of the run; empty until it has exported.
    result: Vec<File>,
    /// How many there are.
    returned: usize,
    /// Set when there is nothing: why that may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// One file.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// File id, for `get_file_download_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Role: 1 delivered file, 2 extracted files, 3 internal export files, 4 internal runtime files, 5 internal tracking database, 6 text log, 7 HTML log, 8 internal content cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_type: Option<i64>,
    /// Size in kilobytes, for instance 12.34 KB.
    file_size: String,
    /// Size in bytes.
    file_size_bytes: i64,
    /// Creation time, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
}

impl From<RunFile> for File {
    fn from(file: RunFile) -> Self {
        let bytes = file.file_size.unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "two decimals of a kilobyte")]
        let kilobytes = bytes as f64 / 1024.0;
        Self {
            id: file.id,
            name: file.name,
            file_type: file.file_type,
            file_size: format!("{kilobytes:.2} KB"),
            file_size_bytes: bytes,
            created: file.created,
        }
    }
}

impl Tool for GetRunFiles {
    const NAME: &'static str = "get_run_files";
    const TITLE: &'static str = "Get Run Files";
    const DESCRIPTION: &'static str =
        "Lists the files that a run produced: exported data and logs, with ids for get_file_download_url.";
    const TOOLSET: Toolset = Toolset::Files;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = RunArgs;
    type Output = Output;

    async fn call(cx: &ToolCx, args: RunArgs) -> Result<Output, ToolError> {
        let files = cx.api().run_files(args.agent_id, args.run_id).await?;
        for file in &files {
            if let Some(id) = FileId::sent(file.id) {
                let uri = ResourceUri::RunFile { agent: args.agent_id, run: args.run_id, file: id };
                let name = file.name.as_deref().unwrap_or_default();
                cx.links.add_file(uri, name, file.file_size, file.created.as_deref());
            }
        }
        let note = files.is_empty().then_some(
            "The run has no files. A run that has not ended exports later; one that failed early may have none.",
        );
        Ok(Output { returned: files.len(), result: files.into_iter().map(File::from).collect(), note })
    }
}
