//! `create_agent_schedule`: run an agent by itself, once, at intervals or by cron.

use super::{kind::Kind, settings::schedule_args};
use crate::{
    api::{ids::AgentId, model::Schedule},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::Text, lost_writes},
};

/// The tool.
pub struct CreateAgentSchedule;

schedule_args! {
    /// What to run, and when.
    Args {
        /// Agent id.
        agent_id: AgentId,
        /// Display name.
        name: Text<200>,
        /// 1 RunOnce, 2 RunEvery, 3 CRON (the default).
        schedule_type: Option<Kind>,
    }
}

impl Tool for CreateAgentSchedule {
    const NAME: &'static str = "create_agent_schedule";
    const TITLE: &'static str = "Create Agent Schedule";
    const DESCRIPTION: &'static str = "Makes an agent run by itself: once (scheduleType 1 with startTime), at intervals (2 with runEveryCount and runEveryPeriod) or by cron (3 with cronExpression). Each run uses credits.";
    const TOOLSET: Toolset = Toolset::Schedules;
    const EFFECT: Effect = Effect::Create;
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    type Args = Args;
    type Output = Schedule;

    async fn call(cx: &ToolCx, args: Args) -> Result<Schedule, ToolError> {
        let changes = args.changes(Some(args.name.as_str()), args.schedule_type)?;
        let settings = changes.create(cx.clock.now())?;
        cx.api().create_schedule(args.agent_id, &settings).await.map_err(|error| {
            let look = "It is not known whether the schedule was created. Look with list_agent_schedules before creating it again.";
            lost_writes::once(error, look)
        })
    }
}
