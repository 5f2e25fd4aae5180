//! Words for the platform's numbers: the kind of a schedule, the unit of an interval.

/// A closed set that the platform numbers: read as a number, as a numeric text, or as the word in any case.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The platform's number.
            #[must_use]
            pub const fn code(self) -> i64 {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// What the platform's number means.
            #[must_use]
            pub const fn from_code(code: i64) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn from_text(text: &str) -> Option<Self> {
                let text = text.trim();
                $(if text.eq_ignore_ascii_case($word) {
                    return Some(Self::$variant);
                })*
                text.parse().ok().and_then(Self::from_code)
            }
        }

        impl std::fmt::Display for $name {
            /// Number and word, as messages show them.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => concat!($code, " (", $word, ")"),)*
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let read = match serde_json::Value::deserialize(deserializer)? {
                    serde_json::Value::String(text) => Self::from_text(&text),
                    serde_json::Value::Number(number) => {
                        // Some models write 3.0; what follows the point must be nothing.
                        let text = number.to_string();
                        text.strip_suffix(".0").unwrap_or(&text).parse().ok().and_then(Self::from_code)
                    }
                    _ => None,
                };
                read.ok_or_else(|| serde::de::Error::custom("not one of the allowed values"))
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
                schemars::json_schema!({"type": "integer", "enum": [$($code),*]})
            }
        }
    };
}

numbered! {
    /// What makes a schedule fire.
    Kind {
        /// A moment.
        RunOnce = 1 "RunOnce",
        /// An interval.
        RunEvery = 2 "RunEvery",
        /// A cron expression.
        Cron = 3 "CRON",
    }
}

numbered! {
    /// The unit of an interval.
    Period {
        /// Minutes.
        Minute = 1 "minute",
        /// Hours.
        Hour = 2 "hour",
        /// Days.
        Day = 3 "day",
        /// Weeks.
        Week = 4 "week",
        /// Months.
        Month = 5 "month",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_texts_and_words_are_read() {
        for json in ["3", "3.0", "\"3\"", "\"cron\"", "\" CRON \""] {
            assert_eq!(serde_json::from_str::<Kind>(json).unwrap(), Kind::Cron, "{json}");
        }
        assert_eq!(serde_json::from_str::<Period>("\"Week\"").unwrap().code(), 4);
        for json in ["0", "4", "3.5", "\"none\"", "\"\"", "true", "[3]"] {
            assert!(serde_json::from_str::<Kind>(json).is_err(), "{json}");
        }
        assert_eq!(Kind::RunEvery.to_string(), "2 (RunEvery)");
    }
}
