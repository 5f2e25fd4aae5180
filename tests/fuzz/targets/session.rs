//! Whatever stands in `Mcp-Session-Id`, only the handle that was issued opens a session.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use sequentum_mcp_fuzz::{PING, Target, target};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"f","version":"1"}}}"#;

/// A handle. The clock runs on by a second with every input, so after a day's worth there is a new one.
fn handle(target: &Target) -> &'static [u8] {
    static HANDLE: OnceLock<String> = OnceLock::new();
    let issue = || {
        let bearer = format!("Bearer {}", target.token());
        let answer = target.post(&[("authorization", bearer.as_bytes())], INITIALIZE.as_bytes());
        answer.headers.get("mcp-session-id").expect("a session").clone()
    };
    HANDLE.get_or_init(issue).as_bytes()
}

fuzz_target!(|input: &[u8]| {
    let target = target();
    let real = handle(target);
    // The handle with bytes changed, or something made up altogether.
    let sent: Vec<u8> = match input.split_first() {
        Some((first, rest)) if first % 2 == 0 => {
            let mut altered = real.to_vec();
            for pair in rest.chunks_exact(2) {
                let at = usize::from(pair[0]) % altered.len();
                altered[at] = pair[1];
            }
            altered.truncate(real.len() - usize::from(rest.len() % 2));
            altered
        }
        _ => input.to_vec(),
    };
    let bearer = format!("Bearer {}", target.token());
    let headers = [("authorization", bearer.as_bytes()), ("mcp-session-id", &sent)];
    let answer = target.post(&headers, PING.as_bytes());
    assert!(matches!(answer.status, 200 | 400 | 404 | 431), "{}", answer.status);
    assert!(answer.status != 200 || sent.trim_ascii() == real, "an altered handle opened a session");
});
