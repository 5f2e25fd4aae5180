//! Outcomes of runs, seen over time or explained one by one.

use serde::Deserialize;

super::record! {
    /// Runs of a window of time by outcome.
    RunTotals {
        start_date: String,
        end_date: String,
        total_runs: i64,
        completed_runs: i64,
        failed_runs: i64,
        /// Always 0.
        completed_with_errors_runs: i64,
        running_runs: i64,
        queued_runs: i64,
        stopped_runs: i64,
    }
}

super::record! {
    /// A failed run.
    FailedRun {
        run_id: i64,
        agent_id: i64,
        agent_name: String,
        start_time: String,
        end_time: String,
        status: i64,
        error_message: String,
        space_id: i64,
        space_name: String,
    }
}

/// Runs of a window of time by outcome, with the failed ones.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunsSummary {
    /// How many of each.
    #[serde(flatten)]
    pub totals: RunTotals,
    /// Absent if there are none or nobody asked for them.
    pub failed_run_details: Option<Vec<FailedRun>>,
}

super::record! {
    /// Records of a window of time.
    RecordsSummary {
        start_date: String,
        end_date: String,
        total_records_extracted: i64,
        total_records_exported: i64,
        total_errors: i64,
        total_page_loads: i64,
        run_count: i64,
        /// The filter.
        agent_id: i64,
    }
}

super::record! {
    /// Counters.
    RunStats {
        /// Extracted.
        data_count: i64,
        input_count: i64,
        error_count: i64,
        page_count: i64,
        /// Exported.
        export_count: i64,
        traffic: i64,
    }
}

super::record! {
    /// Why a run ended as it did.
    RunDiagnostics {
        run_id: i64,
        agent_id: i64,
        #[schemars(skip)]
        agent_name: String,
        status: i64,
        error_message: String,
        #[schemars(skip)]
        start_time: String,
        #[schemars(skip)]
        end_time: String,
        runtime_seconds: i64,
        stats: RunStats,
        possible_causes: Vec<String>,
        suggested_actions: Vec<String>,
    }
}
