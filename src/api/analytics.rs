//! Outcomes of runs: totals of a window of time, and why a run failed.

use super::{
    ApiError, Fault, Session, Window,
    ids::{AgentId, RunId},
    model::{RecordsSummary, RunDiagnostics, RunsSummary},
    network::Call,
};

impl Session<'_> {
    /// `getRunsSummary`: runs by outcome. The status is a name here; the end is moved to the end of its day.
    pub async fn runs_summary(
        &self,
        window: Window,
        status: Option<&str>,
        details: Option<bool>,
    ) -> Result<RunsSummary, ApiError> {
        let call = Call::get("getRunsSummary", "/api/v1/analytics/runs/summary".to_owned())
            .window(window)
            .query("status", status)
            .query("includeDetails", details);
        self.fetch(call).await
    }

    /// `getRecordsSummary`: records of all agents, or of one.
    pub async fn records_summary(
        &self,
        window: Window,
        agent: Option<AgentId>,
    ) -> Result<RecordsSummary, ApiError> {
        let call = Call::get("getRecordsSummary", "/api/v1/analytics/records/summary".to_owned())
            .window(window)
            .query("agentId", agent);
        self.fetch(call).await
    }

    /// `getRunDiagnostics`: why a run ended as it did.
    pub async fn diagnostics(&self, agent: AgentId, run: RunId) -> Result<Option<RunDiagnostics>, ApiError> {
        let path = format!("/api/v1/analytics/agents/{agent}/runs/{run}/diagnostics");
        self.explanation(Call::get("getRunDiagnostics", path)).await
    }

    /// `getLatestFailure`: why the agent's latest failed run failed.
    pub async fn latest_failure(&self, agent: AgentId) -> Result<Option<RunDiagnostics>, ApiError> {
        let path = format!("/api/v1/analytics/agents/{agent}/latest-failure");
        self.explanation(Call::get("getLatestFailure", path)).await
    }

    /// The platform says in several ways that there is nothing to explain; an unknown agent or run is a 404 as well, so
    /// the caller has to tell the two apart.
    async fn explanation(&self, call: Call) -> Result<Option<RunDiagnostics>, ApiError> {
        let answer = match self.send(call).await {
            Ok(answer) if answer.body.trim_ascii().is_empty() => return Ok(None),
            Ok(answer) => answer,
            Err(error) if *error.fault() == Fault::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let found: Option<RunDiagnostics> = answer.json()?;
        Ok(found.filter(|found| found.run_id.is_some()))
    }
}
