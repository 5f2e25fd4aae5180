//! What can go wrong with a platform call: whose fault it is, and whether repeating helps.
//!
//! Two voices. [`ApiError::fault`] and [`ApiError::message`] are for the answer: a class and, where the platform's own
//! words help the user, those words cleaned and cut. [`ApiError`]'s `Display` is for the log: operation, class and the
//! technical cause. Neither holds a credential.

use std::{error::Error, fmt, time::Duration};

use super::retry::Failure;

/// Longest text taken over from the platform, in characters.
const MAX_MESSAGE: usize = 500;

/// The class of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is no credential to send.
    NoCredential,
    /// The platform does not accept the credential.
    Unauthorized,
    /// A 401 from an operation that also answers so when a run is out of the caller's reach; the credential may be fine.
    NoAccess,
    /// The credential lacks a scope, named when the platform names it.
    InsufficientScope(Option<String>),
    /// The caller may not do this.
    Forbidden,
    /// No such object, or none that the caller may see.
    NotFound,
    /// Refused in the present state (409).
    Conflict,
    /// The input was refused (400, 422).
    Rejected,
    /// Too many requests.
    RateLimited,
    /// The platform failed (5xx).
    Server(u16),
    /// No answer in time.
    Timeout,
    /// No connection, or it broke.
    Unreachable,
    /// The answer is not what the contract says: broken JSON (with the path), HTML, a redirect, too large.
    Malformed,
    /// Any other status.
    Status(u16),
}

impl Fault {
    /// The class in one word, for counting.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoCredential => "no_credential",
            Self::Unauthorized => "unauthorized",
            Self::NoAccess => "no_access",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Rejected => "rejected",
            Self::RateLimited => "rate_limited",
            Self::Server(_) => "server_error",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Malformed => "malformed",
            Self::Status(_) => "other_status",
        }
    }

    /// Whether the platform may have done what it was asked although no usable answer came.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(
            self,
            Self::Timeout | Self::Unreachable | Self::Server(_) | Self::Malformed | Self::Status(408)
        )
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited | Self::Timeout | Self::Unreachable => true,
            Self::Server(status) => matches!(status, 502..=504),
            _ => false,
        }
    }
}

/// A failed platform call.
#[derive(Debug)]
pub struct ApiError {
    operation: &'static str,
    fault: Fault,
    message: Option<String>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiError {
    pub(super) fn new(operation: &'static str, fault: Fault) -> Self {
        Self { operation, fault, message: None, retry_after: None, cause: None }
    }

    /// A failure for tests of what is made of it.
    #[cfg(test)]
    pub(crate) fn sample(fault: Fault) -> Self {
        Self::new("sample", fault)
    }

    pub(super) fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Reads status, headers and body of an answer that is no success.
    pub(super) fn from_answer(
        operation: &'static str,
        status: u16,
        headers: &http::HeaderMap,
        body: &[u8],
        now: jiff::Timestamp,
    ) -> Self {
        let body = ErrorBody::read(body);
        let challenge = headers.get(http::header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let fault = match status {
            400 | 422 => Fault::Rejected,
            401 => Fault::Unauthorized,
            403 if body.is_scope_refusal() || challenge.is_some_and(|c| c.contains("insufficient_scope")) => {
                Fault::InsufficientScope(challenge.and_then(|c| parameter(c, "scope")))
            }
            403 => Fault::Forbidden,
            404 => Fault::NotFound,
            409 => Fault::Conflict,
            429 => Fault::RateLimited,
            500..=599 => Fault::Server(status),
            _ => Fault::Status(status),
        };
        let message = match fault {
            // The platform's words may help here; elsewhere they are internals, or may tell of what the caller cannot see.
            Fault::Rejected | Fault::NotFound | Fault::Conflict | Fault::Status(_) => body.message(),
            _ => None,
        };
        let retry_after =
            headers.get(http::header::RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now));
        Self { operation, fault, message, retry_after, cause: None }
    }

    pub(super) fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    /// The operation of the platform's contract that failed.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The class of the failure.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The platform's own explanation, cleaned and cut, where it may be shown to the caller.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// How long the platform asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.operation, self.fault)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {}", chain(cause.as_ref()))?;
        }
        Ok(())
    }
}

impl Failure for ApiError {
    fn is_transient(&self) -> bool {
        self.fault.is_transient()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// An error and its sources in one line, for the log.
#[must_use]
pub fn chain(error: &(dyn Error + '_)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// Both JSON shapes of the platform's errors: its own and RFC 7807. Anything else counts as no explanation.
#[derive(serde::Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ErrorBody {
    error_code: Option<String>,
    message: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    status_description: Option<String>,
}

impl ErrorBody {
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn is_scope_refusal(&self) -> bool {
        self.error_code.as_deref() == Some("insufficient_scope")
    }

    fn message(self) -> Option<String> {
        let text = match (self.message, self.title, self.detail) {
            (Some(message), _, _) => message,
            (None, Some(title), Some(detail)) => format!("{title}: {detail}"),
            (None, title, detail) => detail.or(title).or(self.status_description)?,
        };
        let text: String =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// A parameter of a challenge, for instance `scope="billing:read"`.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let rest = challenge.split_once(&format!("{name}=\""))?.1;
    let value = rest.split_once('"')?.0;
    let clean = value.bytes().all(|byte| byte.is_ascii_lowercase() || b":_ ".contains(&byte));
    (clean && value.len() <= 100).then(|| value.to_owned())
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds or an HTTP date.
pub(crate) fn retry_after(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Duration::try_from(date.timestamp().duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> ApiError {
        ApiError::from_answer(
            "op",
            status,
            &http::HeaderMap::new(),
            body.as_bytes(),
            jiff::Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn both_error_shapes_are_understood_and_html_is_not_passed_on() {
        assert_eq!(
            read(404, r#"{"statusCode":404,"message":"Agent 1 does not\u0007 exist"}"#).message(),
            Some("Agent 1 does not  exist")
        );
        assert_eq!(read(400, r#"{"title":"Bad","detail":"No"}"#).message(), Some("Bad: No"));
        assert_eq!(read(400, "<html>stack trace</html>").message(), None);
        assert_eq!(read(500, r#"{"message":"SELECT secret"}"#).message(), None);
        assert_eq!(
            read(403, r#"{"errorCode":"insufficient_scope"}"#).fault(),
            &Fault::InsufficientScope(None)
        );
    }

    #[test]
    fn retry_after_comes_in_two_forms() {
        let now: jiff::Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sat, 21 Nov 2026 10:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sat, 21 Nov 2026 09:00:00 GMT", now), None);
        assert_eq!(retry_after("soon", now), None);
    }
}
