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
use crate::tools::{Progress, Row, ToolError};

/// Calls the tool and returns the complete JSON-RPC answer.
///
/// A client that hangs up drops this future: a read is aborted with it, a write runs on (see [`super::guard`]).
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
            let never = CancellationToken::new();
            tools::run(shared, row, arguments, Progress::default(), &never, scope).await
        }
        // Valid JSON that is nested deeper than any schema here.
        Err(_) => Err(tools::refuse(scope, &ToolError::arguments("The arguments are nested too deeply."))),
    };
    write(id, modern, result.as_ref().map(crate::tools::Reply::json).map_err(String::as_str))
}

/// A `CallToolResult` in its JSON-RPC envelope.
fn write(id: &RawValue, modern: bool, result: Result<&str, &str>) -> Vec<u8> {
    let (Ok(text) | Err(text)) = result;
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
    body.extend_from_slice(b"}]");
    match result {
        Ok(json) => {
            body.extend_from_slice(br#","structuredContent":"#);
            body.extend_from_slice(json.as_bytes());
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

    fn written(id: &str, modern: bool, result: Result<&str, &str>) -> Value {
        let id = RawValue::from_string(id.to_owned()).unwrap();
        serde_json::from_slice(&write(&id, modern, result)).unwrap()
    }

    #[test]
    fn answers_have_the_librarys_shape() {
        let json = r#"{"name":"a \"quoted\" \u0007 name","n":[1,null]}"#;
        let mut ok = CallToolResult::success(vec![ContentBlock::text(json)]);
        ok.structured_content = serde_json::from_str(json).ok();
        let expected = serde_json::json!({"jsonrpc": "2.0", "id": "x", "result": ok});
        assert_eq!(written("\"x\"", true, Ok(json)), expected);

        ok.result_type = None;
        assert_eq!(
            written("-7", false, Ok(json)),
            serde_json::json!({"jsonrpc": "2.0", "id": -7, "result": ok})
        );

        let mut failed = CallToolResult::error(vec![ContentBlock::text("no")]);
        failed.result_type = None;
        assert_eq!(
            written("1", false, Err("no")),
            serde_json::json!({"jsonrpc": "2.0", "id": 1, "result": failed})
        );
    }
}
