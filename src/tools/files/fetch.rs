//! One end of a file of a run, with what the platform knows of it.

use url::Url;

use crate::{
    api::{
        ApiError, End, Piece,
        ids::{AgentId, FileId, RunId},
        model::RunFile,
    },
    tools::ToolCx,
};

/// What was fetched.
pub(super) struct Fetched {
    /// As the run lists it; nothing is known of a file that it does not list.
    pub known: RunFile,
    /// Signed link to the whole file.
    pub url: Url,
    pub piece: Piece,
}

/// Looks the file up, has its link signed, and reads from there.
pub(super) async fn fetch(
    cx: &ToolCx,
    agent: AgentId,
    run: RunId,
    file: FileId,
    end: End,
) -> Result<Fetched, ApiError> {
    let api = cx.api();
    let id = i64::try_from(file.get()).ok();
    let (files, url) = tokio::try_join!(api.run_files(agent, run), api.download_url(agent, run, file))?;
    let known = files.into_iter().find(|file| file.id == id).unwrap_or_default();
    let piece = api.read_stored(&url, end).await?;
    Ok(Fetched { known, url, piece })
}
