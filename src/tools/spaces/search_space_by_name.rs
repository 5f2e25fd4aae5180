//! `search_space_by_name`: one space by its name.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    api::model::Space,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::Text},
};

/// The tool.
pub struct SearchSpaceByName;

/// Which name.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    /// Name of the space, in any case.
    name: Text<200>,
}

impl Tool for SearchSpaceByName {
    const NAME: &'static str = "search_space_by_name";
    const TITLE: &'static str = "Search Space by Name";
    const DESCRIPTION: &'static str = "Finds one space by its name, whatever the case. Only one is returned even if several match; list_spaces shows them all.";
    const TOOLSET: Toolset = Toolset::Spaces;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::SpacesRead];

    type Args = Args;
    type Output = Space;

    async fn call(cx: &ToolCx, args: Args) -> Result<Space, ToolError> {
        Ok(cx.api().space_by_name(args.name.as_str()).await?)
    }
}
