//! Runs and their states.

use std::borrow::Cow;

super::record! {
    /// One execution of an agent.
    AgentRun {
        /// Tag.
        tag: String,
        /// Run id.
        id: i64,
        /// Agent id.
        config_id: i64,
        /// Agent name; often absent in the list of one agent's runs.
        config_name: String,
        /// Space id; 0 where the platform does not fill it in.
        space_id: i64,
        /// Organisation id.
        organization_id: i64,
        /// Organisation name.
        organization_name: String,
        /// Counter of the agent's runs.
        sequence: i64,
        /// Parallel instances.
        parallelism: i64,
        /// Ceiling of instances running at once.
        parallel_max_concurrency: i64,
        /// Combined or Separated.
        parallel_export: String,
        /// Index of this instance in a parallel set.
        parallel_set: i64,
        /// Start, UTC.
        start_time: String,
        /// End, UTC; absent until the run ends.
        end_time: String,
        /// Creation, UTC.
        created: String,
        /// Status code; statusName says what it means.
        status: i64,
        /// Status or error text.
        message: String,
        /// Version of the agent that ran.
        config_version: i64,
        /// Actions performed.
        action_count: i64,
        /// Pages loaded.
        page_count: i64,
        /// Pages rendered in a browser.
        dynamic_page_count: i64,
        /// Requests sent.
        request_count: i64,
        /// Records extracted.
        data_count: i64,
        /// Inputs processed.
        input_count: i64,
        /// Errors met.
        error_count: i64,
        /// Records exported.
        export_count: i64,
        /// Traffic.
        traffic: i64,
        /// Run time in seconds.
        run_time_sec: i64,
        /// Server that ran it.
        server_name: String,
        /// `run` while active, `history` once archived.
        table_type: String,
    }
}

super::record! {
    /// All runs of an agent, counted.
    AgentRunSummary {
        total_count: i64,
        status_counts: Vec<StatusCount>,
    }
}

super::record! {
    /// Runs in one status.
    StatusCount {
        status: i64,
        status_name: String,
        count: i64,
    }
}

/// The name of a run status code. The set is open: an unknown code keeps its number.
#[must_use]
pub fn run_status_name(code: i64) -> Cow<'static, str> {
    Cow::Borrowed(match code {
        0 => "Invalid",
        1 => "Running",
        2 => "Exporting",
        3 => "Starting",
        4 => "Queuing",
        5 => "Stopping",
        6 => "Failure",
        7 => "Failed",
        8 => "Stopped",
        9 => "Completed",
        10 => "Success",
        11 => "Skipped",
        12 => "Waiting",
        13 => "UpdatingDataSet",
        _ => return Cow::Owned(format!("Unknown ({code})")),
    })
}

/// Whether a run in this status has ended. Unknown codes count as running, so that nobody stops watching too early.
#[must_use]
pub const fn is_finished(code: i64) -> bool {
    matches!(code, 6..=11)
}
