//! The calls: what is sent, and by what a right answer is told from a wrong one.

use reqwest::{
    Client, Method, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    platform::{AGENT, AGENT_NAME},
    process::{Outcome, because},
};

/// Longest wait for one answer. Far from anything normal: it ends a benchmark that hangs.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
/// A revision with a handshake, and one without.
const LEGACY: &str = "2025-06-18";
const MODERN: &str = "2026-07-28";

/// One kind of call to one server.
pub(crate) struct Call {
    /// What the report calls it.
    pub(crate) label: &'static str,
    request: Request,
    /// What every right answer contains.
    marker: &'static str,
    /// What a right answer is, to the last member that matters.
    is_right: fn(&str) -> bool,
}

impl Call {
    /// Calls once and returns the body. Only the marker is looked for: parsing would cost the driver more than the
    /// call costs the server.
    pub(crate) async fn once(&self, client: &Client) -> Outcome<bytes::Bytes> {
        let request = self.request.try_clone().ok_or("a streamed request cannot be repeated")?;
        let answer = client.execute(request).await.map_err(because(self.label))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(because(self.label))?;
        let text = str::from_utf8(&body).map_err(because(self.label))?;
        if status == StatusCode::OK && text.contains(self.marker) {
            Ok(body)
        } else {
            Err(format!("{}: wrong answer, status {status}:\n{text}", self.label))
        }
    }

    /// Calls once, looks at the answer closely and returns its size in bytes.
    pub(crate) async fn check(&self, client: &Client) -> Outcome<usize> {
        let body = self.once(client).await?;
        let text = String::from_utf8_lossy(&body);
        if (self.is_right)(&text) {
            Ok(body.len())
        } else {
            Err(format!("{}: wrong answer:\n{text}", self.label))
        }
    }
}

/// The platform itself, without anything in front of it.
pub(crate) fn direct(platform: &Url, token: &str) -> Outcome<Call> {
    let record = platform.join(&format!("api/v1/agent/{AGENT}")).map_err(because("platform address"))?;
    let mut request = Request::new(Method::GET, record);
    request.headers_mut().insert(AUTHORIZATION, bearer(token)?);
    *request.timeout_mut() = Some(PATIENCE);
    Ok(Call { label: "platform", request, marker: AGENT_NAME, is_right: is_record })
}

/// The same bytes that [`get_agent`] sends, to a server that answers with the bare record.
pub(crate) fn pass_through(endpoint: &Url, token: &str) -> Outcome<Call> {
    Ok(Call {
        label: "pass-through",
        marker: AGENT_NAME,
        is_right: is_record,
        ..get_agent("", endpoint, token)?
    })
}

/// (a) `tools/call` in the revision before the last: no `_meta`, no session.
pub(crate) fn get_agent(label: &'static str, endpoint: &Url, token: &str) -> Outcome<Call> {
    let body = message("tools/call", &json!({ "name": "get_agent", "arguments": { "agentId": AGENT } }));
    Ok(Call {
        label,
        request: post(endpoint, token, LEGACY, &body)?,
        marker: "structuredContent",
        is_right: is_agent,
    })
}

/// The same for another implementation, which may give text only, or an event stream.
pub(crate) fn get_agent_elsewhere(endpoint: &Url, token: &str) -> Outcome<Call> {
    Ok(Call {
        marker: AGENT_NAME,
        is_right: |text| !text.contains("\"isError\":true"),
        ..get_agent("get_agent, other server", endpoint, token)?
    })
}

/// (b) `tools/call` in the revision without a handshake: version and capabilities travel with every request.
pub(crate) fn get_agent_modern(endpoint: &Url, token: &str) -> Outcome<Call> {
    let params = json!({
        "name": "get_agent",
        "arguments": { "agentId": AGENT },
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    });
    let mut request = post(endpoint, token, MODERN, &message("tools/call", &params))?;
    request.headers_mut().insert("mcp-method", HeaderValue::from_static("tools/call"));
    request.headers_mut().insert("mcp-name", HeaderValue::from_static("get_agent"));
    Ok(Call { label: "get_agent, 2026-07-28", request, marker: "structuredContent", is_right: is_agent })
}

/// (c) `tools/list`.
pub(crate) fn tools_list(endpoint: &Url, token: &str) -> Outcome<Call> {
    Ok(Call {
        label: "tools/list",
        request: post(endpoint, token, LEGACY, &message("tools/list", &json!({})))?,
        marker: "inputSchema",
        is_right: |text| {
            let answer = parse(text);
            let tools = answer.pointer("/result/tools").and_then(Value::as_array);
            tools.is_some_and(|tools| {
                tools.iter().any(|tool| tool.get("name").is_some_and(|name| name == "get_agent"))
            })
        },
    })
}

/// (d) `ping`: what the protocol costs without any work.
pub(crate) fn ping(endpoint: &Url, token: &str) -> Outcome<Call> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    Ok(Call {
        label: "ping",
        request: post(endpoint, token, LEGACY, &body)?,
        marker: "result",
        is_right: |text| parse(text).get("result").is_some_and(Value::is_object),
    })
}

fn message(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

fn post(endpoint: &Url, token: &str, revision: &'static str, body: &Value) -> Outcome<Request> {
    let mut request = Request::new(Method::POST, endpoint.clone());
    *request.headers_mut() = HeaderMap::from_iter([
        (AUTHORIZATION, bearer(token)?),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (ACCEPT, HeaderValue::from_static("application/json, text/event-stream")),
        ("mcp-protocol-version".parse().map_err(because("header"))?, HeaderValue::from_static(revision)),
    ]);
    *request.body_mut() = Some(body.to_string().into());
    *request.timeout_mut() = Some(PATIENCE);
    Ok(request)
}

fn bearer(token: &str) -> Outcome<HeaderValue> {
    HeaderValue::try_from(format!("Bearer {token}")).map_err(because("token"))
}

/// The answer as JSON, which an event stream is not.
fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn is_record(text: &str) -> bool {
    let answer = parse(text);
    answer.get("id").is_some_and(|id| *id == AGENT)
        && answer.get("name").is_some_and(|name| name == AGENT_NAME)
}

/// Structured and as text, complete, and not an error.
fn is_agent(text: &str) -> bool {
    let answer = parse(text);
    let has_name =
        |path: &str| answer.pointer(path).is_some_and(|part| part.to_string().contains(AGENT_NAME));
    let failed = answer.pointer("/result/isError").is_some_and(|failed| *failed != false);
    !failed && has_name("/result/content/0/text") && has_name("/result/structuredContent")
}
