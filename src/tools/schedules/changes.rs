//! Settings that were given: do they fit together, and what is written when they are laid over what is stored.

use jiff::Timestamp;

use super::{kind::Kind, timing};
use crate::{
    api::model::{Schedule, ScheduleSettings},
    tools::{ToolError, arguments::Choice},
};

/// What a caller wants to be different. Members that were not given are absent.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The kind of schedule, if it was given.
    pub kind: Option<Kind>,
    /// The start, if it was given.
    pub start: Option<Timestamp>,
    /// Everything else, in the platform's words.
    pub settings: ScheduleSettings,
}

impl Changes {
    /// Whether nothing at all was given.
    pub fn is_empty(&self) -> bool {
        self.kind.is_none() && self.start.is_none() && self.settings == ScheduleSettings::default()
    }

    /// The kind as far as the arguments tell it.
    pub fn told_kind(&self) -> Result<Option<Kind>, ToolError> {
        let every = self.every();
        match (self.kind, &self.settings.cron_expression, every) {
            (Some(kind), ..) => Ok(Some(kind)),
            (None, Some(_), Some(every)) => Err(ToolError::arguments(format!(
                "Arguments `cronExpression` and `{every}` exclude each other: give one, or say which counts with `scheduleType`."
            ))),
            (None, Some(_), None) => Ok(Some(Kind::Cron)),
            (None, None, Some(_)) => Ok(Some(Kind::RunEvery)),
            (None, None, None) => Ok(None),
        }
    }

    /// Refuses what belongs to another kind, and a start that is not far enough ahead.
    pub fn check(&self, kind: Kind, now: Timestamp) -> Result<(), ToolError> {
        let foreign = |name: &str, owner: Kind| {
            Err(ToolError::arguments(format!(
                "Argument `{name}` belongs to scheduleType {owner}; leave it out for scheduleType {kind}."
            )))
        };
        if self.settings.cron_expression.is_some() && kind != Kind::Cron {
            return foreign("cronExpression", Kind::Cron);
        }
        if let Some(every) = self.every().filter(|_| kind != Kind::RunEvery) {
            return foreign(every, Kind::RunEvery);
        }
        self.start.map_or(Ok(()), |start| timing::check_ahead(kind, start, now))
    }

    /// The settings of a new schedule.
    pub fn create(self, now: Timestamp) -> Result<ScheduleSettings, ToolError> {
        let kind = self.kind.unwrap_or(Kind::Cron);
        self.check(kind, now)?;
        let fresh =
            ScheduleSettings { is_enabled: Some(true), parallelism: Some(1), ..ScheduleSettings::default() };
        self.lay_over(fresh, kind)
    }

    /// The complete settings after a change: what was not given stays, unless it belongs to a kind that is given up.
    pub fn update(self, stored: Schedule, now: Timestamp) -> Result<ScheduleSettings, ToolError> {
        let stored_kind = stored.schedule_type.and_then(Kind::of_code);
        let kind = self.told_kind()?.or(stored_kind).ok_or_else(|| {
            ToolError::arguments("Argument `scheduleType` is needed: the stored schedule has no known type.")
        })?;
        self.check(kind, now)?;
        let mut base = ScheduleSettings::from(stored);
        // Stored moments may come without a zone; they are UTC and are written back as such.
        let start = base.start_time.as_deref().and_then(timing::moment).filter(|start| {
            // One that has passed would be refused where it counts.
            stored_kind == Some(kind) && (kind == Kind::Cron || *start > now)
        });
        base.start_time = start.map(|start| start.to_string());
        self.lay_over(base, kind)
    }

    /// The interval argument that was given, by name.
    fn every(&self) -> Option<&'static str> {
        let count = self.settings.run_every_count.map(|_| "runEveryCount");
        count.or(self.settings.run_every_period.map(|_| "runEveryPeriod"))
    }

    fn lay_over(self, base: ScheduleSettings, kind: Kind) -> Result<ScheduleSettings, ToolError> {
        let new = self.settings;
        // The platform makes its local form from these two, so an old one must not outlive them.
        let same_rule = new.cron_expression.is_none() && new.timezone.is_none();
        let cron = kind == Kind::Cron;
        let every = kind == Kind::RunEvery;
        let merged = ScheduleSettings {
            name: new.name.or(base.name),
            schedule_type: kind.code(),
            cron_expression: new.cron_expression.or(base.cron_expression).filter(|_| cron),
            local_schedule: base.local_schedule.filter(|_| cron && same_rule),
            timezone: new.timezone.or(base.timezone),
            start_time: self.start.map(|start| start.to_string()).or(base.start_time),
            run_every_count: new.run_every_count.or(base.run_every_count).filter(|_| every),
            run_every_period: new.run_every_period.or(base.run_every_period).filter(|_| every),
            input_parameters: new.input_parameters.or(base.input_parameters),
            is_enabled: new.is_enabled.or(base.is_enabled),
            parallelism: new.parallelism.or(base.parallelism),
            parallel_max_concurrency: new.parallel_max_concurrency.or(base.parallel_max_concurrency),
            parallel_export: new.parallel_export.or(base.parallel_export),
            proxy_pool_id: base.proxy_pool_id,
            server_group_id: base.server_group_id,
            log_level: new.log_level.or(base.log_level),
            log_mode: new.log_mode.or(base.log_mode),
            is_exclusive: new.is_exclusive.or(base.is_exclusive),
            is_wait_on_failure: new.is_wait_on_failure.or(base.is_wait_on_failure),
        };
        let missing = match kind {
            Kind::RunOnce => merged.start_time.is_none().then_some("startTime"),
            Kind::RunEvery if merged.run_every_count.is_none() => Some("runEveryCount"),
            Kind::RunEvery => merged.run_every_period.is_none().then_some("runEveryPeriod"),
            Kind::Cron => merged.cron_expression.is_none().then_some("cronExpression"),
        };
        match missing {
            None => Ok(merged),
            Some(name) => Err(ToolError::arguments(format!(
                "Missing argument `{name}`: a schedule of scheduleType {kind} needs it."
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn stored(more: &Value) -> Schedule {
        let mut schedule = json!({
            "id": 5102, "configId": 7301, "name": "Weekday mornings", "schedule": "0 6 * * 1-5",
            "localSchedule": "0 7 * * 1-5", "timezone": "Europe/London", "scheduleType": 3, "isEnabled": false,
            "inputParameters": "{\"a\":1}", "parallelism": 4, "proxyPoolId": 9, "serverGroupId": 8,
            "logLevel": "Error", "isExclusive": true, "nextRunTime": "2026-11-23T06:00:00Z",
        });
        schedule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(schedule).unwrap()
    }

    fn changes(settings: Value, kind: Option<Kind>, start: Option<&str>) -> Changes {
        Changes {
            kind,
            start: start.map(|start| start.parse().unwrap()),
            settings: serde_json::from_value(settings).unwrap(),
        }
    }

    fn updated(changes: Changes, stored: Schedule) -> Value {
        serde_json::to_value(changes.update(stored, now()).unwrap()).unwrap()
    }

    fn refusal(changes: Changes, stored: Schedule) -> String {
        changes.update(stored, now()).unwrap_err().to_json(None)
    }

    #[test]
    fn omitted_members_survive_an_update() {
        let after = updated(changes(json!({"name": "Mornings"}), None, None), stored(&json!({})));
        assert_eq!(
            after,
            json!({
                "name": "Mornings", "scheduleType": 3, "cronExpression": "0 6 * * 1-5",
                "localSchedule": "0 7 * * 1-5", "timezone": "Europe/London", "isEnabled": false,
                "inputParameters": "{\"a\":1}", "parallelism": 4, "proxyPoolId": 9, "serverGroupId": 8,
                "logLevel": "Error", "isExclusive": true,
            })
        );
    }

    #[test]
    fn a_new_rule_replaces_the_old_one_and_its_local_form() {
        let cron = updated(changes(json!({"cronExpression": "0 9 * * *"}), None, None), stored(&json!({})));
        assert_eq!((&cron["cronExpression"], &cron["localSchedule"]), (&json!("0 9 * * *"), &Value::Null));
        let every = changes(json!({"runEveryCount": 2, "runEveryPeriod": 3}), None, None);
        let every = updated(every, stored(&json!({})));
        assert_eq!((&every["scheduleType"], &every["cronExpression"]), (&json!(2), &Value::Null));
        assert_eq!((&every["proxyPoolId"], &every["timezone"]), (&json!(9), &json!("Europe/London")));
        let once = changes(json!({}), Some(Kind::RunOnce), Some("2026-11-22T10:00:00Z"));
        let once = updated(once, stored(&json!({})));
        assert_eq!(once["startTime"], "2026-11-22T10:00:00Z");
        assert!(once.get("cronExpression").is_none());
    }

    #[test]
    fn stored_starts_are_written_as_utc_while_they_lie_ahead() {
        let rename = || changes(json!({"name": "b"}), None, None);
        let every = |start: &str| json!({"scheduleType": 2, "runEveryCount": 1, "runEveryPeriod": 3, "startTime": start});
        assert_eq!(
            updated(rename(), stored(&every("2026-12-01T00:00:00")))["startTime"],
            "2026-12-01T00:00:00Z"
        );
        assert!(updated(rename(), stored(&every("2026-11-01T00:00:00Z"))).get("startTime").is_none());
        let spent = stored(&json!({"scheduleType": 1, "startTime": "2026-11-01T00:00:00Z"}));
        assert!(refusal(rename(), spent).contains("Missing argument `startTime`"));
    }

    #[test]
    fn kinds_do_not_mix() {
        let both = json!({"cronExpression": "0 9 * * *", "runEveryPeriod": 3});
        let text = refusal(changes(both.clone(), None, None), stored(&json!({})));
        assert!(
            text.contains("Arguments `cronExpression` and `runEveryPeriod` exclude each other"),
            "{text}"
        );
        let text = refusal(changes(both, Some(Kind::Cron), None), stored(&json!({})));
        assert!(text.contains("Argument `runEveryPeriod` belongs to scheduleType 2 (RunEvery)"), "{text}");
        let text = refusal(changes(json!({}), Some(Kind::RunEvery), None), stored(&json!({})));
        assert!(text.contains("Missing argument `runEveryCount`"), "{text}");
        let text = refusal(changes(json!({}), Some(Kind::RunOnce), None), stored(&json!({})));
        assert!(text.contains("Missing argument `startTime`"), "{text}");
        let text = refusal(changes(json!({"name": "b"}), None, None), stored(&json!({"scheduleType": 0})));
        assert!(text.contains("Argument `scheduleType` is needed"), "{text}");
    }
}
