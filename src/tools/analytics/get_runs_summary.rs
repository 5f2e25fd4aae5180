//! `get_runs_summary`: runs of a window of time by outcome.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::model::{FailedRun, RunTotals, run_status_name},
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{DateArg, Flag, RunStatusName, blank_is_absent, window},
    },
};

/// The tool.
pub struct GetRunsSummary;

/// Which runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Date or date-time, UTC; default: 24 hours ago.
    #[serde(default, deserialize_with = "blank_is_absent")]
    start_date: Option<DateArg>,
    /// Likewise, always to the end of its day; default: now.
    #[serde(default, deserialize_with = "blank_is_absent")]
    end_date: Option<DateArg>,
    /// Only runs in this status. Failed and Failure are the same here, as are Completed and Success.
    #[serde(default, deserialize_with = "blank_is_absent")]
    status: Option<RunStatusName>,
    /// Whether to list the failed runs; default: true.
    include_details: Option<Flag>,
}

/// The counts.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    #[serde(flatten)]
    totals: RunTotals,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_run_details: Option<Vec<Failed>>,
    /// Whether failed runs are missing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// A failed run.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    #[serde(flatten)]
    run: FailedRun,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_name: Option<Cow<'static, str>>,
}

impl From<FailedRun> for Failed {
    fn from(run: FailedRun) -> Self {
        Self { status_name: run.status.map(run_status_name), run }
    }
}

impl Tool for GetRunsSummary {
    const NAME: &'static str = "get_runs_summary";
    const TITLE: &'static str = "Get Runs Summary";
    const DESCRIPTION: &'static str = "Counts the runs of all agents by outcome, by default of the last 24 hours, and lists the failed ones with their errors.";
    const TOOLSET: Toolset = Toolset::Analytics;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let window = window(args.start_date, args.end_date)?;
        let status = args.status.map(RunStatusName::name);
        let details = args.include_details.map(|flag| flag.0);
        let summary = cx.api().runs_summary(window, status.as_deref(), details).await?;
        let (totals, failed) = (summary.totals, summary.failed_run_details);
        let listed = failed.as_ref().map(Vec::len).and_then(|count| i64::try_from(count).ok()).unwrap_or(0);
        let note = totals.failed_runs.filter(|count| listed > 0 && listed < *count).map(|count| {
            format!("{listed} of {count} failed runs are listed. Narrow the window to see the others.")
        });
        let failed_run_details = failed.map(|runs| runs.into_iter().map(Failed::from).collect());
        Ok(Output { totals, failed_run_details, note })
    }
}
