//! What a tool asks the user before it starts, where the client can ask.

use std::{fmt, time::Duration};

use super::{ToolCx, ToolError, untrusted};
use crate::{
    api::{
        ApiError, Fault,
        ids::{AgentId, SpaceId},
    },
    auth::Scope,
    questions::Details,
};

/// How long the platform may take to tell a name for a question. A question without the name is better than none.
pub const NAME_PATIENCE: Duration = Duration::from_secs(5);
/// Characters of a name that are shown.
const SHOWN: usize = 100;

/// What a tool asks first. `A` is the type of its arguments.
#[derive(Debug, Clone, Copy)]
pub enum Asks<A> {
    /// Nothing.
    Nothing,
    /// Whether it may be done.
    Confirmation(fn(&A) -> Confirmation),
    /// What is missing from the arguments.
    Details(&'static Details),
}

/// The same without its words: what a catalogue row says about a tool.
#[derive(Debug, Clone, Copy)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// Whether it may be done.
    Confirmation,
    /// What is missing from the arguments.
    Details(&'static Details),
}

impl<A> Asks<A> {
    pub(super) const fn outline(&self) -> Asked {
        match self {
            Self::Nothing => Asked::Nothing,
            Self::Confirmation(_) => Asked::Confirmation,
            Self::Details(details) => Asked::Details(details),
        }
    }
}

impl Asked {
    /// Whether a call may ask something.
    #[must_use]
    pub const fn anything(self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

/// What the user is asked to agree to: what will happen, to what.
pub struct Confirmation {
    about: About,
    words: Box<dyn FnOnce(&str) -> String + Send>,
}

/// What it happens to. People know it by its name, so the name is looked up.
#[derive(Debug, Clone, Copy)]
pub enum About {
    /// An agent.
    Agent(AgentId),
    /// A space.
    Space(SpaceId),
}

impl Confirmation {
    /// `words` are given what it is about, such as: agent “Shoe catalogue” (7301).
    pub(super) fn new(about: About, words: impl FnOnce(&str) -> String + Send + 'static) -> Self {
        Self { about, words: Box::new(words) }
    }

    /// The question. The name comes from the platform and is data: one line, cut, in quotation marks. If the platform
    /// does not tell it in time, or the caller may not see it, the id has to do.
    ///
    /// # Errors
    ///
    /// When there is no such thing, or the platform refuses the credential: then there is nothing to ask about.
    pub async fn question(self, cx: &ToolCx) -> Result<String, ToolError> {
        let known = |scope| cx.caller.scopes().contains(crate::auth::ScopeSet::of(&[scope]));
        let (kind, id, name) = match self.about {
            About::Agent(id) if known(Scope::AgentsRead) => {
                ("agent", id.get(), cx.api().agent(id).await.map(|agent| agent.name))
            }
            About::Space(id) if known(Scope::SpacesRead) => {
                ("space", id.get(), cx.api().space(id).await.map(|space| space.name))
            }
            About::Agent(id) => ("agent", id.get(), Ok(None)),
            About::Space(id) => ("space", id.get(), Ok(None)),
        };
        let name = name.or_else(|error| if is_final(&error) { Err(error) } else { Ok(None) })?;
        let about = match name {
            Some(name) => format!("{kind} {} ({id})", untrusted::quoted(&name, SHOWN)),
            None => format!("{kind} {id}"),
        };
        Ok((self.words)(&about))
    }
}

/// Whether the call itself cannot but fail for the same reason.
fn is_final(error: &ApiError) -> bool {
    matches!(error.fault(), Fault::NotFound | Fault::Unauthorized | Fault::NoCredential)
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation").field("about", &self.about).finish_non_exhaustive()
    }
}
