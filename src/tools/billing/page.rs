//! What the pages of this group have in common.

use crate::{api::CostPage, tools::listed};

/// The platform's first page.
pub(super) const FIRST: u32 = 1;
/// Rows per page when none are asked for, as the platform has it.
pub(super) const SIZE: u32 = 50;

/// How to get the rest, when there is more.
pub(super) fn note(total: Option<i64>, index: u32, size: u32, returned: usize) -> Option<String> {
    listed::next_page(total.and_then(|total| u64::try_from(total).ok()), index, size, returned)
}

/// The same after a page of costs.
pub(super) fn rest(page: &CostPage, total: Option<i64>, returned: usize) -> Option<String> {
    note(total, page.index.unwrap_or(FIRST), page.size.unwrap_or(SIZE), returned)
}

/// The arguments of a tool that lists costs: its own ones, the column among them, and what both have in common.
macro_rules! cost_args {
    ($(#[$doc:meta])* $name:ident { $($(#[$own_doc:meta])* $own:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $($(#[$own_doc])* $own: $type,)*
            /// Date or date-time, UTC; default: first of this month.
            #[serde(default, deserialize_with = "crate::tools::arguments::blank_is_absent")]
            start_date: Option<crate::tools::arguments::DateArg>,
            /// Likewise; a day counts in full; default: now.
            #[serde(default, deserialize_with = "crate::tools::arguments::blank_is_absent")]
            end_date: Option<crate::tools::arguments::DateArg>,
            /// Page, from 1; default: 1.
            page_index: Option<crate::tools::arguments::Bounded<1, { i32::MAX as u32 }>>,
            /// Rows per page; default: 50.
            records_per_page: Option<crate::tools::arguments::Bounded<1, 1000>>,
            /// Default: asc.
            sort_order: Option<crate::tools::arguments::SortOrder>,
            /// Comma-separated: Server Time, Export GB, Agent Inputs, Proxy Data, Export CPM.
            #[serde(default, deserialize_with = "crate::tools::arguments::blank_is_absent")]
            usage_types: Option<crate::tools::arguments::Text<200>>,
        }

        impl $name {
            fn window(&self, now: jiff::Timestamp) -> Result<crate::api::Window, crate::tools::ToolError> {
                crate::tools::arguments::window_this_month(self.start_date, self.end_date, now)
            }

            fn page(&self) -> crate::api::CostPage {
                crate::api::CostPage {
                    index: self.page_index.map(crate::tools::arguments::Bounded::get),
                    size: self.records_per_page.map(crate::tools::arguments::Bounded::get),
                    sort_column: self.sort_column.map(crate::tools::arguments::Choice::word),
                    sort_order: self.sort_order.map(Into::into),
                    usage_types: self.usage_types.as_ref().map(|labels| labels.as_str().to_owned()),
                }
            }
        }
    };
}
pub(super) use cost_args;
