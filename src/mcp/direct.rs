//! The hot path: a tool call that asks for nothing but its result.
//!
//! Nearly all traffic is `tools/call` without a progress token. The library serves it with a task, a channel and a
//! transport of its own per request, a tree of JSON values for what is already JSON, and a second pass over the body:
//! about a third of the CPU of the whole call (`docs/performance.md`). So the edge hands such a call straight to the
//! tool, under the same guards, and the answer is written here in the library's shape. Whatever is unusual about a
//! message (another method, a progress token, headers that disagree) goes to the library; a test compares the two.

use serde_json::{Map, Value, value::RawValue};
use tokio_util::sync::CancellationToken;

use super::{CallScope, Shared, tools};
use crate::tools::{Progress, Reply, Row, ToolError};

/// Calls the tool and returns the complete JSON-RPC answer.
///
/// A client that hangs up drops this future: a read is aborted with it, a write runs on (see [`super::guard`]) and, in the
/// newer era, is told that it was taken back.
pub(super) async fn call(
    shared: &Shared,
    row: &Row,
    id: &RawValue,
    arguments: Option<&RawValue>,
    modern: bool,
    scope: &CallScope,
) -> Vec<u8> {
    // The edge has checked that they are an object, if there are any; null is none.
    let arguments =
        arguments.map_or(Ok(None), |raw| serde_json::from_str::<Option<Map<String, Value>>>(raw.get()));
    let result = match arguments {
        Ok(arguments) => {
            let arguments = arguments.unwrap_or_default();
            let cancelled = CancellationToken::new();
            scope.cancels(&cancelled);
            // In the newer era hanging up takes the call back; in the older one it says nothing.
            let _hung_up = modern.then(|| cancelled.clone().drop_guard());
            tools::run(shared, row, arguments, Progress::default(), &cancelled, scope).await
        }
        // Valid JSON that is nested deeper than any schema here.
        Err(_) => Err(tools::refuse(scope, &ToolError::arguments("The arguments are nested too deeply."))),
    };
    write(id, modern, scope.links, result.as_ref().map_err(String::as_str))
}

/// A `CallToolResult` in its JSON-RPC envelope.
fn write(id: &RawValue, modern: bool, links: bool, result: Result<&Reply, &str>) -> Vec<u8> {
    let text = result.map_or_else(|text| text, Reply::json);
    let mut body = Vec::with_capacity(text.len() * 5 / 2 + 192);
    body.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    body.extend_from_slice(id.get().as_bytes());
    body.extend_from_slice(if modern {
        br#","result":{"resultType":"complete","content":"#
    } else {
        br#","result":{"content":"#
    });
    body.extend_from_slice(br#"[{"type":"text","text":"#);
    // Writing a string to memory cannot fail.
    let _ = serde_json::to_writer(&mut body, text);
    body.push(b'}');
    for link in result.map(Reply::links).unwrap_or_default().iter().filter(|_| links) {
        body.push(b',');
        let _ = serde_json::to_writer(&mut body, link);
    }
    body.push(b']');
    match result {
        Ok(reply) => {
            body.extend_from_slice(br#","structuredContent":"#);
            body.extend_from_slice(reply.json().as_bytes());
            body.extend_from_slice(br#","isError":false}}"#);
        }
        Err(_) => body.extend_from_slice(br#","isError":true}}"#),
    }
    body
}

#[cfg(test)]
mod tests {
    use rmcp::model::{CallToolResult, ContentBlock};

    use super::*;
    use crate::tools::Links;

    fn written(id: &str, modern: bool, links: bool, result: Result<&Reply, &str>) -> Value {
        let id = RawValue::from_string(id.to_owned()).unwrap();
        serde_json::from_slice(&write(&id, modern, links, result)).unwrap()
    }

    #[test]
    fn answers_have_the_librarys_shape() {
        let links = Links::default();
        links.add("sequentum://agents/7".parse().unwrap());
        let file = "sequentum://agents/7/runs/8/files/9".parse().unwrap();
        links.add_file(file, "a \"b\".csv", Some(12), Some("2026-06-11T08:15:30Z"));
        let structure = serde_json::json!({"name": "a \"quoted\" \t name", "n": [1, null]});
        let reply = Reply::sample(&structure, &links);
        let text = ContentBlock::text(reply.json());
        let content: Vec<_> =
            std::iter::once(text.clone()).chain(reply.links().iter().map(tools::link)).collect();
        let mut ok = CallToolResult::success(content);
        ok.structured_content = Some(structure.clone());
        let expected = serde_json::json!({"jsonrpc": "2.0", "id": "x", "result": ok});
        assert_eq!(written("\"x\"", true, true, Ok(&reply)), expected);

        let mut without = CallToolResult::success(vec![text]);
        without.structured_content = Some(structure);
        without.result_type = None;
        let expected = serde_json::json!({"jsonrpc": "2.0", "id": -7, "result": without});
        assert_eq!(written("-7", false, false, Ok(&reply)), expected);

        let mut failed = CallToolResult::error(vec![ContentBlock::text("no")]);
        failed.result_type = None;
        let expected = serde_json::json!({"jsonrpc": "2.0", "id": 1, "result": failed});
        assert_eq!(written("1", false, true, Err("no")), expected);
    }
}
