//! Which scopes the platform offers, as it says itself: for our own metadata, so that clients see a new one at once.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use serde::Deserialize;
use url::Url;

use super::{
    client::{self, FetchError},
    scopes::Scope,
};
use crate::clock::Clock;

/// Where the platform publishes its own metadata (RFC 9728).
const PATH: &str = "/api/oauth/resource-metadata";
/// How long an answer is good for.
const FRESH: Duration = Duration::from_mins(10);
/// Pause after a failure.
const RETRY: Duration = Duration::from_mins(1);
/// Scopes in a list. The platform has six.
const MAX_SCOPES: usize = 64;
/// Right to nothing, but the wish for a refresh token: not for a resource's metadata to list.
const OFFLINE: &str = "offline_access";

/// The list, read by every request for metadata and written in the background.
#[derive(Debug)]
pub(super) struct OfferedScopes {
    url: String,
    http: reqwest::Client,
    clock: Clock,
    current: ArcSwap<Vec<String>>,
}

#[derive(Deserialize)]
struct Metadata {
    scopes_supported: Vec<String>,
}

impl OfferedScopes {
    /// With the scopes that this server knows, until the platform has been asked.
    pub fn new(platform: &Url, http: reqwest::Client, clock: Clock) -> Self {
        let known = Scope::ALL.map(|scope| scope.as_str().to_owned()).to_vec();
        let url = format!("{}{PATH}", platform.as_str().trim_end_matches('/'));
        Self { url, http, clock, current: ArcSwap::from_pointee(known) }
    }

    pub fn current(&self) -> Arc<Vec<String>> {
        self.current.load_full()
    }

    /// Keeps the list fresh for as long as the future is polled. A failure leaves the last good list in place.
    pub async fn refresh_forever(&self) {
        loop {
            let pause = match self.fetch().await {
                Ok(Some(scopes)) => {
                    self.current.store(Arc::new(scopes));
                    FRESH
                }
                Ok(None) => {
                    tracing::debug!("the platform's list of scopes is not usable");
                    RETRY
                }
                Err(error) => {
                    tracing::debug!(error = %error, "the platform's list of scopes could not be read");
                    RETRY
                }
            };
            self.clock.sleep(pause).await;
        }
    }

    async fn fetch(&self) -> Result<Option<Vec<String>>, FetchError> {
        let request = self.http.get(&self.url).header(http::header::ACCEPT, "application/json");
        let response = request.timeout(client::TIMEOUT).send().await?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut scopes = serde_json::from_slice::<Metadata>(&client::read(response).await?)?.scopes_supported;
        scopes.retain(|scope| scope != OFFLINE);
        let usable =
            !scopes.is_empty() && scopes.len() <= MAX_SCOPES && scopes.iter().all(|name| is_scope(name));
        Ok(usable.then_some(scopes))
    }
}

/// `scope-token` of RFC 6749 section 3.3.
fn is_scope(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    !name.is_empty() && name.len() <= 100 && name.bytes().all(fits)
}
