//! `get_credits_balance`: the credits at this moment.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    api::model::CreditsBalance,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct GetCreditsBalance;

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {}

impl Tool for GetCreditsBalance {
    const NAME: &'static str = "get_credits_balance";
    const TITLE: &'static str = "Get Credits Balance";
    const DESCRIPTION: &'static str = "Returns the credits that the organisation has at this moment.";
    const TOOLSET: Toolset = Toolset::Billing;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::BillingRead];

    type Args = Args;
    type Output = CreditsBalance;

    async fn call(cx: &ToolCx, _: Args) -> Result<CreditsBalance, ToolError> {
        Ok(cx.api().credits_balance().await?)
    }
}
