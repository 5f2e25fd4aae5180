//! Which agents run on their own, and when.

use jiff::{SignedDuration, Timestamp};

use crate::demo::world::{
    cron::Cron,
    schedule::{Period, Schedule, Settings, Trigger},
};

struct ScheduleSeed {
    id: i64,
    agent_id: i32,
    name: &'static str,
    when: When,
    timezone: Option<&'static str>,
    is_enabled: bool,
}

enum When {
    Cron(&'static str),
    Every(i32, Period),
    /// Once, in so many hours from the beginning of the world.
    In(i64),
}

const fn seed(id: i64, agent_id: i32, name: &'static str, when: When) -> ScheduleSeed {
    ScheduleSeed { id, agent_id, name, when, timezone: None, is_enabled: true }
}

const SEEDS: &[ScheduleSeed] = &[
    ScheduleSeed {
        timezone: Some("Europe/Paris"),
        ..seed(3101, 7301, "Every morning", When::Cron("30 5 * * *"))
    },
    ScheduleSeed { is_enabled: false, ..seed(3102, 7301, "Hourly before sales", When::Cron("0 * * * *")) },
    seed(3103, 7302, "Twice a day", When::Every(12, Period::Hour)),
    ScheduleSeed {
        timezone: Some("Europe/Berlin"),
        ..seed(3104, 7305, "Weekdays", When::Cron("15 13 * * 1-5"))
    },
    seed(3105, 7307, "Weekly", When::Every(1, Period::Week)),
    seed(3106, 7308, "Before the campaign", When::In(30)),
    // Nobody thought of it when the agent was archived.
    seed(3107, 7311, "Nightly", When::Cron("0 2 * * *")),
    seed(3108, 7312, "Monthly", When::Every(1, Period::Month)),
    ScheduleSeed {
        timezone: Some("Europe/Stockholm"),
        ..seed(5201, 9101, "After the auction", When::Cron("45 12 * * *"))
    },
    seed(5202, 9103, "Every two days", When::Every(2, Period::Day)),
];

/// The first id for schedules made later, by organisation.
pub(super) fn next_id(organization_id: i32) -> i64 {
    if organization_id == 3 { 3_109 } else { 5_203 }
}

/// The schedules of one agent, made when it was last changed.
pub(super) fn of(agent_id: i32, created: Timestamp, now: Timestamp) -> Vec<Schedule> {
    let own = SEEDS.iter().filter(|seed| seed.agent_id == agent_id);
    own.filter_map(|seed| {
        let trigger = match seed.when {
            When::Cron(text) => Trigger::Cron { text: text.to_owned(), cron: Cron::parse(text)? },
            When::Every(count, period) => Trigger::Every { count, period, start: None },
            When::In(hours) => Trigger::Once(now.checked_add(SignedDuration::from_hours(hours)).ok()?),
        };
        let settings = Settings {
            name: seed.name.to_owned(),
            trigger,
            timezone: seed.timezone.map(str::to_owned),
            is_enabled: seed.is_enabled,
            input_parameters: None,
            parallelism: 1,
            parallel_max_concurrency: None,
            parallel_export: None,
            proxy_pool_id: None,
            server_group_id: None,
            log_level: None,
            log_mode: None,
            is_exclusive: false,
            is_wait_on_failure: false,
        };
        Some(Schedule { id: seed.id, created, updated: created, settings })
    })
    .collect()
}
