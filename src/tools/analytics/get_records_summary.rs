//! `get_records_summary`: records of a window of time.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    api::{ids::AgentId, model::RecordsSummary},
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{DateArg, blank_is_absent, window},
    },
};

/// The tool.
pub struct GetRecordsSummary;

/// Which runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Date or date-time, UTC.
    #[serde(default, deserialize_with = "blank_is_absent")]
    start_date: Option<DateArg>,
    /// Likewise; a day counts in full; default: the platform's.
    #[serde(default, deserialize_with = "blank_is_absent")]
    end_date: Option<DateArg>,
    /// Only this agent.
    agent_id: Option<AgentId>,
}

impl Tool for GetRecordsSummary {
    const NAME: &'static str = "get_records_summary";
    const TITLE: &'static str = "Get Records Summary";
    const DESCRIPTION: &'static str = "Returns how many records were extracted and exported, and how many errors, page loads and runs there were, in a window of time, for all agents or one.";
    const TOOLSET: Toolset = Toolset::Analytics;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = Args;
    type Output = RecordsSummary;

    async fn call(cx: &ToolCx, args: Args) -> Result<RecordsSummary, ToolError> {
        let window = window(args.start_date, args.end_date)?;
        Ok(cx.api().records_summary(window, args.agent_id).await?)
    }
}
