//! The platform's API keys, for those who cannot sign in: builds, scheduled jobs, scripts.
//!
//! Outside OAuth, and off unless the operator wants them. The platform alone can tell what a key is worth, so it is
//! asked, with a read that costs it next to nothing. A key has all rights of its user, because the platform checks no
//! scopes of keys.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use super::{
    caller::{Caller, Principal},
    refusal::Refusal,
    verdicts::{Fingerprint, Verdicts},
};
use crate::{
    api::credential::Credential,
    api::error::{ApiError, Fault},
    clock::Clock,
};

/// How every key begins.
pub(super) const PREFIX: &str = "sk-";
/// Longest key looked at. Real ones are below 100 characters.
const MAX_KEY: usize = 256;
/// The `Retry-After` while the platform cannot be asked.
const RETRY: Duration = Duration::from_secs(5);
/// Stands where the principal of a token has its issuer. No URL, so no issuer can be called so.
const ISSUER: &str = "api-key";

/// Makes a cheap read on the platform with a credential.
pub type Confirm = Box<dyn Fn(Credential) -> BoxFuture<'static, Result<(), ApiError>> + Send + Sync>;

/// Asks the platform about API keys.
pub(super) struct ApiKeys {
    confirm: Confirm,
    verdicts: Verdicts,
}

impl ApiKeys {
    pub fn new(confirm: Confirm, clock: Clock) -> Self {
        Self { confirm, verdicts: Verdicts::new(clock) }
    }

    /// Whether it was found good a moment ago.
    pub async fn knows(&self, key: &str) -> bool {
        self.verdicts.has_good(&Fingerprint::of(&[key])).await
    }

    /// The caller whom this key stands for.
    pub async fn verify(&self, key: &str) -> Result<Arc<Caller>, Refusal> {
        let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if key.len() > MAX_KEY || !key.starts_with(PREFIX) || !key.bytes().all(is_key) {
            return Err(Refusal::ApiKeyUnknown);
        }
        let ask = async {
            let credential = Credential::api_key(key);
            (self.confirm)(credential.clone()).await.map_err(|error| refusal(&error))?;
            // The platform says nothing about whose key it is. Another purpose, another hash: the name of the caller,
            // which is in the log, is not the key of the cache.
            let name = format!("key-{}", Fingerprint::of(&["api key principal", key]).short());
            Ok(Arc::new(Caller::from_key(Principal::new(ISSUER, &name), credential)))
        };
        self.verdicts.get(Fingerprint::of(&[key]), ask).await
    }
}

fn refusal(error: &ApiError) -> Refusal {
    match error.fault() {
        Fault::Unauthorized | Fault::NoAccess | Fault::Forbidden | Fault::InsufficientScope(_) => {
            Refusal::ApiKeyUnknown
        }
        _ => {
            tracing::warn!(error = %error, "an API key could not be confirmed");
            Refusal::PlatformUnavailable { retry_after: RETRY }
        }
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys").finish_non_exhaustive()
    }
}
