//! The id of a build session: the one id that is text.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// Most characters of an id.
const MAX: usize = 256;

/// A build session. Letters, digits, `-` and `_` only, so that it stays one segment of a path whatever was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct BuildSessionId(String);

impl BuildSessionId {
    /// The id, if `text` is one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let clean = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        (clean && (1..=MAX).contains(&text.len())).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for BuildSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for BuildSessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text)
            .ok_or_else(|| de::Error::custom("must be 1 to 256 letters, digits, hyphens or underscores"))
    }
}

impl JsonSchema for BuildSessionId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "BuildSessionId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "maxLength": MAX})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn length_and_alphabet_are_checked() {
        let longest = "a".repeat(MAX);
        for good in ["bld-51c0", " A_9 ", &longest] {
            assert_eq!(BuildSessionId::new(good).unwrap().to_string(), good.trim());
        }
        let too_long = "a".repeat(MAX + 1);
        for bad in ["", " ", ".", "..", "a/b", "a%2fb", "a?b", "a#b", "a b", "ä", &too_long] {
            assert!(BuildSessionId::new(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_session_id_never_leaves_its_segment(text in "\\PC*") {
            if let Ok(id) = serde_json::from_value::<BuildSessionId>(serde_json::Value::String(text)) {
                let base = url::Url::parse("https://platform.example").unwrap();
                let url = base.join(&format!("/api/v1/agent-builder/{id}/status")).unwrap();
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments, ["api", "v1", "agent-builder", &id.to_string(), "status"]);
                prop_assert!(url.query().is_none() && url.fragment().is_none());
            }
        }
    }
}
