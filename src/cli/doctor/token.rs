//! A call as somebody.

use http::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{
    Check,
    ask::{self, Answer, quote},
    platform, published,
};
use crate::{config::Config, outbound};

const HERE: &str = "credential here";
const PLATFORM: &str = "credential at the platform";

/// `name` is the environment variable that holds the credential. The server is asked if there is one.
pub(super) async fn check(
    config: &Config,
    name: &str,
    credential: Option<&SecretString>,
    is_up: bool,
) -> Vec<Check> {
    let Some(credential) = credential else {
        let remedy = "Put an access token or an API key into it, or leave --token-env out.";
        return vec![Check::failed(PLATFORM, format!("{name} is empty or not set"), remedy)];
    };
    let is_key = credential.expose_secret().starts_with("sk-");
    let mut checks = Vec::new();
    if is_up && !is_key {
        checks.push(here(config, name, credential).await);
    }
    checks.push(at_the_platform(config, name, credential, is_key).await);
    checks
}

/// `whoami`, which needs no scope and asks nobody: what this server makes of the token.
async fn here(config: &Config, name: &str, token: &SecretString) -> Check {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami", "arguments": {}}});
    let asked = async {
        let public = published::public_urls(config).ok_or("its address is not known")?;
        let client = ask::client(&public.endpoint().parse().map_err(|_| "its address is no URL")?)?;
        let request = client
            .post(public.endpoint())
            .header(header::AUTHORIZATION, authorization("Bearer", token)?)
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-06-18")
            .json(&message);
        ask::ask(request).await
    };
    match asked.await {
        Err(cause) => Check::failed(HERE, format!("the server cannot be asked: {cause}"), "Try again."),
        Ok(answer) if answer.status.is_success() => {
            Check::ok(HERE, format!("the server accepts the token in {name}"))
        }
        Ok(answer) => {
            let (cause, remedy) = words(&answer);
            Check::failed(
                HERE,
                format!(
                    "the server refuses the token in {name} with status {}: {cause}",
                    answer.status.as_u16()
                ),
                remedy,
            )
        }
    }
}

/// What the server says about a refusal, and what it advises.
fn words(answer: &Answer) -> (String, String) {
    let document = answer.object().unwrap_or_default();
    let text = |pointer: &str| document.pointer(pointer).and_then(serde_json::Value::as_str);
    let cause = text("/error/message").map_or_else(|| "it does not say why".to_owned(), quote);
    let remedy = text("/error/data/remedy").unwrap_or("Sign in again to get a fresh token for this server.");
    (cause, remedy.chars().filter(|character| !character.is_control()).collect())
}

async fn at_the_platform(config: &Config, name: &str, credential: &SecretString, is_key: bool) -> Check {
    let asked = async {
        let url = platform::operation(config)?;
        let client = ask::client(&config.api.url)?;
        let scheme = if is_key { "ApiKey" } else { "Bearer" };
        let request = client
            .get(url)
            .header(header::AUTHORIZATION, authorization(scheme, credential)?)
            .header(header::ACCEPT, "application/json");
        ask::ask(request).await
    };
    match asked.await {
        Err(cause) => Check::failed(PLATFORM, format!("the platform cannot be asked: {cause}"), "Try again."),
        Ok(answer) => match answer.status {
            status if status.is_success() => {
                Check::ok(PLATFORM, format!("the platform accepts the credential in {name}"))
            }
            StatusCode::UNAUTHORIZED => Check::failed(
                PLATFORM,
                format!("the platform does not know the credential in {name}, or no longer"),
                if is_key {
                    "Ask an administrator of the organisation for a new key (Users page of the platform)."
                } else {
                    "Sign in again to get a fresh token."
                },
            ),
            StatusCode::FORBIDDEN => Check::warning(
                PLATFORM,
                format!("the platform knows the credential in {name}, but it may not read agents"),
                "If it should read agents, sign in again and approve agents:read.",
            ),
            status => Check::failed(
                PLATFORM,
                format!("the platform answers a call with {name} with status {}", status.as_u16()),
                "Try again in a minute.",
            ),
        },
    }
}

/// The header value, or why there is none.
fn authorization(scheme: &str, credential: &SecretString) -> Result<http::HeaderValue, &'static str> {
    outbound::authorization(scheme, credential.expose_secret())
        .ok_or("it holds characters that cannot be sent in a header")
}
