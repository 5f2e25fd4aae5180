//! `update_agent_schedule`: change some settings of a schedule and keep the others.

use super::{kind::Kind, settings::schedule_args};
use crate::{
    api::{
        ids::{AgentId, ScheduleId},
        model::Schedule,
    },
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::Text},
};

/// The tool.
pub struct UpdateAgentSchedule;

schedule_args! {
    /// Which schedule, and what becomes different.
    Args {
        /// Agent id.
        agent_id: AgentId,
        /// From `list_agent_schedules`.
        schedule_id: ScheduleId,
        /// New display name.
        name: Option<Text<200>>,
        /// 1 RunOnce, 2 RunEvery, 3 CRON; left out, it follows from the timing given, or stays.
        schedule_type: Option<Kind>,
    }
}

impl Tool for UpdateAgentSchedule {
    const NAME: &'static str = "update_agent_schedule";
    const TITLE: &'static str = "Update Agent Schedule";
    const DESCRIPTION: &'static str =
        "Changes the timing or the options of a schedule. Give only what changes; the rest is kept.";
    const TOOLSET: Toolset = Toolset::Schedules;
    const EFFECT: Effect = Effect::Set;
    /// Reading is part of it.
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead, Scope::AgentsWrite];

    type Args = Args;
    type Output = Schedule;

    async fn call(cx: &ToolCx, args: Args) -> Result<Schedule, ToolError> {
        let changes = args.changes(args.name.as_ref().map(Text::as_str), args.schedule_type)?;
        if changes.is_empty() {
            return Err(ToolError::arguments(
                "Nothing to change: give at least one argument besides the ids.",
            ));
        }
        // What can be told without the stored schedule is told before anything is sent.
        if let Some(kind) = changes.told_kind()? {
            changes.check(kind, cx.clock.now())?;
        }
        let api = cx.api();
        let stored = api.schedule(args.agent_id, args.schedule_id).await?;
        let settings = changes.update(stored, cx.clock.now())?;
        Ok(api.update_schedule(args.agent_id, args.schedule_id, &settings).await?)
    }
}
