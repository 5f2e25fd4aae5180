//! The platform's OAuth scopes and sets of them.
//!
//! There is no hierarchy: `agents:write` does not include `agents:read`, and names are matched exactly. What each tool
//! needs stands next to the tool (`Tool::SCOPES`); the catalogue collects it into the one table that is checked before
//! dispatch.

use std::fmt;

/// One right that a user can grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Scope {
    /// See agents, their versions, schedules and build sessions.
    AgentsRead,
    /// Start, stop and change agents and schedules.
    AgentsWrite,
    /// See runs, their files, diagnostics and the analytics.
    RunsRead,
    /// See spaces and the agents in them.
    SpacesRead,
    /// Run all agents of a space.
    SpacesWrite,
    /// See credits, spending and costs.
    BillingRead,
}

impl Scope {
    /// All scopes, in the order in which they are published.
    pub const ALL: [Self; 6] = [
        Self::AgentsRead,
        Self::AgentsWrite,
        Self::RunsRead,
        Self::SpacesRead,
        Self::SpacesWrite,
        Self::BillingRead,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentsRead => "agents:read",
            Self::AgentsWrite => "agents:write",
            Self::RunsRead => "runs:read",
            Self::SpacesRead => "spaces:read",
            Self::SpacesWrite => "spaces:write",
            Self::BillingRead => "billing:read",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of scopes. Prints as the space-separated list that OAuth wants (RFC 6749 section 3.3).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ScopeSet(u8);

impl ScopeSet {
    /// No scope at all.
    pub const EMPTY: Self = Self(0);

    /// What the first 401 asks for: reading everything and running agents. `spaces:write`, which starts a whole space
    /// at once, is left to a step-up challenge, so that a user grants it knowingly.
    pub const COMMON: Self = Self::of(&[
        Scope::AgentsRead,
        Scope::AgentsWrite,
        Scope::RunsRead,
        Scope::SpacesRead,
        Scope::BillingRead,
    ]);

    /// What the first 401 does not ask for.
    pub const STEP_UP: Self = Self::ALL.missing_from(Self::COMMON);

    /// Every scope.
    pub const ALL: Self = Self::of(&Scope::ALL);

    /// The set of the given scopes.
    #[must_use]
    pub const fn of(scopes: &[Scope]) -> Self {
        let mut bits = 0;
        let mut rest = scopes;
        while let [scope, tail @ ..] = rest {
            bits |= scope.bit();
            rest = tail;
        }
        Self(bits)
    }

    /// Reads names; unknown ones (`openid`, `offline_access`, later additions) are left out.
    #[must_use]
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().filter_map(Scope::parse).fold(0, |bits, scope| bits | scope.bit()))
    }

    /// Whether every scope of `needed` is in this set.
    #[must_use]
    pub const fn contains(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// The scopes of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The scopes of this set that `held` lacks.
    #[must_use]
    pub const fn missing_from(self, held: Self) -> Self {
        Self(self.0 & !held.0)
    }

    /// The scopes, in publishing order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_parse_print_and_compare() {
        let held = ScopeSet::parse("runs:read agents:read openid Agents:Write".split(' '));
        assert_eq!(held.to_string(), "agents:read runs:read");
        let needed = ScopeSet::of(&[Scope::AgentsRead, Scope::AgentsWrite]);
        assert!(!held.contains(needed));
        assert_eq!(needed.missing_from(held).to_string(), "agents:write");
        assert!(held.union(needed).contains(needed));
        assert_eq!(ScopeSet::EMPTY.to_string(), "");
        assert!(ScopeSet::EMPTY.contains(ScopeSet::EMPTY));
    }
}
