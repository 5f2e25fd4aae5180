//! `run_space_agents`: start every agent of a space.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    api::{
        RUN_SPACE_PATIENCE,
        ids::{AgentId, RunId, SpaceId},
        model::SpaceRun,
    },
    auth::Scope,
    resources::ResourceUri,
    tools::{
        Asks, Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::JsonText,
        asking::{About, Confirmation},
        lost,
    },
};

/// Time beyond the platform's, for what happens here.
const MARGIN: Duration = Duration::from_secs(5);
/// Longest explanation shown for one agent, in characters: more than that is a stack trace.
const MAX_EXPLANATION: usize = 200;

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
        let api = cx.api();
        let input = args.input_parameters.as_ref().map(|text| text.0.as_str());
        let start = api.run_space(args.space_id, input);
        let outcome = cx.progress.during(RUN_SPACE_PATIENCE, "The agents are being started", start).await;
        let run = outcome.map_err(|error| {
            let look =
                "Some agents may have been started. Look with get_space_agents before starting them again.";
            lost::once(error, look)
        })?;
        for item in run.results.iter().flatten() {
            if let (Some(agent), Some(run)) = (AgentId::sent(item.agent_id), RunId::sent(item.run_id)) {
                cx.links.add(ResourceUri::Run { agent, run });
            }
        }
        Ok(presentable(run))
    }
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
