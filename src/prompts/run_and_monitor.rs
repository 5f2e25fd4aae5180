//! `run-and-monitor`: start one agent and stay with the run to its end.

use super::{Category, Prompt, arguments};

pub(super) const PROMPT: Prompt = Prompt {
    name: "run-and-monitor",
    title: "Run an agent and follow it",
    description: "Starts an agent, follows the run to its end, and shows the data or the error.",
    category: Category::Execution,
    arguments: &[arguments::AGENT_NAME],
    tools: &[
        "search_agents",
        "get_agent",
        "start_agent",
        "wait_for_run",
        "get_run_status",
        "get_run_files",
        "read_run_file",
        "get_run_diagnostics",
    ],
    asks: None,
    template: include_str!("run_and_monitor.md"),
};
