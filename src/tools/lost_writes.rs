//! Writes whose answer was lost: they may have done their work, so nobody is told to repeat them blindly.

use super::{Effect, ToolError};
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

/// The failure of a call that was cut short by something that knows nothing of its tool.
#[must_use]
pub fn cut_short(mut error: ToolError, effect: Effect) -> ToolError {
    if !effect.may_be_repeated() {
        error.never_repeat("It is not known whether this was done. Look before calling again.");
    }
    error
}
