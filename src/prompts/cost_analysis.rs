//! `cost-analysis`: which agents, runs and kinds of usage cost most?

use super::{Category, Prompt};

pub(super) const PROMPT: Prompt = Prompt {
    name: "cost-analysis",
    title: "Analyse costs",
    description: "Explains what drives the costs of agents this month and where to save.",
    category: Category::Billing,
    arguments: &[],
    tools: &["get_credits_balance", "get_agents_usage", "get_agent_cost_breakdown", "get_agent_runs_cost"],
    asks: None,
    template: include_str!("cost_analysis.md"),
};
