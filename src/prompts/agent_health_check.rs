//! `agent-health-check`: how is one agent doing?

use super::{Category, Prompt, arguments};

pub(super) const PROMPT: Prompt = Prompt {
    name: "agent-health-check",
    title: "Check an agent's health",
    description: "Gives a full picture of one agent: state, runs, schedules, recent changes.",
    category: Category::Health,
    arguments: &[arguments::AGENT_NAME],
    tools: &[
        "search_agents",
        "get_agent",
        "get_agent_runs",
        "get_latest_failure",
        "list_agent_schedules",
        "get_agent_versions",
    ],
    asks: None,
    template: include_str!("agent_health_check.md"),
};
