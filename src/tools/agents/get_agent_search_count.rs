//! `get_agent_search_count`: how many agents match a term.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    api::model::Count,
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Flag, Text},
    },
};

/// The tool.
pub struct GetAgentSearchCount;

/// What to count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Part of name or description, in any case.
    query: Text<500>,
    /// Whether archived agents count too; default: false.
    include_archived: Option<Flag>,
}

impl Tool for GetAgentSearchCount {
    const NAME: &'static str = "get_agent_search_count";
    const TITLE: &'static str = "Get Agent Search Count";
    const DESCRIPTION: &'static str = "Counts the agents whose name or description contains a term. Use it instead of counting rows of search_agents.";
    const TOOLSET: Toolset = Toolset::Agents;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = Args;
    type Output = Count;

    async fn call(cx: &ToolCx, args: Args) -> Result<Count, ToolError> {
        let archived = args.include_archived.map(|flag| flag.0);
        Ok(cx.api().count_agents(args.query.as_str(), archived).await?)
    }
}
