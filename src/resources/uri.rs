//! [`ResourceUri`]: the URIs of this server, parsed and printed.

use std::{fmt, str::FromStr};

use crate::api::ids::{AgentId, FileId, RunId, SpaceId};

/// The scheme, with the slashes.
const SCHEME: &str = "sequentum://";

/// A URI of this server. Parsing and printing are inverses: there is one spelling of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table in the parent module describes each")]
pub enum ResourceUri {
    Agents,
    Spaces,
    Balance,
    Spending,
    AgentsUsage,
    RunsSummary,
    UpcomingSchedules,
    Agent { agent: AgentId },
    AgentVersions { agent: AgentId },
    AgentSchedules { agent: AgentId },
    CostBreakdown { agent: AgentId },
    Space { space: SpaceId },
    SpaceAgents { space: SpaceId },
    AgentRuns { agent: AgentId },
    Run { agent: AgentId, run: RunId },
    RunFiles { agent: AgentId, run: RunId },
    RunDiagnostics { agent: AgentId, run: RunId },
    LatestFailure { agent: AgentId },
    RunFile { agent: AgentId, run: RunId, file: FileId },
}

/// The text is not a URI of this server: another scheme, an unknown path, an id with a leading zero or other characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a resource of this server")]
pub struct UnknownResource;

impl FromStr for ResourceUri {
    type Err = UnknownResource;

    fn from_str(text: &str) -> Result<Self, UnknownResource> {
        let path = text.strip_prefix(SCHEME).ok_or(UnknownResource)?;
        // More segments than any resource has: the last one then holds a slash and matches nothing.
        let mut segments = [""; 6];
        let mut count = 0;
        for (place, segment) in segments.iter_mut().zip(path.splitn(6, '/')) {
            *place = segment;
            count += 1;
        }
        let agent = |text| id(text).and_then(AgentId::new).ok_or(UnknownResource);
        let space = |text| id(text).and_then(SpaceId::new).ok_or(UnknownResource);
        let run = |text| id(text).and_then(RunId::new).ok_or(UnknownResource);
        let file = |text| id(text).and_then(FileId::new).ok_or(UnknownResource);
        Ok(match *segments.get(..count).unwrap_or_default() {
            ["agents"] => Self::Agents,
            ["spaces"] => Self::Spaces,
            ["billing", "balance"] => Self::Balance,
            ["billing", "spending"] => Self::Spending,
            ["billing", "agents-usage"] => Self::AgentsUsage,
            ["analytics", "runs"] => Self::RunsSummary,
            ["analytics", "upcoming-schedules"] => Self::UpcomingSchedules,
            ["agents", a] => Self::Agent { agent: agent(a)? },
            ["agents", a, "versions"] => Self::AgentVersions { agent: agent(a)? },
            ["agents", a, "schedules"] => Self::AgentSchedules { agent: agent(a)? },
            ["agents", a, "cost-breakdown"] => Self::CostBreakdown { agent: agent(a)? },
            ["agents", a, "latest-failure"] => Self::LatestFailure { agent: agent(a)? },
            ["agents", a, "runs"] => Self::AgentRuns { agent: agent(a)? },
            ["agents", a, "runs", r] => Self::Run { agent: agent(a)?, run: run(r)? },
            ["agents", a, "runs", r, "files"] => Self::RunFiles { agent: agent(a)?, run: run(r)? },
            ["agents", a, "runs", r, "diagnostics"] => {
                Self::RunDiagnostics { agent: agent(a)?, run: run(r)? }
            }
            ["agents", a, "runs", r, "files", f] => {
                Self::RunFile { agent: agent(a)?, run: run(r)?, file: file(f)? }
            }
            ["spaces", s] => Self::Space { space: space(s)? },
            ["spaces", s, "agents"] => Self::SpaceAgents { space: space(s)? },
            _ => return Err(UnknownResource),
        })
    }
}

/// A positive decimal number in its one spelling: no sign, no leading zero.
fn id(text: &str) -> Option<u64> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEME)?;
        match self {
            Self::Agents => f.write_str("agents"),
            Self::Spaces => f.write_str("spaces"),
            Self::Balance => f.write_str("billing/balance"),
            Self::Spending => f.write_str("billing/spending"),
            Self::AgentsUsage => f.write_str("billing/agents-usage"),
            Self::RunsSummary => f.write_str("analytics/runs"),
            Self::UpcomingSchedules => f.write_str("analytics/upcoming-schedules"),
            Self::Agent { agent } => write!(f, "agents/{agent}"),
            Self::AgentVersions { agent } => write!(f, "agents/{agent}/versions"),
            Self::AgentSchedules { agent } => write!(f, "agents/{agent}/schedules"),
            Self::CostBreakdown { agent } => write!(f, "agents/{agent}/cost-breakdown"),
            Self::LatestFailure { agent } => write!(f, "agents/{agent}/latest-failure"),
            Self::AgentRuns { agent } => write!(f, "agents/{agent}/runs"),
            Self::Run { agent, run } => write!(f, "agents/{agent}/runs/{run}"),
            Self::RunFiles { agent, run } => write!(f, "agents/{agent}/runs/{run}/files"),
            Self::RunDiagnostics { agent, run } => write!(f, "agents/{agent}/runs/{run}/diagnostics"),
            Self::RunFile { agent, run, file } => write!(f, "agents/{agent}/runs/{run}/files/{file}"),
            Self::Space { space } => write!(f, "spaces/{space}"),
            Self::SpaceAgents { space } => write!(f, "spaces/{space}/agents"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::ids::MAX_ID, resources::KINDS};
    use proptest::prelude::*;

    /// The URI of a kind with these numbers for its variables.
    fn expand(template: &str, numbers: [u64; 3]) -> String {
        let mut numbers = numbers.into_iter();
        let mut uri = String::new();
        for (index, part) in template.split(['{', '}']).enumerate() {
            if index % 2 == 0 {
                uri.push_str(part);
            } else {
                uri.push_str(&numbers.next().unwrap().to_string());
            }
        }
        uri
    }

    #[test]
    fn every_kind_is_parsed_into_itself() {
        for kind in KINDS {
            let uri = expand(kind.template, [7, 8, 9]);
            let parsed: ResourceUri = uri.parse().unwrap();
            assert_eq!(parsed.kind(), kind);
            assert_eq!(parsed.to_string(), uri);
            assert!(parsed.arguments().len() >= kind.variables().count(), "{uri}");
        }
    }

    #[test]
    fn there_is_one_spelling() {
        for text in [
            "",
            "sequentum://",
            "sequentum:/agents",
            "SEQUENTUM://agents",
            "sequentum://agents/",
            "sequentum://agents?x=1",
            "sequentum://agents#x",
            "sequentum:///agents",
            "sequentum://agents/0",
            "sequentum://agents/01",
            "sequentum://agents/+1",
            "sequentum://agents/-1",
            "sequentum://agents/1 ",
            "sequentum://agents/%31",
            "sequentum://agents/..",
            "sequentum://agents/1/../2",
            "sequentum://agents/1/runs/",
            "sequentum://agents/1/runs/2/files/3/4",
            "sequentum://agents/9007199254740992",
            "sequentum://agents/18446744073709551617",
            "sequentum://agents/{agentId}",
            "https://agents/1",
        ] {
            assert_eq!(text.parse::<ResourceUri>(), Err(UnknownResource), "{text}");
        }
    }

    proptest! {
        #[test]
        fn print_then_parse_gives_the_same(kind in 0..KINDS.len(), numbers in proptest::array::uniform3(1..=MAX_ID)) {
            let uri = expand(KINDS[kind].template, numbers);
            prop_assert_eq!(uri.parse::<ResourceUri>().unwrap().to_string(), uri);
        }

        #[test]
        fn parse_then_print_gives_the_same(text in "sequentum://[a-z0-9/{}%.-]{0,40}|\\PC{0,40}") {
            if let Ok(uri) = text.parse::<ResourceUri>() {
                prop_assert_eq!(uri.to_string(), text);
            }
        }
    }
}
