//! `spending-report`: what was spent this month, and what is left?

use super::{Category, Prompt};

pub(super) const PROMPT: Prompt = Prompt {
    name: "spending-report",
    title: "Report this month's spending",
    description: "Reports balance, spending, the most expensive agents and notable transactions of this month.",
    category: Category::Billing,
    arguments: &[],
    tools: &["get_credits_balance", "get_spending_summary", "get_agents_usage", "get_credit_history"],
    asks: None,
    template: include_str!("spending_report.md"),
};
