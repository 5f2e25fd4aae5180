//! A tool's result in the two forms that clients read: structured, and the same as compact JSON text.

use serde::Serialize;
use serde_json::Value;

use super::ToolError;

/// A successful result.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The result as data; always an object.
    pub structured: Value,
    /// The same as text, for clients and models that read only text.
    pub text: String,
}

impl Reply {
    pub(super) fn of<T: Serialize>(output: &T) -> Result<Self, ToolError> {
        let structured = serde_json::to_value(output).map_err(|error| ToolError::internal(&error))?;
        let text = serde_json::to_string(output).map_err(|error| ToolError::internal(&error))?;
        Ok(Self { structured, text })
    }
}
