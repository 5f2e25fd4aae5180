//! `schedule-agent`: review the schedules of an agent and add one, never twice.

use super::{Argument, Category, Form, Prompt, arguments};
use crate::completions::Source;

pub(super) const PROMPT: Prompt = Prompt {
    name: "schedule-agent",
    title: "Schedule an agent",
    description: "Shows the schedules of an agent and adds one for a timing in plain words.",
    category: Category::Execution,
    arguments: &[
        arguments::AGENT_NAME,
        Argument {
            name: "scheduleDescription",
            title: "When to run",
            description: "Timing in plain words: days and a time with its time zone, an interval, or one date. Left out: you are asked.",
            required: false,
            form: Form::Text { min: 1, max: 500 },
            completion: Some(Source::Timings),
            example: "every weekday at 09:00 Europe/Paris",
        },
    ],
    tools: &["search_agents", "get_agent", "list_agent_schedules", "create_agent_schedule"],
    asks: None,
    template: include_str!("schedule_agent.md"),
};
