//! The scopes, and what they mean to the person who grants them.

/// A right to a part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    AgentsRead,
    AgentsWrite,
    RunsRead,
    SpacesRead,
    SpacesWrite,
    BillingRead,
    /// Not a right to anything, but the wish for a refresh token.
    OfflineAccess,
}

impl Scope {
    /// What a client gets that does not say what it wants.
    pub(crate) const API: [Self; 6] = [
        Self::AgentsRead,
        Self::AgentsWrite,
        Self::RunsRead,
        Self::SpacesRead,
        Self::SpacesWrite,
        Self::BillingRead,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AgentsRead => "agents:read",
            Self::AgentsWrite => "agents:write",
            Self::RunsRead => "runs:read",
            Self::SpacesRead => "spaces:read",
            Self::SpacesWrite => "spaces:write",
            Self::BillingRead => "billing:read",
            Self::OfflineAccess => "offline_access",
        }
    }

    /// For the consent page.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::AgentsRead => "See your agents, their settings and schedules",
            Self::AgentsWrite => "Start and stop runs, and change agents and schedules",
            Self::RunsRead => "See runs, their results and their log files",
            Self::SpacesRead => "See your spaces and what is in them",
            Self::SpacesWrite => "Run whole spaces and upload input files",
            Self::BillingRead => "See credits, spending and costs",
            Self::OfflineAccess => "Stay connected for up to 90 days without asking you again",
        }
    }

    /// The scopes of a space-separated list, each once; None when one of them is unknown. Case matters.
    pub(crate) fn parse(list: &str) -> Option<Vec<Self>> {
        let mut scopes = Vec::new();
        for name in list.split_ascii_whitespace() {
            let mut known = Self::API.into_iter().chain([Self::OfflineAccess]);
            let scope = known.find(|scope| scope.name() == name)?;
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Some(scopes)
    }

    pub(crate) fn list(scopes: &[Self]) -> String {
        scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
    }
}
