//! `get_spending_summary`: credits spent in a window of time.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    api::model::SpendingSummary,
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{DateArg, blank_is_absent, window},
    },
};

/// The tool.
pub struct GetSpendingSummary;

/// From when until when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Date or date-time, UTC; default: the start of the period.
    #[serde(default, deserialize_with = "blank_is_absent")]
    start_date: Option<DateArg>,
    /// Likewise; a day counts in full; default: the end of the period.
    #[serde(default, deserialize_with = "blank_is_absent")]
    end_date: Option<DateArg>,
}

impl Tool for GetSpendingSummary {
    const NAME: &'static str = "get_spending_summary";
    const TITLE: &'static str = "Get Spending Summary";
    const DESCRIPTION: &'static str = "Returns the credits spent in a window of time, by default this month, and the balance. get_agents_usage tells which agents spent them.";
    const TOOLSET: Toolset = Toolset::Billing;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::BillingRead];

    type Args = Args;
    type Output = SpendingSummary;

    async fn call(cx: &ToolCx, args: Args) -> Result<SpendingSummary, ToolError> {
        Ok(cx.api().spending(window(args.start_date, args.end_date)?).await?)
    }
}
