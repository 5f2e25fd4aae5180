//! Whatever stands in `Host`, only the server's own names are answered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sequentum_mcp_fuzz::target;

fuzz_target!(|value: &[u8]| {
    let target = target();
    let answer = target.send("GET / HTTP/1.1", &[("host", value)], b"");
    let port = target.address.port();
    let own = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
    let value = value.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).copied().collect::<Vec<_>>();
    let sent = String::from_utf8_lossy(value.trim_ascii()).to_ascii_lowercase();
    assert!(answer.status != 200 || own.contains(&sent), "answered as {sent:?}");
});
