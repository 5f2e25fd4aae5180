//! Windows of time from the query: `startDate` and `endDate` as dates or date-times, and how they are echoed.

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::{error::Refusal, input::Query};

/// From `start` to `end`, both included.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// How the bounds are sent back.
    pub(super) start_text: String,
    pub(super) end_text: String,
}

/// A bound as asked for.
struct Given(Timestamp);

impl Window {
    /// For operations without defaults.
    pub(super) fn required(query: &Query) -> Result<Self, Refusal> {
        query.required("startDate")?;
        query.required("endDate")?;
        Self::or(query, false, |_| Timestamp::MIN, |_| Timestamp::MAX)
    }

    /// The last 24 hours unless asked otherwise. A given end means the end of that day.
    pub(super) fn recent(query: &Query, now: Timestamp) -> Result<Self, Refusal> {
        let day = SignedDuration::from_hours(24);
        Self::or(query, true, |end| end.min(now).checked_sub(day).unwrap_or(now), |_| now)
    }

    /// Today and the seven days after it.
    pub(super) fn coming(query: &Query, now: Timestamp) -> Result<Self, Refusal> {
        let today = start_of_day(date(now));
        let week = SignedDuration::from_hours(7 * 24);
        Self::or(query, false, |_| today, |start| start.checked_add(week).unwrap_or(start))
    }

    /// The calendar month.
    pub(super) fn month(query: &Query, now: Timestamp) -> Result<Self, Refusal> {
        let first = date(now).first_of_month();
        let last = date(now).last_of_month();
        Self::or(query, false, |_| start_of_day(first), |_| end_of_day(last))
    }

    /// `start` gets the end, as far as it is known, and `end` the start.
    fn or(
        query: &Query,
        whole_days: bool,
        start: impl FnOnce(Timestamp) -> Timestamp,
        end: impl FnOnce(Timestamp) -> Timestamp,
    ) -> Result<Self, Refusal> {
        let given_start = bound(query, "startDate", |_, time| time)?;
        let day_end = |is_date: bool, time| if is_date || whole_days { end_of_day(date(time)) } else { time };
        let given_end = bound(query, "endDate", day_end)?;
        let known_end = given_end.as_ref().map_or(Timestamp::MAX, |Given(time)| *time);
        let from = given_start.as_ref().map_or_else(|| start(known_end), |Given(time)| *time);
        let to = given_end.as_ref().map_or_else(|| end(from), |Given(time)| *time);
        if from > to {
            return Err(Refusal::bad_request("startDate must not be after endDate"));
        }
        // What came from the query is sent back without a zone, what the server chose with one.
        let zone = |given: Option<Given>| if given.is_some() { "" } else { "Z" };
        let start_text = zoneless(from) + zone(given_start);
        let end_text = zoneless(to) + zone(given_end);
        Ok(Self { start: from, end: to, start_text, end_text })
    }

    pub(super) fn contains(&self, time: Timestamp) -> bool {
        self.start <= time && time <= self.end
    }

    /// The days it touches, at most `most` of them.
    pub(super) fn days(&self, most: usize) -> impl Iterator<Item = Date> {
        let last = date(self.end);
        let days = std::iter::successors(Some(date(self.start)), |day| day.tomorrow().ok());
        days.take_while(move |day| *day <= last).take(most)
    }
}

/// The UTC date.
pub(super) fn date(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

pub(super) fn start_of_day(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |time| time.timestamp())
}

/// The last instant the platform's clock can show, in steps of 100 nanoseconds.
fn end_of_day(day: Date) -> Timestamp {
    let next = day.tomorrow().map_or(Timestamp::MAX, start_of_day);
    next.checked_sub(100.nanoseconds()).unwrap_or(next)
}

/// A point in time, given as a date or a date-time; UTC when it says nothing else. The flag tells a plain date.
pub(super) fn time(text: &str) -> Option<(bool, Timestamp)> {
    if !text.contains(['T', ' ']) {
        return Some((true, start_of_day(text.parse().ok()?)));
    }
    let zoned = text.parse::<Timestamp>().ok();
    let time = zoned.or_else(|| {
        let plain: DateTime = text.parse().ok()?;
        Some(plain.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })?;
    Some((false, time))
}

fn bound(
    query: &Query,
    name: &str,
    adjust: impl FnOnce(bool, Timestamp) -> Timestamp,
) -> Result<Option<Given>, Refusal> {
    let Some(text) = query.text(name) else { return Ok(None) };
    let wrong = || Refusal::bad_request(format!("The value '{text}' is not valid for {name}"));
    let (is_date, time) = time(text).ok_or_else(wrong)?;
    Ok(Some(Given(adjust(is_date, time))))
}

/// As the platform prints a time that it took from the query: seven digits at most, no zone.
fn zoneless(time: Timestamp) -> String {
    let text = time.strftime("%Y-%m-%dT%H:%M:%S%.9f").to_string();
    let cut = text.get(..text.len().saturating_sub(2)).unwrap_or(&text);
    cut.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_echoed_without_a_zone() {
        let day: Date = "2026-06-30".parse().unwrap();
        assert_eq!(zoneless(end_of_day(day)), "2026-06-30T23:59:59.9999999");
        assert_eq!(zoneless(start_of_day(day)), "2026-06-30T00:00:00");
    }

    #[test]
    fn dates_and_times_are_utc_unless_they_say_otherwise() {
        let noon = "2026-06-30T12:00:00Z".parse().unwrap();
        for text in ["2026-06-30T12:00:00", "2026-06-30T12:00:00Z", "2026-06-30T14:00:00+02:00"] {
            assert_eq!(time(text), Some((false, noon)), "{text}");
        }
        assert_eq!(time("2026-06-31"), None);
        assert_eq!(time("yesterday"), None);
    }
}
