//! `get_agent_runs_cost`: one page of an agent's runs with their costs.

use schemars::JsonSchema;
use serde::Serialize;

use super::page::{self, cost_args};
use crate::{
    api::{ids::AgentId, model::AgentRunCost},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::choice},
};

/// The tool.
pub struct GetAgentRunsCost;

cost_args! {
    /// Which agent, window and page.
    Args {
        /// Agent id.
        agent_id: AgentId,
        /// Column to sort by; default: date.
        sort_column: Option<SortColumn>,
    }
}

choice! {
    /// Sort column.
    SortColumn {
        /// By date.
        Date = "date",
        /// By cost.
        Cost = "cost",
        /// By duration.
        Duration = "duration",
    }
}

/// One page.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    runs: Vec<AgentRunCost>,
    /// On all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_record_count: Option<i64>,
    /// Of this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<String>,
    /// How to get the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Tool for GetAgentRunsCost {
    const NAME: &'static str = "get_agent_runs_cost";
    const TITLE: &'static str = "Get Agent Runs Cost";
    const DESCRIPTION: &'static str = "Lists the runs of one agent with what each cost in a window of time. totalCost is the sum of the page; get_agent_cost_breakdown has that of the window.";
    const TOOLSET: Toolset = Toolset::Billing;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::BillingRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let page = args.page();
        let found = cx.api().run_costs(args.agent_id, args.window(cx.clock.now())?, &page).await?;
        let runs = found.runs.unwrap_or_default();
        Ok(Output {
            note: page::rest(&page, found.total_record_count, runs.len()),
            runs,
            total_record_count: found.total_record_count,
            total_cost: found.total_cost,
            agent_id: found.agent_id,
            agent_name: found.agent_name,
        })
    }
}
