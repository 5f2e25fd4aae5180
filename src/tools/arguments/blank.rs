//! Blank texts, which many clients send for an argument that is not given.

use serde::{Deserialize, Deserializer, de, de::DeserializeOwned};
use serde_json::Value;

/// For `deserialize_with` on an optional argument: a blank text is the same as none.
pub(in crate::tools) fn blank_is_absent<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) if text.trim().is_empty() => Ok(None),
        value => serde_json::from_value(value).map(Some).map_err(de::Error::custom),
    }
}
