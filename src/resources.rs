//! What can be read by URI: a fixed list, and templates for single objects.
//!
//! A resource is a view on a tool: the same operation, the same projection, the same scopes, so the two cannot drift.
//! This room knows URIs and words; reading happens where tools are run.

mod uri;

use serde_json::{Map, Value, json};

pub use self::uri::ResourceUri;
use crate::completions::Source;

/// The media type of everything but files.
pub const JSON: &str = "application/json";

/// One resource, or a template for many.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The URI; in a template, variables stand in braces (RFC 6570, simple expansion).
    pub template: &'static str,
    /// The name that users of this platform's public server know.
    pub name: &'static str,
    /// What is in it.
    pub description: &'static str,
    /// The tool whose result it shows; its scopes are the resource's.
    pub tool: &'static str,
    /// Media type, where all resources of this kind have the same.
    pub media_type: Option<&'static str>,
}

impl Kind {
    /// Whether the URI has variables.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.template.contains('{')
    }

    /// The names of the variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.template.split('{').skip(1).filter_map(|rest| rest.split('}').next())
    }

    /// Where suggestions for a variable come from.
    #[must_use]
    pub fn completion(variable: &str) -> Option<Source> {
        match variable {
            "agentId" => Some(Source::AgentIds),
            "runId" => Some(Source::RunIds),
            "fileId" => Some(Source::FileIds),
            "spaceId" => Some(Source::SpaceIds),
            _ => None,
        }
    }
}

/// One line each: the variant of [`ResourceUri`], its URI, name, description, tool.
macro_rules! kinds {
    ($($variant:ident $template:literal, $name:literal, $description:literal, $tool:literal;)*) => {
        /// Every kind, in the order in which clients see them.
        pub const KINDS: &[Kind] = &[$(Kind {
            template: $template,
            name: $name,
            description: $description,
            tool: $tool,
            media_type: Some(JSON),
        },)* FILE];

        impl ResourceUri {
            /// What is known about all resources of this kind.
            #[must_use]
            pub const fn kind(&self) -> &'static Kind {
                match self {
                    $(Self::$variant { .. } => {
                        const KIND: &Kind = &Kind {
                            template: $template,
                            name: $name,
                            description: $description,
                            tool: $tool,
                            media_type: Some(JSON),
                        };
                        KIND
                    })*
                    Self::RunFile { .. } => &FILE,
                }
            }
        }
    };
}

kinds! {
    Agents "sequentum://agents", "Agent List", "The first page of all agents.", "list_agents";
    Spaces "sequentum://spaces", "Spaces", "All spaces that the caller can access.", "list_spaces";
    Balance "sequentum://billing/balance", "Credits Balance", "The credits at this moment.", "get_credits_balance";
    Spending "sequentum://billing/spending", "Monthly Spending", "The spending of this month.", "get_spending_summary";
    AgentsUsage "sequentum://billing/agents-usage", "Agent Costs (Current Month)", "The agents with their costs this month, most expensive first.", "get_agents_usage";
    RunsSummary "sequentum://analytics/runs", "Recent Runs Summary", "The runs of the last 24 hours, counted.", "get_runs_summary";
    UpcomingSchedules "sequentum://analytics/upcoming-schedules", "Upcoming Schedules", "What is scheduled for the next 7 days, over all agents.", "get_scheduled_runs";
    Agent "sequentum://agents/{agentId}", "Agent Detail", "One agent with its inputs.", "get_agent";
    AgentVersions "sequentum://agents/{agentId}/versions", "Agent Versions", "The saved versions of an agent.", "get_agent_versions";
    AgentSchedules "sequentum://agents/{agentId}/schedules", "Agent Schedules", "The schedules of an agent.", "list_agent_schedules";
    CostBreakdown "sequentum://agents/{agentId}/cost-breakdown", "Agent Cost Breakdown", "What an agent cost this month, by day and kind of usage.", "get_agent_cost_breakdown";
    Space "sequentum://spaces/{spaceId}", "Space Detail", "One space.", "get_space";
    SpaceAgents "sequentum://spaces/{spaceId}/agents", "Space Agents", "The agents of a space.", "get_space_agents";
    AgentRuns "sequentum://agents/{agentId}/runs", "Agent Runs", "The latest runs of an agent.", "get_agent_runs";
    Run "sequentum://agents/{agentId}/runs/{runId}", "Run Status", "One run as it is now. Can be subscribed to until it ends.", "get_run_status";
    RunFiles "sequentum://agents/{agentId}/runs/{runId}/files", "Run Files", "The files of a run.", "get_run_files";
    RunDiagnostics "sequentum://agents/{agentId}/runs/{runId}/diagnostics", "Run Diagnostics", "Why a run failed.", "get_run_diagnostics";
    LatestFailure "sequentum://agents/{agentId}/latest-failure", "Latest Failure", "Why the newest failed run of an agent failed.", "get_latest_failure";
}

/// The one kind whose content is not a tool's result but a file as it is.
const FILE: Kind = Kind {
    template: "sequentum://agents/{agentId}/runs/{runId}/files/{fileId}",
    name: "Run File",
    description: "The content of a file of a run: text up to the first 256 kB, anything else if it is no larger.",
    tool: "read_run_file",
    media_type: None,
};

impl ResourceUri {
    /// The call of [`Kind::tool`] whose result is the content.
    #[must_use]
    pub fn arguments(&self) -> Map<String, Value> {
        let arguments = match *self {
            Self::Agents => json!({"pageIndex": 1, "recordsPerPage": 50}),
            Self::AgentsUsage => json!({"recordsPerPage": 50, "sortColumn": "cost", "sortOrder": "desc"}),
            Self::Spaces | Self::Balance | Self::Spending | Self::RunsSummary | Self::UpcomingSchedules => {
                json!({})
            }
            Self::CostBreakdown { agent } => json!({"agentId": agent, "timeUnit": "day"}),
            Self::Agent { agent }
            | Self::AgentVersions { agent }
            | Self::AgentSchedules { agent }
            | Self::AgentRuns { agent }
            | Self::LatestFailure { agent } => json!({"agentId": agent}),
            Self::Space { space } | Self::SpaceAgents { space } => json!({"spaceId": space}),
            Self::Run { agent, run }
            | Self::RunFiles { agent, run }
            | Self::RunDiagnostics { agent, run } => {
                json!({"agentId": agent, "runId": run})
            }
            Self::RunFile { agent, run, file } => json!({"agentId": agent, "runId": run, "fileId": file}),
        };
        match arguments {
            Value::Object(arguments) => arguments,
            _ => Map::new(),
        }
    }
}
