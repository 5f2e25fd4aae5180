//! `get_agent_cost_breakdown`: one agent's cost over time.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    api::{ids::AgentId, model::AgentCostBreakdown},
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Choice, DateArg, Text, blank_is_absent, choice, window_this_month},
    },
};

/// The tool.
pub struct GetAgentCostBreakdown;

/// Which agent and window.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Date or date-time, UTC; default: first of this month.
    #[serde(default, deserialize_with = "blank_is_absent")]
    start_date: Option<DateArg>,
    /// Likewise; a day counts in full; default: now.
    #[serde(default, deserialize_with = "blank_is_absent")]
    end_date: Option<DateArg>,
    /// Length of a step; default: day.
    time_unit: Option<TimeUnit>,
    /// Comma-separated: Server Time, Export GB, Agent Inputs, Proxy Data, Export CPM.
    #[serde(default, deserialize_with = "blank_is_absent")]
    usage_types: Option<Text<200>>,
}

choice! {
    /// Length of a step.
    TimeUnit {
        /// A day.
        Day = "day",
        /// A month.
        Month = "month",
    }
}

impl Tool for GetAgentCostBreakdown {
    const NAME: &'static str = "get_agent_cost_breakdown";
    const TITLE: &'static str = "Get Agent Cost Breakdown";
    const DESCRIPTION: &'static str = "Returns what one agent cost over time by kind of usage, as series for a chart: each value belongs to the label at its place.";
    const TOOLSET: Toolset = Toolset::Billing;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::BillingRead];

    type Args = Args;
    type Output = AgentCostBreakdown;

    async fn call(cx: &ToolCx, args: Args) -> Result<AgentCostBreakdown, ToolError> {
        let window = window_this_month(args.start_date, args.end_date, cx.clock.now())?;
        let unit = args.time_unit.map(Choice::word);
        let usage_types = args.usage_types.as_ref().map(Text::as_str);
        Ok(cx.api().cost_breakdown(args.agent_id, window, unit, usage_types).await?)
    }
}
