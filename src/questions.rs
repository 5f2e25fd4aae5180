//! Questions to the user, as data: what a tool or a prompt wants to know before it starts.
//!
//! They are put where the client can ask, and nowhere else; how is the business of [`crate::mcp`]. Forms are flat and
//! hold texts only (2026-07-28, "Elicitation"), and never ask for a credential.

mod build;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use self::build::BUILD;

/// Arguments as a client sends them.
pub type Object = Map<String, Value>;

/// What a user filled in, by the name of the field.
pub type Answers = BTreeMap<&'static str, String>;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// What the user reads.
    pub message: String,
    /// What the user fills in; without any the answer is yes or no.
    pub fields: &'static [Field],
}

/// One text to fill in.
#[derive(Debug)]
pub struct Field {
    /// Name on the wire.
    pub name: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// What to fill in.
    pub description: &'static str,
    /// Fewest characters.
    pub min: u32,
    /// Most characters.
    pub max: u32,
}

/// What may be missing from arguments.
#[derive(Debug)]
pub struct Details {
    /// What to ask, if something is missing. What is there but wrong is not asked for: that has an error of its own.
    pub missing: fn(&Object) -> Option<Question>,
    /// Puts the answers into the arguments.
    pub complete: fn(&mut Object, &Answers),
}

/// The answers to all `fields` in what a client sent back; `None` if one is absent or does not fit. Whatever else is there
/// is ignored.
#[must_use]
pub fn answers(fields: &'static [Field], content: Option<&Value>) -> Option<Answers> {
    let answer = |field: &Field| {
        let text = content?.get(field.name)?.as_str()?.trim();
        let length = text.chars().count();
        let fits = field.min as usize <= length && length <= field.max as usize;
        fits.then(|| (field.name, text.to_owned()))
    };
    fields.iter().map(answer).collect()
}
