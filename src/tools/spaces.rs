//! Spaces: named folders of agents.

mod get_space;
mod get_space_agent_count;
mod get_space_agents;
mod list_spaces;
mod run_space_agents;
mod search_space_by_name;

pub use get_space::GetSpace;
pub use get_space_agent_count::GetSpaceAgentCount;
pub use get_space_agents::GetSpaceAgents;
pub use list_spaces::ListSpaces;
pub use run_space_agents::RunSpaceAgents;
pub use search_space_by_name::SearchSpaceByName;
