//! The platform: is it there, and does it ask who is calling?

use http::StatusCode;
use url::Url;

use super::{Check, ask};
use crate::config::Config;

const PLATFORM: &str = "platform";
/// An operation that needs `agents:read` and no more.
const OPERATION: &str = "/api/v1/agent/personal/count";

/// The address of [`OPERATION`].
pub(super) fn operation(config: &Config) -> Result<Url, String> {
    let base = config.api.url.as_str().trim_end_matches('/');
    Url::parse(&format!("{base}{OPERATION}")).map_err(|error| error.to_string())
}

pub(super) async fn check(config: &Config) -> Vec<Check> {
    let asked = async {
        let url = operation(config)?;
        let client = ask::client(&config.api.url)?;
        ask::get(&client, &url).await
    };
    let platform = &config.api.url;
    let address = "Check SEQUENTUM_API_URL: it is the address of the platform itself, without /api.";
    vec![match asked.await {
        Err(cause) => Check::failed(
            PLATFORM,
            format!("{platform} cannot be asked: {cause}"),
            "Check SEQUENTUM_API_URL, DNS, firewall, certificates and HTTPS_PROXY.",
        ),
        Ok(answer) => match answer.status {
            StatusCode::UNAUTHORIZED => {
                Check::ok(PLATFORM, format!("{platform} answers, and refuses a call without a credential"))
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => Check::warning(
                PLATFORM,
                format!("{platform} answers with status {}", status.as_u16()),
                "Try again in a minute; if it stays so, tell the operators of the platform.",
            ),
            status if status.is_success() => Check::failed(
                PLATFORM,
                format!("{platform} answers a call without a credential with status {}", status.as_u16()),
                address,
            ),
            status => Check::failed(
                PLATFORM,
                format!("{platform} answers with status {} where 401 is expected", status.as_u16()),
                address,
            ),
        },
    }]
}
