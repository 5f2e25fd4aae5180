//! Closed sets: words that are read in any case, and the platform's numbers for them, where it has any.

use serde::de;
use serde_json::Value;

use super::whole;

/// A closed set. Whichever of the two is published, words and numbers are both understood.
pub trait Choice: Copy + PartialEq + 'static {
    /// Each member with its word and the platform's number.
    const ALL: &'static [(Self, &'static str, Option<i64>)];

    /// The word.
    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(member, ..)| *member == self).map_or("", |(_, word, _)| word)
    }

    /// The platform's number.
    fn code(self) -> Option<i64> {
        Self::ALL.iter().find(|(member, ..)| *member == self).and_then(|(.., code)| *code)
    }

    /// What the platform's number means.
    fn of_code(code: i64) -> Option<Self> {
        Self::ALL.iter().find(|(.., known)| *known == Some(code)).map(|(member, ..)| *member)
    }

    /// What an argument means: a word, a number, or a number as a text.
    fn read<E: de::Error>(value: &Value) -> Result<Self, E> {
        let member = match value {
            Value::Number(number) => {
                let number = number.as_i64().or_else(|| i64::try_from(whole(number.as_f64()?)?).ok());
                number.and_then(Self::of_code)
            }
            Value::String(text) => {
                let text = text.trim();
                let word = Self::ALL.iter().find(|(_, word, _)| word.eq_ignore_ascii_case(text));
                word.map(|(member, ..)| *member).or_else(|| Self::of_code(text.parse().ok()?))
            }
            _ => None,
        };
        member.ok_or_else(|| E::custom("not one of the allowed values"))
    }
}

/// A closed set of words. A number behind a word is the platform's.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal $($code:literal)?,)* }) => {
        $crate::tools::arguments::closed_set! {
            $(#[$doc])* $name { $($(#[$variant_doc])* $variant = $word $($code)?,)* }
            {"type": "string", "enum": [$($word),*]}
        }
    };
}

/// A closed set that is published as the platform numbers it.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal $word:literal,)* }) => {
        $crate::tools::arguments::closed_set! {
            $(#[$doc])* $name { $($(#[$variant_doc])* $variant = $word $code,)* }
            {"type": "integer", "enum": [$($code),*]}
        }

        impl std::fmt::Display for $name {
            /// Number and word, as messages show them.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => concat!($code, " (", $word, ")"),)*
                })
            }
        }
    };
}

macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal $($code:literal)?,)* } $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $crate::tools::arguments::Choice for $name {
            const ALL: &'static [(Self, &'static str, Option<i64>)] = &[
                $((Self::$variant, $word, $crate::tools::arguments::code!($($code)?)),)*
            ];
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <Self as $crate::tools::arguments::Choice>::read(&serde_json::Value::deserialize(deserializer)?)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

macro_rules! code {
    () => {
        None
    };
    ($code:literal) => {
        Some($code)
    };
}

pub(in crate::tools) use {choice, closed_set, code, numbered};

choice! {
    /// Direction of a sorted list.
    SortOrder {
        /// Smallest first.
        Asc = "asc" 0,
        /// Largest first.
        Desc = "desc" 1,
    }
}

impl From<SortOrder> for crate::api::SortOrder {
    fn from(order: SortOrder) -> Self {
        match order {
            SortOrder::Asc => Self::Ascending,
            SortOrder::Desc => Self::Descending,
        }
    }
}

choice! {
    /// How much of each record a list returns.
    Verbosity {
        /// What the next step needs.
        Summary = "summary",
        /// The platform's whole record.
        Full = "full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    numbered! {
        /// A kind.
        Kind {
            /// One.
            Once = 1 "RunOnce",
            /// Three.
            Cron = 3 "CRON",
        }
    }

    #[test]
    fn numbers_texts_and_words_are_read() {
        for json in ["3", "3.0", "\"3\"", "\"cron\"", "\" CRON \""] {
            assert_eq!(serde_json::from_str::<Kind>(json).unwrap(), Kind::Cron, "{json}");
        }
        for json in ["1", "\"1\"", "\"DESC\"", "\"desc\""] {
            assert_eq!(serde_json::from_str::<SortOrder>(json).unwrap(), SortOrder::Desc, "{json}");
        }
        for json in ["0", "4", "3.5", "\"none\"", "\"\"", "true", "[3]"] {
            assert!(serde_json::from_str::<Kind>(json).is_err(), "{json}");
        }
        for json in ["0", "\"0\"", "\"\"", "null"] {
            assert!(serde_json::from_str::<Verbosity>(json).is_err(), "{json}: a word without a number");
        }
        assert_eq!((Kind::Once.to_string().as_str(), Kind::Cron.code()), ("1 (RunOnce)", Some(3)));
        assert_eq!((SortOrder::Asc.word(), Kind::of_code(2)), ("asc", None));
    }
}
