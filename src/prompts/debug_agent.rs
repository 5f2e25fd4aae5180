//! `debug-agent`: why does an agent fail, and what to do about it?

use super::{Category, Prompt, arguments};

pub(super) const PROMPT: Prompt = Prompt {
    name: "debug-agent",
    title: "Debug an agent",
    description: "Finds out why an agent fails and proposes fixes.",
    category: Category::Debugging,
    arguments: &[arguments::AGENT_NAME],
    tools: &["search_agents", "get_agent_runs", "get_latest_failure", "get_run_diagnostics"],
    asks: None,
    template: include_str!("debug_agent.md"),
};
