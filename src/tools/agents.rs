//! Agents: the scraper configurations.

mod get_agent;
mod list_agents;
mod search_agents;
mod summary;

pub use get_agent::GetAgent;
pub use list_agents::ListAgents;
pub use search_agents::SearchAgents;
pub(super) use summary::AgentSummary;
