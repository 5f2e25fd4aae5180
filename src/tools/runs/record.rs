//! A run as tools show it: the platform's record, with the status by name beside the code.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::model::{AgentRun, run_status_name};

/// A run.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    // The schema names what most readers want; the record has all the members that the platform sends.
    #[serde(flatten)]
    #[schemars(with = "RunSummary")]
    run: AgentRun,
    /// The status by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_name: Option<Cow<'static, str>>,
}

impl From<AgentRun> for RunRecord {
    fn from(run: AgentRun) -> Self {
        let status_name = run.status.map(run_status_name);
        Self { run, status_name }
    }
}

/// A run in a list: what the next step needs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// Run id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    /// Status code.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i64>,
    /// The status by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_name: Option<Cow<'static, str>>,
    /// Start, UTC, without fractions of a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    /// Run time in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_time_sec: Option<i64>,
    /// Records extracted.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_count: Option<i64>,
    /// Records exported.
    #[serde(skip_serializing_if = "Option::is_none")]
    export_count: Option<i64>,
    /// Errors met; left out when there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_count: Option<i64>,
    /// Status or error text.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl From<AgentRun> for RunSummary {
    fn from(run: AgentRun) -> Self {
        Self {
            id: run.id,
            status: run.status,
            status_name: run.status.map(run_status_name),
            start_time: run.start_time.map(whole_seconds),
            run_time_sec: run.run_time_sec,
            data_count: run.data_count,
            export_count: run.export_count,
            error_count: run.error_count.filter(|count| *count != 0),
            message: run.message.filter(|text| !text.is_empty()),
        }
    }
}

/// The platform sends up to seven digits of a second, which nobody reads in a list.
fn whole_seconds(time: String) -> String {
    match time.split_once('.') {
        Some((whole, fraction)) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{whole}{zone}")
        }
        None => time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_dropped_and_zones_kept() {
        for (sent, shown) in [
            ("2026-06-11T08:15:30.482913Z", "2026-06-11T08:15:30Z"),
            ("2026-06-30T23:59:59.9999999", "2026-06-30T23:59:59"),
            ("2026-06-11T08:15:30.5+02:00", "2026-06-11T08:15:30+02:00"),
            ("2026-06-11T08:15:30Z", "2026-06-11T08:15:30Z"),
        ] {
            assert_eq!(whole_seconds(sent.to_owned()), shown);
        }
    }
}
