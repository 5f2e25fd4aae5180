//! Which tools are offered: the operator's upper bound, which a user can narrow and never widen.

use super::{Row, Toolset};

/// A choice of toolsets, and whether only what reads is offered. [`Toolset::Account`] is always in it: who is signed in
/// is never a secret to oneself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    toolsets: u16,
    read_only: bool,
}

/// What something leads to: the toolsets of its tools, and whether one of them writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    toolsets: u16,
    writes: bool,
}

impl Reach {
    /// What calling this tool reaches.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        Self { toolsets: row.toolset.bit(), writes: row.effect.writes() }
    }

    /// What either reaches.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { toolsets: self.toolsets | other.toolsets, writes: self.writes || other.writes }
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self::ALL
    }
}

impl Selection {
    /// Everything.
    pub const ALL: Self = Self { toolsets: u16::MAX, read_only: false };

    /// These toolsets.
    #[must_use]
    pub fn of(toolsets: &[Toolset]) -> Self {
        let bits = toolsets.iter().fold(Toolset::Account.bit(), |bits, toolset| bits | toolset.bit());
        Self { toolsets: bits, read_only: false }
    }

    /// Of this selection, only what reads.
    #[must_use]
    pub const fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// What is in both selections.
    #[must_use]
    pub const fn narrowed(self, other: Self) -> Self {
        Self { toolsets: self.toolsets & other.toolsets, read_only: self.read_only || other.read_only }
    }

    /// Whether all of it is offered.
    #[must_use]
    pub const fn admits(self, reach: Reach) -> bool {
        self.toolsets & reach.toolsets == reach.toolsets && !(self.read_only && reach.writes)
    }
}

impl Toolset {
    /// Every toolset, in the order of the reference page.
    pub const ALL: [Self; 10] = [
        Self::Account,
        Self::Agents,
        Self::Runs,
        Self::Files,
        Self::Versions,
        Self::Schedules,
        Self::Billing,
        Self::Spaces,
        Self::Analytics,
        Self::Builder,
    ];

    /// The name in settings, headers and queries.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Agents => "agents",
            Self::Runs => "runs",
            Self::Files => "files",
            Self::Versions => "versions",
            Self::Schedules => "schedules",
            Self::Billing => "billing",
            Self::Spaces => "spaces",
            Self::Analytics => "analytics",
            Self::Builder => "builder",
        }
    }

    /// The toolsets in a comma-separated list; `None` if one of them is unknown, or there is none.
    #[must_use]
    pub fn parse_list(text: &str) -> Option<Vec<Self>> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let find =
            |name: &str| Self::ALL.into_iter().find(|toolset| toolset.key().eq_ignore_ascii_case(name));
        let toolsets: Vec<_> = names.map(find).collect::<Option<_>>()?;
        (!toolsets.is_empty()).then_some(toolsets)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::Catalog;

    fn offered(selection: Selection) -> usize {
        Catalog::new().rows().iter().filter(|row| selection.admits(Reach::of(row))).count()
    }

    #[test]
    fn a_selection_can_only_be_narrowed() {
        let all = Catalog::new().rows().len();
        assert_eq!(offered(Selection::ALL), all);
        let runs = Selection::of(&[Toolset::Runs]);
        assert_eq!(offered(runs.narrowed(Selection::ALL)), offered(runs));
        assert_eq!(offered(Selection::ALL.narrowed(runs)), offered(runs));
        // Two selections without anything in common leave whoami.
        assert_eq!(offered(runs.narrowed(Selection::of(&[Toolset::Billing]))), 1);
        let reading = Selection::ALL.read_only();
        assert!(offered(reading) < all && offered(reading) == offered(reading.narrowed(Selection::ALL)));
        assert!(
            Catalog::new().rows().iter().all(|row| !reading.admits(Reach::of(row)) || !row.effect.writes())
        );
    }

    #[test]
    fn names_are_read_in_any_case_and_unknown_ones_refused() {
        assert_eq!(Toolset::parse_list(" Runs,billing ,"), Some(vec![Toolset::Runs, Toolset::Billing]));
        for bad in ["", " , ", "runs,everything", "runs;billing"] {
            assert_eq!(Toolset::parse_list(bad), None, "{bad}");
        }
        assert!(Toolset::ALL.iter().enumerate().all(|(index, toolset)| *toolset as usize == index));
    }
}
