//! What is sent in the `Authorization` header of a platform call.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::{ApiError, Fault};
use crate::outbound;

/// A credential for the platform. Its text can only be read by the HTTP client of this layer.
#[derive(Debug, Clone)]
pub struct Credential(Source);

#[derive(Debug, Clone)]
enum Source {
    /// Known from the start: scheme and credential.
    Own(&'static str, SecretString),
    /// Got when the first call needs it.
    Lent(Arc<dyn Lender>),
}

/// Gives out a credential when a call needs one, and another when the platform has refused the last.
pub trait Lender: fmt::Debug + Send + Sync {
    /// The header value to send, marked sensitive. `refused` is one that the platform did not accept, so that the answer
    /// must be another one.
    fn lend<'a>(&'a self, refused: Option<&'a HeaderValue>) -> BoxFuture<'a, Result<HeaderValue, LendError>>;
}

/// Why no credential is given out. The technical cause has been logged by the lender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LendError {
    /// Not to this caller, whose own credential is no longer good.
    Refused,
    /// Not at the moment.
    Unavailable,
}

impl Credential {
    /// An OAuth access token.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self(Source::Own("Bearer", token.into()))
    }

    /// An API key of the platform's.
    #[must_use]
    pub fn api_key(key: &str) -> Self {
        Self(Source::Own("ApiKey", key.into()))
    }

    /// One that `lender` gives out when it is needed.
    #[must_use]
    pub fn lent(lender: Arc<dyn Lender>) -> Self {
        Self(Source::Lent(lender))
    }

    /// The header value of a credential that is known from the start.
    pub(super) fn own(&self) -> Option<HeaderValue> {
        let Source::Own(scheme, credential) = &self.0 else { return None };
        outbound::authorization(scheme, credential.expose_secret())
    }

    /// The header value of one that is lent. `refused` is the last one, which the platform did not accept.
    pub(super) async fn lend(
        &self,
        operation: &'static str,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue, ApiError> {
        let Source::Lent(lender) = &self.0 else { return Err(ApiError::new(operation, Fault::NoCredential)) };
        lender.lend(refused).await.map_err(|error| match error {
            LendError::Refused => ApiError::new(operation, Fault::Unauthorized),
            LendError::Unavailable => ApiError::new(operation, Fault::Unreachable)
                .caused_by("no credential for the platform can be had at the moment"),
        })
    }
}
