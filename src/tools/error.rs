//! What a failed call says to the model and its user.
//!
//! A stable code to branch on, one sentence of cause, one of remedy, and whether repeating helps. The technical cause
//! goes to the log once, where the error is turned into an answer; it is never part of the words here.

use std::{error::Error, time::Duration};

use serde::Serialize;

use crate::{
    api::{ApiError, Fault, error::chain},
    auth::{Local, ScopeSet},
};

/// A failed tool call, in words for the outside.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolError {
    code: &'static str,
    message: String,
    remedy: String,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    #[serde(skip)]
    credential: Option<CredentialProblem>,
    #[serde(skip)]
    cause: Option<String>,
}

/// A failure that the edge answers with a challenge, so that the client refreshes its token or asks for more scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialProblem {
    /// The platform no longer accepts the token.
    Dead,
    /// The platform wants this scope as well.
    Scope(ScopeSet),
}

impl ToolError {
    /// A failure in words of its own.
    pub(crate) fn new(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            remedy: remedy.into(),
            retryable: false,
            retry_after_seconds: None,
            credential: None,
            cause: None,
        }
    }

    /// The same call may succeed later, perhaps `after` a while.
    pub(crate) fn retryable(mut self, after: Option<Duration>) -> Self {
        self.retryable = true;
        self.retry_after_seconds = after.map(|wait| wait.as_secs().max(1));
        self
    }

    /// An argument is wrong. `message` names it and what is allowed, and never repeats its value.
    #[must_use]
    pub fn arguments(message: impl Into<String>) -> Self {
        Self::new("invalid_arguments", message, "Correct the arguments and call the tool again.")
    }

    /// The deadline of the call has passed.
    #[must_use]
    pub fn timeout(after: Duration) -> Self {
        let message = format!("The call took longer than {} seconds.", after.as_secs());
        Self::new("timeout", message, "Try again; narrow the request if it happens again.").retryable(None)
    }

    /// A synchronous start brought no data in time, but the run it started was found.
    #[must_use]
    pub fn still_running(message: String, remedy: String) -> Self {
        Self::new("still_running", message, remedy)
    }

    /// The work has begun, and no handle could be made for it.
    #[must_use]
    pub fn untraceable() -> Self {
        let mut error = Self::panicked();
        error.never_repeat("The work has begun: do not call again. Look with get_agent_runs or list_agents.");
        error
    }

    /// The run that a call started ended without data.
    #[must_use]
    pub fn run_failed(message: String, remedy: String) -> Self {
        Self::new("run_failed", message, remedy)
    }

    /// The client went away; nobody reads this but the log.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(
            "cancelled",
            "The call was cancelled.",
            "Call the tool again if the result is still wanted.",
        )
    }

    /// The user was asked and said no. `confirmation` tells what was asked: whether it may be done, or what is missing.
    #[must_use]
    pub fn declined(confirmation: bool) -> Self {
        let message = "The user was asked and declined. Nothing was done.";
        Self::new(
            not_confirmed(confirmation),
            message,
            "Do not call the tool again unless the user asks for it.",
        )
    }

    /// The user was asked and did not answer: the question was closed, or nobody was there.
    #[must_use]
    pub fn unanswered(confirmation: bool) -> Self {
        let message = "The user was asked and gave no answer. Nothing was done.";
        Self::new(
            not_confirmed(confirmation),
            message,
            "Ask the user in words before you call the tool again.",
        )
    }

    /// There is no room at the moment for what the call needs.
    #[must_use]
    pub fn busy(message: &'static str, remedy: &'static str) -> Self {
        Self::new("busy", message, remedy).retryable(None)
    }

    /// A fault of this server. The details are in the log.
    #[must_use]
    pub fn internal(cause: &(dyn Error + '_)) -> Self {
        let mut error = Self::panicked();
        error.cause = Some(chain(cause));
        error
    }

    /// The tool itself broke down.
    #[must_use]
    pub fn panicked() -> Self {
        let remedy = "Try again; if it happens again, report it with the request id.";
        Self::new("internal_error", "The server failed to handle this call.", remedy)
    }

    /// With its technical cause, for the log.
    pub(crate) fn caused_by(mut self, cause: String) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Turns "try again" into `remedy`, for calls that may have done their work.
    pub fn never_repeat(&mut self, remedy: impl Into<String>) {
        self.retryable = false;
        self.retry_after_seconds = None;
        self.remedy = remedy.into();
    }

    /// With another remedy.
    pub(crate) fn advise(&mut self, remedy: impl Into<String>) {
        self.remedy = remedy.into();
    }

    /// The same for the user who started this process, who has no connection to renew in a client.
    #[must_use]
    pub fn for_local_user(mut self, holds: Local) -> Self {
        match (holds, self.code) {
            (Local::SignIn, "authentication_failed") => {
                "The sign-in has ended.".clone_into(&mut self.message);
                "Run `sequentum-mcp login` in a terminal, then call the tool again."
                    .clone_into(&mut self.remedy);
            }
            (Local::SignIn, "insufficient_scope") => {
                "Run `sequentum-mcp login` in a terminal and approve the requested access, or ask an administrator of the organisation for it.".clone_into(&mut self.remedy);
            }
            (Local::SignIn, "no_access") => {
                "Check agentId and runId with get_agent_runs; if other tools fail too, run `sequentum-mcp login` in a terminal.".clone_into(&mut self.remedy);
            }
            (Local::Key, "authentication_failed") => {
                "The platform does not accept the API key.".clone_into(&mut self.message);
                "Ask an administrator of the organisation for a new key (Users page of the platform), put it into SEQUENTUM_API_KEY and start the server again.".clone_into(&mut self.remedy);
            }
            (Local::Key, "no_access") => {
                "Check agentId and runId with get_agent_runs; if other tools fail too, the key in SEQUENTUM_API_KEY is no longer valid.".clone_into(&mut self.remedy);
            }
            (Local::Key, "insufficient_scope") => {
                "The API key lacks a right that the platform wants for this.".clone_into(&mut self.message);
                "Ask an administrator of the organisation for access.".clone_into(&mut self.remedy);
            }
            _ => {}
        }
        self
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Whether the same may succeed a little later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.retryable
    }

    /// Whether the edge should answer with a challenge.
    #[must_use]
    pub fn credential_problem(&self) -> Option<CredentialProblem> {
        self.credential
    }

    /// The technical cause, for the log only.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The answer as JSON text.
    #[must_use]
    pub fn to_json(&self, request_id: Option<&str>) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            #[serde(flatten)]
            error: &'a ToolError,
            #[serde(skip_serializing_if = "Option::is_none")]
            request_id: Option<&'a str>,
        }
        #[derive(Serialize)]
        struct Envelope<'a> {
            error: Body<'a>,
        }
        serde_json::to_string(&Envelope { error: Body { error: self, request_id } })
            .unwrap_or_else(|_| r#"{"error":{"code":"internal_error"}}"#.to_owned())
    }
}

fn not_confirmed(confirmation: bool) -> &'static str {
    if confirmation { "not_confirmed" } else { "not_answered" }
}

impl From<ApiError> for ToolError {
    fn from(api: ApiError) -> Self {
        let said = |fallback: &str| {
            let text = api.message().unwrap_or(fallback);
            if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
        };
        let mut error = match api.fault() {
            Fault::NoCredential => Self::new(
                "authentication_required",
                "There is no credential for the platform.",
                "Sign in, then call the tool again.",
            ),
            Fault::Unauthorized => Self {
                credential: Some(CredentialProblem::Dead),
                ..Self::new(
                    "authentication_failed",
                    "The platform no longer accepts this sign-in.",
                    "Reconnect the server in your client to sign in again.",
                )
            },
            Fault::NoAccess => Self::new(
                "no_access",
                "The platform did not allow this for the given run.",
                "Check agentId and runId with get_agent_runs; if other tools fail too, sign in again.",
            ),
            Fault::InsufficientScope(scope) => {
                let needed = ScopeSet::parse(scope.iter().flat_map(|names| names.split(' ')));
                Self {
                    credential: Some(CredentialProblem::Scope(needed)),
                    ..Self::new(
                        "insufficient_scope",
                        "The sign-in lacks a right that the platform wants for this.",
                        "Reconnect the server in your client and approve the requested access.",
                    )
                }
            }
            Fault::Forbidden => Self::new(
                "forbidden",
                "The platform does not allow this to the signed-in user.",
                "Ask an administrator of the organisation for access.",
            ),
            Fault::NotFound => Self::new(
                "not_found",
                said("The platform knows no such object."),
                "Check the ids: list_agents, list_spaces and get_agent_runs show valid ones.",
            ),
            Fault::Conflict => Self::new(
                "conflict",
                said("The platform refused this in the present state."),
                "Look at the present state (get_agent_runs), then decide whether to call again.",
            ),
            Fault::Rejected => Self::new(
                "rejected",
                said("The platform refused the input."),
                "Correct the input and call the tool again.",
            ),
            Fault::RateLimited => Self::new(
                "rate_limited",
                "The platform's request limit is used up for the moment.",
                "Wait before the next call.",
            )
            .retryable(api.retry_after().or(Some(Duration::from_mins(1)))),
            Fault::Server(status) => {
                let error = Self::new(
                    "platform_error",
                    format!("The platform failed with status {status}."),
                    "Try again in a minute.",
                );
                error.retryable(api.retry_after())
            }
            Fault::Timeout => Self::new(
                "platform_timeout",
                "The platform did not answer in time.",
                "Try again in a minute.",
            )
            .retryable(None),
            Fault::Unreachable => Self::new(
                "platform_unreachable",
                "The platform cannot be reached at the moment.",
                "Try again in a minute.",
            )
            .retryable(None),
            Fault::Malformed => Self::new(
                "platform_answer",
                "The platform sent an answer that cannot be used.",
                "Report it with the request id if it happens again.",
            ),
            Fault::Status(status) => Self::new(
                "platform_status",
                said(&format!("The platform answered with status {status}")),
                "Check the arguments.",
            ),
        };
        error.cause = Some(api.to_string());
        error
    }
}
