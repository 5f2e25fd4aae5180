//! `start_agent`: start a run, and on request wait for its data.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AwaitedRun, RunRecord, delivered::delivered};
use crate::{
    api::{
        ApiError, StartOutcome, StartRequest,
        ids::{AgentId, RunId},
        model::{is_finished, run_status_name},
    },
    auth::Scope,
    tools::{
        Begun, Effect, LongTool, Stage, Tool, ToolCx, ToolError, Toolset,
        arguments::{Bounded, Flag, JsonText},
        long::{is_over, until},
        untrusted::Notice,
    },
};

/// Time kept back for finding the run after a synchronous start broke or ran out.
const LOOKUP: Duration = Duration::from_secs(10);
/// Clocks of platform and server may differ by so much when the started run is looked for.
const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// The tool.
pub struct StartAgent;

/// What to start, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Input values as JSON text; names as in inputParameters of `get_agent`.
    input_parameters: Option<JsonText>,
    /// Wait for the end and return the data, for agents that finish within a minute; default: false.
    is_run_synchronously: Option<Flag>,
    /// How many seconds to wait in synchronous mode; default: 60.
    timeout: Option<Bounded<1, 3600>>,
    /// Parallel instances; must be 1 in synchronous mode; default: 1.
    parallelism: Option<Bounded<1, 50>>,
}

/// The new run, or the data of a synchronous start.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The new run; its id goes into `get_run_status`, `stop_agent` and the file tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunRecord>,
    /// The extracted data (synchronous mode): JSON, or text such as CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
}

impl Output {
    fn of_data(data: serde_json::Value) -> Self {
        Self { run: None, data: Some(data), notice: Some(Notice) }
    }
}

impl Args {
    fn wait(&self) -> Option<Duration> {
        let seconds = self.timeout.map_or(60, Bounded::get);
        self.is_run_synchronously.unwrap_or_default().0.then(|| Duration::from_secs(seconds.into()))
    }
}

impl Tool for StartAgent {
    const NAME: &'static str = "start_agent";
    const TITLE: &'static str = "Start Agent";
    const DESCRIPTION: &'static str = "Starts one agent, which uses credits. Returns the new run at once; follow it with wait_for_run. With isRunSynchronously it waits and returns the data instead. \
        Site, data and scope must be unambiguous from what the user said; values from another site or task do not count; ask for what is missing in one question.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Launch;
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    type Args = Args;
    type Output = Output;

    fn patience(args: &Args) -> Option<Duration> {
        let patience = args.request(args.wait()).patience()?;
        Some(patience + LOOKUP)
    }

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let wait = args.wait();
        let request = args.request(wait);
        args.check()?;
        let begun = cx.clock.now();
        let start = cx.api();
        let start = start.start(args.agent_id, &request);
        let outcome = match wait {
            None => start.await,
            Some(wait) => cx.progress.during(wait, "The agent is running", start).await,
        };
        match outcome {
            Ok(StartOutcome::Run(run)) => {
                if let Some(id) = RunId::sent(run.id) {
                    cx.links.add_next_of(args.agent_id, id, run.status);
                }
                Ok(Output { run: Some((*run).into()), data: None, notice: None })
            }
            Ok(StartOutcome::Data(data)) => Ok(Output::of_data(data)),
            Ok(StartOutcome::Text(text)) => Ok(Output::of_data(text.into())),
            Err(error) if error.fault().is_lost() => Err(find_started(cx, &args, begun, error).await),
            Err(error) => Err(error.into()),
        }
    }
}

impl Args {
    fn check(&self) -> Result<(), ToolError> {
        let alone = self.parallelism.is_none_or(|count| count.get() == 1);
        if self.wait().is_none() || alone {
            return Ok(());
        }
        Err(ToolError::arguments("Argument `parallelism` must be 1 when `isRunSynchronously` is true."))
    }

    fn request(&self, wait: Option<Duration>) -> StartRequest {
        StartRequest {
            input_parameters: self.input_parameters.as_ref().map(|text| text.0.clone()),
            parallelism: self.parallelism.map(Bounded::get),
            wait,
        }
    }
}

/// Nothing is started twice: look for the run that the lost call started, name it, and say how to go on.
async fn find_started(cx: &ToolCx, args: &Args, begun: jiff::Timestamp, error: ApiError) -> ToolError {
    let agent = args.agent_id;
    // Needs runs:read; without it, or without an answer, the caller is told to look.
    let runs = cx.api().runs(agent, 5).await.unwrap_or_default();
    let since = begun.checked_sub(CLOCK_SKEW).unwrap_or(begun);
    let started = runs.into_iter().find(|run| {
        let created = run.created.as_deref().or(run.start_time.as_deref());
        created.and_then(|text| text.parse::<jiff::Timestamp>().ok()).is_some_and(|time| time >= since)
    });
    let Some(run) = started else {
        let mut lost = ToolError::from(error);
        lost.never_repeat(
            "It is not known whether the run started. Look with get_agent_runs before starting again.",
        );
        return lost;
    };
    let id = run.id.unwrap_or_default();
    let state = run.status.map(run_status_name).unwrap_or_default();
    if run.status.is_some_and(is_finished) {
        ToolError::still_running(
            format!(
                "Run {id} of agent {agent} was started and has ended ({state}), but its data did not arrive."
            ),
            format!("Do not start again. Get the files with get_run_files, agentId {agent} and runId {id}."),
        )
    } else {
        goes_on(agent, id, &state)
    }
}

/// The time is up, the run is not over.
fn goes_on(agent: AgentId, run: i64, state: &str) -> ToolError {
    ToolError::still_running(
        format!(
            "Run {run} of agent {agent} was started and goes on ({state}); its data was not ready in time."
        ),
        format!(
            "Do not start again. Follow it with get_run_status, agentId {agent} and runId {run}, then get_run_files."
        ),
    )
}

impl LongTool for StartAgent {
    /// Following reads the run and its files.
    const FOLLOW: &'static [Scope] = &[Scope::RunsRead];
    const PAUSE: Duration = Duration::from_secs(5);

    type Work = AwaitedRun;

    /// Only a synchronous start takes long. As a task the run is started without holding the connection, so that its id is
    /// known at once, and its data is read back from its files.
    async fn begin(cx: &ToolCx, args: Args) -> Result<Begun<AwaitedRun, Output>, ToolError> {
        let Some(within) = args.wait() else { return Ok(Begun::Done(Self::call(cx, args).await?)) };
        args.check()?;
        let begun = cx.clock.now();
        let run = match cx.api().start(args.agent_id, &args.request(None)).await {
            Ok(StartOutcome::Run(run)) => *run,
            Ok(StartOutcome::Data(data)) => return Ok(Begun::Done(Output::of_data(data))),
            Ok(StartOutcome::Text(text)) => return Ok(Begun::Done(Output::of_data(text.into()))),
            Err(error) if error.fault().is_lost() => return Err(find_started(cx, &args, begun, error).await),
            Err(error) => return Err(error.into()),
        };
        // A run without an id that can be used cannot be followed.
        let Some(id) = RunId::sent(run.id) else {
            return Ok(Begun::Done(Output { run: Some(run.into()), data: None, notice: None }));
        };
        let work = AwaitedRun { agent: args.agent_id, run: id, until: until(cx, within) };
        let state = format!("Run {id} of agent {} was started", args.agent_id);
        Ok(Begun::On { work, within, state })
    }

    async fn look(cx: &ToolCx, work: AwaitedRun) -> Result<Stage<Output>, ToolError> {
        let AwaitedRun { agent, run: id, .. } = work;
        let run = cx.api().run(agent, id).await?;
        let state = run.status.map(run_status_name).unwrap_or_default();
        match run.status {
            Some(8) => Ok(Stage::Stopped("The run was stopped. What it had extracted is kept.")),
            Some(9 | 10) => {
                cx.links.add_next_of(agent, id, run.status);
                let data = delivered(cx, agent, id).await;
                let notice = data.is_some().then_some(Notice);
                Ok(Stage::Done(Output { run: Some(run.into()), data, notice }))
            }
            Some(status) if is_finished(status) => Err(ToolError::run_failed(
                format!("Run {id} of agent {agent} has ended without data ({state})."),
                format!(
                    "get_run_diagnostics, agentId {agent} and runId {id}, says why. Ask the user before starting again."
                ),
            )),
            _ if is_over(cx, work.until) => {
                Err(goes_on(agent, i64::try_from(id.get()).unwrap_or_default(), &state))
            }
            _ => {
                let records = run.data_count.unwrap_or_default();
                Ok(Stage::On(format!("Run {id} of agent {agent}: {state}, {records} records so far")))
            }
        }
    }

    /// Asks the run to stop: the task is the run that this call started, and who cancels it wants no more credits spent.
    /// Never by force, and what was extracted is kept.
    async fn stop(cx: &ToolCx, work: AwaitedRun) -> Result<(), ToolError> {
        let run = cx.api().run(work.agent, work.run).await?;
        if !run.status.is_some_and(is_finished) {
            cx.api().stop_run(work.agent, work.run).await?;
        }
        Ok(())
    }
}
