//! What the platform sends, one file per domain.
//!
//! Every member is optional: deployments differ in what they send, unset members come as `null`, and new ones appear.
//! A missing member and a `null` are the same; unknown members are ignored; a wrong type is an error that names its
//! path. When written, absent members are left out.

mod agent;
mod analytics;
mod billing;
mod builder;
mod file;
mod run;
mod schedule;
mod space;
mod version;

pub use self::{
    agent::{Agent, AgentPage, Count},
    analytics::{FailedRun, RecordsSummary, RunDiagnostics, RunStats, RunTotals, RunsSummary},
    billing::{
        AgentCostBreakdown, AgentRunCost, AgentRunsCostPage, AgentUsage, AgentsUsagePage, CreditHistoryPage,
        CreditTransaction, CreditsBalance, SpendingSummary, UsageTypeSeries,
    },
    builder::BuildStatus,
    file::RunFile,
    run::{AgentRun, AgentRunSummary, StatusCount, is_finished, run_status_name},
    schedule::{Schedule, ScheduleSettings, UpcomingSchedule},
    space::{Label, Space, SpaceAgent, SpaceRun, SpaceRunItem},
    version::AgentVersion,
};

/// A record of the platform: every member optional, camelCase on the wire.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        #[allow(clippy::doc_markdown, reason = "the text is also the schema's description, which is no Markdown")]
        #[allow(missing_docs, reason = "what a member's name says is not worth its bytes in every client's tool list")]
        pub struct $name {
            $($(#[$field_doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }
    };
}
use record;
