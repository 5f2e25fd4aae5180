//! From a JSON object to typed arguments, and the types they are made of.
//!
//! Unknown arguments are refused by name. The harmless deviations that models produce are accepted: a number as a text,
//! `"true"`, an enum word in another case. Messages name the argument and what is allowed, and never repeat a value.

mod blank;
mod choice;
mod dates;
mod ids;
mod status;

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de, de::DeserializeOwned};
use serde_json::Value;

pub(super) use self::{
    blank::blank_is_absent,
    choice::{choice, closed_set, code, numbered},
    dates::{window, window_this_month},
};
pub use self::{
    choice::{Choice, SortOrder, Verbosity},
    dates::DateArg,
    ids::{AgentArgs, NoArgs, RunArgs, SpaceArgs},
    status::RunStatusName,
};
use super::{
    ToolError,
    schema::{Object, expectation},
};

/// Reads the arguments of one call against the schema that was published.
///
/// # Errors
///
/// An unknown or missing argument, or one that is not what the schema says.
pub(crate) fn read<A: DeserializeOwned>(schema: &Object, mut arguments: Object) -> Result<A, ToolError> {
    let empty = Object::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    if let Some(unknown) = arguments.keys().find(|name| !properties.contains_key(*name)) {
        let known: Vec<_> = properties.keys().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() { "this tool takes none".to_owned() } else { known.join(", ") };
        return Err(ToolError::arguments(format!(
            "Unknown argument `{}`. Allowed: {known}.",
            printable(unknown)
        )));
    }
    // A null is what many clients send for an argument that is not given.
    arguments.retain(|_, value| !value.is_null());
    let required =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        if !arguments.contains_key(name) {
            let expected = properties.get(name).map(expectation).unwrap_or_default();
            return Err(ToolError::arguments(format!("Missing argument `{name}`: it must be {expected}.")));
        }
    }
    let arguments = Value::Object(arguments);
    A::deserialize(&arguments).map_err(|_| {
        // Read again to find out which one: the usual call does not pay for the search.
        let (path, said) = match serde_path_to_error::deserialize::<_, A>(&arguments) {
            Err(error) => (error.path().to_string(), error.inner().to_string()),
            Ok(_) => (String::new(), String::new()),
        };
        let name = path.split(['.', '[']).next().unwrap_or_default();
        match properties.get(name) {
            // The types of this server say what they want, in fixed words, where the schema cannot.
            Some(_) if said.starts_with("must be ") => {
                ToolError::arguments(format!("Argument `{name}` {said}."))
            }
            Some(property) => {
                ToolError::arguments(format!("Argument `{name}` must be {}.", expectation(property)))
            }
            None => ToolError::arguments("The arguments do not fit the tool's schema."),
        }
    })
}

/// A name from outside, short and without control characters.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// A whole number within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounded<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Bounded<MIN, MAX> {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.and_then(|number| u32::try_from(number).ok()).filter(|n| (MIN..=MAX).contains(n));
        number.map(Self).ok_or_else(|| de::Error::custom("out of bounds"))
    }
}

/// A whole number that was written with a decimal point, such as 50.0.
fn whole(number: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within range")]
    ((0.0..=4_294_967_295.0).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Bounded<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Bounded".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

/// A text that is not blank and not longer than `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// The text, without blanks around it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(de::Error::custom("not a text")),
        };
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX {
            return Err(de::Error::custom("blank or too long"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "maxLength": MAX})
    }
}

/// `true` or `false`, also as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(flag) => Ok(Self(flag)),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Ok(Self(true)),
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Ok(Self(false)),
            _ => Err(de::Error::custom("not a boolean")),
        }
    }
}

impl JsonSchema for Flag {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "boolean"})
    }
}

/// A JSON document as text, as the platform wants input parameters; an object is accepted and written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonText(pub String);

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => match serde_json::from_str::<de::IgnoredAny>(&text) {
                Ok(_) => Ok(Self(text)),
                Err(_) => Err(de::Error::custom("not JSON")),
            },
            object @ Value::Object(_) => Ok(Self(object.to_string())),
            _ => Err(de::Error::custom("not JSON text")),
        }
    }
}

impl JsonSchema for JsonText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "JsonText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// A run status as a filter: its code, or its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunStatusCode(pub u8);

impl RunStatusCode {
    const LAST: u8 = 13;
}

impl<'de> Deserialize<'de> for RunStatusCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok().or_else(|| {
                (0..=u64::from(Self::LAST)).find(|code| {
                    i64::try_from(*code).is_ok_and(|code| {
                        crate::api::model::run_status_name(code).eq_ignore_ascii_case(text.trim())
                    })
                })
            }),
            _ => None,
        };
        let code = code.and_then(|code| u8::try_from(code).ok()).filter(|code| *code <= Self::LAST);
        code.map(Self).ok_or_else(|| de::Error::custom("not a status"))
    }
}

impl JsonSchema for RunStatusCode {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RunStatusCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<_> = (0..=Self::LAST).collect();
        json_schema!({"type": "integer", "enum": codes})
    }
}

impl<const MIN: u32, const MAX: u32> fmt::Display for Bounded<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::schema;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only parsing is of interest")]
    struct Args {
        page_size: Bounded<1, 100>,
        query: Option<Text<5>>,
        wait: Option<Flag>,
        status: Option<RunStatusCode>,
    }

    fn outcome(arguments: Value) -> String {
        let Value::Object(arguments) = arguments else { panic!("not an object") };
        match read::<Args>(&schema::input::<Args>(), arguments) {
            Ok(args) => format!("{args:?}"),
            Err(error) => error.to_json(None),
        }
    }

    #[test]
    fn deviations_that_models_produce_are_accepted() {
        insta::assert_snapshot!(outcome(serde_json::json!({"pageSize": "50", "query": null, "wait": "True", "status": "running"})), @"Args { page_size: Bounded(50), query: None, wait: Some(Flag(true)), status: Some(RunStatusCode(1)) }");
        insta::assert_snapshot!(outcome(serde_json::json!({"pageSize": 50.0})), @"Args { page_size: Bounded(50), query: None, wait: None, status: None }");
    }

    #[test]
    fn refusals_name_the_argument_and_what_is_allowed_but_no_value() {
        for (arguments, message) in [
            (
                serde_json::json!({"pageSize": 101}),
                "Argument `pageSize` must be a whole number from 1 to 100.",
            ),
            (
                serde_json::json!({"pageSize": 1.5}),
                "Argument `pageSize` must be a whole number from 1 to 100.",
            ),
            (serde_json::json!({}), "Missing argument `pageSize`: it must be a whole number from 1 to 100."),
            (
                serde_json::json!({"pageSize": 1, "query": "secret"}),
                "Argument `query` must be a text of 1 to 5 characters, not only blanks.",
            ),
            (
                serde_json::json!({"pageSize": 1, "status": 14}),
                "Argument `status` must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13.",
            ),
            (
                serde_json::json!({"pageSize": 1, "sise": 2}),
                "Unknown argument `sise`. Allowed: `pageSize`, `query`, `status`, `wait`.",
            ),
        ] {
            let answer = outcome(arguments);
            assert!(answer.contains(message), "{answer}");
            assert!(!answer.contains("secret"));
        }
    }
}
