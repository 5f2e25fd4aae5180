//! Runs: executions of agents.

mod acknowledged;
mod awaited;
mod delete_run;
mod delivered;
mod get_agent_run_summary;
mod get_agent_runs;
mod get_run_status;
mod kill_agent;
mod record;
mod start_agent;
mod stop_agent;
mod wait_for_run;

use acknowledged::Acknowledged;
use awaited::AwaitedRun;
pub use delete_run::DeleteRun;
pub use get_agent_run_summary::GetAgentRunSummary;
pub use get_agent_runs::GetAgentRuns;
pub use get_run_status::GetRunStatus;
pub use kill_agent::KillAgent;
pub(super) use record::{RunRecord, RunSummary};
pub use start_agent::StartAgent;
pub use stop_agent::StopAgent;
pub use wait_for_run::WaitForRun;
