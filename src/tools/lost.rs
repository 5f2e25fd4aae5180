//! Writes whose answer was lost: they may have done their work, so nobody is told to repeat them blindly.

use super::ToolError;
use crate::api::{ApiError, Fault};

/// Whether the work may have been done although no usable answer came.
pub fn is_lost(error: &ApiError) -> bool {
    matches!(
        error.fault(),
        Fault::Timeout | Fault::Unreachable | Fault::Server(_) | Fault::Malformed | Fault::Status(408)
    )
}

/// The failure of a write that must not be done twice; `look` says where to see whether it was done.
pub fn once(error: ApiError, look: &str) -> ToolError {
    let lost = is_lost(&error);
    let mut error = ToolError::from(error);
    if lost {
        error.never_repeat(look);
    }
    error
}
