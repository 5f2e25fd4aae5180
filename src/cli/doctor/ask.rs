//! One question, one answer.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use url::Url;

use crate::{
    api::error::chain,
    outbound::{self, BodyError},
};

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
    /// Nothing if it is larger than [`MAX_BODY`].
    pub body: Option<Vec<u8>>,
}

impl Answer {
    /// The body, if it is a JSON object.
    pub fn object(&self) -> Option<Value> {
        serde_json::from_slice(self.body.as_ref()?).ok().filter(Value::is_object)
    }

    /// What came in place of what was `wanted`.
    pub fn without(&self, wanted: &str) -> String {
        let status = self.status.as_u16();
        match self.body {
            Some(_) => format!("status {status} and no {wanted}"),
            None => format!("status {status} and more than {} kB", MAX_BODY / 1024),
        }
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
        let response = request.timeout(PATIENCE).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match outbound::body(response, MAX_BODY).await {
            Ok(body) => Some(body),
            Err(BodyError::TooLarge(_)) => None,
            Err(BodyError::Http(error)) => return Err(error),
        };
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
