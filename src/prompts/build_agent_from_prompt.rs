//! `build-agent-from-prompt`: from a request in plain words to a new agent.

use super::{Argument, Category, Form, Prompt, arguments};
use crate::questions::BUILD;

pub(super) const PROMPT: Prompt = Prompt {
    name: "build-agent-from-prompt",
    title: "Build an agent from a prompt",
    description: "Builds a new agent from a plain-language request and shows the result.",
    category: Category::Building,
    arguments: &[
        Argument {
            name: "prompt",
            title: "What to extract",
            description: "The site and the data wanted, in your own words.",
            required: true,
            form: Form::Text { min: 10, max: 5000 },
            completion: None,
            example: "Name, price and size of every shoe on https://shop.example",
        },
        Argument {
            required: false,
            description: "Space for the new agent: name or part of it. Left out: the default space.",
            ..arguments::SPACE_NAME
        },
    ],
    tools: &["start_agent_build", "get_agent_build_status", "get_agent"],
    asks: Some(&BUILD),
    template: include_str!("build_agent_from_prompt.md"),
};
