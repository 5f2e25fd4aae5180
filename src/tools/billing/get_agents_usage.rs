//! `get_agents_usage`: one page of agents with their costs.

use schemars::JsonSchema;
use serde::Serialize;

use super::page::{self, cost_args};
use crate::{
    api::model::AgentUsage,
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Text, blank_is_absent, choice},
    },
};

/// The tool.
pub struct GetAgentsUsage;

cost_args! {
    /// Which window, and which page.
    Args {
        /// Part of the agent's name, in any case.
        #[serde(default, deserialize_with = "blank_is_absent")]
        name: Option<Text<200>>,
        /// Column to sort by; default: name.
        sort_column: Option<SortColumn>,
    }
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
    const DESCRIPTION: &'static str = "Lists agents with what each cost in a window of time, and the total over all pages. Most expensive first: sortColumn cost, sortOrder desc.";
    const TOOLSET: Toolset = Toolset::Billing;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::BillingRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let page = args.page();
        let name = args.name.as_ref().map(Text::as_str);
        let found = cx.api().agents_usage(args.window(cx.clock.now())?, &page, name).await?;
        let agents = found.agents.unwrap_or_default();
        Ok(Output {
            note: page::rest(&page, found.total_record_count, agents.len()),
            agents,
            total_record_count: found.total_record_count,
            total_cost: found.total_cost,
            start_date: found.start_date,
            end_date: found.end_date,
        })
    }
}
