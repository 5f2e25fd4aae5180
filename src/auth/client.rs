//! How this layer talks to authorization servers: bounded in time and size, never along a redirect.

use std::time::Duration;

use data_encoding::BASE64;
use futures_util::future::BoxFuture;
use http::HeaderValue;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::byte_serialize;

use crate::{
    config::OAuthClient,
    outbound::{self, BodyError},
};

/// One request, with its answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest document read: metadata, a key set, a token.
const MAX_DOCUMENT: usize = 256 * 1024;

/// The process's HTTP client in the form that the OAuth library asks for.
#[derive(Debug)]
pub(super) struct OAuthHttp(pub reqwest::Client);

impl<'c> AsyncHttpClient<'c> for OAuthHttp {
    type Error = FetchError;
    type Future = BoxFuture<'c, Result<HttpResponse, FetchError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut request = reqwest::Request::try_from(request)?;
            *request.timeout_mut() = Some(TIMEOUT);
            let response = self.0.execute(request).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let mut answer = HttpResponse::new(read(response).await?);
            *answer.status_mut() = status;
            *answer.headers_mut() = headers;
            Ok(answer)
        })
    }
}

/// The whole body, up to the limit.
pub(super) async fn read(response: reqwest::Response) -> Result<Vec<u8>, FetchError> {
    outbound::body(response, MAX_DOCUMENT).await.map_err(|error| match error {
        BodyError::Http(error) => error.into(),
        BodyError::TooLarge(_) => FetchError::TooLarge,
    })
}

/// HTTP Basic with both halves form-encoded, as RFC 6749 section 2.3.1 wants.
pub(super) fn basic(client: &OAuthClient) -> Option<HeaderValue> {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(&client.id), encode(client.secret.expose_secret()));
    let text = SecretString::from(format!("Basic {}", BASE64.encode(pair.as_bytes())));
    let mut value = HeaderValue::from_str(text.expose_secret()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("request failed: {}", crate::api::error::chain(.0))]
    Http(#[from] reqwest::Error),
    #[error("answered with status {0}")]
    Status(u16),
    // Without the parser's own words, which quote what they stumble over: it could be a token.
    #[error("the document is not the expected JSON (line {}, column {})", .0.line(), .0.column())]
    Json(#[from] serde_json::Error),
    #[error("the document is larger than {MAX_DOCUMENT} bytes")]
    TooLarge,
    #[error("the metadata names another issuer")]
    OtherIssuer,
    #[error("an address in the metadata is neither https nor on loopback")]
    Insecure,
    #[error("there is no key set at the expected address")]
    Missing,
    #[error("the key set has no usable key")]
    NoUsableKey,
    #[error("the key set has more than {0} keys")]
    TooManyKeys(usize),
    #[error("an address in the metadata is not a URL: {0}")]
    Url(#[from] url::ParseError),
}
