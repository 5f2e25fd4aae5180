//! `get_agents_usage`: one page of agents with their costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page;
use crate::{
    api::{CostPage, model::AgentUsage},
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Bounded, DateArg, Text, blank_is_absent, choice, window_this_month},
    },
};

/// The tool.
pub struct GetAgentsUsage;

/// Which window, and which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Date or date-time, UTC; default: the first of this month.
    #[serde(default, deserialize_with = "blank_is_absent")]
    start_date: Option<DateArg>,
    /// Likewise; a day counts in full; default: now.
    #[serde(default, deserialize_with = "blank_is_absent")]
    end_date: Option<DateArg>,
    /// Page, from 1; default: 1.
    page_index: Option<Bounded<1, { i32::MAX as u32 }>>,
    /// Agents per page; default: 50.
    records_per_page: Option<Bounded<1, 1000>>,
    /// Column to sort by; default: name.
    sort_column: Option<SortColumn>,
    /// 0 ascending, 1 descending; default: 0.
    sort_order: Option<Bounded<0, 1>>,
    /// Part of the agent's name, in any case.
    #[serde(default, deserialize_with = "blank_is_absent")]
    name: Option<Text<200>>,
    /// Comma-separated: Server Time, Export GB, Agent Inputs, Proxy Data, Export CPM.
    #[serde(default, deserialize_with = "blank_is_absent")]
    usage_types: Option<Text<200>>,
}

choice! {
    /// Sort column.
    SortColumn {
        /// By name.
        Name = "name",
        /// By cost.
        Cost = "cost",
    }
}

/// One page.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    agents: Vec<AgentUsage>,
    /// On all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_record_count: Option<i64>,
    /// Of all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    /// How to get the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Tool for GetAgentsUsage {
    const NAME: &'static str = "get_agents_usage";
    const TITLE: &'static str = "Get Agents Usage";
    const DESCRIPTION: &'static str = "Lists agents with what each cost in a window of time, and the total over all pages. Most expensive first: sortColumn cost, sortOrder 1.";
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
                SortColumn::Name => "name",
                SortColumn::Cost => "cost",
            }),
            sort_order: args.sort_order.map(page::sort_order),
            usage_types: args.usage_types.map(|labels| labels.as_str().to_owned()),
        };
        let (index, size) = (page.index.unwrap_or(page::FIRST), page.size.unwrap_or(page::SIZE));
        let found = cx.api().agents_usage(window, &page, args.name.as_ref().map(Text::as_str)).await?;
        let agents = found.agents.unwrap_or_default();
        Ok(Output {
            note: page::note(found.total_record_count, index, size, agents.len()),
            agents,
            total_record_count: found.total_record_count,
            total_cost: found.total_cost,
            start_date: found.start_date,
            end_date: found.end_date,
        })
    }
}
