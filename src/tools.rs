//! What a model can do: one file per tool, one list of all of them.
//!
//! A tool is data (name, words, effect, scopes) and a function from typed arguments to a typed result. It knows the
//! platform's API and who is calling; it knows neither HTTP nor the protocol. To add one, write its file, add its
//! line to [`catalog`] and its example to [`examples`].

pub mod arguments;
pub mod asking;
pub mod catalog;
pub mod error;
pub mod examples;
pub mod links;
pub mod long;
pub mod progress;
pub mod reply;
pub(crate) mod schema;
pub mod selection;

mod account;
mod agents;
mod analytics;
mod billing;
mod builder;
mod files;
mod listed;
pub(crate) mod lost_writes;
mod runs;
mod schedules;
mod spaces;
pub(crate) mod untrusted;
mod versions;

use std::{sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::{
    asking::{Asked, Asks},
    catalog::{Catalog, Long, Phase, Prepared, Row, Started},
    error::ToolError,
    files::{FileBody, FileContents, file_contents},
    links::{Link, Links},
    long::{Begun, LongTool, Stage},
    progress::{Progress, ProgressSink},
    reply::Reply,
    selection::{Reach, Selection},
};
use crate::{
    api::{Api, Session},
    auth::{Caller, Scope},
    clock::Clock,
    traces::Span,
};

/// One tool. Everything that a client or an operator wants to know about it is a required item, so nothing can be
/// forgotten.
pub trait Tool: Send + Sync + 'static {
    /// The name on the wire: lower case and underscores.
    const NAME: &'static str;
    /// A short title for people.
    const TITLE: &'static str;
    /// What it does, for the model that chooses.
    const DESCRIPTION: &'static str;
    /// Where it belongs.
    const TOOLSET: Toolset;
    /// What it does to the world. Hints, repetition and confirmation follow from it.
    const EFFECT: Effect;
    /// The scopes of every platform operation it may call.
    const SCOPES: &'static [Scope];

    /// Its arguments; the schema is derived from the type that parses them.
    type Args: DeserializeOwned + JsonSchema + Send + 'static;
    /// Its result: always an object, because clients of older revisions drop the whole list otherwise.
    type Output: Serialize + JsonSchema + Send;

    /// What the user is asked first, where the client can ask.
    const ASKS: Asks<Self::Args> = Asks::Nothing;

    /// How long this call may take, where the usual deadline does not fit.
    fn patience(_args: &Self::Args) -> Option<Duration> {
        None
    }

    /// Does the work.
    fn call(cx: &ToolCx, args: Self::Args) -> impl Future<Output = Result<Self::Output, ToolError>> + Send;
}

/// What a tool does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Looks.
    Read,
    /// Puts something into a named state; doing it twice changes nothing more.
    Set,
    /// Starts work on the open web, which costs credits; doing it twice does it twice.
    Launch,
    /// Puts something new beside what is there; doing it twice makes two.
    Create,
    /// Takes something away for good.
    Destroy {
        /// Whether doing it twice changes nothing more.
        repeatable: bool,
    },
}

impl Effect {
    /// The four hints of the protocol (2025-03-26, `ToolAnnotations`): read-only, destructive, idempotent, open-world.
    #[must_use]
    pub const fn hints(self) -> [bool; 4] {
        let destructive = matches!(self, Self::Destroy { .. });
        [!self.writes(), destructive, self.may_be_repeated(), matches!(self, Self::Launch)]
    }

    /// Whether doing it twice changes nothing more.
    #[must_use]
    pub const fn may_be_repeated(self) -> bool {
        match self {
            Self::Read | Self::Set => true,
            Self::Launch | Self::Create => false,
            Self::Destroy { repeatable } => repeatable,
        }
    }

    /// Whether the tool changes something, in which case it is never torn in the middle.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Read)
    }
}

/// A group of tools, as the reference page shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolset {
    /// Who is signed in.
    Account,
    /// Agents.
    Agents,
    /// Runs.
    Runs,
    /// Files of runs.
    Files,
    /// Saved versions of agents.
    Versions,
    /// Schedules.
    Schedules,
    /// Credits and costs.
    Billing,
    /// Spaces.
    Spaces,
    /// Outcomes of runs.
    Analytics,
    /// Building agents from a prompt.
    Builder,
}

impl Toolset {
    /// The heading of the group.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::Agents => "Agent Management",
            Self::Runs => "Run Management",
            Self::Files => "File Management",
            Self::Versions => "Version Management",
            Self::Billing => "Billing & Credits",
            Self::Spaces => "Space Management",
            Self::Analytics => "Analytics & Diagnostics",
            Self::Schedules => "Schedule Management",
            Self::Builder => "Agent Builder",
        }
    }
}

/// What a tool call may use.
#[derive(Debug, Clone)]
pub struct ToolCx {
    /// The platform.
    pub api: Arc<Api>,
    /// Who is calling.
    pub caller: Arc<Caller>,
    /// When the call must be over.
    pub deadline: Instant,
    /// The time.
    pub clock: Clock,
    /// Notices to the client while the work goes on.
    pub progress: Progress,
    /// Where more is to be had.
    pub links: Links,
    /// What the call was asked within.
    pub span: Span,
    /// Fires when the client takes the call back. What only reads need not look: it is dropped.
    pub cancelled: CancellationToken,
}

impl ToolCx {
    /// The platform as the caller sees it.
    #[must_use]
    pub fn api(&self) -> Session<'_> {
        self.api.session(self.caller.credential(), self.deadline).within(&self.span)
    }
}
