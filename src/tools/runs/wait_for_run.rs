//! `wait_for_run`: follow a run to its end, for a bounded time.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RunRecord;
use crate::{
    api::{
        ids::{AgentId, RunId},
        model::{AgentRun, is_finished, run_status_name},
    },
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::Bounded},
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
            let run = cx.api().run(args.agent_id, args.run_id).await?;
            let waited = Duration::try_from(cx.clock.now().duration_since(start)).unwrap_or_default();
            let left = wait.saturating_sub(waited);
            if run.status.is_some_and(is_finished) || left.is_zero() {
                cx.links.add_next_of(args.agent_id, args.run_id, run.status);
                return Ok(ended(&args, run));
            }
            let state = run.status.map(run_status_name).unwrap_or_default();
            let records = run.data_count.unwrap_or_default();
            let message = format!("{state}, {records} records so far");
            cx.progress.report(waited.as_secs_f64(), wait.as_secs_f64(), message).await;
            cx.clock.sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn ended(args: &Args, run: AgentRun) -> Output {
    let (agent, id) = (args.agent_id, args.run_id);
    let finished = run.status.is_some_and(is_finished);
    let note = if finished {
        format!("The run has ended. Its files: get_run_files, agentId {agent} and runId {id}.")
    } else {
        "The run goes on. Call wait_for_run again, or look later with get_run_status.".to_owned()
    };
    Output { run: run.into(), finished, note }
}
