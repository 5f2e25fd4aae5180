//! Runbooks that a user can pick: one file per prompt, its text as a Markdown template beside it.
//!
//! A prompt is data: names, arguments, the tools it leads through, and a template. It never calls the platform: the text
//! tells the model which tools to call, in which order, where to stop and how to present the result. What a user typed
//! into an argument is cleaned and checked in one place ([`arguments`]) and stands in the text as a quoted value.

pub mod arguments;

mod agent_health_check;
mod build_agent_from_prompt;
mod compare_runs;
mod cost_analysis;
mod daily_operations_report;
mod debug_agent;
mod inspect_agent_draft;
mod run_and_monitor;
mod schedule_agent;
mod space_overview;
mod spending_report;

use minijinja::{Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};
use serde_json::Map;

pub use self::arguments::{Argument, ArgumentError, Form};
use crate::{policies, questions::Details};

/// All prompts, in the order in which clients see them. One line each.
const ALL: &[&Prompt] = &[
    &debug_agent::PROMPT,
    &agent_health_check::PROMPT,
    &spending_report::PROMPT,
    &cost_analysis::PROMPT,
    &run_and_monitor::PROMPT,
    &space_overview::PROMPT,
    &daily_operations_report::PROMPT,
    &schedule_agent::PROMPT,
    &compare_runs::PROMPT,
    &build_agent_from_prompt::PROMPT,
    &inspect_agent_draft::PROMPT,
];

/// Pieces that several prompts share.
const SHARED: &[(&str, &str)] = &[
    ("agent.md", include_str!("prompts/shared/agent.md")),
    ("build_states.md", include_str!("prompts/shared/build_states.md")),
    ("data.md", include_str!("prompts/shared/data.md")),
    ("space.md", include_str!("prompts/shared/space.md")),
];

/// One prompt.
#[derive(Debug)]
pub struct Prompt {
    /// Name on the wire: lower case and hyphens.
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
    /// What the user is asked for if it is missing, where the client can ask.
    pub asks: Option<&'static Details>,
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
    pub fn render(
        &self,
        prompt: &Prompt,
        given: &Map<String, serde_json::Value>,
    ) -> Result<String, PromptError> {
        let values = arguments::check(prompt.arguments, given)?;
        let mut text = self.templates.get_template(prompt.name)?.render(Value::from_pairs(values))?;
        text.truncate(text.trim_end().len());
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::LazyLock};

    use super::*;
    use crate::{
        auth::ScopeSet,
        tools::{Catalog, Row},
    };

    static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::new);

    /// The text with a value for every argument, or for the required ones only.
    fn rendered(prompt: &Prompt, all: bool) -> String {
        let wanted = prompt.arguments.iter().filter(|argument| all || argument.required);
        let given =
            wanted.map(|argument| (argument.name.to_owned(), format!("Given-{}", argument.name).into()));
        Prompts::new().unwrap().render(prompt, &given.collect()).unwrap()
    }

    /// Every prompt with all arguments, and with the required ones only.
    fn texts() -> impl Iterator<Item = (&'static Prompt, bool, String)> {
        let both = ALL.iter().flat_map(|prompt| [(*prompt, true), (*prompt, false)]);
        both.map(|(prompt, all)| (prompt, all, rendered(prompt, all)))
    }

    /// What stands between back-ticks.
    fn quoted(text: &str) -> BTreeSet<&str> {
        assert_eq!(text.matches('`').count() % 2, 0, "{text}");
        text.split('`').skip(1).step_by(2).collect()
    }

    /// The tools that a text names.
    fn named(text: &str) -> Vec<&'static Row> {
        quoted(text).into_iter().filter_map(|word| CATALOG.find(word)).collect()
    }

    #[test]
    fn names_are_unique_and_portable() {
        let names: BTreeSet<_> = ALL.iter().map(|prompt| prompt.name).collect();
        assert_eq!(names.len(), ALL.len());
        for prompt in ALL {
            let portable = prompt.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            assert!(portable && prompt.name.len() <= 40, "{}", prompt.name);
            assert!(!prompt.title.is_empty() && !prompt.description.is_empty(), "{}", prompt.name);
        }
    }

    #[test]
    fn every_example_is_a_good_value() {
        for argument in ALL.iter().flat_map(|prompt| prompt.arguments) {
            assert!(argument.form.admits(argument.example), "{}", argument.name);
        }
    }

    #[test]
    fn every_template_renders_to_plain_markdown() {
        for (prompt, _, text) in texts() {
            for left in ["`none`", "{{", "{%", "\n\n\n", "\r"] {
                assert!(!text.contains(left), "{}: {left:?} in\n{text}", prompt.name);
            }
            assert!(text.lines().all(|line| line == line.trim_end()), "{}", prompt.name);
            let steps = text.lines().filter_map(|line| line.split_once(". ")?.0.parse::<usize>().ok());
            let steps: Vec<_> = steps.collect();
            assert_eq!(steps, (1..=steps.len()).collect::<Vec<_>>(), "{}", prompt.name);
        }
    }

    #[test]
    fn every_argument_stands_in_its_text_as_a_quotation() {
        for (prompt, all, text) in texts() {
            for argument in prompt.arguments.iter().filter(|argument| all || argument.required) {
                let value = format!("Given-{}", argument.name);
                assert!(quoted(&text).contains(value.as_str()), "{}: {value}", prompt.name);
                // Outside of quotations there is no such word.
                let outside: String = text.split('`').step_by(2).collect();
                assert!(!outside.contains(&value), "{}: {value}", prompt.name);
            }
        }
    }

    #[test]
    fn every_tool_named_exists_and_every_tool_listed_is_named() {
        for (prompt, _, text) in texts() {
            for word in quoted(&text) {
                let like_a_tool =
                    word.contains('_') && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                assert!(!like_a_tool || CATALOG.find(word).is_some(), "{}: {word} is no tool", prompt.name);
            }
            for tool in prompt.tools {
                assert!(CATALOG.find(tool).is_some(), "{}: {tool} is no tool", prompt.name);
                assert!(quoted(&text).contains(tool), "{} does not lead through {tool}", prompt.name);
            }
        }
    }

    #[test]
    fn every_member_named_is_one_of_a_tool_that_the_text_names() {
        for (prompt, _, text) in texts() {
            let known: Vec<_> = named(&text)
                .iter()
                .flat_map(|row| [row.input_schema.clone(), (row.output_reference)()])
                .map(|schema| serde_json::to_string(&*schema).unwrap())
                .collect();
            let camel = |word: &&str| {
                word.bytes().all(|byte| byte.is_ascii_alphabetic())
                    && word.bytes().any(|byte| byte.is_ascii_uppercase())
            };
            for word in quoted(&text).into_iter().filter(camel) {
                let member = format!("\"{word}\":");
                assert!(known.iter().any(|schema| schema.contains(&member)), "{}: {word}", prompt.name);
            }
        }
    }

    /// What stands behind an argument of a tool: "`sortOrder` `desc`" or "`limit` 5".
    fn given_values(text: &str) -> Vec<(&str, serde_json::Value)> {
        let parts: Vec<_> = text.split('`').collect();
        let value = |behind: &str, quoted: &str| {
            let number = behind.strip_prefix(' ')?.split(|c: char| !c.is_ascii_digit()).next()?;
            let quoted = (behind == " ").then(|| quoted.into());
            number.parse::<u64>().map(Into::into).ok().or(quoted)
        };
        let named = parts.windows(3).skip(1).step_by(2);
        named.filter_map(|three| Some((three[0], value(three[1], three[2])?))).collect()
    }

    #[test]
    fn every_value_given_for_an_argument_is_one_that_a_tool_takes() {
        let mut checked = 0;
        for (prompt, _, text) in texts() {
            for (name, value) in given_values(&text) {
                let tools = named(&text);
                let mut schemas =
                    tools.iter().filter_map(|row| row.input_schema["properties"].get(name)).peekable();
                // What follows a tool, or a value, is no argument.
                if schemas.peek().is_none() {
                    continue;
                }
                let takes = |schema: &serde_json::Value| {
                    let listed = schema["enum"].as_array();
                    let kind = if value.is_string() { "string" } else { "integer" };
                    let most = schema["maximum"].as_u64().unwrap_or(u64::MAX);
                    schema["type"] == kind
                        && listed.is_none_or(|listed| listed.contains(&value))
                        && value.as_u64().is_none_or(|number| number <= most)
                };
                assert!(schemas.any(takes), "{}: {name} {value}", prompt.name);
                checked += 1;
            }
        }
        assert!(checked > 15, "{checked} values were checked");
    }

    #[test]
    fn the_required_arguments_lead_to_no_tool_beyond_the_scopes_of_the_prompt() {
        for (prompt, _, text) in texts().filter(|(_, all, _)| !all) {
            let needed = prompt.tools.iter().filter_map(|tool| CATALOG.find(tool));
            let needed = needed.fold(ScopeSet::EMPTY, |scopes, row| scopes.union(row.scopes));
            for row in named(&text) {
                assert!(needed.contains(row.scopes), "{} names {}", prompt.name, row.name);
            }
        }
    }
}
