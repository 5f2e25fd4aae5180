//! Tokens with the issuer's own signature, and header and claims made up.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sequentum_mcp_fuzz::{PING, Target, target};
use serde_json::Value;

/// Seconds by which clocks may differ.
const LEEWAY: f64 = 60.0;

/// What every good token has in common, judged by what the claims say and nothing else.
fn may_enter(target: &Target, claims: &Value) -> bool {
    let now = target.clock.unix_seconds() as f64;
    let endpoint = target.endpoint();
    // The endpoint or its origin; one slash at the end is no difference.
    let audience = |value: &Value| {
        let named = value.as_str().map(|value| value.strip_suffix('/').unwrap_or(value));
        named
            .is_some_and(|named| endpoint.strip_prefix(named).is_some_and(|rest| matches!(rest, "" | "/mcp")))
    };
    let audiences = &claims["aud"];
    claims["iss"] == *target.platform.issuer()
        && (audience(audiences) || audiences.as_array().is_some_and(|all| all.iter().any(audience)))
        && claims["sub"].as_str().is_some_and(|subject| !subject.is_empty())
        && claims["exp"].as_f64().is_some_and(|end| end > now - LEEWAY)
        && claims["nbf"].as_f64().is_none_or(|begin| begin <= now + LEEWAY)
        && claims.get("cnf").is_none_or(Value::is_null)
}

fuzz_target!(|input: &[u8]| {
    let target = target();
    // Header and claims, one after the other. Names stand for what cannot be guessed.
    let text = String::from_utf8_lossy(input)
        .replace("$issuer", target.platform.issuer())
        .replace("$endpoint", &target.endpoint())
        .replace("$now", &target.clock.unix_seconds().to_string());
    let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let (Some(Ok(header)), Some(Ok(claims))) = (values.next(), values.next()) else { return };
    if !header.is_object() || !claims.is_object() {
        return;
    }
    let Ok(token) = target.platform.sign(&header, &claims) else { return };
    let answer = target.post(&[("authorization", format!("Bearer {token}").as_bytes())], PING.as_bytes());
    assert!(matches!(answer.status, 200 | 400 | 401 | 431), "{}", answer.status);
    assert!(answer.status != 200 || may_enter(target, &claims), "let in: {header} {claims}");
    answer.does_not_repeat(token.as_bytes());
});
