//! `list_agents`: one page of agents, filtered and sorted by the platform.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AgentSummary;
use crate::{
    api::{self, AgentFilter, ids::SpaceId},
    auth::Scope,
    tools::{
        Effect, Tool, ToolCx, ToolError, Toolset,
        arguments::{Bounded, RunStatusCode, choice},
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
    /// Only agents of this space, by its id from `list_spaces`.
    space_id: Option<SpaceId>,
    /// Part of the agent's name, in any case.
    search: Option<String>,
    /// Agent = scrapers, Command = data-input commands, Api = API configurations, Shared = reusable parts.
    config_type: Option<ConfigType>,
    /// Column to sort by; default: name.
    sort_column: Option<SortColumn>,
    /// Sort direction; default: asc.
    sort_order: Option<SortOrder>,
    /// Page, from 1; default: 1.
    page_index: Option<Bounded<1, { i32::MAX as u32 }>>,
    /// Agents per page; default: 50.
    records_per_page: Option<Bounded<1, 100>>,
}

choice! {
    /// Kind of configuration.
    ConfigType {
        /// Scrapers.
        Agent = "Agent",
        /// Data-input commands.
        Command = "Command",
        /// API configurations.
        Api = "Api",
        /// Reusable parts.
        Shared = "Shared",
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

choice! {
    /// Sort direction.
    SortOrder {
        /// Ascending.
        Asc = "asc",
        /// Descending.
        Desc = "desc",
    }
}

/// One page.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The agents of this page.
    agents: Vec<AgentSummary>,
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
        let shown =
            u64::from(page_index.saturating_sub(1)) * u64::from(records_per_page) + page.agents.len() as u64;
        let note = page.total.filter(|total| *total > shown && !page.agents.is_empty()).map(|total| {
            format!("{shown} of {total} shown so far. Call again with pageIndex {} for more.", page_index + 1)
        });
        Ok(Output {
            agents: page.agents.into_iter().map(AgentSummary::from).collect(),
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
        name: args.search.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned),
        // The platform publishes numbers; Api is a word without one.
        config_type: args.config_type.map(|kind| match kind {
            ConfigType::Agent => "1",
            ConfigType::Shared => "2",
            ConfigType::Command => "4",
            ConfigType::Api => "Api",
        }),
        sort_column: args.sort_column.map(|column| match column {
            SortColumn::Name => api::SortColumn::Name,
            SortColumn::LastActivity => api::SortColumn::LastActivity,
            SortColumn::Created => api::SortColumn::Created,
            SortColumn::Updated => api::SortColumn::Updated,
            SortColumn::Status => api::SortColumn::Status,
            SortColumn::ConfigType => api::SortColumn::ConfigType,
        }),
        sort_order: args.sort_order.map(|order| match order {
            SortOrder::Asc => api::SortOrder::Ascending,
            SortOrder::Desc => api::SortOrder::Descending,
        }),
    }
}
