//! A run as tools show it: the platform's record, with the status by name beside the code.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::model::{AgentRun, run_status_name};

/// A run.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    #[serde(flatten)]
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
