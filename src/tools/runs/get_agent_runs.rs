//! `get_agent_runs`: the newest runs of an agent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RunRecord, RunSummary};
use crate::{
    api::ids::AgentId,
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Bounded, Verbosity},
        listed::Shown,
    },
};

/// The tool.
pub struct GetAgentRuns;

/// Whose runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Most runs to return, newest first; default: 50.
    max_records: Option<Bounded<1, 1000>>,
    /// Short (the default) or whole records.
    verbosity: Option<Verbosity>,
}

/// The runs, and whether they are all of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Runs, newest first.
    #[schemars(with = "Vec<RunSummary>")]
    runs: Vec<Shown<RunSummary, RunRecord>>,
    /// How many are in this answer.
    returned: usize,
    /// The limit that applied.
    limit: u32,
    /// Whether the limit was reached, so that there may be older ones.
    truncated: bool,
    /// How to get the rest, when the limit was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl Tool for GetAgentRuns {
    const NAME: &'static str = "get_agent_runs";
    const TITLE: &'static str = "Get Agent Runs";
    const DESCRIPTION: &'static str =
        "Lists an agent's most recent runs, newest first, with status, times, records and errors.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let limit = args.max_records.map_or(50, Bounded::get);
        let runs = cx.api().runs(args.agent_id, limit).await?;
        let returned = runs.len();
        let truncated = returned >= limit as usize;
        Ok(Output {
            runs: Shown::all(runs, args.verbosity),
            returned,
            limit,
            truncated,
            note: truncated
                .then_some("The limit was reached; there may be older runs. Raise maxRecords to see them; get_agent_run_summary counts them all."),
        })
    }
}
