//! The data that a run delivered, read back from its files.

use serde_json::Value;

use crate::{
    api::{
        ApiError, End,
        ids::{AgentId, FileId, RunId},
        model::RunFile,
    },
    tools::ToolCx,
};

/// The platform's number for files with output as it was delivered.
const DELIVERED: i64 = 1;
/// Forms that can be shown as data, the best first.
const FORMS: [&str; 3] = [".json", ".csv", ".tsv"];

/// What a synchronous start would have returned: JSON, or a table as text. `None` if there is no such file, it is too
/// large to be shown, or it cannot be read; the run's files are there all the same.
pub(super) async fn delivered(cx: &ToolCx, agent: AgentId, run: RunId) -> Option<Value> {
    match read(cx, agent, run).await {
        Ok(data) => data,
        Err(error) => {
            tracing::debug!(%error, "the data of a run could not be read back");
            None
        }
    }
}

async fn read(cx: &ToolCx, agent: AgentId, run: RunId) -> Result<Option<Value>, ApiError> {
    let api = cx.api();
    let files = api.run_files(agent, run).await?;
    let Some((file, form)) = best(&files) else { return Ok(None) };
    let url = api.download_url(agent, run, file).await?;
    let piece = api.read_stored(&url, End::Head).await?;
    let text = String::from_utf8(piece.bytes).ok().filter(|_| piece.complete);
    Ok(text.and_then(|text| match form {
        ".json" => serde_json::from_str(&text).ok(),
        _ => Some(text.into()),
    }))
}

fn best(files: &[RunFile]) -> Option<(FileId, &'static str)> {
    FORMS.into_iter().find_map(|form| {
        let fits = |file: &&RunFile| {
            let name = file.name.as_deref().unwrap_or_default().to_ascii_lowercase();
            let name = name.strip_suffix(".gz").unwrap_or(&name);
            file.file_type == Some(DELIVERED) && name.ends_with(form)
        };
        let file = files.iter().find(fits)?;
        Some((FileId::sent(file.id)?, form))
    })
}
