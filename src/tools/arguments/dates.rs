//! Dates, and the windows of time they make.

use std::borrow::Cow;

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::{api::Window, tools::ToolError};

const EXPECTED: &str =
    "must be a date that exists, as YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z, an offset or nothing (UTC)";

/// A day, or a moment. As the end of a window a day counts as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateArg {
    first: Timestamp,
    last: Timestamp,
}

impl DateArg {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (day, rest) = text.split_at_checked(10)?;
        // The library knows more ways to write a date than the platform does.
        let usual =
            |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
        let day: Date = day.bytes().enumerate().all(usual).then(|| day.parse().ok())??;
        if rest.is_empty() {
            // The platform counts in steps of 100 nanoseconds.
            let last = Time::constant(23, 59, 59, 999_999_900);
            return Some(Self {
                first: utc(day.to_datetime(Time::midnight()))?,
                last: utc(day.to_datetime(last))?,
            });
        }
        let time = rest.strip_prefix(['T', 't', ' '])?;
        let moment = if time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')) {
            utc(day.to_datetime(time.parse().ok()?))?
        } else {
            text.parse().ok().filter(|_| !time.contains('['))?
        };
        Some(Self { first: moment, last: moment })
    }
}

fn utc(time: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(time).ok()
}

impl<'de> Deserialize<'de> for DateArg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer).map_err(|_| de::Error::custom(EXPECTED))?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(EXPECTED))
    }
}

impl JsonSchema for DateArg {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DateArg".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// The window between two dates; what is not given is left to the platform.
///
/// # Errors
///
/// The start lies after the end.
pub(in crate::tools) fn window(start: Option<DateArg>, end: Option<DateArg>) -> Result<Window, ToolError> {
    let window = Window { start: start.map(|date| date.first), end: end.map(|date| date.last) };
    match window {
        Window { start: Some(start), end: Some(end) } if start > end => {
            Err(ToolError::arguments("Argument `startDate` must not be later than `endDate`."))
        }
        window => Ok(window),
    }
}

/// The same for operations that want both ends: from the first of this month until now, unless given.
///
/// # Errors
///
/// The start lies after the end.
pub(in crate::tools) fn window_this_month(
    start: Option<DateArg>,
    end: Option<DateArg>,
    now: Timestamp,
) -> Result<Window, ToolError> {
    let Window { start: from, end: until } = window(start, end)?;
    let until = until.unwrap_or_else(|| Timestamp::from_second(now.as_second()).unwrap_or(now));
    let first = utc(TimeZone::UTC.to_datetime(now).date().first_of_month().to_datetime(Time::midnight()));
    let from = from.or(first).unwrap_or(now);
    if from > until {
        let message = if start.is_none() {
            "Argument `startDate` is needed when `endDate` lies before this month."
        } else {
            "Argument `startDate` must not be later than `endDate`, which is now unless given."
        };
        return Err(ToolError::arguments(message));
    }
    Ok(Window { start: Some(from), end: Some(until) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Option<DateArg> {
        DateArg::parse(text)
    }

    fn shown(window: Result<Window, ToolError>) -> String {
        let end = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        match window {
            Ok(window) => format!("{} {}", end(window.start), end(window.end)),
            Err(error) => error.to_json(None),
        }
    }

    #[test]
    fn a_day_as_an_end_is_a_whole_day() {
        let day = date("2028-02-29");
        assert_eq!(shown(window(day, day)), "2028-02-29T00:00:00Z 2028-02-29T23:59:59.9999999Z");
    }

    #[test]
    fn moments_are_taken_with_and_without_a_zone() {
        for (text, moment) in [
            ("2026-06-01T10:00:00Z", "2026-06-01T10:00:00Z"),
            ("2026-06-01T10:00:00", "2026-06-01T10:00:00Z"),
            (" 2026-06-01t10:00:00.25z ", "2026-06-01T10:00:00.25Z"),
            ("2026-06-01 10:00", "2026-06-01T10:00:00Z"),
            ("2026-06-01T10:00:00+02:00", "2026-06-01T08:00:00Z"),
            ("2026-06-01T23:30:00-05:00", "2026-06-02T04:30:00Z"),
        ] {
            assert_eq!(shown(window(date(text), None)), format!("{moment} -"), "{text}");
            assert_eq!(shown(window(None, date(text))), format!("- {moment}"), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_a_date() {
        for text in [
            "",
            "2026",
            "2026-02-30",
            "2027-02-29",
            "2026-13-01",
            "2026-06-1",
            "20260601",
            "01.06.2026",
            "2026-06-01T",
            "2026-06-01T25:00:00",
            "2026-06-01T10:00:00+99:00",
            "2026-06-01T10:00:00+02:00[Europe/Berlin]",
            "2026-06-01Tnoon",
            "2026-06-01&x=1",
            "+002026-06-01",
            "9999-12-31",
            "２０２６-06-01",
            "last week",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn a_window_does_not_run_backwards() {
        let refused = shown(window(date("2026-06-02"), date("2026-06-01")));
        assert!(refused.contains("`startDate` must not be later than `endDate`."), "{refused}");
        let day = date("2026-06-01");
        assert!(window(date("2026-06-01T23:00:00"), day).is_ok(), "the whole day is in it");
    }

    #[test]
    fn this_month_fills_the_gaps() {
        let now: Timestamp = "2026-11-21T10:00:00.123456789Z".parse().unwrap();
        let month = |start, end| shown(window_this_month(start, end, now));
        assert_eq!(month(None, None), "2026-11-01T00:00:00Z 2026-11-21T10:00:00Z");
        assert_eq!(month(date("2026-06-01"), None), "2026-06-01T00:00:00Z 2026-11-21T10:00:00Z");
        assert_eq!(month(None, date("2026-11-02")), "2026-11-01T00:00:00Z 2026-11-02T23:59:59.9999999Z");
        assert!(month(None, date("2026-10-02")).contains("`startDate` is needed"));
        assert!(month(date("2026-11-22"), None).contains("which is now unless given"));
        let turn = "2027-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(shown(window_this_month(None, None, turn)), "2027-01-01T00:00:00Z 2027-01-01T00:00:00Z");
    }
}
