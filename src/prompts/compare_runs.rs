//! `compare-runs`: what was different when it last worked?

use super::{Category, Prompt, arguments};

pub(super) const PROMPT: Prompt = Prompt {
    name: "compare-runs",
    title: "Compare a good run with a failed one",
    description: "Compares the last good run of an agent with its last failed one.",
    category: Category::Debugging,
    arguments: &[arguments::AGENT_NAME],
    tools: &["search_agents", "get_agent_runs", "get_run_status", "get_run_diagnostics"],
    asks: None,
    template: include_str!("compare_runs.md"),
};
