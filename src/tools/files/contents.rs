//! A file of a run as it is, for the resource that shows it. Under the same cap as `read_run_file`.

use super::fetch::{Fetched, fetch};
use crate::{
    api::{
        End, MAX_READ,
        ids::{AgentId, FileId, RunId},
    },
    tools::{ToolCx, ToolError, untrusted::clean},
};

/// What is in a file.
#[derive(Debug)]
pub struct FileContents {
    /// Name.
    pub name: Option<String>,
    /// Media type, by the name.
    pub media_type: String,
    /// When the file was made, as the platform says it.
    pub created: Option<String>,
    /// The content.
    pub body: FileBody,
    /// Whether the file is longer than what is here; only texts are cut.
    pub truncated: bool,
}

/// Text or bytes.
#[derive(Debug)]
pub enum FileBody {
    /// Text, without what cannot be seen.
    Text(String),
    /// Anything else.
    Blob(Vec<u8>),
}

/// Reads a file.
///
/// # Errors
///
/// What the platform or the storage host answered; `file_too_large` for a file beyond the cap that is not text.
pub async fn file_contents(
    cx: &ToolCx,
    agent: AgentId,
    run: RunId,
    file: FileId,
) -> Result<FileContents, ToolError> {
    let Fetched { known, piece, .. } = fetch(cx, agent, run, file, End::Head).await?;
    // Archives of a single file are unpacked on the way, so the name inside counts.
    let name = known.name.as_deref().map(clean);
    let inner = name.as_deref().map(|name| name.strip_suffix(".gz").unwrap_or(name)).unwrap_or_default();
    let guess = mime_guess::from_path(inner).first();
    let truncated = !piece.complete;
    let (body, fallback) = match String::from_utf8(piece.bytes) {
        Ok(text) if !text.contains('\0') => (FileBody::Text(clean(&text)), "text/plain"),
        Ok(text) => (FileBody::Blob(text.into_bytes()), "application/octet-stream"),
        // A cut can fall into a character; what comes before it is text all the same.
        Err(error) if truncated && error.utf8_error().error_len().is_none() => {
            (FileBody::Text(clean(&String::from_utf8_lossy(error.as_bytes()))), "text/plain")
        }
        Err(error) => (FileBody::Blob(error.into_bytes()), "application/octet-stream"),
    };
    if truncated && matches!(body, FileBody::Blob(_)) {
        let message = format!("The file is larger than {} kB and is no text.", MAX_READ / 1024);
        return Err(ToolError::new(
            "file_too_large",
            message,
            "Give the user the link from get_file_download_url.",
        ));
    }
    let media_type = guess.map_or_else(|| fallback.to_owned(), |guess| guess.essence_str().to_owned());
    Ok(FileContents { name, media_type, created: known.created, body, truncated })
}
