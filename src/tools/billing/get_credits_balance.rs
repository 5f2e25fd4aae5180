//! `get_credits_balance`: the credits at this moment.

use crate::{
    api::model::CreditsBalance,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::NoArgs},
};

/// The tool.
pub struct GetCreditsBalance;

impl Tool for GetCreditsBalance {
    const NAME: &'static str = "get_credits_balance";
    const TITLE: &'static str = "Get Credits Balance";
    const DESCRIPTION: &'static str = "Returns the credits that the organisation has at this moment.";
    const TOOLSET: Toolset = Toolset::Billing;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::BillingRead];

    type Args = NoArgs;
    type Output = CreditsBalance;

    async fn call(cx: &ToolCx, _: NoArgs) -> Result<CreditsBalance, ToolError> {
        Ok(cx.api().credits_balance().await?)
    }
}
