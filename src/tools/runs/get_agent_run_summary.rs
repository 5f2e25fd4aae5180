//! `get_agent_run_summary`: the runs of an agent, counted by status.

use crate::{
    api::model::{AgentRunSummary, run_status_name},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::AgentArgs},
};

/// The tool.
pub struct GetAgentRunSummary;

impl Tool for GetAgentRunSummary {
    const NAME: &'static str = "get_agent_run_summary";
    const TITLE: &'static str = "Get Agent Run Summary";
    const DESCRIPTION: &'static str = "Counts all runs of an agent, in total and by status. Failures are 6 and 7 together, successes 9 and 10 together.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = AgentArgs;
    type Output = AgentRunSummary;

    async fn call(cx: &ToolCx, args: AgentArgs) -> Result<AgentRunSummary, ToolError> {
        let mut summary = cx.api().run_summary(args.agent_id).await?;
        for row in summary.status_counts.get_or_insert_default() {
            if row.status_name.is_none() {
                row.status_name = row.status.map(|code| run_status_name(code).into_owned());
            }
        }
        Ok(summary)
    }
}
