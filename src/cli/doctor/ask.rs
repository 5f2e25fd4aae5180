//! One question, one answer.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use url::Url;

use crate::{api::error::chain, outbound};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer read.
const MAX_BODY: usize = 256 * 1024;
/// Longest quote of somebody else's text.
const MAX_QUOTE: usize = 200;

/// An answer, read to its end.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body, if it is a JSON object.
    pub fn object(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }

    /// A header as text; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A client for `url`, as the server builds its own.
pub(super) fn client(url: &Url) -> Result<reqwest::Client, String> {
    outbound::client(url).map_err(|error| format!("no HTTP client can be built: {}", chain(&error)))
}

/// Sends a request. The error says why there is no answer.
pub(super) async fn ask(request: reqwest::RequestBuilder) -> Result<Answer, String> {
    let exchange = async {
        let mut response = request.timeout(PATIENCE).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY {
                break;
            }
        }
        Ok(Answer { status, headers, body })
    };
    exchange.await.map_err(|error: reqwest::Error| {
        if error.is_timeout() {
            format!("there was no answer within {} seconds", PATIENCE.as_secs())
        } else {
            chain(&error.without_url())
        }
    })
}

/// GET.
pub(super) async fn get(client: &reqwest::Client, url: &Url) -> Result<Answer, String> {
    ask(client.get(url.clone()).header(http::header::ACCEPT, "application/json")).await
}

/// Somebody else's text, for a terminal: in quotes, escaped, and not too long.
pub(super) fn quote(text: &str) -> String {
    let short: String = text.chars().take(MAX_QUOTE).collect();
    format!("{short:?}")
}
