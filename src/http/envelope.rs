//! Checks of the body that the MCP library leaves to us; refusals as JSON-RPC errors, never plain text.
//!
//! It is looked at once, borrowed, and only as deep as the decision needs: which message this is, for which era, and which
//! tool it names. What its headers say stands in [`headers`](super::headers).

use std::borrow::Cow;

use http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::problem::{Problem, rpc};
use crate::mcp::{NEWEST, TASKS_EXTENSION};

/// One message, as far as the edge needs to know it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact about a message")]
pub(super) struct Envelope<'a> {
    /// `id`, as it was written; `None` for a notification.
    pub id: Option<&'a RawValue>,
    /// Empty if this is a response, to a request that we made on a live session.
    pub method: Cow<'a, str>,
    /// What `tools/call` calls.
    pub call: Option<ToolCall<'a>>,
    /// What `prompts/get`, `resources/read`, `tasks/get` and the like name: mirrored in a header like the name of a tool.
    subject: Option<String>,
    /// The request that `notifications/cancelled` takes back.
    pub taken_back: Option<&'a RawValue>,
    /// Whether `_meta` names a protocol version, which makes the request one of the 2026-07-28 era.
    pub modern: bool,
    /// The revision that `_meta` names, if it is a string.
    pub revision: Option<String>,
    /// Whether `_meta` is complete for its era (2026-07-28, "_meta"); nothing is required in the older one.
    pub complete: bool,
    /// `traceparent` and `tracestate` of `_meta`.
    trace: [Option<&'a RawValue>; 2],
    /// Whether progress notices are wanted.
    pub progress: bool,
    /// Whether the client may know tasks: the capabilities in `_meta` name the extension, or seem to.
    pub tasks: bool,
}

/// `params` of `tools/call`.
#[derive(Debug)]
pub(super) struct ToolCall<'a> {
    pub name: Cow<'a, str>,
    /// An object, `null` or absent.
    pub arguments: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    fn response(id: Option<&'a RawValue>) -> Self {
        Self {
            id,
            method: Cow::Borrowed(""),
            call: None,
            subject: None,
            taken_back: None,
            modern: false,
            revision: None,
            complete: false,
            trace: [None; 2],
            progress: false,
            tasks: false,
        }
    }

    /// Whether this asks for a session; without an id it is a notification of that name, which nobody answers.
    pub fn is_initialize(&self) -> bool {
        self.method == "initialize" && self.id.is_some()
    }

    /// Whether this answers a request of ours.
    pub fn is_response(&self) -> bool {
        self.method.is_empty()
    }

    /// The name of the tool, if this is a call.
    pub fn tool(&self) -> Option<&str> {
        self.call.as_ref().map(|call| &*call.name)
    }

    /// What the request names: a tool, a prompt, a URI, a task.
    pub fn target(&self) -> Option<&str> {
        self.tool().or(self.subject.as_deref())
    }

    /// `traceparent` and `tracestate` of the message, if they are texts (2026-07-28, "_meta").
    pub fn trace(&self) -> [Option<String>; 2] {
        self.trace.map(|raw| serde_json::from_str(raw?.get()).ok())
    }
}

/// A refusal that may know the id of the message it answers.
pub(super) type Refused<'a> = (Problem, Option<&'a RawValue>);

/// The outline of a JSON-RPC message.
#[derive(Deserialize)]
struct Outline<'a> {
    #[serde(default, borrow)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(default, borrow, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    params: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Params<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    name: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    uri: Option<&'a RawValue>,
    #[serde(default, rename = "taskId", borrow, deserialize_with = "present")]
    task_id: Option<&'a RawValue>,
    #[serde(default, rename = "requestId", borrow, deserialize_with = "present")]
    request_id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(default, rename = "_meta", borrow)]
    meta: Option<Meta<'a>>,
}

#[derive(Deserialize, Default)]
struct Meta<'a> {
    #[serde(
        default,
        rename = "io.modelcontextprotocol/protocolVersion",
        borrow,
        deserialize_with = "present"
    )]
    protocol_version: Option<&'a RawValue>,
    #[serde(
        default,
        rename = "io.modelcontextprotocol/clientCapabilities",
        borrow,
        deserialize_with = "present"
    )]
    client_capabilities: Option<&'a RawValue>,
    #[serde(default, rename = "progressToken", borrow, deserialize_with = "present")]
    progress_token: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    traceparent: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    tracestate: Option<&'a RawValue>,
}

/// Tells `null` (present) from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads the outline of the one message in `body`.
pub(super) fn read(body: &[u8]) -> Result<Envelope<'_>, Refused<'_>> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        let message = "Batches are not part of the protocol any more.";
        return Err((invalid(message, "Send one message per request."), None));
    }
    let outline: Outline<'_> = serde_json::from_slice(body).map_err(|error| (unreadable(&error), None))?;
    let id = outline.id;
    let refuse = |message: &str, remedy| (invalid(message, remedy), id.filter(|id| is_id(id)));
    if outline.jsonrpc.as_deref() != Some("2.0") {
        return Err(refuse("The message is not JSON-RPC 2.0.", "Set jsonrpc to \"2.0\"."));
    }
    if id.is_some_and(|id| !is_id(id)) {
        return Err(refuse("The id of a request must be a string or an integer.", "Send another id."));
    }
    let Some(method) = outline.method.filter(|method| !method.is_empty()) else {
        return match (id, outline.result, outline.error) {
            (Some(_), Some(_), None) | (Some(_), None, Some(_)) => Ok(Envelope::response(id)),
            _ => Err((no_method(), id)),
        };
    };
    let params: Params<'_> = match outline.params {
        None => Params::default(),
        Some(raw) if !raw.get().starts_with('{') => {
            return Err(refuse(
                "The member params must be an object.",
                "Send params as an object, or leave it out.",
            ));
        }
        Some(raw) => serde_json::from_str(raw.get()).map_err(|_| {
            let problem = invalid(
                "A member of params has the wrong type.",
                "Check params against the protocol's schema.",
            );
            (problem.rpc(rpc::INVALID_PARAMS), id)
        })?,
    };
    let call = if method == "tools/call" {
        let name = params.name.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        let arguments = params.arguments.is_none_or(|raw| raw.get().starts_with('{') || raw.get() == "null");
        let Some(name) = name.filter(|_| arguments) else {
            let message =
                "A tool call needs params.name (a string) and, if any, params.arguments (an object).";
            let problem =
                Problem::new(StatusCode::OK, "invalid_params", message, "Correct params and call again.");
            return Err((problem.rpc(rpc::INVALID_PARAMS), id));
        };
        Some(ToolCall { name: Cow::Owned(name), arguments: params.arguments })
    } else {
        None
    };
    let subject = match &*method {
        "prompts/get" => params.name,
        "resources/read" | "resources/subscribe" => params.uri,
        "tasks/get" | "tasks/update" | "tasks/cancel" => params.task_id,
        _ => None,
    };
    // If it is no string, the library says so.
    let subject = subject.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let taken_back = params.request_id.filter(|_| method == "notifications/cancelled");
    let meta = params.meta.unwrap_or_default();
    Ok(Envelope {
        id,
        method,
        call,
        subject,
        taken_back,
        modern: meta.protocol_version.is_some(),
        revision: meta.protocol_version.and_then(|raw| serde_json::from_str(raw.get()).ok()),
        complete: meta.protocol_version.is_some_and(|raw| raw.get().trim_matches('"') == NEWEST)
            && meta.client_capabilities.is_some_and(|raw| raw.get().starts_with('{')),
        progress: meta.progress_token.is_some(),
        trace: [meta.traceparent, meta.tracestate],
        tasks: meta.client_capabilities.is_some_and(|raw| raw.get().contains(TASKS_EXTENSION)),
    })
}

/// Tasks came with the newer era (SEP-2663); those of 2025-11-25 were an experiment with another form.
pub(super) fn check_method<'a>(envelope: &Envelope<'a>) -> Result<(), Refused<'a>> {
    if envelope.modern || !envelope.method.starts_with("tasks/") {
        return Ok(());
    }
    let message = "There are no tasks in this revision.";
    let problem = Problem::new(
        StatusCode::OK,
        "unknown_method",
        message,
        "Call the tool, or follow its work with the tools that its result names.",
    );
    Err((problem.rpc(rpc::METHOD_NOT_FOUND), envelope.id))
}

/// The refusal of a message that is neither a request nor a notification, where nothing else can be used.
pub(super) fn no_method() -> Problem {
    let remedy = "Send a request or a notification; a response belongs to a session in which this server has asked something.";
    invalid("The message has no method.", remedy)
}

fn is_id(raw: &RawValue) -> bool {
    let text = raw.get();
    text.starts_with('"')
        || (text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && text.parse::<i64>().is_ok())
}

/// Something that is no message of the protocol.
pub(super) fn invalid(message: impl Into<String>, remedy: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_request", message, remedy).rpc(rpc::INVALID_REQUEST)
}

/// Broken JSON and JSON that is no message are two codes. No parser text: it would repeat the body.
fn unreadable(error: &serde_json::Error) -> Problem {
    if error.is_data() {
        invalid("The body is not a JSON-RPC message.", "Send one JSON-RPC 2.0 request or notification.")
    } else {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "parse_error",
            "The body is not valid JSON.",
            "Send one JSON-RPC 2.0 message in UTF-8.",
        )
        .rpc(rpc::PARSE_ERROR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::META_PROTOCOL_VERSION;
    use proptest::prelude::*;

    #[test]
    fn the_names_on_the_wire_are_spelled_alike() {
        // The attribute of `Meta` cannot take a constant.
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"_meta":{{"{META_PROTOCOL_VERSION}":"2026-07-28"}}}}}}"#
        );
        assert!(read(body.as_bytes()).unwrap().modern);
    }

    proptest! {
        #[test]
        fn no_body_makes_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body);
        }

        #[test]
        fn messages_with_odd_members_are_refused_or_read(id in "\\PC{0,6}", params in "\\PC{0,20}") {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#);
            if let Ok(envelope) = read(body.as_bytes()) {
                prop_assert!(envelope.id.is_none_or(is_id));
            }
        }
    }
}
