//! `space-overview`: how are the agents of one space doing?

use super::{Category, Prompt, arguments};

pub(super) const PROMPT: Prompt = Prompt {
    name: "space-overview",
    title: "Review a space",
    description: "Reviews all agents of a space: how many there are, what they do, what failed and why.",
    category: Category::Health,
    arguments: &[arguments::SPACE_NAME],
    tools: &["search_space_by_name", "list_spaces", "get_space", "get_space_agents", "get_latest_failure"],
    asks: None,
    template: include_str!("space_overview.md"),
};
