//! What can go wrong with a call to Sequence, and what it says to the model and its user.

use std::{error::Error, fmt, time::Duration};

use super::rule::IdempotencyKey;
use crate::{
    api::{error::chain, retry::Failure},
    tools::{ToolError, untrusted},
};

/// Longest text taken over from Sequence, in characters.
const MAX_MESSAGE: usize = 500;

/// The class of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// `INVALID_ACCESS_TOKEN`.
    TokenRefused,
    /// `INVALID_API_SECRET`.
    SecretRefused,
    /// `INVALID_REQUEST`: above all a rule that is unknown or not set up to be triggered.
    Rejected,
    /// `TOO_MANY_REQUESTS`.
    RateLimited,
    /// `UNEXPECTED_ERROR`, which usually passes.
    Failed,
    /// No answer in time.
    Timeout,
    /// No connection, or it broke.
    Unreachable,
    /// The answer is not what the contract says.
    Malformed,
    /// Any other status.
    Status(u16),
}

/// A failed call. `Display` is for the log and holds no text of Sequence's.
#[derive(Debug)]
pub(super) struct BankError {
    operation: &'static str,
    fault: Fault,
    message: Option<String>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl BankError {
    pub fn new(operation: &'static str, fault: Fault) -> Self {
        Self { operation, fault, message: None, retry_after: None, cause: None }
    }

    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// With Sequence's own explanation, cleaned and cut.
    pub fn saying(mut self, message: Option<&str>) -> Self {
        let cleaned = message.map(untrusted::clean);
        let short = cleaned.map(|text| text.trim().chars().take(MAX_MESSAGE).collect::<String>());
        self.message = short.filter(|text| !text.is_empty());
        self
    }

    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Whether Sequence may have done what it was asked although no usable answer came.
    fn is_lost(&self) -> bool {
        matches!(self.fault, Fault::Failed | Fault::Timeout | Fault::Unreachable | Fault::Malformed)
    }

    /// The same for a rule that was to be triggered: how to go on without moving money twice.
    pub fn into_trigger_error(self, key: &IdempotencyKey) -> ToolError {
        let lost = self.is_lost();
        let limited = self.fault == Fault::RateLimited;
        let mut error = ToolError::from(self);
        let key = key.as_str();
        if lost {
            error.never_repeat(format!(
                "Whether the rule was triggered is not known: look at the balances with get_accounts, or call again with the same rule and payload and with idempotency_key \"{key}\", which triggers it only if that has not been done."
            ));
        } else if limited {
            // An attempt before this one may have done it.
            error.advise(format!(
                "Wait, then call again with the same rule and payload and with idempotency_key \"{key}\"."
            ));
        }
        error
    }
}

impl Failure for BankError {
    fn is_transient(&self) -> bool {
        matches!(self.fault, Fault::RateLimited | Fault::Failed | Fault::Timeout | Fault::Unreachable)
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for BankError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.operation, self.fault)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {}", chain(cause.as_ref()))?;
        }
        Ok(())
    }
}

impl From<BankError> for ToolError {
    fn from(bank: BankError) -> Self {
        let said = |fallback: &str| match &bank.message {
            Some(text) => format!("Sequence said: {}", text.trim_end_matches('.')) + ".",
            None => fallback.to_owned(),
        };
        let error = match bank.fault {
            Fault::TokenRefused => Self::new(
                "authentication_failed",
                "Sequence does not accept the access token.",
                "Make a new access token in the settings of Sequence, put it into SEQUENCE_ACCESS_TOKEN and start the server again.",
            ),
            Fault::SecretRefused => Self::new(
                "authentication_failed",
                "Sequence does not accept the API secret of this rule.",
                "Copy the secret from the rule's trigger in Sequence, put it into SEQUENCE_RULE_SECRETS and start the server again.",
            ),
            Fault::Rejected => Self::new(
                "rejected",
                said("Sequence refused the request."),
                "Check rule_id, and that the rule exists, is active and has an API trigger in Sequence.",
            ),
            Fault::RateLimited => Self::new(
                "rate_limited",
                "Sequence takes no further requests for the moment.",
                "Wait before the next call.",
            )
            .retryable(bank.retry_after.or(Some(Duration::from_mins(1)))),
            Fault::Failed => {
                Self::new("platform_error", "Sequence failed to do this.", "Try again in a minute.")
                    .retryable(bank.retry_after)
            }
            Fault::Timeout => {
                Self::new("platform_timeout", "Sequence did not answer in time.", "Try again in a minute.")
                    .retryable(None)
            }
            Fault::Unreachable => Self::new(
                "platform_unreachable",
                "Sequence cannot be reached at the moment.",
                "Try again in a minute; check the network and SEQUENCE_API_URL if it happens again.",
            )
            .retryable(None),
            Fault::Malformed => Self::new(
                "platform_answer",
                "Sequence sent an answer that cannot be used.",
                "Check SEQUENCE_API_URL; report it with the request id if it happens again.",
            ),
            Fault::Status(status) => Self::new(
                "platform_status",
                said(&format!("Sequence answered with status {status}.")),
                "Check the arguments.",
            ),
        };
        error.caused_by(bank.to_string())
    }
}
