//! Outcomes of runs: totals over time, and why a run failed.

mod get_latest_failure;
mod get_records_summary;
mod get_run_diagnostics;
mod get_runs_summary;
mod record;

pub use get_latest_failure::GetLatestFailure;
pub use get_records_summary::GetRecordsSummary;
pub use get_run_diagnostics::GetRunDiagnostics;
pub use get_runs_summary::GetRunsSummary;
use record::Diagnostics;
