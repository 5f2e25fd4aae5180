//! The headers of a message: what they say that the body does not, and whether they agree with it.
//!
//! Checks that the MCP library leaves to us, or makes after a question of scope that they decide.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use serde_json::value::RawValue;

use super::{
    envelope::{Envelope, Refused, ToolCall, invalid},
    problem::{Problem, rpc},
};
use crate::mcp::{NEWEST, REVISIONS};

/// Revision of a request (2025 revisions) or of the request's `_meta` (2026-07-28).
pub(super) const MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Session id of the 2025 revisions.
pub(super) const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
const MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Headers that decide something, so that two of them would decide two things.
const SINGLETONS: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    MCP_PROTOCOL_VERSION,
    MCP_SESSION_ID,
    MCP_METHOD,
    MCP_NAME,
];

/// What forms of answer the client can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepts {
    /// JSON, and an event stream where progress precedes the result.
    Both,
    /// JSON only: progress is left out.
    Json,
    /// An event stream only: the result becomes one event.
    Stream,
}

/// Header checks that need no body.
pub(super) fn check(headers: &HeaderMap) -> Result<Accepts, Problem> {
    for name in &SINGLETONS {
        if headers.get_all(name).iter().nth(1).is_some() {
            let message = format!("The header {name} was sent more than once.");
            return Err(invalid(message, "Send each header once."));
        }
    }
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let message = "The body must be JSON.";
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            message,
            "Send Content-Type: application/json.",
        ));
    }
    accepts(headers).ok_or_else(|| {
        let message = "None of the media types in Accept can be served.";
        Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            "not_acceptable",
            message,
            "Accept application/json and text/event-stream.",
        )
    })
}

/// Clients must list both media types and many do not; anything that admits one of them is served (RFC 9110 12.5.1).
fn accepts(headers: &HeaderMap) -> Option<Accepts> {
    let mut any = false;
    let (mut json, mut stream) = (false, false);
    for value in headers.get_all(header::ACCEPT) {
        for range in
            value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|range| !range.is_empty())
        {
            any = true;
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused = parts
                .any(|p| matches!(p.to_ascii_lowercase().as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            if !refused {
                json |= matches!(essence.as_str(), "application/json" | "application/*" | "*/*");
                stream |= matches!(essence.as_str(), "text/event-stream" | "text/*" | "*/*");
                // `application/*` comes from clients that want what the protocol gives.
                stream |= essence == "application/*";
            }
        }
    }
    match (any, json, stream) {
        (false, _, _) | (true, true, true) => Some(Accepts::Both),
        (true, true, false) => Some(Accepts::Json),
        (true, false, true) => Some(Accepts::Stream),
        (true, false, false) => None,
    }
}

/// What the library wants to see in Accept, whatever the client sent.
pub(super) const ACCEPT_BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// The revision in the header must be one of ours; in the 2026-07-28 era the library compares it with the body.
pub(super) fn check_revision<'a>(headers: &HeaderMap, envelope: &Envelope<'a>) -> Result<(), Refused<'a>> {
    let Some(value) = headers.get(MCP_PROTOCOL_VERSION) else { return Ok(()) };
    let known = value.to_str().is_ok_and(|text| REVISIONS.contains(&text));
    if known || envelope.method == "initialize" {
        return Ok(());
    }
    if envelope.modern {
        // Header and body agree on a revision that is not ours. What is offered instead is what server/discover names:
        // the revision that needs no handshake. If they do not agree, the library says so.
        return match &envelope.revision {
            Some(revision) if value == &**revision => Err((unsupported(revision), envelope.id)),
            _ => Ok(()),
        };
    }
    let problem = invalid(
        "The revision in MCP-Protocol-Version is not supported.",
        "Use the revision that initialize answered with.",
    );
    Err((problem.extra(serde_json::json!({"supported": REVISIONS})), envelope.id))
}

/// Whether the mirrored headers of the 2026-07-28 era agree with the body. If they do not, the library's own refusal
/// (-32020) comes before any question of scope.
pub(super) fn agree(headers: &HeaderMap, envelope: &Envelope<'_>) -> bool {
    let is = |name: &HeaderName, text: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.trim() == text)
    };
    !envelope.modern
        || (is(&MCP_PROTOCOL_VERSION, NEWEST)
            && is(&MCP_METHOD, &envelope.method)
            && envelope.target().is_none_or(|target| names(headers, target)))
}

/// Whether `Mcp-Name` says `target`, as it is or in the form for texts that cannot stand in a header (SEP-2243):
/// `=?base64?...?=`. There is one way to write a text in it, so nothing has to be decoded.
fn names(headers: &HeaderMap, target: &str) -> bool {
    let value = headers.get(MCP_NAME).and_then(|value| value.to_str().ok()).map(str::trim);
    value.is_some_and(|value| {
        match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
            Some(coded) => coded == data_encoding::BASE64.encode(target.as_bytes()),
            None => value == target,
        }
    })
}

/// Whether results may hold links to resources, which came with 2025-06-18. A request without a revision is taken for one
/// of the revision before.
pub(super) fn knows_links(headers: &HeaderMap, envelope: &Envelope<'_>) -> bool {
    let revision = headers.get(MCP_PROTOCOL_VERSION).and_then(|value| value.to_str().ok());
    envelope.modern || revision.is_some_and(|revision| revision >= "2025-06-18")
}

/// The refusal of the newer era (2026-07-28, "Protocol Version Header").
fn unsupported(revision: &str) -> Problem {
    let requested: String = revision.chars().take(32).collect();
    let message = "The revision in _meta is not supported.";
    Problem::new(
        StatusCode::BAD_REQUEST,
        "unsupported_revision",
        message,
        "Use one of the supported revisions.",
    )
    .rpc(rpc::UNSUPPORTED_PROTOCOL_VERSION)
    .extra(serde_json::json!({"supported": [NEWEST], "requested": requested}))
}

/// The revision of the message, for counting: `none` where neither it nor its session names one.
pub(super) fn revision(headers: &HeaderMap, envelope: &Envelope<'_>) -> &'static str {
    if envelope.modern {
        return NEWEST;
    }
    let named = headers.get(MCP_PROTOCOL_VERSION);
    REVISIONS.into_iter().find(|known| named.is_some_and(|named| named == known)).unwrap_or("none")
}

/// The call, if the library would have nothing to add: no progress, and version and headers that agree.
pub(super) fn plain_call<'e, 'a>(
    headers: &HeaderMap,
    envelope: &'e Envelope<'a>,
) -> Option<(&'a RawValue, &'e ToolCall<'a>)> {
    let older =
        || !envelope.modern && headers.get(MCP_PROTOCOL_VERSION).is_none_or(|version| version != NEWEST);
    let newer = || envelope.modern && envelope.complete && agree(headers, envelope);
    let plain = !envelope.progress && (older() || newer());
    envelope.id.zip(envelope.call.as_ref()).filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &str) -> Option<Accepts> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, value.parse().unwrap());
        accepts(&headers)
    }

    #[test]
    fn accept_is_read_leniently() {
        assert_eq!(accepts(&HeaderMap::new()), Some(Accepts::Both));
        assert_eq!(accept("*/*"), Some(Accepts::Both));
        assert_eq!(accept("application/*"), Some(Accepts::Both));
        assert_eq!(accept("text/event-stream;q=0.5, application/JSON"), Some(Accepts::Both));
        assert_eq!(accept("application/json"), Some(Accepts::Json));
        assert_eq!(accept("text/event-stream"), Some(Accepts::Stream));
        assert_eq!(accept("application/json;q=0, text/event-stream"), Some(Accepts::Stream));
        assert_eq!(accept("text/html"), None);
    }
}
