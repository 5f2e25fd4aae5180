//! How this layer talks to authorization servers: bounded in time and size, never along a redirect.

use std::time::Duration;

use data_encoding::BASE64;
use futures_util::future::BoxFuture;
use http::{HeaderValue, StatusCode};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use url::{Url, form_urlencoded::byte_serialize};

use crate::{
    config::OAuthClient,
    outbound::{self, BodyError},
};

/// One request, with its answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest document read: metadata, a key set, a token.
const MAX_DOCUMENT: usize = 256 * 1024;

/// The process's HTTP client in the form that the OAuth library asks for.
#[derive(Debug)]
pub(crate) struct OAuthHttp(pub reqwest::Client);

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
pub(crate) async fn read(response: reqwest::Response) -> Result<Vec<u8>, FetchError> {
    outbound::body(response, MAX_DOCUMENT).await.map_err(|error| match error {
        BodyError::Http(error) => error.into(),
        BodyError::TooLarge(_) => FetchError::TooLarge,
    })
}

/// The issuer's metadata: RFC 8414 first, `OpenID` Connect discovery second; `None` if there is neither.
pub(crate) async fn discover<T: DeserializeOwned>(
    http: &reqwest::Client,
    issuer: &str,
) -> Result<Option<T>, FetchError> {
    for url in metadata_urls(issuer)? {
        let Some(metadata) = get::<serde_json::Value>(http, &url).await? else { continue };
        // RFC 8414 section 3.3: a document that names another issuer must not be used.
        if metadata.get("issuer").and_then(serde_json::Value::as_str) != Some(issuer) {
            return Err(FetchError::OtherIssuer);
        }
        return Ok(Some(serde_json::from_value(metadata)?));
    }
    Ok(None)
}

/// The document at `url`; `None` for a 404 and the like, which some hosts say in other words of the client's error.
pub(super) async fn get<T: DeserializeOwned>(
    http: &reqwest::Client,
    url: &Url,
) -> Result<Option<T>, FetchError> {
    let request = http.get(url.clone()).header(http::header::ACCEPT, "application/json");
    let response = request.timeout(TIMEOUT).send().await?;
    // These pass, and say nothing of whether there is a document.
    let passes = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    if response.status().is_client_error() && !passes.contains(&response.status()) {
        return Ok(None);
    }
    if !response.status().is_success() {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    Ok(Some(serde_json::from_slice(&read(response).await?)?))
}

/// An address from the metadata that we may trust or send a secret to. No other scheme: the browser is sent there, too, and
/// would hand it to whatever program is registered for that.
pub(crate) fn secure(address: &str) -> Result<Url, FetchError> {
    let url = Url::parse(address)?;
    let good = url.scheme() == "https" || (url.scheme() == "http" && outbound::is_loopback(&url));
    good.then_some(url).ok_or(FetchError::Insecure)
}

/// RFC 8414 section 3.1 puts the well-known part before the issuer's path; `OpenID` Connect Discovery appends it.
///
/// # Errors
///
/// When the issuer is no URL.
pub fn metadata_urls(issuer: &str) -> Result<Vec<Url>, url::ParseError> {
    let base = Url::parse(issuer)?;
    let origin = base.origin().ascii_serialization();
    let path = base.path().trim_end_matches('/');
    let mut urls = vec![
        Url::parse(&format!("{origin}/.well-known/oauth-authorization-server{path}"))?,
        Url::parse(&format!("{origin}/.well-known/openid-configuration{path}"))?,
    ];
    if !path.is_empty() {
        urls.push(Url::parse(&format!("{origin}{path}/.well-known/openid-configuration"))?);
    }
    Ok(urls)
}

/// HTTP Basic with both halves form-encoded, as RFC 6749 section 2.3.1 wants.
pub(super) fn basic(client: &OAuthClient) -> Option<HeaderValue> {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(&client.id), encode(client.secret.expose_secret()));
    outbound::authorization("Basic", &BASE64.encode(pair.as_bytes()))
}

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_trusted() {
        for good in ["https://as.example/x", "http://localhost:1/x", "http://127.0.0.1/x"] {
            assert!(secure(good).is_ok(), "{good}");
        }
        for bad in
            ["http://as.example/x", "vscode://localhost/x", "file://localhost/x", "ftp://127.0.0.1/x", "x"]
        {
            assert!(secure(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn metadata_is_looked_up_where_the_standards_put_it() {
        let urls = metadata_urls("https://as.example/tenant").unwrap();
        assert_eq!(urls[0].as_str(), "https://as.example/.well-known/oauth-authorization-server/tenant");
        assert_eq!(urls[1].as_str(), "https://as.example/.well-known/openid-configuration/tenant");
        assert_eq!(urls[2].as_str(), "https://as.example/tenant/.well-known/openid-configuration");
        assert_eq!(metadata_urls("https://as.example").unwrap().len(), 2);
    }
}
