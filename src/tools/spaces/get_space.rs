//! `get_space`: one space with its settings.

use crate::{
    api::model::Space,
    auth::Scope,
    resources::ResourceUri,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::SpaceArgs},
};

/// The tool.
pub struct GetSpace;

impl Tool for GetSpace {
    const NAME: &'static str = "get_space";
    const TITLE: &'static str = "Get Space";
    const DESCRIPTION: &'static str = "Returns one space with its settings.";
    const TOOLSET: Toolset = Toolset::Spaces;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::SpacesRead];

    type Args = SpaceArgs;
    type Output = Space;

    async fn call(cx: &ToolCx, args: SpaceArgs) -> Result<Space, ToolError> {
        cx.links.add(ResourceUri::SpaceAgents { space: args.space_id });
        Ok(cx.api().space(args.space_id).await?)
    }
}
