//! `get_agent_runs_cost`: one page of an agent's runs with their costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page;
use crate::{
    api::{CostPage, ids::AgentId, model::AgentRunCost},
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Bounded, DateArg, Text, blank_is_absent, choice, window_this_month},
    },
};

/// The tool.
pub struct GetAgentRunsCost;

/// Which agent, window and page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Date or date-time, UTC; default: the first of this month.
    #[serde(default, deserialize_with = "blank_is_absent")]
    start_date: Option<DateArg>,
    /// Likewise; a day counts in full; default: now.
    #[serde(default, deserialize_with = "blank_is_absent")]
    end_date: Option<DateArg>,
    /// Page, from 1; default: 1.
    page_index: Option<Bounded<1, { i32::MAX as u32 }>>,
    /// Rows per page; default: 50.
    records_per_page: Option<Bounded<1, 1000>>,
    /// Column to sort by; default: date.
    sort_column: Option<SortColumn>,
    /// 0 ascending, 1 descending; default: 0.
    sort_order: Option<Bounded<0, 1>>,
    /// Comma-separated: Server Time, Export GB, Agent Inputs, Proxy Data, Export CPM.
    #[serde(default, deserialize_with = "blank_is_absent")]
    usage_types: Option<Text<200>>,
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
        let window = window_this_month(args.start_date, args.end_date, cx.clock.now())?;
        let page = CostPage {
            index: args.page_index.map(Bounded::get),
            size: args.records_per_page.map(Bounded::get),
            sort_column: args.sort_column.map(|column| match column {
                SortColumn::Date => "date",
                SortColumn::Cost => "cost",
                SortColumn::Duration => "duration",
            }),
            sort_order: args.sort_order.map(page::sort_order),
            usage_types: args.usage_types.map(|labels| labels.as_str().to_owned()),
        };
        let (index, size) = (page.index.unwrap_or(page::FIRST), page.size.unwrap_or(page::SIZE));
        let found = cx.api().run_costs(args.agent_id, window, &page).await?;
        let runs = found.runs.unwrap_or_default();
        Ok(Output {
            note: page::note(found.total_record_count, index, size, runs.len()),
            runs,
            total_record_count: found.total_record_count,
            total_cost: found.total_cost,
            agent_id: found.agent_id,
            agent_name: found.agent_name,
        })
    }
}
