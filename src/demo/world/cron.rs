//! Five-field cron expressions: when they match next in a time zone.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

/// Far enough to reach the next 29 February from anywhere.
const DAYS_AHEAD: i32 = 366 * 9;

/// Minute, hour, day of the month, month and day of the week, one bit per allowed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Bit 0 is Sunday, bit 1 Monday.
    weekdays: u64,
    /// Both day fields are restricted, so that either of them is enough (as in every Unix cron).
    either_day: bool,
}

impl Cron {
    /// None when the text is not five fields of numbers, ranges, steps and lists.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split_ascii_whitespace();
        let mut next = |least, most| field(fields.next()?, least, most);
        let (minutes, hours, days) = (next(0, 59)?, next(0, 23)?, next(1, 31)?);
        let (months, weekdays) = (next(1, 12)?, next(0, 7)?);
        if fields.next().is_some() {
            return None;
        }
        let mut stars = text.split_ascii_whitespace().map(|field| field.starts_with('*'));
        let either_day = stars.nth(2) == Some(false) && stars.nth(1) == Some(false);
        // Seven is another name of Sunday.
        let weekdays = (weekdays | weekdays >> 7) & 0x7f;
        Some(Self { minutes, hours, days, months, weekdays, either_day })
    }

    /// The first match after `after`.
    pub(crate) fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut day = after.to_zoned(zone.clone()).date();
        for _ in 0..DAYS_AHEAD {
            if self.matches(day)
                && let Some(found) = self.times(day, zone).find(|time| *time > after)
            {
                return Some(found);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    fn matches(&self, day: Date) -> bool {
        let in_month = has(self.days, day.day());
        let in_week = has(self.weekdays, day.weekday().to_sunday_zero_offset());
        has(self.months, day.month())
            && if self.either_day { in_month || in_week } else { in_month && in_week }
    }

    /// All matches of a day. A time that the clocks jump over happens when they have jumped.
    fn times(&self, day: Date, zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
        let hours = (0..24_i8).filter(|hour| has(self.hours, *hour));
        let minutes = |hour| (0..60_i8).filter(|minute| has(self.minutes, *minute)).map(move |m| (hour, m));
        hours.flat_map(minutes).filter_map(move |(hour, minute)| {
            let time = day.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()?;
            Some(time.timestamp())
        })
    }
}

/// The first of `anchor`, `anchor` plus `months` months, plus twice that, and so on, that is after `after`.
pub(crate) fn monthly(anchor: Timestamp, months: i32, after: Timestamp) -> Option<Timestamp> {
    let start = anchor.to_zoned(TimeZone::UTC);
    // Counted from the anchor each time, so that the 31st comes back after a short month.
    (0..1_200_i32)
        .map_while(|n| start.checked_add(months.checked_mul(n)?.months()).ok())
        .map(|time| time.timestamp())
        .find(|time| *time > after)
}

fn has(bits: u64, value: i8) -> bool {
    u32::try_from(value).ok().and_then(|value| bits.checked_shr(value)).is_some_and(|bits| bits & 1 == 1)
}

fn field(text: &str, least: u32, most: u32) -> Option<u64> {
    text.split(',').try_fold(0, |bits, part| Some(bits | part_bits(part, least, most)?))
}

fn part_bits(part: &str, least: u32, most: u32) -> Option<u64> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step.parse::<usize>().ok().filter(|step| *step > 0)?)),
        None => (part, None),
    };
    let (from, to) = match range.split_once('-') {
        _ if range == "*" => (least, most),
        Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
        // "5/10" runs to the end, a plain "5" does not.
        None => {
            let from = range.parse().ok()?;
            (from, if step.is_some() { most } else { from })
        }
    };
    let fits = least <= from && from <= to && to <= most;
    fits.then(|| (from..=to).step_by(step.unwrap_or(1)).fold(0, |bits, value| bits | 1 << value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, after: &str, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        Cron::parse(cron).unwrap().next(after.parse().unwrap(), &zone).unwrap().to_string()
    }

    #[test]
    fn the_next_match_in_a_zone() {
        // A Thursday.
        let now = "2026-05-28T20:26:40Z";
        for (cron, zone, expected) in [
            ("30 6 * * 1-5", "UTC", "2026-05-29T06:30:00Z"),
            ("0 8 * * 1", "Europe/Paris", "2026-06-01T06:00:00Z"),
            ("*/15 * * * *", "Asia/Kolkata", "2026-05-28T20:30:00Z"),
            ("0 0 29 2 *", "UTC", "2028-02-29T00:00:00Z"),
            ("0 9 1 * 0", "UTC", "2026-05-31T09:00:00Z"),
            ("0 9 * * 7", "UTC", "2026-05-31T09:00:00Z"),
            ("5/20 23 * 1,6 *", "America/New_York", "2026-06-02T03:05:00Z"),
        ] {
            assert_eq!(next(cron, now, zone), expected, "{cron}");
        }
        // The clocks go from 02:00 to 03:00.
        assert_eq!(next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Paris"), "2026-03-29T01:30:00Z");
        assert_eq!(Cron::parse("0 0 31 2 *").unwrap().next(Timestamp::UNIX_EPOCH, &TimeZone::UTC), None);
    }

    #[test]
    fn what_is_not_cron() {
        for bad in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* * 0 * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "a b c d e",
        ] {
            assert_eq!(Cron::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn months_keep_the_day() {
        let anchor: Timestamp = "2026-01-31T10:00:00Z".parse().unwrap();
        let next = |after: &str| monthly(anchor, 1, after.parse().unwrap()).unwrap().to_string();
        assert_eq!(next("2026-02-01T00:00:00Z"), "2026-02-28T10:00:00Z");
        assert_eq!(next("2026-02-28T10:00:00Z"), "2026-03-31T10:00:00Z");
    }
}
