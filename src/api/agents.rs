//! Agents: list, search, read.

use super::{
    ApiError, Session,
    ids::{AgentId, SpaceId},
    model::{Agent, AgentPage, Count},
    network::Call,
};

/// Where agents that match a search are counted. Deduced, like the names of its parameters: published lists name the
/// operation only, and its siblings (`search`, `personal/count`) are called so. To be set right here if it is another.
const SEARCH_COUNT: &str = "/api/v1/agent/search/count";

/// Direction of a sorted list; numbers on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortOrder {
    /// 0.
    Ascending,
    /// 1.
    Descending,
}

impl SortOrder {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Ascending => 0,
            Self::Descending => 1,
        }
    }
}

/// What to list. Unset members are left out of the request.
#[derive(Debug, Clone, Default)]
pub struct AgentFilter {
    /// Status code of the latest run.
    pub status: Option<u8>,
    /// Agents of this space only.
    pub space: Option<SpaceId>,
    /// Part of the name.
    pub name: Option<String>,
    /// Kind of configuration, as the platform understands it.
    pub config_type: Option<String>,
    /// Sort column, as the platform calls it.
    pub sort_column: Option<&'static str>,
    /// Sort direction.
    pub sort_order: Option<SortOrder>,
}

impl Session<'_> {
    /// `listAgents`: one page of agents. Both paging parameters are sent, which makes the platform count the matches.
    pub async fn list_agents(
        &self,
        filter: &AgentFilter,
        page: u32,
        page_size: u32,
    ) -> Result<AgentPage, ApiError> {
        let call = Call::get("listAgents", "/api/v1/agent/all".to_owned())
            .query("status", filter.status)
            .query("spaceId", filter.space)
            .query("name", filter.name.as_deref())
            .query("configType", filter.config_type.as_deref())
            .query("sortColumn", filter.sort_column)
            .query("sortOrder", filter.sort_order.map(SortOrder::code))
            .query("pageIndex", Some(page))
            .query("recordsPerPage", Some(page_size));
        self.fetch(call).await
    }

    /// `searchAgents`: agents whose name or description contains `query`, silently cut at `limit`.
    pub async fn search_agents(&self, query: &str, limit: u32) -> Result<Vec<Agent>, ApiError> {
        let call = Call::get("searchAgents", "/api/v1/agent/search".to_owned())
            .query("query", Some(query))
            .query("maxRecords", Some(limit));
        self.fetch(call).await
    }

    /// `getAgentSearchCount`: how many agents a search matches, not capped.
    pub async fn count_agents(&self, query: &str, archived: Option<bool>) -> Result<Count, ApiError> {
        let call = Call::get("getAgentSearchCount", SEARCH_COUNT.to_owned())
            .query("query", Some(query))
            .query("includeArchived", archived);
        self.fetch(call).await
    }

    /// `getPersonalAgentCount`: how many agents are in the caller's personal area.
    pub async fn count_personal_agents(&self) -> Result<Count, ApiError> {
        self.fetch(Call::get("getPersonalAgentCount", "/api/v1/agent/personal/count".to_owned())).await
    }

    /// The same read to learn what the credential is worth; sent once, because what cannot be answered now is asked again by
    /// those who want to know.
    pub(crate) async fn try_credential(&self) -> Result<(), ApiError> {
        let call = Call::get("getPersonalAgentCount", "/api/v1/agent/personal/count".to_owned());
        self.fetch(call.once()).await.map(|_: Count| ())
    }

    /// `getAgent`: one agent.
    pub async fn agent(&self, agent: AgentId) -> Result<Agent, ApiError> {
        self.fetch(Call::get("getAgent", format!("/api/v1/agent/{agent}"))).await
    }
}
