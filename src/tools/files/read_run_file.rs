//! `read_run_file`: look into a file of a run without downloading it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    fetch::{Fetched, fetch},
    preview::{Preview, preview},
};
use crate::{
    api::{
        End,
        ids::{AgentId, FileId, RunId},
    },
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Bounded, choice},
        untrusted::{Notice, clean},
    },
};

/// The tool.
pub struct ReadRunFile;

/// Which file, and how much of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Run id.
    run_id: RunId,
    /// From `get_run_files`.
    file_id: FileId,
    /// Which end to read: head for data, tail for the last lines of a log; default: head.
    part: Option<Part>,
    /// Most rows of a table or lines of a text; default: 20.
    limit: Option<Bounded<1, 500>>,
}

choice! {
    /// Which end to read.
    Part {
        /// The beginning.
        Head = "head",
        /// The end.
        Tail = "tail",
    }
}

/// What is in the file.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Name of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Rows of a table, one object each.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Map<String, Value>>>,
    /// Lines of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Whether there is more in the file than is shown.
    truncated: bool,
    /// Signed link to the whole file, when there is more or when it is no text; it expires soon.
    #[serde(skip_serializing_if = "Option::is_none")]
    download_url: Option<String>,
    notice: Notice,
    /// What else to know, if the content is not what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl Tool for ReadRunFile {
    const NAME: &'static str = "read_run_file";
    const TITLE: &'static str = "Read Run File";
    const DESCRIPTION: &'static str = "Shows what is in a file of a run: the first rows of CSV or JSON, or the first or last lines of a text or log, 20 kB at most. Other types are answered with a download link.";
    const TOOLSET: Toolset = Toolset::Files;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let end = if args.part == Some(Part::Tail) { End::Tail } else { End::Head };
        let Fetched { known, url, piece } = fetch(cx, args.agent_id, args.run_id, args.file_id, end).await?;
        let name = known.name;
        let limit = args.limit.map_or(20, Bounded::get) as usize;
        // A host without ranges gives the beginning, whose last lines are not the last lines of the file.
        let tail = end == End::Tail && (piece.end == End::Tail || piece.complete);
        let missed_tail = end == End::Tail && !tail;
        let shown = preview(name.as_deref().unwrap_or_default(), &piece.bytes, piece.complete, tail, limit);
        let (rows, text, truncated) = match shown {
            Preview::Rows { rows, more } => (Some(rows), None, more),
            Preview::Text { text, more } => (None, Some(text), more),
            Preview::Binary => (None, None, true),
        };
        let note = if rows.is_none() && text.is_none() {
            Some("The file is not text. Give the link to the user.")
        } else {
            missed_tail.then_some("The storage host serves only the beginning of this file.")
        };
        let download_url = truncated.then(|| url.into());
        Ok(Output {
            name: name.as_deref().map(clean),
            rows,
            text,
            truncated,
            download_url,
            notice: Notice,
            note,
        })
    }
}
