//! A tool's result, written once as compact JSON and read in two places: as structured content and as text.

use serde::Serialize;
use serde_json::Value;

use super::ToolError;

/// A successful result.
#[derive(Debug, Clone)]
pub struct Reply {
    json: String,
}

impl Reply {
    pub(super) fn of<T: Serialize>(output: &T) -> Result<Self, ToolError> {
        let json = serde_json::to_string(output).map_err(|error| ToolError::internal(&error))?;
        Ok(Self { json })
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
