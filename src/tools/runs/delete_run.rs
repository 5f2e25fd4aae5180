//! `delete_run`: remove a run, or only its files.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Acknowledged;
use crate::{
    api::{
        RemoveMethod,
        ids::{AgentId, RunId},
    },
    auth::Scope,
    tools::{
        Asks, Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::choice,
        asking::{About, Confirmation},
    },
};

/// The tool.
pub struct DeleteRun;

/// Which run, and what of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Agent id.
    agent_id: AgentId,
    /// Run id.
    run_id: RunId,
    /// Everything (the default), the files, or the files and the stored input.
    remove_method: Option<Removal>,
}

choice! {
    /// What is removed.
    Removal {
        /// The record and all files.
        EntireRun = "RemoveEntireRun",
        /// The files.
        AllFiles = "RemoveAllFiles",
        /// The files and the input.
        AllFilesAndAgentInput = "RemoveAllFilesAndAgentInput",
    }
}

impl Tool for DeleteRun {
    const NAME: &'static str = "delete_run";
    const TITLE: &'static str = "Delete Run";
    const DESCRIPTION: &'static str =
        "Removes an ended run, or only its files, for good. A run in progress is refused: stop it first.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Destroy { repeatable: true };
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite];

    const ASKS: Asks<Args> = Asks::Confirmation(|&Args { agent_id, run_id, remove_method }| {
        Confirmation::new(About::Agent(agent_id), move |agent| match remove_method {
            None | Some(Removal::EntireRun) => {
                format!("Delete run {run_id} of {agent}, with all its files, for good?")
            }
            Some(Removal::AllFiles) => {
                format!("Delete all files of run {run_id} of {agent} for good? Its record is kept.")
            }
            Some(Removal::AllFilesAndAgentInput) => {
                format!(
                    "Delete all files and the input of run {run_id} of {agent} for good? Its record is kept."
                )
            }
        })
    });

    type Args = Args;
    type Output = Acknowledged;

    async fn call(
        cx: &ToolCx,
        Args { agent_id, run_id, remove_method }: Args,
    ) -> Result<Acknowledged, ToolError> {
        let method = remove_method.map(|removal| match removal {
            Removal::EntireRun => RemoveMethod::EntireRun,
            Removal::AllFiles => RemoveMethod::AllFiles,
            Removal::AllFilesAndAgentInput => RemoveMethod::AllFilesAndAgentInput,
        });
        cx.api().delete_run(agent_id, run_id, method).await?;
        let message = match remove_method {
            None | Some(Removal::EntireRun) => "The run and its files were deleted.",
            Some(Removal::AllFiles) => "The files of the run were deleted; its record was kept.",
            Some(Removal::AllFilesAndAgentInput) => {
                "The files and the input of the run were deleted; its record was kept."
            }
        };
        Ok(Acknowledged { agent_id, run_id, message })
    }
}
