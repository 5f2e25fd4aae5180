//! Runs as the tools of this group show them, with the status by name beside the code.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::model::{RunDiagnostics, run_status_name};

/// Why a run ended as it did.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostics {
    #[serde(flatten)]
    run: RunDiagnostics,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_name: Option<Cow<'static, str>>,
}

impl From<RunDiagnostics> for Diagnostics {
    fn from(run: RunDiagnostics) -> Self {
        Self { status_name: run.status.map(run_status_name), run }
    }
}
