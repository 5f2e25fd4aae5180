//! Saved versions of an agent's configuration.

mod get_agent_versions;
mod restore_agent_version;

pub use get_agent_versions::GetAgentVersions;
pub use restore_agent_version::RestoreAgentVersion;
