//! Schedules: what starts agents by itself.

mod changes;
mod create_agent_schedule;
mod delete_agent_schedule;
mod disable_agent_schedule;
mod enable_agent_schedule;
mod get_agent_schedule;
mod get_scheduled_runs;
mod kind;
mod list_agent_schedules;
mod settings;
mod timing;
mod update_agent_schedule;

pub use create_agent_schedule::CreateAgentSchedule;
pub use delete_agent_schedule::DeleteAgentSchedule;
pub use disable_agent_schedule::DisableAgentSchedule;
pub use enable_agent_schedule::EnableAgentSchedule;
pub use get_agent_schedule::GetAgentSchedule;
pub use get_scheduled_runs::GetScheduledRuns;
pub use list_agent_schedules::ListAgentSchedules;
pub use update_agent_schedule::UpdateAgentSchedule;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::ids::{AgentId, ScheduleId};

/// Which schedule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    /// Agent id.
    agent_id: AgentId,
    /// From `list_agent_schedules`.
    schedule_id: ScheduleId,
}

/// The acknowledgement of a change.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    agent_id: AgentId,
    schedule_id: ScheduleId,
    message: &'static str,
}

impl Which {
    fn done(self, message: &'static str) -> Done {
        Done { agent_id: self.agent_id, schedule_id: self.schedule_id, message }
    }
}
