//! `get_space`: one space with its settings.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    api::{ids::SpaceId, model::Space},
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset},
};

/// The tool.
pub struct GetSpace;

/// Which space.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Space id from `list_spaces`.
    space_id: SpaceId,
}

impl Tool for GetSpace {
    const NAME: &'static str = "get_space";
    const TITLE: &'static str = "Get Space";
    const DESCRIPTION: &'static str = "Returns one space with its settings.";
    const TOOLSET: Toolset = Toolset::Spaces;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::SpacesRead];

    type Args = Args;
    type Output = Space;

    async fn call(cx: &ToolCx, args: Args) -> Result<Space, ToolError> {
        Ok(cx.api().space(args.space_id).await?)
    }
}
