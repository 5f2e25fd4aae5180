//! Writes whose answer was lost: they may have done their work, so nobody is told to repeat them blindly.

use super::ToolError;
use crate::api::ApiError;

/// The failure of a write that must not be done twice; `look` says where to see whether it was done.
pub fn once(error: ApiError, look: &str) -> ToolError {
    let lost = error.fault().is_lost();
    let mut error = ToolError::from(error);
    if lost {
        error.never_repeat(look);
    }
    error
}
