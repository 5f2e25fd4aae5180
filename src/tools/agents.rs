//! Agents: the scraper configurations.

mod get_agent;
mod get_agent_search_count;
mod get_personal_agent_count;
mod list_agents;
mod search_agents;
mod summary;

pub use get_agent::GetAgent;
pub use get_agent_search_count::GetAgentSearchCount;
pub use get_personal_agent_count::GetPersonalAgentCount;
pub use list_agents::ListAgents;
pub use search_agents::SearchAgents;
pub(super) use summary::{AgentSummary, WholeAgent, status_name};
