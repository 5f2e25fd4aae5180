//! `run_space_agents`: start every agent of a space.

use std::time::Duration;

use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        Fault, RUN_SPACE_PATIENCE,
        ids::{AgentId, RunId, SpaceId},
        model::{SpaceRun, is_finished},
    },
    auth::Scope,
    resources::ResourceUri,
    tools::{
        Asks, Begun, Effect, LongTool, Stage, Tool, ToolCx, ToolError, Toolset,
        arguments::JsonText,
        asking::{About, Confirmation},
        long::{is_over, until},
        lost_writes,
    },
};

/// Time beyond the platform's, for what happens here.
const MARGIN: Duration = Duration::from_secs(5);
/// Longest explanation shown for one agent, in characters: more than that is a stack trace.
const MAX_EXPLANATION: usize = 200;

/// As a task, the runs are followed for a day at most.
const FOLLOWED: Duration = Duration::from_hours(24);
/// Most bytes of an outcome that can travel as the id of a task: some twenty agents.
const MAX_OUTCOME: usize = 2000;

/// The tool.
pub struct RunSpaceAgents;

/// Which space, and with what input.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// From `list_spaces`.
    space_id: SpaceId,
    /// Input values as JSON text, handed to every agent alike.
    input_parameters: Option<JsonText>,
}

impl Tool for RunSpaceAgents {
    const NAME: &'static str = "run_space_agents";
    const TITLE: &'static str = "Run Space Agents";
    const DESCRIPTION: &'static str = "Starts every agent in a space, which uses credits for each. Returns the outcome per agent at once; the call succeeds even if some could not start. Follow each runId with get_run_status. \
        Site, data and scope must be unambiguous from what the user said; values from another site or task do not count; ask for what is missing in one question.";
    const TOOLSET: Toolset = Toolset::Spaces;
    const EFFECT: Effect = Effect::Launch;
    const SCOPES: &'static [Scope] = &[Scope::SpacesWrite];

    const ASKS: Asks<Args> = Asks::Confirmation(|args| {
        Confirmation::new(About::Space(args.space_id), |space| {
            format!("Start every agent in {space}? Each run uses credits.")
        })
    });

    type Args = Args;
    type Output = SpaceRun;

    fn patience(_: &Args) -> Option<Duration> {
        Some(RUN_SPACE_PATIENCE + MARGIN)
    }

    async fn call(cx: &ToolCx, args: Args) -> Result<SpaceRun, ToolError> {
        let run = start(cx, &args).await?;
        for (agent, run) in started(&run) {
            cx.links.add(ResourceUri::Run { agent, run });
        }
        Ok(run)
    }
}

/// Starts every agent, once.
async fn start(cx: &ToolCx, args: &Args) -> Result<SpaceRun, ToolError> {
    let api = cx.api();
    let input = args.input_parameters.as_ref().map(|text| text.0.as_str());
    let start = api.run_space(args.space_id, input);
    let outcome = cx.progress.during(RUN_SPACE_PATIENCE, "The agents are being started", start).await;
    outcome.map(presentable).map_err(|error| {
        let look =
            "Some agents may have been started. Look with get_space_agents before starting them again.";
        lost_writes::once(error, look)
    })
}

/// The runs that were started.
fn started(run: &SpaceRun) -> Vec<(AgentId, RunId)> {
    let items = run.results.iter().flatten();
    items.filter_map(|item| Some((AgentId::sent(item.agent_id)?, RunId::sent(item.run_id)?))).collect()
}

/// With the counts filled in where the platform left them out, and explanations cut.
fn presentable(mut run: SpaceRun) -> SpaceRun {
    let results = run.results.get_or_insert_default();
    let count = |success: bool| {
        let matching = results.iter().filter(|item| item.success.unwrap_or_default() == success).count();
        i64::try_from(matching).ok()
    };
    run.total_agents = run.total_agents.or(i64::try_from(results.len()).ok());
    run.agents_started = run.agents_started.or_else(|| count(true));
    run.agents_failed = run.agents_failed.or_else(|| count(false));
    for explanation in results.iter_mut().filter_map(|item| item.error_message.as_mut()) {
        *explanation = first_line(explanation);
    }
    run
}

/// The first line, without control characters, cut: what follows it is internals.
fn first_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut characters = line.chars().filter(|c| !c.is_control());
    let mut cut: String = characters.by_ref().take(MAX_EXPLANATION).collect();
    if characters.next().is_some() {
        cut.push('…');
    }
    cut
}

/// What came of the start, and until when its runs are followed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Work {
    #[serde(rename = "o")]
    outcome: SpaceRun,
    #[serde(rename = "u")]
    until: i64,
}

impl LongTool for RunSpaceAgents {
    /// Following reads the runs, cancelling stops them.
    const FOLLOW: &'static [Scope] = &[Scope::RunsRead, Scope::AgentsWrite];
    const PAUSE: Duration = Duration::from_secs(10);

    type Work = Work;

    /// As a task it ends when the last of the runs has ended. The outcome of a large space is returned at once: it does
    /// not fit into the id of a task.
    async fn begin(cx: &ToolCx, args: Args) -> Result<Begun<Work, SpaceRun>, ToolError> {
        let outcome = start(cx, &args).await?;
        let runs = started(&outcome);
        let size = serde_json::to_string(&outcome).map_or(usize::MAX, |text| text.len());
        if runs.is_empty() || size > MAX_OUTCOME {
            for (agent, run) in runs {
                cx.links.add(ResourceUri::Run { agent, run });
            }
            return Ok(Begun::Done(outcome));
        }
        let state = format!("{} runs were started", runs.len());
        Ok(Begun::On { work: Work { outcome, until: until(cx, FOLLOWED) }, within: FOLLOWED, state })
    }

    async fn look(cx: &ToolCx, work: Work) -> Result<Stage<SpaceRun>, ToolError> {
        let runs = started(&work.outcome);
        let states = try_join_all(runs.iter().map(|(agent, run)| status(cx, *agent, *run))).await?;
        let ended = states.iter().filter(|state| state.is_none_or(is_finished)).count();
        if ended < states.len() && !is_over(cx, work.until) {
            return Ok(Stage::On(format!("{ended} of {} runs have ended", states.len())));
        }
        if states.iter().all(|state| *state == Some(8)) {
            return Ok(Stage::Stopped("The runs were stopped. What they had extracted is kept."));
        }
        for ((agent, run), state) in runs.into_iter().zip(states) {
            cx.links.add_next_of(agent, run, state);
        }
        Ok(Stage::Done(work.outcome))
    }

    /// Asks every run that this call started and that has not ended to stop: never by force, and what was extracted is
    /// kept.
    async fn stop(cx: &ToolCx, work: Work) -> Result<(), ToolError> {
        let stops = started(&work.outcome).into_iter().map(async |(agent, run)| {
            if !status(cx, agent, run).await?.is_none_or(is_finished) {
                cx.api().stop_run(agent, run).await?;
            }
            Ok::<(), ToolError>(())
        });
        try_join_all(stops).await.map(|_| ())
    }
}

/// The status of a run; `None` when it was deleted.
async fn status(cx: &ToolCx, agent: AgentId, run: RunId) -> Result<Option<i64>, ToolError> {
    match cx.api().run(agent, run).await {
        // A run without a status has just been started.
        Ok(run) => Ok(Some(run.status.unwrap_or_default())),
        Err(error) if *error.fault() == Fault::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_are_cut_and_counts_filled_in() {
        let long = format!("{}\n  at Platform.Internals.Start()", "x".repeat(300));
        let run = presentable(
            serde_json::from_value(serde_json::json!({"results": [
                {"agentId": 1, "success": true, "runId": 5},
                {"agentId": 2, "success": false, "errorMessage": long},
            ]}))
            .unwrap(),
        );
        assert_eq!((run.total_agents, run.agents_started, run.agents_failed), (Some(2), Some(1), Some(1)));
        let explanation = run.results.unwrap()[1].error_message.clone().unwrap();
        assert_eq!(explanation, format!("{}…", "x".repeat(200)));
    }
}
