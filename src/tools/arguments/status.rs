//! A run status as the platform's reports filter by it: by name.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::RunStatusCode;
use crate::api::model::run_status_name;

/// A run status by its name; a code is understood too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunStatusName(RunStatusCode);

impl RunStatusName {
    /// The name as the platform writes it.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        run_status_name(i64::from(self.0.0))
    }
}

impl<'de> Deserialize<'de> for RunStatusName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RunStatusCode::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for RunStatusName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RunStatusName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = (0..=RunStatusCode::LAST).map(|code| run_status_name(i64::from(code))).collect();
        json_schema!({"type": "string", "enum": names})
    }
}
