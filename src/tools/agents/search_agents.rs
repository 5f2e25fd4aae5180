//! `search_agents`: agents by a term in name or description.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AgentSummary, WholeAgent};
use crate::{
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Bounded, Text, Verbosity},
        listed::Shown,
    },
};

/// The tool.
pub struct SearchAgents;

/// What to search for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Part of name or description, in any case.
    query: Text<500>,
    /// Most agents to return; default: 50.
    max_records: Option<Bounded<1, 1000>>,
    /// Short (the default) or whole records.
    verbosity: Option<Verbosity>,
}

/// The matches, and whether they are all of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Matching agents.
    #[schemars(with = "Vec<AgentSummary>")]
    agents: Vec<Shown<AgentSummary, WholeAgent>>,
    /// How many are in this answer.
    returned: usize,
    /// The limit that applied.
    limit: u32,
    /// Whether the limit was reached, so that there may be more.
    truncated: bool,
    /// How to get the rest, when the limit was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl Tool for SearchAgents {
    const NAME: &'static str = "search_agents";
    const TITLE: &'static str = "Search Agents";
    const DESCRIPTION: &'static str =
        "Finds agents whose name or description contains a term, archived ones left out.";
    const TOOLSET: Toolset = Toolset::Agents;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let limit = args.max_records.map_or(50, Bounded::get);
        let agents = cx.api().search_agents(args.query.as_str(), limit).await?;
        let returned = agents.len();
        let truncated = returned >= limit as usize;
        Ok(Output {
            agents: Shown::all(agents, args.verbosity),
            returned,
            limit,
            truncated,
            note: truncated.then_some(
                "The limit was reached; there may be more matches. get_agent_search_count tells how many; raise maxRecords or use a narrower term.",
            ),
        })
    }
}
