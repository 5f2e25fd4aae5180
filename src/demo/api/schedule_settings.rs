//! Reading a schedule from a request. What is malformed is a 400, what is well-formed but cannot be is a 422.

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{error::Refusal, input::Members, start, window};
use crate::demo::world::{
    cron::Cron,
    schedule::{Period, Settings, Trigger},
};

/// How far ahead a single run must be.
const LEAD: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn parse(members: &Members, now: Timestamp) -> Result<Settings, Refusal> {
    let name = members.text("name")?.map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::bad_request("name is required"))?.to_owned();
    let timezone = members.text("timezone")?.filter(|name| !name.is_empty());
    if let Some(name) = timezone.filter(|name| TimeZone::get(name).is_err()) {
        return Err(impossible(format!("The timezone '{name}' is not known")));
    }
    start::inputs(members)?;
    // Made by the server from the cron expression, whatever is sent.
    members.text("localSchedule")?;
    Ok(Settings {
        name,
        trigger: trigger(members, now)?,
        timezone: timezone.map(str::to_owned),
        is_enabled: members.flag("isEnabled", true)?,
        input_parameters: members.text("inputParameters")?.map(str::to_owned),
        parallelism: members.number("parallelism", 1, 50)?.unwrap_or(1),
        parallel_max_concurrency: members.number("parallelMaxConcurrency", 1, i32::MAX)?,
        parallel_export: members.one_of("parallelExport", &["Combined", "Separated"])?,
        proxy_pool_id: members.number("proxyPoolId", 1, i32::MAX)?,
        server_group_id: members.number("serverGroupId", 1, i32::MAX)?,
        log_level: members.one_of("logLevel", &["Fatal", "Error", "Warning", "Info"])?,
        log_mode: members.one_of("logMode", &["Text", "TextAndHtml"])?,
        is_exclusive: members.flag("isExclusive", false)?,
        is_wait_on_failure: members.flag("isWaitOnFailure", false)?,
    })
}

fn trigger(members: &Members, now: Timestamp) -> Result<Trigger, Refusal> {
    let cron = members.text("cronExpression")?.filter(|text| !text.trim().is_empty());
    let count = members.number("runEveryCount", 1, i32::MAX)?;
    let period = members.number("runEveryPeriod", 1, 5)?.and_then(Period::of);
    let start = members.text("startTime")?.map(|text| {
        let wrong = || Refusal::bad_request(format!("The value '{text}' is not valid for startTime"));
        window::time(text).map(|(_, time)| time).ok_or_else(wrong)
    });
    let start = start.transpose()?;
    let missing = |name| Refusal::bad_request(format!("{name} is required for this scheduleType"));
    let kind = match members.number("scheduleType", 1, 3)? {
        Some(kind) => kind,
        None => guess(cron.is_some(), count.is_some() || period.is_some(), start.is_some())?,
    };
    match kind {
        1 => {
            let start = start.ok_or_else(|| missing("startTime"))?;
            if start.duration_since(now) < LEAD {
                return Err(impossible("startTime must be at least one minute ahead"));
            }
            Ok(Trigger::Once(start))
        }
        2 => {
            let count = count.ok_or_else(|| missing("runEveryCount"))?;
            let period = period.ok_or_else(|| missing("runEveryPeriod"))?;
            if start.is_some_and(|start| start <= now) {
                return Err(impossible("startTime must be in the future"));
            }
            Ok(Trigger::Every { count, period, start })
        }
        _ => {
            let text = cron.ok_or_else(|| missing("cronExpression"))?;
            let wrong = || impossible(format!("The cron expression '{text}' is not valid"));
            let cron = Cron::parse(text).ok_or_else(wrong)?;
            Ok(Trigger::Cron { text: text.to_owned(), cron })
        }
    }
}

/// What kind is meant when the body does not say so.
fn guess(cron: bool, every: bool, start: bool) -> Result<i32, Refusal> {
    match (cron, every) {
        (true, false) => Ok(3),
        (false, true) => Ok(2),
        (false, false) if start => Ok(1),
        _ => Err(Refusal::bad_request("scheduleType is required")),
    }
}

fn impossible(message: impl Into<String>) -> Refusal {
    Refusal::vendor(StatusCode::UNPROCESSABLE_ENTITY, message)
}
