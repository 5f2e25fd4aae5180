//! Runs: list, read, start, stop.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    ApiError, Fault, Session,
    ids::{AgentId, RunId},
    model::{AgentRun, AgentRunSummary},
    network::Call,
};

/// How much longer than its own `timeout` a synchronous start may take on the wire.
const SYNCHRONOUS_MARGIN: Duration = Duration::from_secs(15);

/// A start, as the caller wants it.
#[derive(Debug, Clone)]
pub struct StartRequest {
    /// JSON text of an object with input values.
    pub input_parameters: Option<String>,
    /// Number of parallel instances; one unless given.
    pub parallelism: Option<u32>,
    /// Wait this long for the data instead of returning the new run.
    pub wait: Option<Duration>,
}

/// What a start brought.
#[derive(Debug)]
pub enum StartOutcome {
    /// The new run.
    Run(Box<AgentRun>),
    /// The extracted data of a synchronous start: any JSON.
    Data(Value),
    /// The extracted data of a synchronous start: text such as CSV.
    Text(String),
}

impl StartRequest {
    /// How long the platform may take to answer.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        self.wait.map(|wait| wait + SYNCHRONOUS_MARGIN)
    }

    /// What was asked for, and no more: what is left out is the platform's default. Except for one: whether a start
    /// may overlap with another run of the agent by default is not known, so it is always said that it must not.
    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("isExclusive".to_owned(), true.into());
        if let Some(count) = self.parallelism {
            body.insert("parallelism".to_owned(), count.into());
            body.insert("parallelMaxConcurrency".to_owned(), count.into());
        }
        if let Some(wait) = self.wait {
            body.insert("isRunSynchronously".to_owned(), true.into());
            body.insert("timeout".to_owned(), wait.as_secs().into());
        }
        if let Some(parameters) = &self.input_parameters {
            body.insert("inputParameters".to_owned(), parameters.as_str().into());
        }
        Value::Object(body)
    }
}

/// What the removal of a run takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveMethod {
    /// The record and all files.
    EntireRun,
    /// The files; the record stays.
    AllFiles,
    /// The files and the stored input; the record stays.
    AllFilesAndAgentInput,
}

impl RemoveMethod {
    const fn name(self) -> &'static str {
        match self {
            Self::EntireRun => "RemoveEntireRun",
            Self::AllFiles => "RemoveAllFiles",
            Self::AllFilesAndAgentInput => "RemoveAllFilesAndAgentInput",
        }
    }
}

impl Session<'_> {
    /// `listAgentRuns`: the newest runs of an agent, silently cut at `limit`.
    pub async fn runs(&self, agent: AgentId, limit: u32) -> Result<Vec<AgentRun>, ApiError> {
        let call = Call::get("listAgentRuns", format!("/api/v1/agent/{agent}/runs"))
            .query("maxRecords", Some(limit));
        self.fetch(call).await
    }

    /// `getAgentRunSummary`: all runs of an agent, counted by status.
    pub async fn run_summary(&self, agent: AgentId) -> Result<AgentRunSummary, ApiError> {
        self.fetch(Call::get("getAgentRunSummary", format!("/api/v1/agent/{agent}/runs/summary"))).await
    }

    /// `getRunStatus`: one run as it is now.
    pub async fn run(&self, agent: AgentId, run: RunId) -> Result<AgentRun, ApiError> {
        self.fetch(Call::get("getRunStatus", format!("/api/v1/agent/{agent}/run/{run}/status"))).await
    }

    /// `startAgent`: starts a run. Never repeated: there is no idempotency key, a second call starts a second run.
    ///
    /// The shape of the answer is decided by what was asked for, not by what it looks like: a synchronous start may
    /// return any JSON, also one that resembles a run.
    pub async fn start(&self, agent: AgentId, request: &StartRequest) -> Result<StartOutcome, ApiError> {
        let mut call = Call::post("startAgent", format!("/api/v1/agent/{agent}/start"), Some(request.body()));
        call.timeout = request.patience();
        let answer = self.send(call).await?;
        if request.wait.is_none() {
            return Ok(StartOutcome::Run(Box::new(answer.json()?)));
        }
        if answer.is_json() {
            return Ok(match answer.json()? {
                Value::String(text) => StartOutcome::Text(text),
                data => StartOutcome::Data(data),
            });
        }
        if answer.is_text() {
            return Ok(StartOutcome::Text(String::from_utf8_lossy(&answer.body).into_owned()));
        }
        Err(ApiError::new("startAgent", Fault::Malformed).caused_by("the data is neither JSON nor text"))
    }

    /// `stopRun`: asks a run to end. Returns at once; the run passes through Stopping.
    pub async fn stop_run(&self, agent: AgentId, run: RunId) -> Result<(), ApiError> {
        let call = Call::post("stopRun", format!("/api/v1/agent/{agent}/run/{run}/stop"), None).repeatable();
        match self.send(call).await {
            Ok(_ignored) => Ok(()),
            // This operation also answers 401 when the run is out of the caller's reach.
            Err(error) if *error.fault() == Fault::Unauthorized => Err(error.with_fault(Fault::NoAccess)),
            Err(error) => Err(error),
        }
    }

    /// `killRun`: asks a run to end; a second call while it is stopping ends it by force. So it is sent once.
    pub async fn kill_run(&self, agent: AgentId, run: RunId) -> Result<(), ApiError> {
        self.send(Call::post("killRun", format!("/api/v1/agent/{agent}/run/{run}/kill"), None)).await?;
        Ok(())
    }

    /// `deleteRun`: removes an ended run, or its files only. Refused while the run is in progress.
    pub async fn delete_run(
        &self,
        agent: AgentId,
        run: RunId,
        method: Option<RemoveMethod>,
    ) -> Result<(), ApiError> {
        let call = Call::delete("deleteRun", format!("/api/v1/agent/{agent}/run/{run}"));
        self.remove(call.query("removeMethod", method.map(RemoveMethod::name))).await
    }
}
