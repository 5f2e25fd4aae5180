//! Whatever stands in `Origin`, a page gets access only if its origin is on the list.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sequentum_mcp::http::KNOWN_ORIGINS;
use sequentum_mcp_fuzz::target;

fuzz_target!(|value: &[u8]| {
    let target = target();
    let preflight = [
        ("origin", value),
        ("access-control-request-method", &b"POST"[..]),
        ("access-control-request-headers", b"authorization"),
    ];
    for line in ["OPTIONS /mcp HTTP/1.1", "GET /.well-known/oauth-protected-resource HTTP/1.1"] {
        let answer = target.send(line, &preflight, b"");
        let Some(allowed) = answer.headers.get("access-control-allow-origin") else { continue };
        let host = allowed.strip_prefix("http://").map(|rest| rest.rsplit_once(':').map_or(rest, |(host, _)| host));
        let own_machine = host.is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
        let listed = allowed == "https://app.example.com" || KNOWN_ORIGINS.contains(&allowed.as_str());
        assert!(own_machine || listed, "allowed: {allowed}");
    }
});
