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
    /// Start: YYYY-MM-DD or YYYY-MM-DDThh:mm:ss, UTC unless it has an offset; the default is the start of the period.
    #[serde(default, deserialize_with = "blank_is_absent")]
    start_date: Option<DateArg>,
    /// End, written likewise; a day counts in full; the default is the end of the period.
    #[serde(default, deserialize_with = "blank_is_absent")]
    end_date: Option<DateArg>,
}

impl Tool for GetSpendingSummary {
    const NAME: &'static str = "get_spending_summary";
    const TITLE: &'static str = "Get Spending Summary";
    const DESCRIPTION: &'static str = "Returns the credits spent in a window of time and the present balance. Without dates it is the current calendar month. get_agents_usage tells which agents spent them.";
    const TOOLSET: Toolset = Toolset::Billing;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::BillingRead];

    type Args = Args;
    type Output = SpendingSummary;

    async fn call(cx: &ToolCx, args: Args) -> Result<SpendingSummary, ToolError> {
        Ok(cx.api().spending(window(args.start_date, args.end_date)?).await?)
    }
}
