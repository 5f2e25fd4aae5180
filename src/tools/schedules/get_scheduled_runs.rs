//! `get_scheduled_runs`: what fires next, over all agents.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use super::timing;
use crate::{
    api::model::UpcomingSchedule,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, listed::Listed},
};

/// The tool.
pub struct GetScheduledRuns;

/// The window.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Begin: an ISO 8601 date or date-time, UTC; default: today.
    start_date: Option<String>,
    /// End, not before the begin; default: seven days after it.
    end_date: Option<String>,
}

impl Tool for GetScheduledRuns {
    const NAME: &'static str = "get_scheduled_runs";
    const TITLE: &'static str = "Get Scheduled Runs";
    const DESCRIPTION: &'static str = "Lists the runs that schedules of any agent will start within a window of time; without dates, within the next seven days.";
    const TOOLSET: Toolset = Toolset::Schedules;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = Args;
    type Output = Listed<UpcomingSchedule>;

    async fn call(cx: &ToolCx, args: Args) -> Result<Listed<UpcomingSchedule>, ToolError> {
        let start = Bound::read("startDate", args.start_date.as_deref())?;
        let end = Bound::read("endDate", args.end_date.as_deref())?;
        if let (Some(start), Some(end)) = (&start, &end)
            && end.time < start.time
        {
            return Err(ToolError::arguments("Argument `endDate` must not lie before `startDate`."));
        }
        Ok(cx.api().upcoming_schedules(start.map(|b| b.text), end.map(|b| b.text)).await?.into())
    }
}

/// One end of the window.
#[derive(Debug)]
struct Bound {
    /// As the platform gets it: a date stays a date, anything else is UTC.
    text: String,
    time: jiff::Timestamp,
}

impl Bound {
    /// An empty text is none.
    fn read(name: &str, text: Option<&str>) -> Result<Option<Self>, ToolError> {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
        let bound = timing::moment(text).map(|time| {
            let date = text.parse::<Date>().ok().filter(|_| !text.contains([':', 'T', 't']));
            Self { text: date.map_or_else(|| time.to_string(), |date| date.to_string()), time }
        });
        bound.map(Some).ok_or_else(|| {
            ToolError::arguments(format!(
                "Argument `{name}` must be an ISO 8601 date or date-time, such as 2026-06-01 or 2026-06-01T08:30:00Z."
            ))
        })
    }
}
