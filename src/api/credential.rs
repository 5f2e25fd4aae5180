//! What is sent in the `Authorization` header of a platform call.

use secrecy::{ExposeSecret, SecretString};

/// A credential for the platform. Its text can only be read by the HTTP client of this layer.
#[derive(Debug, Clone)]
pub struct Credential(SecretString);

impl Credential {
    /// An OAuth access token.
    #[must_use]
    pub fn bearer(token: &SecretString) -> Self {
        Self(format!("Bearer {}", token.expose_secret()).into())
    }

    /// An API key.
    #[must_use]
    pub fn api_key(key: &SecretString) -> Self {
        Self(format!("ApiKey {}", key.expose_secret()).into())
    }

    /// The header value, marked sensitive so that no library prints it.
    pub(super) fn header(&self) -> Option<http::HeaderValue> {
        let mut value = http::HeaderValue::from_str(self.0.expose_secret()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
