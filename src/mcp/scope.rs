//! [`CallScope`]: what is known about a request beside its message, and what is to be heard back.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use rmcp::{ErrorData, RoleServer, service::RequestContext};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::audit::{ABANDONED, Audited};
use crate::{
    auth::Caller,
    subscriptions::Follower,
    tools::{Selection, error::CredentialProblem},
    traces::Span,
};

/// One request: who sent it, under which id. Put into the request's extensions by the edge, or by [`super::stdio`].
#[derive(Debug)]
pub struct CallScope {
    /// Who is calling.
    pub caller: Arc<Caller>,
    /// The id in the `X-Request-Id` header, the log and every error.
    pub request_id: String,
    /// Whether the client can read an event stream; if not, progress is left out.
    pub streams: bool,
    /// Whether the client's revision knows links to resources in results (2025-06-18 and later).
    pub links: bool,
    /// What is offered on this request.
    pub selection: Selection,
    /// Set when the platform refused the credential: the edge then answers with a challenge.
    credential_problem: OnceLock<CredentialProblem>,
    /// How the tool call ended: `ok` or an error code. For the access log.
    outcome: OnceLock<&'static str>,
    /// Notified when the client has stopped listening to the answer.
    hang_up: Notify,
    /// What counts the request as a running call, where that is counted.
    counted: Option<Box<dyn Counted>>,
    /// What the request is within, for whoever wants to know later what it was spent on.
    pub(super) span: Span,
    /// What to cancel when the request is taken back.
    cancellation: Mutex<Cancellation>,
    /// Written when the request is over, whichever way it ends.
    audited: Option<Audited>,
    /// Subscriptions that were opened before the request was handed on, with their URIs.
    held: Mutex<Vec<(String, Follower)>>,
}

/// Counts a request as a running call, or as one that waits for its user and takes nothing from others.
pub trait Counted: fmt::Debug + Send + Sync {
    /// From now on it waits. `false` if too much of its caller's waits already; then it is still running.
    fn pause(&self) -> bool;
    /// It runs again. What has waited for its user's yes is not turned away, whatever the limit of running calls.
    fn resume(&self);
}

/// A request that waits for its user; it runs again when this is dropped.
pub(super) struct Paused<'a>(Option<&'a dyn Counted>);

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        if let Some(counted) = self.0 {
            counted.resume();
        }
    }
}

#[derive(Debug, Default)]
struct Cancellation {
    requested: bool,
    tokens: Vec<CancellationToken>,
}

impl CallScope {
    /// The scope of a new request.
    #[must_use]
    pub fn new(
        caller: Arc<Caller>,
        request_id: String,
        streams: bool,
        links: bool,
        selection: Selection,
    ) -> Self {
        Self {
            caller,
            request_id,
            streams,
            links,
            selection,
            credential_problem: OnceLock::new(),
            outcome: OnceLock::new(),
            audited: None,
            hang_up: Notify::new(),
            counted: None,
            span: Span::OFF,
            cancellation: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// With a record for the audit trail, if there is to be one.
    #[must_use]
    pub fn audited(mut self, audited: Option<Audited>) -> Self {
        self.audited = audited;
        self
    }

    /// With what counts the request as a running call, if its user may be asked meanwhile.
    #[must_use]
    pub fn counted(mut self, by: Option<impl Counted + 'static>) -> Self {
        self.counted = by.map(|by| Box::new(by) as _);
        self
    }

    /// The client has stopped listening to the answer, which ends a question to its user. In the 2025 revisions it ends
    /// nothing else.
    pub fn hang_up(&self) {
        self.hang_up.notify_one();
    }

    /// Completes when the client has stopped listening.
    pub(super) async fn hung_up(&self) {
        self.hang_up.notified().await;
    }

    /// Counts the request as one that waits, until what is returned is dropped; `None` if too much waits already.
    pub(super) fn pause(&self) -> Option<Paused<'_>> {
        let counted = self.counted.as_deref();
        counted.is_none_or(Counted::pause).then_some(Paused(counted))
    }

    /// Within a span, which ends with the request.
    #[must_use]
    pub fn traced(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// Takes the request back: what only reads is dropped, a write runs on.
    pub fn cancel(&self) {
        let mut cancellation = self.cancellation.lock().unwrap_or_else(PoisonError::into_inner);
        cancellation.requested = true;
        cancellation.tokens.drain(..).for_each(|token| token.cancel());
    }

    /// Lets [`CallScope::cancel`] cancel this token as well.
    pub(super) fn cancels(&self, token: &CancellationToken) {
        let mut cancellation = self.cancellation.lock().unwrap_or_else(PoisonError::into_inner);
        if cancellation.requested {
            token.cancel();
        } else {
            cancellation.tokens.push(token.clone());
        }
    }

    /// The scope of a new request of the user who started this process.
    pub(super) fn local(caller: Arc<Caller>, links: bool, selection: Selection) -> Self {
        let request_id = uuid::Uuid::now_v7().to_string();
        Self::new(caller, request_id, true, links, selection)
    }

    /// The request was refused before it was handed on.
    pub fn refused(&self, outcome: &'static str) {
        self.report(outcome, None);
    }

    /// Whether the platform refused the credential.
    #[must_use]
    pub fn credential_problem(&self) -> Option<CredentialProblem> {
        self.credential_problem.get().copied()
    }

    /// How the tool call ended.
    #[must_use]
    pub fn outcome(&self) -> Option<&'static str> {
        self.outcome.get().copied()
    }

    pub(super) fn hold(&self, followers: Vec<(String, Follower)>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = followers;
    }

    pub(super) fn take_held(&self) -> Vec<(String, Follower)> {
        std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn report(&self, outcome: &'static str, problem: Option<CredentialProblem>) {
        // Only the first report counts; there is one call per request.
        let _ = self.outcome.set(outcome);
        if let Some(problem) = problem {
            let _ = self.credential_problem.set(problem);
        }
    }

    /// The scope of this request. A request without one came neither through the edge nor from standard input and gets
    /// nothing.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Result<Arc<Self>, ErrorData> {
        let over_http = || {
            let parts = context.extensions.get::<http::request::Parts>();
            parts.and_then(|parts| parts.extensions.get::<Arc<Self>>())
        };
        let scope = context.extensions.get::<Arc<Self>>().or_else(over_http).cloned();
        let scope =
            scope.ok_or_else(|| ErrorData::internal_error("the request carries no identity", None))?;
        scope.cancels(&context.ct);
        Ok(scope)
    }
}

impl Drop for CallScope {
    fn drop(&mut self) {
        let outcome = self.outcome().or(self.audited.as_ref().map(|_| ABANDONED));
        if let Some(failure) = outcome.filter(|outcome| *outcome != "ok") {
            self.span.failed(failure);
        }
        if let Some(audited) = &self.audited {
            audited.write(&self.caller, &self.request_id, self.outcome());
        }
    }
}
