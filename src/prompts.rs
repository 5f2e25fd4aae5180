//! Runbooks that a user can pick: one file per prompt, its text as a Markdown template beside it.
//!
//! A prompt is data: names, arguments, the tools it leads through, and a template. It never calls the platform: the text
//! tells the model which tools to call, in which order, where to stop and how to present the result. What a user typed
//! into an argument is cleaned and checked in one place ([`arguments`]) and stands in the text as a quoted value.

pub mod arguments;

mod build_agent_from_prompt;
mod debug_agent;

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};

pub use self::arguments::{Argument, ArgumentError, Form};
use crate::policies;

/// All prompts, in the order in which clients see them. One line each.
const ALL: &[&Prompt] = &[&debug_agent::PROMPT, &build_agent_from_prompt::PROMPT];

/// Pieces that several prompts share.
const SHARED: &[(&str, &str)] = &[
    ("agent.md", include_str!("prompts/shared/agent.md")),
    ("build_states.md", include_str!("prompts/shared/build_states.md")),
];

/// One prompt.
#[derive(Debug)]
pub struct Prompt {
    /// Name on the wire: small letters and hyphens.
    pub name: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Where the reference page shows it.
    pub category: Category,
    /// What the user fills in.
    pub arguments: &'static [Argument],
    /// The tools it leads through, in order. Who lacks the scopes of one of them is not offered the prompt.
    pub tools: &'static [&'static str],
    template: &'static str,
}

/// A group of prompts, as the reference page shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// What went wrong.
    Debugging,
    /// How things are.
    Health,
    /// What things cost.
    Billing,
    /// Running and scheduling.
    Execution,
    /// New agents.
    Building,
}

impl Category {
    /// The heading of the group.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Debugging => "Debugging & Diagnostics",
            Self::Health => "Health & Monitoring",
            Self::Billing => "Billing & Costs",
            Self::Execution => "Execution",
            Self::Building => "Agent Building",
        }
    }
}

/// The prompts with their compiled templates, built once at start and shared by every request.
#[derive(Debug)]
pub struct Prompts {
    templates: Environment<'static>,
}

/// Why a prompt could not be given.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// An argument is unknown, missing, or not what it must be.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The template is broken, which is a fault of this server; a test renders every one.
    #[error("the template cannot be rendered: {0}")]
    Template(#[from] minijinja::Error),
}

impl Prompts {
    /// Compiles every template.
    ///
    /// # Errors
    ///
    /// When a template is broken.
    pub fn new() -> Result<Self, PromptError> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        // A tag on a line of its own leaves no line behind.
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?;
        templates.set_syntax(syntax);
        templates.add_global("prompt_handling", policies::PROMPT_HANDLING);
        templates.add_global("polling", policies::POLLING);
        for (name, text) in SHARED {
            templates.add_template(name, text)?;
        }
        for prompt in ALL {
            templates.add_template(prompt.name, prompt.template)?;
        }
        Ok(Self { templates })
    }

    /// All prompts, in order.
    #[must_use]
    pub fn all(&self) -> &'static [&'static Prompt] {
        ALL
    }

    /// The prompt of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static Prompt> {
        ALL.iter().copied().find(|prompt| prompt.name == name)
    }

    /// The text of a prompt with the user's arguments.
    ///
    /// # Errors
    ///
    /// See [`PromptError`].
    pub fn render(&self, prompt: &Prompt, given: &BTreeMap<String, String>) -> Result<String, PromptError> {
        let values = arguments::check(prompt.arguments, given)?;
        let mut text = self.templates.get_template(prompt.name)?.render(Value::from_pairs(values))?;
        text.truncate(text.trim_end().len());
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value for every argument, or for the required ones only.
    fn example(prompt: &Prompt, all: bool) -> BTreeMap<String, String> {
        let wanted = prompt.arguments.iter().filter(|argument| all || argument.required);
        wanted.map(|argument| (argument.name.to_owned(), "An example".to_owned())).collect()
    }

    #[test]
    fn every_template_renders() {
        let prompts = Prompts::new().unwrap();
        for prompt in prompts.all() {
            for all in [true, false] {
                let text = prompts
                    .render(prompt, &example(prompt, all))
                    .map_err(|error| format!("{error:?}"))
                    .unwrap();
                assert!(!text.contains("`none`") && !text.contains("{{"), "{text}");
            }
        }
    }
}
