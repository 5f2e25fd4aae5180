//! Schedules: what they hold, and when they fire next.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::cron::{self, Cron};

/// A trigger attached to one agent.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) id: i64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) settings: Settings,
}

/// What a caller decides about a schedule. An update replaces all of it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) trigger: Trigger,
    pub(crate) timezone: Option<String>,
    pub(crate) is_enabled: bool,
    pub(crate) input_parameters: Option<String>,
    pub(crate) parallelism: i32,
    pub(crate) parallel_max_concurrency: Option<i32>,
    pub(crate) parallel_export: Option<&'static str>,
    pub(crate) proxy_pool_id: Option<i32>,
    pub(crate) server_group_id: Option<i32>,
    pub(crate) log_level: Option<&'static str>,
    pub(crate) log_mode: Option<&'static str>,
    pub(crate) is_exclusive: bool,
    pub(crate) is_wait_on_failure: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Trigger {
    Once(Timestamp),
    Every { count: i32, period: Period, start: Option<Timestamp> },
    Cron { text: String, cron: Cron },
}

/// Units of a repeating schedule, by their numbers on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Period {
    Minute = 1,
    Hour = 2,
    Day = 3,
    Week = 4,
    Month = 5,
}

impl Period {
    pub(crate) fn of(number: i32) -> Option<Self> {
        let all = [Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month];
        all.into_iter().find(|period| *period as i32 == number)
    }

    /// None for months, which differ.
    fn seconds(self) -> Option<i64> {
        match self {
            Self::Minute => Some(60),
            Self::Hour => Some(3_600),
            Self::Day => Some(86_400),
            Self::Week => Some(7 * 86_400),
            Self::Month => None,
        }
    }
}

impl Trigger {
    /// The platform's number of this kind.
    pub(crate) fn number(&self) -> i32 {
        match self {
            Self::Once(_) => 1,
            Self::Every { .. } => 2,
            Self::Cron { .. } => 3,
        }
    }
}

impl Schedule {
    /// When it fires for the first time after `after`; never while it is disabled.
    pub(crate) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let settings = &self.settings;
        if !settings.is_enabled {
            return None;
        }
        match &settings.trigger {
            Trigger::Once(time) => Some(*time).filter(|time| *time > after),
            Trigger::Cron { cron, .. } => cron.next(after, &settings.zone()),
            Trigger::Every { count, period, start } => self.every(*count, *period, *start, after),
        }
    }

    fn every(
        &self,
        count: i32,
        period: Period,
        start: Option<Timestamp>,
        after: Timestamp,
    ) -> Option<Timestamp> {
        let from = start.unwrap_or(self.created);
        // Without a start time the first run comes one period after the schedule was made.
        let after = if start.is_none() { after.max(from) } else { after };
        let Some(seconds) = period.seconds() else { return cron::monthly(from, count, after) };
        if from > after {
            return Some(from);
        }
        let step = seconds.checked_mul(i64::from(count))?;
        let passed = after.duration_since(from).as_secs().checked_div(step)?;
        let ahead = passed.checked_add(1)?.checked_mul(step)?;
        from.checked_add(SignedDuration::from_secs(ahead)).ok()
    }
}

impl Settings {
    /// UTC when none is given.
    fn zone(&self) -> TimeZone {
        let named = self.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
        named.unwrap_or(TimeZone::UTC)
    }
}
