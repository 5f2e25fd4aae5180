//! Why a credential was not accepted.

use std::time::Duration;

/// The reason, with a stable code for logs and answers. None of them carries a part of the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No `Authorization` header.
    #[error("no access token was sent")]
    Missing,
    /// More than one way of sending a credential, or a scheme other than Bearer (RFC 6750 section 2).
    #[error("the access token must be sent once, in the Authorization header, as Bearer")]
    BadRequest,
    /// An API key, while only access tokens are accepted.
    #[error("API keys are not accepted at this endpoint")]
    ApiKey,
    /// Not a compact JWS, or longer than any token we know.
    #[error("the access token cannot be read")]
    Malformed,
    /// `none`, a symmetric algorithm, or one the key is not for.
    #[error("the signature algorithm of the access token is not allowed")]
    Algorithm,
    /// `typ` is neither `at+jwt`, `JWT` nor absent (RFC 9068 section 4), or `crit` asks for more than we know.
    #[error("the token is not of a type accepted as an access token")]
    Type,
    /// An OpenID Connect ID token.
    #[error("an ID token is not an access token")]
    IdToken,
    /// Bound to a key that a bearer cannot prove (RFC 9449, RFC 8705).
    #[error("a sender-constrained token cannot be used as a bearer token")]
    SenderConstrained,
    /// Signed with a key that the issuer does not publish.
    #[error("the access token is signed with a key that the issuer does not publish")]
    UnknownKey,
    /// Signature does not verify.
    #[error("the signature of the access token is not valid")]
    Signature,
    /// Issued by somebody else.
    #[error("the access token comes from another issuer")]
    Issuer,
    /// Issued for somebody else (RFC 8707).
    #[error("the access token was issued for another resource")]
    Audience,
    /// Past `exp`.
    #[error("the access token has expired")]
    Expired,
    /// Before `nbf`.
    #[error("the access token is not valid yet")]
    NotYetValid,
    /// `exp`, `sub` or `aud` is missing.
    #[error("the access token lacks a required claim")]
    Claims,
    /// Verified here, but the platform refused it: revoked, or the user is gone.
    #[error("the platform no longer accepts the access token")]
    Revoked,
    /// An opaque token that the authorization server does not know, or that has ended (RFC 7662 section 2.2).
    #[error("the authorization server does not know the access token, or has ended it")]
    Inactive,
    /// An API key that the platform does not know.
    #[error("the platform does not accept the API key")]
    ApiKeyUnknown,
    /// The authorization server cannot be asked about an opaque token.
    #[error("the authorization server cannot be asked about the access token at the moment")]
    IntrospectionUnavailable {
        /// When another attempt is worth it.
        retry_after: Duration,
    },
    /// The platform cannot be asked about an API key.
    #[error("the platform cannot be asked about the API key at the moment")]
    PlatformUnavailable {
        /// When another attempt is worth it.
        retry_after: Duration,
    },
    /// The issuer's keys were never loaded, or are too old to trust.
    #[error("the issuer's signing keys cannot be loaded at the moment")]
    KeysUnavailable {
        /// When another attempt is worth it.
        retry_after: Duration,
    },
}

impl Refusal {
    /// For refusals that say nothing about the credential, which could not be checked: when to try again.
    #[must_use]
    pub const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable { retry_after }
            | Self::IntrospectionUnavailable { retry_after }
            | Self::PlatformUnavailable { retry_after } => Some(retry_after),
            _ => None,
        }
    }

    /// Stable code for logs and answers.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::BadRequest => "invalid_request",
            Self::ApiKey => "api_key_not_accepted",
            Self::Malformed => "token_malformed",
            Self::Algorithm => "token_algorithm",
            Self::Type => "token_type",
            Self::IdToken => "id_token",
            Self::SenderConstrained => "token_sender_constrained",
            Self::UnknownKey => "token_key_unknown",
            Self::Signature => "token_signature",
            Self::Issuer => "token_issuer",
            Self::Audience => "token_audience",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Claims => "token_claims",
            Self::Revoked => "token_revoked",
            Self::Inactive => "token_inactive",
            Self::ApiKeyUnknown => "api_key_unknown",
            Self::IntrospectionUnavailable { .. } => "introspection_unavailable",
            Self::PlatformUnavailable { .. } => "platform_unavailable",
            Self::KeysUnavailable { .. } => "keys_unavailable",
        }
    }

    /// What the caller can do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Missing => {
                "Sign in: your client finds the authorization server through the resource_metadata link."
            }
            Self::BadRequest => {
                "Send exactly one `Authorization: Bearer <token>` header and no token in the URL."
            }
            Self::ApiKey => "Sign in with OAuth instead of sending an API key.",
            Self::Expired => "Refresh the access token or sign in again.",
            Self::ApiKeyUnknown => {
                "Send a key that an administrator of your organisation has made and not revoked."
            }
            Self::KeysUnavailable { .. } | Self::IntrospectionUnavailable { .. } => {
                "Try again shortly; the token itself may be fine."
            }
            Self::PlatformUnavailable { .. } => "Try again shortly; the key itself may be fine.",
            Self::Audience => "Sign in again and ask for a token whose resource is this server's /mcp URL.",
            _ => "Sign in again to get a fresh access token for this server.",
        }
    }
}
