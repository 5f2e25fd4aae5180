//! `list_spaces`: every space of the account.

use crate::{
    api::model::Space,
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::NoArgs, listed::Listed},
};

/// The tool.
pub struct ListSpaces;

impl Tool for ListSpaces {
    const NAME: &'static str = "list_spaces";
    const TITLE: &'static str = "List Spaces";
    const DESCRIPTION: &'static str =
        "Lists every space (folder of agents) the user can see. The personal area is not a space.";
    const TOOLSET: Toolset = Toolset::Spaces;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::SpacesRead];

    type Args = NoArgs;
    type Output = Listed<Space>;

    async fn call(cx: &ToolCx, _: NoArgs) -> Result<Listed<Space>, ToolError> {
        Ok(cx.api().spaces().await?.into())
    }
}
