//! Whatever the body is, there is one answer to it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sequentum_mcp_fuzz::target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let target = target();
    let bearer = format!("Bearer {}", target.token());
    let both = &b"application/json, text/event-stream"[..];
    let answer = target.post(&[("authorization", bearer.as_bytes()), ("accept", both)], body);
    if let Ok(message) = serde_json::from_slice::<Value>(&answer.body) {
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        assert!(message.get("result").is_some() != message.get("error").is_some(), "{message}");
    }
});
