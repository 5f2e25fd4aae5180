//! A tool's result, written once as compact JSON and read in two places: as structured content and as text.

use serde::Serialize;
use serde_json::Value;

use super::{ToolError, links::Link, untrusted};

/// A successful result.
#[derive(Debug, Clone)]
pub struct Reply {
    json: String,
    links: Vec<Link>,
}

impl Reply {
    /// Writes the result down, without what cannot be seen in it.
    pub(crate) fn of<T: Serialize>(output: &T) -> Result<Self, ToolError> {
        let json = serde_json::to_string(output).map_err(|error| ToolError::internal(&error))?;
        if is_clean(&json) {
            return Ok(Self { json, links: Vec::new() });
        }
        // Names, messages and data come from pages, agents and logs. Rare enough to pay for a second pass.
        let mut value: Value = serde_json::from_str(&json).map_err(|error| ToolError::internal(&error))?;
        clean(&mut value);
        Ok(Self { json: value.to_string(), links: Vec::new() })
    }

    /// A reply for tests of how it is written.
    #[cfg(test)]
    pub(crate) fn sample(output: &Value, links: &super::Links) -> Self {
        Self { json: output.to_string(), links: links.take() }
    }

    pub(super) fn with_links(mut self, links: Vec<Link>) -> Self {
        self.links = links;
        self
    }

    /// Where more is to be had.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The result as one line of JSON; always an object.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The result as a value, for those who cannot take it as it is.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// The text.
    #[must_use]
    pub fn into_json(self) -> String {
        self.json
    }
}

/// Whether no text in this JSON holds a character that [`untrusted::clean`] takes away. Line breaks and tabs are written
/// as `\\n` and `\\t`; every other control character as `\\b`, `\\f`, `\\r` or `\\u00..`, or as itself (DEL).
fn is_clean(json: &str) -> bool {
    let escapes = ["\\u00", "\\b", "\\f", "\\r", "\u{7f}"];
    let plain = !escapes.iter().any(|escape| json.contains(escape));
    plain && (json.is_ascii() || untrusted::clean(json).len() == json.len())
}

fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = untrusted::clean(text),
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(members) => {
            let cleaned = std::mem::take(members).into_iter().map(|(name, mut value)| {
                clean(&mut value);
                (untrusted::clean(&name), value)
            });
            *members = cleaned.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_seen_is_taken_out_of_every_text() {
        let hostile = json!({"na\u{200b}me": "Shoes\u{1b}[2J\u{e0069}\u{e0067}\r\n", "n": [1, "\u{202e}x"], "fine": "a\tb\nc"});
        let reply = Reply::of(&hostile).unwrap();
        assert_eq!(reply.to_value(), json!({"name": "Shoes[2J\n", "n": [1, "x"], "fine": "a\tb\nc"}));
    }

    #[test]
    fn clean_results_are_passed_on_as_they_were_written() {
        for text in ["plain", "Grüße, 東京 🙂", "line\nline\ttab", r#"a "quoted" \\ path"#] {
            assert_eq!(Reply::of(&text).unwrap().json(), serde_json::to_string(text).unwrap(), "{text}");
        }
    }
}
