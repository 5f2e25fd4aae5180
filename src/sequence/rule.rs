//! What a rule is called, and what opens it.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};

/// The id of a rule: up to 128 letters, digits, `_` and `-`, so that it cannot be more than one segment of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(String);

impl RuleId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no rule id. Completes "Argument `rule_id` ...".
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 128 letters, digits, `_` or `-`")]
pub struct NoRuleId;

impl FromStr for RuleId {
    type Err = NoRuleId;

    fn from_str(text: &str) -> Result<Self, NoRuleId> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if plain && (1..=128).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(NoRuleId) }
    }
}

impl<'de> Deserialize<'de> for RuleId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.trim().parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for RuleId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RuleId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"})
    }
}

/// What makes repeated calls one: up to 255 visible ASCII characters, as a header takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// One that was never used before.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for IdempotencyKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = text.trim();
        if visible(text) && text.len() <= 255 {
            Ok(Self(text.to_owned()))
        } else {
            Err(de::Error::custom("must be 1 to 255 visible ASCII characters"))
        }
    }
}

impl JsonSchema for IdempotencyKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "IdempotencyKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 255})
    }
}

/// A rule's secret in a call.
#[derive(Debug, Clone)]
pub struct SecretArgument(pub SecretString);

impl<'de> Deserialize<'de> for SecretArgument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        secret(&text).map(Self).ok_or_else(|| de::Error::custom("must be visible ASCII characters"))
    }
}

impl JsonSchema for SecretArgument {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// A token or secret that can stand in a header.
pub fn secret(text: &str) -> Option<SecretString> {
    let text = text.trim();
    visible(text).then(|| text.into())
}

fn visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
