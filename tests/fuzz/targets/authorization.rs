//! Whatever stands in `Authorization`, nobody is let in by guessing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sequentum_mcp_fuzz::{PING, target};

/// What no answer says by itself; the fuzzer finds out everything else.
const MARK: &[u8] = b"zqxj3k7v2w";

fuzz_target!(|value: &[u8]| {
    let value = [value, MARK].concat();
    let answer = target().post(&[("authorization", &value)], PING.as_bytes());
    assert!(matches!(answer.status, 400 | 401 | 431), "{}", answer.status);
    assert!(answer.status != 401 || answer.headers.contains_key("www-authenticate"), "a challenge");
    answer.does_not_repeat(MARK);
});
