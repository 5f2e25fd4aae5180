//! Spaces: named folders of agents.

mod get_space;
mod get_space_agents;
mod list_spaces;
mod search_space_by_name;

pub use get_space::GetSpace;
pub use get_space_agents::GetSpaceAgents;
pub use list_spaces::ListSpaces;
pub use search_space_by_name::SearchSpaceByName;
