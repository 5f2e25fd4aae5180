//! Schedules: list, read, write, enable, and what comes next.

use super::{
    ApiError, Fault, Session,
    ids::{AgentId, ScheduleId},
    model::{Schedule, ScheduleSettings, UpcomingSchedule},
    network::Call,
};

impl Session<'_> {
    /// `listAgentSchedules`: all schedules of an agent.
    pub async fn schedules(&self, agent: AgentId) -> Result<Vec<Schedule>, ApiError> {
        self.fetch(Call::get("listAgentSchedules", format!("/api/v1/agent/{agent}/schedules"))).await
    }

    /// `getAgentSchedule`: one schedule.
    pub async fn schedule(&self, agent: AgentId, schedule: ScheduleId) -> Result<Schedule, ApiError> {
        self.fetch(Call::get("getAgentSchedule", path(agent, schedule))).await
    }

    /// `createAgentSchedule`: a new schedule. Never repeated: a second call makes a second one.
    pub async fn create_schedule(
        &self,
        agent: AgentId,
        settings: &ScheduleSettings,
    ) -> Result<Schedule, ApiError> {
        let operation = "createAgentSchedule";
        let body = body(operation, settings)?;
        self.fetch(Call::post(operation, format!("/api/v1/agent/{agent}/schedules"), Some(body))).await
    }

    /// `updateAgentSchedule`: replaces the settings. Whether the platform keeps or resets what is left out is not
    /// known, so `settings` should be complete.
    pub async fn update_schedule(
        &self,
        agent: AgentId,
        schedule: ScheduleId,
        settings: &ScheduleSettings,
    ) -> Result<Schedule, ApiError> {
        let operation = "updateAgentSchedule";
        let body = body(operation, settings)?;
        self.fetch(Call::put(operation, path(agent, schedule), body)).await
    }

    /// `deleteAgentSchedule`: removes a schedule for good.
    pub async fn delete_schedule(&self, agent: AgentId, schedule: ScheduleId) -> Result<(), ApiError> {
        self.remove(Call::delete("deleteAgentSchedule", path(agent, schedule))).await
    }

    /// `enableAgentSchedule`: lets a schedule fire.
    pub async fn enable_schedule(&self, agent: AgentId, schedule: ScheduleId) -> Result<(), ApiError> {
        let path = format!("{}/enable", path(agent, schedule));
        self.send(Call::post("enableAgentSchedule", path, None).repeatable()).await?;
        Ok(())
    }

    /// `disableAgentSchedule`: keeps a schedule from firing.
    pub async fn disable_schedule(&self, agent: AgentId, schedule: ScheduleId) -> Result<(), ApiError> {
        let path = format!("{}/disable", path(agent, schedule));
        self.send(Call::post("disableAgentSchedule", path, None).repeatable()).await?;
        Ok(())
    }

    /// `listUpcomingSchedules`: what fires next in a window; by default the seven days from today.
    pub async fn upcoming_schedules(
        &self,
        start: Option<String>,
        end: Option<String>,
    ) -> Result<Vec<UpcomingSchedule>, ApiError> {
        let call = Call::get("listUpcomingSchedules", "/api/v1/analytics/schedules/upcoming".to_owned());
        self.fetch(call.query("startDate", start).query("endDate", end)).await
    }
}

fn path(agent: AgentId, schedule: ScheduleId) -> String {
    format!("/api/v1/agent/{agent}/schedules/{schedule}")
}

fn body(operation: &'static str, settings: &ScheduleSettings) -> Result<serde_json::Value, ApiError> {
    serde_json::to_value(settings)
        .map_err(|error| ApiError::new(operation, Fault::Malformed).caused_by(error))
}
