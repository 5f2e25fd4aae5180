//! From when until when.

use jiff::Timestamp;

use super::network::Call;

/// A window of time. An open end is left to the platform.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// Its first instant.
    pub start: Option<Timestamp>,
    /// Its last instant.
    pub end: Option<Timestamp>,
}

impl Call {
    /// Adds the window as the platform's two date parameters.
    pub(super) fn window(self, window: Window) -> Self {
        self.query("startDate", window.start).query("endDate", window.end)
    }
}
