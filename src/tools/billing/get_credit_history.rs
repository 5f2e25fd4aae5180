//! `get_credit_history`: one page of credit movements.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page;
use crate::{
    api::model::CreditTransaction,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::Bounded},
};

/// The tool.
pub struct GetCreditHistory;

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Page, from 1; default: 1.
    page_index: Option<Bounded<1, { i32::MAX as u32 }>>,
    /// Movements per page; default: 50.
    records_per_page: Option<Bounded<1, 100>>,
}

/// One page.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    transactions: Vec<CreditTransaction>,
    /// On all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_count: Option<i64>,
    page_index: u32,
    records_per_page: u32,
    /// How to get the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Tool for GetCreditHistory {
    const NAME: &'static str = "get_credit_history";
    const TITLE: &'static str = "Get Credit History";
    const DESCRIPTION: &'static str = "Lists the credit movements of the organisation (purchases, usage, refunds and so on), one page at a time, each with the balance after it.";
    const TOOLSET: Toolset = Toolset::Billing;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::BillingRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let (index, size) = (args.page_index.map(Bounded::get), args.records_per_page.map(Bounded::get));
        let page = cx.api().credit_history(index, size).await?;
        let transactions = page.transactions.unwrap_or_default();
        let page_index = page.page_index.or(index).unwrap_or(page::FIRST);
        let records_per_page = page.records_per_page.or(size).unwrap_or(page::SIZE);
        Ok(Output {
            note: page::note(page.total_count, page_index, records_per_page, transactions.len()),
            transactions,
            total_count: page.total_count,
            page_index,
            records_per_page,
        })
    }
}
