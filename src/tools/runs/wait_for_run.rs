//! `wait_for_run`: follow a run to its end, for a bounded time.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AwaitedRun, RunRecord};
use crate::{
    api::{
        ApiError,
        ids::{AgentId, RunId},
        model::{AgentRun, is_finished, run_status_name},
    },
    auth::Scope,
    tools::{
        Begun, Effect, LongTool, Stage, Tool, ToolCx, ToolError, Toolset,
        arguments::Bounded,
        long::{is_over, until},
    },
};

/// Without progress notices many clients and proxies give up after half a minute of silence.
const DEFAULT_SECONDS: u32 = 25;
/// First pause between two looks; it grows to [`LONGEST_PAUSE`], because long runs need no close watch.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// For the last look, and for an answer that is slow to come.
const MARGIN: Duration = Duration::from_secs(15);

/// The tool.
pub struct WaitForRun;

/// Which run, and how long.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Run id.
    run_id: RunId,
    /// Most seconds to wait; default: 25. Above 30, only if the client shows progress.
    timeout: Option<Bounded<1, 300>>,
}

/// The run as it was last seen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    #[serde(flatten)]
    run: RunRecord,
    /// Whether the run has ended.
    finished: bool,
    /// What to do next.
    note: String,
}

impl Args {
    fn wait(&self) -> Duration {
        Duration::from_secs(self.timeout.map_or(DEFAULT_SECONDS, Bounded::get).into())
    }
}

impl Tool for WaitForRun {
    const NAME: &'static str = "wait_for_run";
    const TITLE: &'static str = "Wait for Run";
    const DESCRIPTION: &'static str = "Waits until a run has ended, for at most timeout seconds. If finished is false, call again. Use it after start_agent instead of asking get_run_status over and over.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::RunsRead];

    type Args = Args;
    type Output = Output;

    fn patience(args: &Args) -> Option<Duration> {
        Some(args.wait() + MARGIN)
    }

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let wait = args.wait();
        let start = cx.clock.now();
        let mut pause = FIRST_PAUSE;
        loop {
            let run = look(cx, args.agent_id, args.run_id, wait).await?;
            let waited = Duration::try_from(cx.clock.now().duration_since(start)).unwrap_or_default();
            let left = wait.saturating_sub(waited);
            if run.status.is_some_and(is_finished) || left.is_zero() {
                return Ok(ended(cx, args.agent_id, args.run_id, run));
            }
            cx.progress.report(waited.as_secs_f64(), wait.as_secs_f64(), state(&run)).await;
            cx.clock.sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// One look at the run, during which a slow platform is no reason for silence.
async fn look(cx: &ToolCx, agent: AgentId, run: RunId, wait: Duration) -> Result<AgentRun, ApiError> {
    let api = cx.api();
    cx.progress.during(wait, "Waiting for the platform", api.run(agent, run)).await
}

/// Where the run is.
fn state(run: &AgentRun) -> String {
    let state = run.status.map(run_status_name).unwrap_or_default();
    format!("{state}, {} records so far", run.data_count.unwrap_or_default())
}

fn ended(cx: &ToolCx, agent: AgentId, id: RunId, run: AgentRun) -> Output {
    cx.links.add_next_of(agent, id, run.status);
    let finished = run.status.is_some_and(is_finished);
    let note = if finished {
        format!("The run has ended. Its files: get_run_files, agentId {agent} and runId {id}.")
    } else {
        "The run goes on. Call wait_for_run again, or look later with get_run_status.".to_owned()
    };
    Output { run: run.into(), finished, note }
}

impl LongTool for WaitForRun {
    const FOLLOW: &'static [Scope] = &[];
    const PAUSE: Duration = LONGEST_PAUSE;

    type Work = AwaitedRun;

    async fn begin(cx: &ToolCx, args: Args) -> Result<Begun<AwaitedRun, Output>, ToolError> {
        let (agent, id, within) = (args.agent_id, args.run_id, args.wait());
        let run = look(cx, agent, id, within).await?;
        if run.status.is_some_and(is_finished) {
            return Ok(Begun::Done(ended(cx, agent, id, run)));
        }
        let work = AwaitedRun { agent, run: id, until: until(cx, within) };
        Ok(Begun::On { work, within, state: state(&run) })
    }

    async fn look(cx: &ToolCx, work: AwaitedRun) -> Result<Stage<Output>, ToolError> {
        let run = cx.api().run(work.agent, work.run).await?;
        if run.status.is_some_and(is_finished) || is_over(cx, work.until) {
            return Ok(Stage::Done(ended(cx, work.agent, work.run, run)));
        }
        Ok(Stage::On(state(&run)))
    }

    /// Nothing: waiting is what is cancelled, not the run, and between two looks nobody waits. The task goes on to say how
    /// far the run is, to whoever still asks.
    async fn stop(_: &ToolCx, _: AwaitedRun) -> Result<(), ToolError> {
        Ok(())
    }
}
