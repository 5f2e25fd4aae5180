//! `list_agents`: one page of agents, filtered and sorted by the platform.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AgentSummary, WholeAgent};
use crate::{
    api::{AgentFilter, ids::SpaceId},
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Bounded, Choice, RunStatusCode, SortOrder, Text, Verbosity, blank_is_absent, choice},
        listed::{self, Shown},
    },
};

/// The tool.
pub struct ListAgents;

/// What to list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// Status of the latest run: 1 Running, 2 Exporting, 3 Starting, 4 Queuing, 5 Stopping, 6 or 7 failed, 8 Stopped, 9 or 10 succeeded, 11 Skipped, 12 Waiting.
    status: Option<RunStatusCode>,
    /// Only agents of this space.
    space_id: Option<SpaceId>,
    /// Part of the agent's name, in any case.
    #[serde(default, deserialize_with = "blank_is_absent")]
    search: Option<Text<500>>,
    /// Agent = scrapers, Command = data-input commands, Api = API configurations, Shared = reusable parts.
    config_type: Option<ConfigType>,
    /// Column to sort by; default: name.
    sort_column: Option<SortColumn>,
    /// Default: asc.
    sort_order: Option<SortOrder>,
    /// Page, from 1; default: 1.
    page_index: Option<Bounded<1, { i32::MAX as u32 }>>,
    /// Agents per page; default: 50.
    records_per_page: Option<Bounded<1, 100>>,
    /// Short (the default) or whole records.
    verbosity: Option<Verbosity>,
}

choice! {
    /// Kind of configuration. The platform publishes numbers; whether it takes words is not known, and Api has no
    /// number, so that is sent as the word.
    ConfigType {
        /// Scrapers.
        Agent = "Agent" 1,
        /// Data-input commands.
        Command = "Command" 4,
        /// API configurations.
        Api = "Api",
        /// Reusable parts.
        Shared = "Shared" 2,
    }
}

choice! {
    /// Sort column.
    SortColumn {
        /// By name.
        Name = "name",
        /// By last activity.
        LastActivity = "lastActivity",
        /// By creation.
        Created = "created",
        /// By last change.
        Updated = "updated",
        /// By status.
        Status = "status",
        /// By kind.
        ConfigType = "configType",
    }
}

/// One page.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The agents of this page.
    #[schemars(with = "Vec<AgentSummary>")]
    agents: Vec<Shown<AgentSummary, WholeAgent>>,
    /// Where this page stands; absent only if the platform did not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
    /// How to get the rest, when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Position of a page.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// Matches on all pages.
    total_record_count: u64,
    /// This page.
    page_index: u32,
    /// Agents per page.
    records_per_page: u32,
}

impl Tool for ListAgents {
    const NAME: &'static str = "list_agents";
    const TITLE: &'static str = "List Agents";
    const DESCRIPTION: &'static str = "Lists the web-scraping agents, page by page, with the status of the latest run. Start here when no agent id is known.";
    const TOOLSET: Toolset = Toolset::Agents;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[Scope::AgentsRead];

    type Args = Args;
    type Output = Output;

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let page_index = args.page_index.map_or(1, Bounded::get);
        let records_per_page = args.records_per_page.map_or(50, Bounded::get);
        let page = cx.api().list_agents(&filter(&args), page_index, records_per_page).await?;
        let note = listed::next_page(page.total, page_index, records_per_page, page.agents.len());
        Ok(Output {
            agents: Shown::all(page.agents, args.verbosity),
            pagination: page.total.map(|total_record_count| Pagination {
                total_record_count,
                page_index,
                records_per_page,
            }),
            note,
        })
    }
}

fn filter(args: &Args) -> AgentFilter {
    AgentFilter {
        status: args.status.map(|code| code.0),
        space: args.space_id,
        name: args.search.as_ref().map(|name| name.as_str().to_owned()),
        config_type: args
            .config_type
            .map(|kind| kind.code().map_or(kind.word().to_owned(), |code| code.to_string())),
        sort_column: args.sort_column.map(Choice::word),
        sort_order: args.sort_order.map(Into::into),
    }
}
