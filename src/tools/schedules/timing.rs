//! Moments, time zones and cron expressions, checked before the platform sees them.

use std::sync::LazyLock;

use croner::parser::{CronParser, Seconds, Year};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZoneDatabase};

use super::kind::Kind;
use crate::tools::ToolError;

/// How far ahead a single run must lie at least.
const LEAD: SignedDuration = SignedDuration::from_mins(1);

/// The zones of the binary, so that every host knows the same ones.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A moment in ISO 8601; without a zone it is UTC.
pub fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        local.in_tz("UTC").ok().map(|zoned| zoned.timestamp())
    })
}

/// Reads a start time and says when it is no moment.
pub fn start(text: &str) -> Result<Timestamp, ToolError> {
    moment(text).filter(|_| text.contains(':')).ok_or_else(|| {
        ToolError::arguments(
            "Argument `startTime` must be an ISO 8601 date-time in UTC, such as 2026-06-01T08:30:00Z.",
        )
    })
}

/// Whether a start lies far enough ahead for this kind of schedule.
pub fn check_ahead(kind: Kind, start: Timestamp, now: Timestamp) -> Result<(), ToolError> {
    let (lead, rule) = match kind {
        Kind::RunOnce => (LEAD, "more than a minute in the future for scheduleType 1 (RunOnce)"),
        Kind::RunEvery => (SignedDuration::ZERO, "in the future for scheduleType 2 (RunEvery)"),
        Kind::Cron => return Ok(()),
    };
    if start.duration_since(now) > lead {
        return Ok(());
    }
    Err(ToolError::arguments(format!("Argument `startTime` must lie {rule}; it is read as UTC.")))
}

/// The zone's name as the database writes it.
pub fn zone(name: &str) -> Result<String, ToolError> {
    let zone = ZONES.get(name.trim()).ok();
    zone.as_ref().and_then(|zone| zone.iana_name()).map(str::to_owned).ok_or_else(|| {
        ToolError::arguments("Argument `timezone` must be an IANA time zone such as Europe/London or UTC.")
    })
}

/// The expression with single blanks between its five fields.
pub fn cron(text: &str) -> Result<String, ToolError> {
    let fields: Vec<_> = text.split_whitespace().collect();
    let text = fields.join(" ");
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    // The parser reads nicknames such as @daily at any place and passes over empty members of a list.
    let plain = !text.contains('@') && text.split([' ', ',']).all(|member| !member.is_empty());
    if fields.len() == 5 && plain && parser.parse(&text).is_ok() {
        return Ok(text);
    }
    Err(ToolError::arguments(
        "Argument `cronExpression` must be five cron fields (minute hour day-of-month month day-of-week), such as 0 6 * * 1-5.",
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cron_expressions_have_five_good_fields() {
        for (text, read) in [
            ("0 6 * * 1-5", "0 6 * * 1-5"),
            ("  */15  0-6,22 1,15 *\t* ", "*/15 0-6,22 1,15 * *"),
            ("30 8 * JAN-MAR mon", "30 8 * JAN-MAR mon"),
            ("0 0 * * 7", "0 0 * * 7"),
            ("10-50/20 * * * *", "10-50/20 * * * *"),
        ] {
            assert_eq!(cron(text).unwrap(), read, "{text}");
        }
        for text in [
            "",
            "* * * *",
            "0 0 6 * * 1",
            "0 0 6 * * 1 2027",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *",
            "5-1 * * * *",
            "1,,2 * * * *",
            "a b c d e",
            "@daily",
            "@daily * * * *",
            "-1 * * * *",
            "99999999999999999999 * * * *",
        ] {
            assert!(cron(text).is_err(), "{text}");
        }
    }

    #[test]
    fn zones_are_those_of_the_database() {
        assert_eq!(zone("europe/london").unwrap(), "Europe/London");
        assert_eq!(zone(" UTC ").unwrap(), "UTC");
        for name in ["", "London", "Mars/Base", "../etc/passwd", "GMT+25"] {
            assert!(zone(name).is_err(), "{name}");
        }
    }

    #[test]
    fn moments_are_utc_unless_they_say_otherwise() {
        for text in ["2026-11-21T10:00:00Z", "2026-11-21T12:00:00+02:00", "2026-11-21 10:00:00"] {
            assert_eq!(start(text).unwrap().to_string(), "2026-11-21T10:00:00Z", "{text}");
        }
        for text in ["2026-11-21", "10:00", "tomorrow", "2026-02-30T10:00:00Z", ""] {
            assert!(start(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_single_run_lies_more_than_a_minute_ahead() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(check_ahead(Kind::RunOnce, at("2026-11-21T10:01:00Z"), now).is_err());
        assert!(check_ahead(Kind::RunOnce, at("2026-11-21T10:01:01Z"), now).is_ok());
        assert!(check_ahead(Kind::RunEvery, at("2026-11-21T10:00:00Z"), now).is_err());
        assert!(check_ahead(Kind::RunEvery, at("2026-11-21T10:00:01Z"), now).is_ok());
        assert!(check_ahead(Kind::Cron, at("2020-01-01T00:00:00Z"), now).is_ok());
    }

    proptest! {
        #[test]
        fn hostile_texts_are_refused_without_a_panic(text in "\\PC{0,40}", fields in "[0-9*/,#LW?@-]{1,4}( [0-9A-Z*/,#?-]{1,4}){4}") {
            let _ = (cron(&text), zone(&text), start(&text));
            if let Ok(read) = cron(&fields) {
                prop_assert_eq!(read.split(' ').count(), 5);
            }
        }
    }
}
