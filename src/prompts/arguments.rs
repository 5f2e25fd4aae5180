//! Arguments of prompts: declared as data, cleaned and checked here and nowhere else.
//!
//! Values are the words of a user, pasted from anywhere. They become one line without control or invisible characters,
//! and cannot end the quotation in which they stand (back-ticks) or look like template text (doubled braces). Nothing is
//! cut: what is too long is refused, so that nobody acts on half of a request.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{completions::Source, tools::untrusted};

/// One argument.
#[derive(Debug)]
pub struct Argument {
    /// Name on the wire.
    pub name: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// What to fill in.
    pub description: &'static str,
    /// Whether the prompt makes no sense without it.
    pub required: bool,
    /// What it must be.
    pub form: Form,
    /// Where suggestions come from.
    pub completion: Option<Source>,
    /// A value, for the reference page.
    pub example: &'static str,
}

impl Argument {
    /// What is suggested for it, in words.
    #[must_use]
    pub fn completed_from(&self) -> Option<Cow<'static, str>> {
        self.completion.map(Source::description)
    }
}

/// The agent that a prompt is about.
pub(super) const AGENT_NAME: Argument = Argument {
    name: "agentName",
    title: "Agent",
    description: "Name of the agent, or part of it.",
    required: true,
    form: Form::Text { min: 1, max: 200 },
    completion: Some(Source::AgentNames),
    example: "Shoe catalogue",
};

/// The space that a prompt is about.
pub(super) const SPACE_NAME: Argument = Argument {
    name: "spaceName",
    title: "Space",
    description: "Name of the space, or part of it.",
    required: true,
    form: Form::Text { min: 1, max: 200 },
    completion: Some(Source::SpaceNames),
    example: "Retail",
};

/// What a value must be, after cleaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text of so many characters.
    Text {
        /// Fewest.
        min: usize,
        /// Most.
        max: usize,
    },
    /// The id of a build session.
    BuildSession,
}

impl Form {
    /// What a value must be, in words: completes "must be ...".
    #[must_use]
    pub fn expectation(self) -> Cow<'static, str> {
        match self {
            Self::Text { min, max } => format!("a text of {min} to {max} characters").into(),
            Self::BuildSession => "a sessionId from start_agent_build".into(),
        }
    }

    /// Whether a value, after cleaning, is one.
    #[must_use]
    pub fn admits(self, value: &str) -> bool {
        match self {
            Self::Text { min, max } => (min..=max).contains(&value.chars().count()),
            Self::BuildSession => crate::api::ids::BuildSessionId::new(value).is_some(),
        }
    }
}

/// An argument that is unknown, missing or wrong. Names the argument and what is allowed, and never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArgumentError {
    message: String,
    /// The argument, unless it is one that the prompt does not have.
    pub argument: Option<&'static str>,
}

/// The values of all declared arguments, clean; `None` for those that were left out or are blank.
///
/// # Errors
///
/// [`ArgumentError`].
pub(super) fn check(
    declared: &'static [Argument],
    given: &Map<String, Value>,
) -> Result<Vec<(&'static str, Option<String>)>, ArgumentError> {
    // A null is what many clients send for an argument that is not given.
    let mut given_names = given.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name);
    if let Some(unknown) = given_names.find(|name| !declared.iter().any(|argument| argument.name == **name)) {
        let known: Vec<_> = declared.iter().map(|argument| format!("`{}`", argument.name)).collect();
        let known = if known.is_empty() { "this prompt takes none".to_owned() } else { known.join(", ") };
        let unknown: String = clean(unknown).chars().take(64).collect();
        let message = format!("Unknown argument `{unknown}`. Allowed: {known}.");
        return Err(ArgumentError { message, argument: None });
    }
    let value = |argument: &'static Argument| {
        let refuse = |message| Err(ArgumentError { message, argument: Some(argument.name) });
        let expected = argument.form.expectation();
        let wrong = || refuse(format!("Argument `{}` must be {expected}.", argument.name));
        let value = match given.get(argument.name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(clean(text)).filter(|text| !text.is_empty()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => return wrong(),
        };
        match value {
            None if argument.required => {
                refuse(format!("Missing argument `{}`: it must be {expected}.", argument.name))
            }
            Some(value) if !argument.form.admits(&value) => wrong(),
            value => Ok((argument.name, value)),
        }
    };
    declared.iter().map(value).collect()
}

/// One line of visible text that ends no quotation and opens no template.
fn clean(text: &str) -> String {
    let text = untrusted::clean(&text.replace('\r', "\n"));
    let words: Vec<_> = text.split_whitespace().collect();
    let mut text = words.join(" ").replace('`', "'");
    for (pair, apart) in [("{{", "{ {"), ("}}", "} }"), ("{%", "{ %"), ("{#", "{ #")] {
        // Three braces in a row hold two pairs.
        while text.contains(pair) {
            text = text.replace(pair, apart);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    static DECLARED: [Argument; 3] = [
        Argument {
            name: "agentName",
            title: "Agent",
            description: "",
            required: true,
            form: Form::Text { min: 1, max: 11 },
            completion: None,
            example: "",
        },
        Argument {
            name: "note",
            title: "Note",
            description: "",
            required: false,
            form: Form::Text { min: 3, max: 20 },
            completion: None,
            example: "",
        },
        Argument {
            name: "sessionId",
            title: "Session",
            description: "",
            required: false,
            form: Form::BuildSession,
            completion: None,
            example: "",
        },
    ];

    fn outcome(given: &[(&str, &str)]) -> String {
        outcome_of(&given.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect())
    }

    fn outcome_of(given: &Map<String, Value>) -> String {
        match check(&DECLARED, given) {
            Ok(values) => format!("{values:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn values_become_one_clean_line() {
        insta::assert_snapshot!(outcome(&[("agentName", " Shoe\r\n prices "), ("note", "  ")]), @r#"[("agentName", Some("Shoe prices")), ("note", None), ("sessionId", None)]"#);
        insta::assert_snapshot!(outcome(&[("agentName", "a`b\u{202e}c\u{0}"), ("note", "{{{x}}} {%y%}")]), @r#"[("agentName", Some("a'bc")), ("note", Some("{ { {x} } } { %y%}")), ("sessionId", None)]"#);
    }

    #[test]
    fn refusals_name_the_argument_and_never_the_value() {
        for (given, message) in [
            (&[][..], "Missing argument `agentName`: it must be a text of 1 to 11 characters."),
            (
                &[("agentName", "\n\t")],
                "Missing argument `agentName`: it must be a text of 1 to 11 characters.",
            ),
            (&[("agentName", "secret shoes")], "Argument `agentName` must be a text of 1 to 11 characters."),
            (&[("agentName", "x"), ("note", "ab")], "Argument `note` must be a text of 3 to 20 characters."),
            (
                &[("agentName", "x"), ("sessionId", "../secret")],
                "Argument `sessionId` must be a sessionId from start_agent_build.",
            ),
            (
                &[("agentName", "x"), ("no\nte", "secret")],
                "Unknown argument `no te`. Allowed: `agentName`, `note`, `sessionId`.",
            ),
        ] {
            assert_eq!(outcome(given), message);
        }
    }

    #[test]
    fn a_number_is_its_text_a_null_is_absent_and_nothing_else_is_read() {
        let given = |value: Value| json!({"agentName": value, "colour": null}).as_object().unwrap().clone();
        for (value, expected) in [
            (json!(7301), r#"[("agentName", Some("7301")), ("note", None), ("sessionId", None)]"#),
            (json!(null), "Missing argument `agentName`: it must be a text of 1 to 11 characters."),
            (json!(true), "Argument `agentName` must be a text of 1 to 11 characters."),
            (json!(["secret"]), "Argument `agentName` must be a text of 1 to 11 characters."),
            (json!({"secret": 1}), "Argument `agentName` must be a text of 1 to 11 characters."),
        ] {
            assert_eq!(outcome_of(&given(value)), expected);
        }
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_quotation(text in "(\\PC|[`{}%#\\r\\n\u{2028}]){0,40}") {
            let text = clean(&text);
            prop_assert!(!text.contains(['`', '\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']), "{text:?}");
            prop_assert!(["{{", "}}", "{%", "{#"].iter().all(|pair| !text.contains(pair)), "{text:?}");
            prop_assert_eq!(clean(&text), text);
        }
    }
}
