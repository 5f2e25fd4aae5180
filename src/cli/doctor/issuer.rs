//! The authorization server: its metadata, its keys, its clock.

use jiff::SignedDuration;
use serde_json::Value;
use url::Url;

use super::{
    Check,
    ask::{self, Answer, quote},
};
use crate::{
    auth::{LEEWAY, fallback_url, metadata_urls, survey},
    clock::Clock,
    config::Config,
    outbound::is_loopback,
};

const METADATA: &str = "issuer metadata";
const KEYS: &str = "signing keys";
const CLOCK: &str = "clock";

/// Every configured issuer; each finding names the address it is about.
pub(super) async fn check(config: &Config, clock: &Clock) -> Vec<Check> {
    let mut checks = Vec::new();
    for issuer in &config.auth.issuers {
        checks.extend(check_one(issuer, clock).await);
    }
    checks
}

async fn check_one(issuer: &str, clock: &Clock) -> Vec<Check> {
    let (client, urls) = match (client(issuer), metadata_urls(issuer)) {
        (Ok(client), Ok(urls)) => (client, urls),
        (Err(cause), _) => return vec![unreachable(issuer, &cause)],
        (_, Err(error)) => return vec![unreachable(issuer, &error.to_string())],
    };
    let mut found = None;
    for url in &urls {
        match ask::get(&client, url).await {
            Err(cause) => return vec![unreachable(issuer, &cause)],
            Ok(answer) if answer.status.is_client_error() => {}
            Ok(answer) => {
                found = Some((url, answer));
                break;
            }
        }
    }
    let Some((url, answer)) = found else {
        let tried: Vec<_> = urls.iter().map(Url::as_str).collect();
        return vec![Check::failed(
            METADATA,
            format!("there is no document at {}", tried.join(" or ")),
            "Check SEQUENTUM_OAUTH_ISSUER: without the document no client can sign in.",
        )];
    };
    let mut checks = Vec::new();
    let metadata = answer.object().filter(|_| answer.status.is_success());
    match &metadata {
        Some(metadata) => checks.extend(metadata_checks(issuer, url, metadata)),
        None => checks.push(Check::failed(
            METADATA,
            format!("{url} answers with {}", answer.without("JSON object")),
            "Check SEQUENTUM_OAUTH_ISSUER, and whether a proxy in between answers for it.",
        )),
    }
    checks.extend(clock_check(&answer, clock));
    let jwks_uri = metadata.as_ref().and_then(|metadata| metadata.get("jwks_uri")).and_then(Value::as_str);
    checks.push(keys(&client, issuer, jwks_uri).await);
    checks
}

fn client(issuer: &str) -> Result<reqwest::Client, String> {
    let url = Url::parse(issuer).map_err(|error| error.to_string())?;
    ask::client(&url)
}

fn unreachable(issuer: &str, cause: &str) -> Check {
    Check::failed(
        METADATA,
        format!("{issuer} cannot be asked: {cause}"),
        "Check SEQUENTUM_OAUTH_ISSUER, DNS, firewall, certificates and HTTPS_PROXY: the server has to reach the issuer for its keys.",
    )
}

/// RFC 8414, and what MCP asks of an authorization server.
fn metadata_checks(issuer: &str, url: &Url, metadata: &Value) -> Vec<Check> {
    let text = |name: &str| metadata.get(name).and_then(Value::as_str);
    let is_true = |name: &str| metadata.get(name).and_then(Value::as_bool) == Some(true);
    let lists = |name: &str, wanted: &str| {
        let items = metadata.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).any(|item| item == wanted)
    };
    let mut checks = vec![match text("issuer") {
        Some(named) if named == issuer => {
            Check::ok(METADATA, format!("{url} names the configured issuer, byte for byte"))
        }
        named => Check::failed(
            METADATA,
            format!(
                "{url} names the issuer {}, the configured one is {issuer:?}",
                quote(named.unwrap_or(""))
            ),
            "Set SEQUENTUM_OAUTH_ISSUER to exactly what the document names: tokens are compared byte for byte.",
        ),
    }];
    let usable = |name: &str| {
        let url = text(name).and_then(|text| Url::parse(text).ok());
        url.is_some_and(|url| url.scheme() == "https" || is_loopback(&url))
    };
    let missing: Vec<_> =
        ["authorization_endpoint", "token_endpoint"].into_iter().filter(|name| !usable(name)).collect();
    checks.push(if missing.is_empty() {
        Check::ok("sign-in endpoints", "authorization and token endpoint are https URLs")
    } else {
        Check::failed(
            "sign-in endpoints",
            format!("{} missing, or no https URL", missing.join(" and ")),
            "Have the authorization server publish them: clients cannot sign in without.",
        )
    });
    checks.push(if lists("code_challenge_methods_supported", "S256") {
        Check::ok("PKCE", "S256 is offered")
    } else {
        Check::failed(
            "PKCE",
            "code_challenge_methods_supported does not list S256",
            "Have the authorization server offer it: MCP clients refuse to sign in without.",
        )
    });
    checks.push(if is_true("resource_indicators_supported") {
        Check::ok("resource indicators", "tokens can be asked for this server alone (RFC 8707)")
    } else {
        Check::warning(
            "resource indicators",
            "resource_indicators_supported is not true: tokens may not name this server as their audience",
            "If sign-in ends with token_audience, put the audience of its tokens into OAUTH_AUDIENCES.",
        )
    });
    checks.push(
        match (is_true("client_id_metadata_document_supported"), text("registration_endpoint").is_some()) {
            (true, _) => Check::ok("client registration", "clients can use client ID metadata documents"),
            (false, true) => Check::warning(
                "client registration",
                "no client ID metadata documents, only dynamic registration",
                "Nothing has to be done; newer clients prefer metadata documents, and registrations are limited per address.",
            ),
            (false, false) => Check::warning(
                "client registration",
                "neither client ID metadata documents nor dynamic registration",
                "Only clients that are registered beforehand can sign in: enable one of the two for all others.",
            ),
        },
    );
    checks.push(if is_true("authorization_response_iss_parameter_supported") {
        Check::ok("issuer in answers", "answers name their issuer (RFC 9207)")
    } else {
        Check::warning(
            "issuer in answers",
            "authorization_response_iss_parameter_supported is not true: clients cannot tell mixed-up answers (RFC 9207)",
            "Have the authorization server send `iss` in its answers.",
        )
    });
    checks
}

async fn keys(client: &reqwest::Client, issuer: &str, jwks_uri: Option<&str>) -> Check {
    let fallback = fallback_url(issuer).map(String::from).unwrap_or_default();
    let address = jwks_uri.unwrap_or(&fallback);
    let remedy = "Have the issuer publish an RSA or elliptic-curve signature key with a `kid` there: without one every token is refused.";
    let Some(url) = Url::parse(address).ok().filter(|url| url.scheme() == "https" || is_loopback(url)) else {
        return Check::failed(KEYS, format!("jwks_uri {} is no https URL", quote(address)), remedy);
    };
    let answer = match ask::get(client, &url).await {
        Ok(answer) => answer,
        Err(cause) => return Check::failed(KEYS, format!("{url} cannot be asked: {cause}"), remedy),
    };
    let keys = answer.body.as_deref().filter(|_| answer.status.is_success()).and_then(survey);
    let Some((count, usable)) = keys else {
        let finding = format!("{url} answers with {}", answer.without("key set"));
        return Check::failed(KEYS, finding, remedy);
    };
    let mut algorithms: Vec<_> = usable.iter().flat_map(|all| all.iter()).map(|a| format!("{a:?}")).collect();
    algorithms.sort();
    algorithms.dedup();
    let finding = format!("{url} lists {count}, {} of them usable", usable.len());
    if usable.is_empty() {
        Check::failed(KEYS, finding, remedy)
    } else if jwks_uri.is_none() {
        Check::warning(
            KEYS,
            format!("{finding} ({}), but the metadata has no jwks_uri", algorithms.join(", ")),
            "Have the issuer name its key set in the metadata: other issuers' keys are elsewhere.",
        )
    } else {
        Check::ok(KEYS, format!("{finding}: {}", algorithms.join(", ")))
    }
}

/// Tokens say when they begin and end by the issuer's clock, and are read by ours.
fn clock_check(answer: &Answer, clock: &Clock) -> Option<Check> {
    let date = jiff::fmt::rfc2822::parse(answer.header("date")).ok()?;
    let skew = clock.now().duration_since(date.timestamp());
    let (seconds, direction) = (skew.as_secs().abs(), if skew.is_negative() { "behind" } else { "ahead of" });
    // The header has whole seconds, and the answer took its time.
    Some(if skew.abs() <= SignedDuration::from_secs(5) {
        Check::ok(CLOCK, "agrees with the issuer's")
    } else if seconds <= LEEWAY {
        Check::warning(
            CLOCK,
            format!("is {seconds} seconds {direction} the issuer's; {LEEWAY} are tolerated"),
            "Synchronise the clock of this machine (NTP).",
        )
    } else {
        Check::failed(
            CLOCK,
            format!(
                "is {seconds} seconds {direction} the issuer's; {LEEWAY} are tolerated, so good tokens are refused or dead ones accepted"
            ),
            "Synchronise the clock of this machine (NTP).",
        )
    })
}
