//! Whatever a client writes into the headers of proxies, it is answered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sequentum_mcp_fuzz::{target, target_of_forwarded};

fuzz_target!(|value: &[u8]| {
    // One, the other, or both with a part each.
    let Some((which, value)) = value.split_first() else { return };
    let (left, right) = value.split_at(value.len() / 2);
    let headers = match which % 3 {
        0 => vec![("x-forwarded-for", value)],
        1 => vec![("forwarded", value)],
        _ => vec![("x-forwarded-for", left), ("forwarded", right)],
    };
    for target in [target(), target_of_forwarded()] {
        let answer = target.send("GET / HTTP/1.1", &headers, b"");
        assert!(matches!(answer.status, 200 | 400 | 431), "{}", answer.status);
    }
});
