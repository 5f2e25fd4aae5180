//! Work that outlasts a call: what a tool says so that a client can follow it as a task (SEP-2663).
//!
//! Nothing is kept about a task. What has to be known to follow it travels, sealed, with the client; how far it is, the
//! platform says at each look. So a task survives a restart, and any replica can answer for it.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use super::{Tool, ToolCx, ToolError};
use crate::auth::Scope;

/// A tool whose calls can take long. In the catalogue its line says `long` instead of `row`.
///
/// A task ends when the call itself would have ended, with the result that the call would have had. Clients that know no
/// tasks get [`Tool::call`].
pub trait LongTool: Tool {
    /// The scopes of the operations that following and stopping may call, beside those of the tool itself. Who lacks one
    /// gets no task.
    const FOLLOW: &'static [Scope];
    /// How long a client should wait between two looks.
    const PAUSE: Duration;

    /// What has to be known to follow the work: ids of the platform, never a secret. Small, as it travels with every
    /// request about the task.
    type Work: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Begins. Whatever is started is started here, once.
    ///
    /// # Errors
    ///
    /// As those of the call.
    fn begin(
        cx: &ToolCx,
        args: Self::Args,
    ) -> impl Future<Output = Result<Begun<Self::Work, Self::Output>, ToolError>> + Send;

    /// How far the work is.
    ///
    /// # Errors
    ///
    /// An error that may pass is one of this look; any other is how the call would have ended, and the task ends with it.
    fn look(
        cx: &ToolCx,
        work: Self::Work,
    ) -> impl Future<Output = Result<Stage<Self::Output>, ToolError>> + Send;

    /// Stops the work, because the client cancels the task. Work that has ended stays as it is.
    ///
    /// # Errors
    ///
    /// When it cannot be stopped.
    fn stop(cx: &ToolCx, work: Self::Work) -> impl Future<Output = Result<(), ToolError>> + Send;
}

/// What came of beginning.
#[derive(Debug)]
pub enum Begun<W, O> {
    /// There is nothing to wait for.
    Done(O),
    /// The work goes on.
    On {
        /// What has to be known to follow it.
        work: W,
        /// The longest that it is followed.
        within: Duration,
        /// Where it is, in one sentence.
        state: String,
    },
}

/// How far the work is.
#[derive(Debug)]
pub enum Stage<O> {
    /// It goes on; where it is, in one sentence.
    On(String),
    /// It has ended, with this result.
    Done(O),
    /// It was stopped before its end; who or what was stopped, in one sentence.
    Stopped(&'static str),
}

/// Until when work is followed: a point in time, in Unix seconds, that goes into [`LongTool::Work`].
pub(super) fn until(cx: &ToolCx, within: Duration) -> i64 {
    cx.clock.unix_seconds().saturating_add(i64::try_from(within.as_secs()).unwrap_or(i64::MAX))
}

/// Whether that time has come.
pub(super) fn is_over(cx: &ToolCx, until: i64) -> bool {
    cx.clock.unix_seconds() >= until
}
