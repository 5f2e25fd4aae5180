//! `get_run_status`: one run as it is now.

use schemars::JsonSchema;
use serde::Serialize;

use super::RunRecord;
use crate::{
    api::model::is_finished,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::RunArgs},
};

/// The tool.
pub struct GetRunStatus;

/// The run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    #[serde(flatten)]
    run: RunRecord,
    /// Whether the run has ended.
    finished: bool,
}

impl Tool for GetRunStatus {
    const NAME: &'static str = "get_run_status";
    const TITLE: &'static str = "Get Run Status";
    const DESCRIPTION: &'static str =
        "Returns the present state of one run: status, times, counters and message.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = RunArgs;
    type Output = Output;

    async fn call(cx: &ToolCx, args: RunArgs) -> Result<Output, ToolError> {
        let run = cx.api().run(args.agent_id, args.run_id).await?;
        cx.links.add_next_of(args.agent_id, args.run_id, run.status);
        let finished = run.status.is_some_and(is_finished);
        Ok(Output { run: run.into(), finished })
    }
}
