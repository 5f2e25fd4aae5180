//! Typed ids: a run's number cannot be passed where an agent's belongs.
//!
//! Ids that come from a caller are at least 1 and become path segments as digits only, so nothing typed into an
//! argument can climb out of its place in the path.

mod session;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

pub use self::session::BuildSessionId;

/// Largest id taken from a caller: integers beyond it do not survive JSON readers that use floating point.
pub const MAX_ID: u64 = (1 << 53) - 1;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// The id, if `number` is between 1 and [`MAX_ID`].
            #[must_use]
            pub const fn new(number: u64) -> Option<Self> {
                if number >= 1 && number <= MAX_ID { Some(Self(number)) } else { None }
            }

            /// The id, if the platform sent one that can be used in a call; negative ones were seen.
            #[must_use]
            pub fn sent(number: Option<i64>) -> Option<Self> {
                number.and_then(|number| u64::try_from(number).ok()).and_then(Self::new)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = deserializer.deserialize_any(NumberVisitor)?;
                Self::new(number).ok_or_else(|| de::Error::custom(RANGE))
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "integer", "minimum": 1})
            }
        }
    )*};
}

ids! {
    /// An agent (a scraper configuration); `configId` on runs.
    AgentId;
    /// One execution of an agent.
    RunId;
    /// A file that a run produced.
    FileId;
    /// A space: a named folder of agents.
    SpaceId;
    /// A schedule of an agent.
    ScheduleId;
}

const RANGE: &str = "must be a whole number of at least 1";

/// Takes a number, or a number written as a text, as models often send it. Never repeats the value in its error.
struct NumberVisitor;

impl de::Visitor<'_> for NumberVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RANGE)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<u64, E> {
        u64::try_from(number).map_err(|_| E::custom(RANGE))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<u64, E> {
        #[expect(clippy::cast_precision_loss, reason = "MAX_ID is exact in a double")]
        let in_range = (1.0..=MAX_ID as f64).contains(&number) && number.fract() == 0.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within range")]
        if in_range { Ok(number as u64) } else { Err(E::custom(RANGE)) }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).ok_or_else(|| E::custom(RANGE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_numeric_texts_are_ids() {
        for json in ["7301", "\"7301\"", "7301.0", "\" 7301 \""] {
            assert_eq!(serde_json::from_str::<AgentId>(json).unwrap().get(), 7301, "{json}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for json in [
            "0",
            "-1",
            "1.5",
            "\"../1\"",
            "\"\"",
            "null",
            "true",
            "[1]",
            "\"+1\"",
            "1e30",
            "\"9007199254740992\"",
        ] {
            assert!(serde_json::from_str::<AgentId>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn an_id_is_always_a_clean_path_segment(text in "\\PC*") {
            if let Ok(id) = serde_json::from_value::<RunId>(serde_json::Value::String(text)) {
                prop_assert!(id.to_string().bytes().all(|byte| byte.is_ascii_digit()));
            }
        }
    }
}
