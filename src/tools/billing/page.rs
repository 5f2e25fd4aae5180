//! What the pages of this group have in common.

use crate::{api::SortOrder, tools::arguments::Bounded};

/// The platform's first page.
pub(super) const FIRST: u32 = 1;
/// Rows per page when none are asked for, as the platform has it.
pub(super) const SIZE: u32 = 50;

/// How to get the rest, when there is more.
pub(super) fn note(total: Option<i64>, index: u32, size: u32, returned: usize) -> Option<String> {
    let shown = u64::from(index.saturating_sub(1)) * u64::from(size) + returned as u64;
    let total = total.and_then(|total| u64::try_from(total).ok());
    let total = total.filter(|total| *total > shown && returned > 0)?;
    let next = index.saturating_add(1);
    Some(format!("{shown} of {total} shown so far. Call again with pageIndex {next} for more."))
}

/// The platform's two numbers for the direction of a sorted list.
pub(super) fn sort_order(code: Bounded<0, 1>) -> SortOrder {
    if code.get() == 0 { SortOrder::Ascending } else { SortOrder::Descending }
}
