//! The files a finished run leaves behind, made up again whenever somebody asks.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

use super::{
    Agent,
    dataset::csv,
    run::{Run, Snapshot, Status},
};

/// File ids follow from the run's: this many per run.
const IDS_PER_RUN: i64 = 4;

/// The platform's file types, by their numbers on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileType {
    /// Output as it was delivered.
    Delivered = 1,
    /// What a broken-off run had extracted.
    Extracted = 2,
    LogText = 6,
}

#[derive(Debug)]
pub(crate) struct File {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) kind: FileType,
    pub(crate) content_type: &'static str,
    pub(crate) created: Timestamp,
    pub(crate) body: Vec<u8>,
}

/// The run's files at `now`: none while it is in progress.
pub(crate) fn of(agent: &Agent, run: &Run, now: Timestamp) -> Vec<File> {
    let snapshot = run.at(now);
    let Some(ended) = snapshot.ended.filter(|_| !run.files_removed) else { return Vec::new() };
    let first = run.id * IDS_PER_RUN;
    let rows = || agent.dataset.rows(agent.id, run.id, snapshot.data_count);
    let slug = slug(&agent.name);
    let log = File {
        id: first + 3,
        name: format!("{slug}-{}.log", run.sequence),
        kind: FileType::LogText,
        content_type: "text/plain; charset=utf-8",
        created: ended,
        body: log(agent, run, &snapshot).into_bytes(),
    };
    let output = |offset, extension, kind, content_type, body| File {
        id: first + offset,
        name: format!("{slug}.{extension}"),
        kind,
        content_type,
        created: ended,
        body,
    };
    match snapshot.status {
        Status::Completed | Status::Success => {
            let rows = rows();
            let json = serde_json::to_vec(&rows).unwrap_or_default();
            let csv = csv(agent.dataset, &rows).into_bytes();
            vec![
                output(1, "csv", FileType::Delivered, "text/csv; charset=utf-8", csv),
                output(2, "json", FileType::Delivered, "application/json", json),
                log,
            ]
        }
        Status::Failure | Status::Failed | Status::Stopped if snapshot.data_count > 0 => {
            let csv = csv(agent.dataset, &rows()).into_bytes();
            vec![output(1, "csv", FileType::Extracted, "text/csv; charset=utf-8", csv), log]
        }
        Status::Skipped => Vec::new(),
        _ => vec![log],
    }
}

fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

fn log(agent: &Agent, run: &Run, snapshot: &Snapshot) -> String {
    let mut out = String::new();
    let mut line = |at: Timestamp, level: &str, text: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{} {level:<7} {text}", at.strftime("%Y-%m-%d %H:%M:%S%.3f"));
    };
    line(run.created, "Info", &format!("Run {} of agent '{}' queued", run.id, agent.name));
    if let Some(started) = snapshot.started {
        let server = snapshot.server.as_deref().unwrap_or("worker");
        line(started, "Info", &format!("Agent version {} starting on {server}", run.config_version));
        line(started, "Info", &format!("Loading {}", agent.start_url));
        let took = snapshot.run_time.unwrap_or(SignedDuration::ZERO);
        let pages = i32::try_from(snapshot.page_count).unwrap_or(i32::MAX);
        for page in 1..=pages {
            let at = started.checked_add(took * page / (pages + 1)).unwrap_or(started);
            line(at, "Info", &format!("Page {page}: {}?page={page}", agent.start_url));
            if page % 40 == 0 {
                line(at, "Warning", &format!("Page {page} answered 503, loading it again"));
            }
        }
    }
    if let Some(ended) = snapshot.ended {
        if let Some(message) = &snapshot.message {
            let level = if snapshot.status == Status::Stopped { "Warning" } else { "Error" };
            line(ended, level, message);
        }
        if let Some(exported) = snapshot.export_count {
            line(ended, "Info", &format!("Exported {exported} records"));
        }
        line(ended, "Info", &format!("Run ended with {} records extracted", snapshot.data_count));
    }
    out
}
