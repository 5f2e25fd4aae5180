//! `list_spaces`: every space of the account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::model::Space,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct ListSpaces;

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {}

/// The spaces.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// All spaces the caller can see.
    result: Vec<Space>,
    /// How many there are.
    returned: usize,
}

impl Tool for ListSpaces {
    const NAME: &'static str = "list_spaces";
    const TITLE: &'static str = "List Spaces";
    const DESCRIPTION: &'static str =
        "Lists every space (folder of agents) the user can see. The personal area is not a space.";
    const TOOLSET: Toolset = Toolset::Spaces;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::SpacesRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, _: Args) -> Result<Output, ToolError> {
        let result = cx.api().spaces().await?;
        Ok(Output { returned: result.len(), result })
    }
}
