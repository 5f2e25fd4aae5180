//! `daily-operations-report`: what ran, what failed, what it cost and what comes next.

use super::{Category, Prompt};

pub(super) const PROMPT: Prompt = Prompt {
    name: "daily-operations-report",
    title: "Daily operations report",
    description: "Compiles a report of the day over all agents: runs, records, failures, credits, next runs.",
    category: Category::Health,
    arguments: &[],
    tools: &[
        "get_credits_balance",
        "get_runs_summary",
        "get_records_summary",
        "get_spending_summary",
        "get_scheduled_runs",
    ],
    asks: None,
    template: include_str!("daily_operations_report.md"),
};
