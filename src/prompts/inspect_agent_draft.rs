//! `inspect-agent-draft`: how does a build stand, and what did it make?

use super::{Argument, Category, Form, Prompt};
use crate::completions::Source;

pub(super) const PROMPT: Prompt = Prompt {
    name: "inspect-agent-draft",
    title: "Inspect a build",
    description: "Shows the state of a build session and, once there is one, the agent that it made.",
    category: Category::Building,
    arguments: &[
        Argument {
            name: "sessionId",
            title: "Build session",
            description: "The sessionId that start_agent_build returned.",
            required: true,
            form: Form::BuildSession,
            completion: None,
            example: "b7d2f0c4",
        },
        Argument {
            name: "pollingPreference",
            title: "How often to ask",
            description: "fast, normal or slow, or a few words about the pace. Influences nothing else.",
            required: false,
            form: Form::Text { min: 1, max: 200 },
            completion: Some(Source::Words(&["fast", "normal", "slow"])),
            example: "slow",
        },
    ],
    tools: &["get_agent_build_status", "get_agent"],
    asks: None,
    template: include_str!("inspect_agent_draft.md"),
};
