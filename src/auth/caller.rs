//! [`Caller`]: proof that a credential was accepted.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::scopes::ScopeSet;
use crate::api::credential::Credential;

/// Who a request comes from, according to a credential that this server has verified.
///
/// The fields are private and the constructors are visible inside `auth` only, so holding a `Caller` proves that
/// verification took place; nothing in headers, arguments or sessions can make one. The one exception is
/// [`Caller::local`] (and [`Caller::signed_in`]), for a process that serves nobody but the user who started it. `Debug` and logs show the subject,
/// never the credential.
#[derive(Clone)]
pub struct Caller {
    principal: Principal,
    client_id: Option<String>,
    organization: Option<Arc<str>>,
    scopes: ScopeSet,
    expires_at: Option<i64>,
    credential: Option<Credential>,
    local: Option<Local>,
}

/// What the user who started this process holds: it decides what is said when the platform refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Local {
    /// An API key, in a setting.
    Key,
    /// A sign-in of `sequentum-mcp login`.
    SignIn,
}

/// The identity behind a caller: the issuer and the subject within it. Part of every cache key and session handle.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    issuer: Arc<str>,
    subject: Arc<str>,
}

impl Principal {
    pub(super) fn new(issuer: &str, subject: &str) -> Self {
        Self { issuer: issuer.into(), subject: subject.into() }
    }

    /// Who issued the credential.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The subject within the issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.subject, self.issuer)
    }
}

/// What verification learned from an access token.
pub(super) struct Verified {
    pub principal: Principal,
    pub client_id: Option<String>,
    pub organization: Option<String>,
    pub scopes: ScopeSet,
    /// Unknown for some opaque tokens, which the authorization server ends by itself.
    pub expires_at: Option<i64>,
}

/// The organisation, which some issuers write as a number.
pub(super) fn organization(claim: Option<&serde_json::Value>) -> Option<String> {
    match claim? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Caller {
    /// Somebody of whom no more is known than this.
    fn new(principal: Principal, scopes: ScopeSet, credential: Option<Credential>) -> Self {
        Self {
            principal,
            client_id: None,
            organization: None,
            scopes,
            expires_at: None,
            credential,
            local: None,
        }
    }

    /// The bearer of a verified access token. `credential` is what goes to the platform.
    pub(super) fn from_token(verified: Verified, credential: Credential) -> Self {
        let Verified { principal, client_id, organization, scopes, expires_at } = verified;
        let organization = organization.map(Arc::from);
        let caller = Self::new(principal, scopes, Some(credential));
        Self { client_id, organization, expires_at, ..caller }
    }

    /// The holder of a confirmed API key, who has all rights of the user it was made for.
    pub(super) fn from_key(principal: Principal, credential: Credential) -> Self {
        Self::new(principal, ScopeSet::ALL, Some(credential))
    }

    /// Nobody in particular: only when the operator switched sign-in off on a loopback bind. Platform calls fail.
    pub(super) fn anonymous() -> Self {
        Self::new(Principal::new("", "anonymous"), ScopeSet::ALL, None)
    }

    /// The user who started this process with an API key, over standard input and output. There is nobody to tell apart
    /// and nothing to verify here: the platform does that at each call, and the key has all rights of its user.
    #[must_use]
    pub fn local(key: &SecretString) -> Self {
        let credential = Credential::api_key(key.expose_secret());
        let caller = Self::new(Principal::new("local", "api-key"), ScopeSet::ALL, Some(credential));
        Self { local: Some(Local::Key), ..caller }
    }

    /// The same user, signed in through the browser. `scopes` are those that were granted; `credential` gives out access
    /// tokens as long as the sign-in lasts.
    #[must_use]
    pub fn signed_in(scopes: ScopeSet, client_id: &str, credential: Credential) -> Self {
        let caller = Self::new(Principal::new("local", "sign-in"), scopes, Some(credential));
        Self { client_id: Some(client_id.to_owned()), local: Some(Local::SignIn), ..caller }
    }

    /// What the user holds who started this process; `None` for everybody who comes over HTTP.
    #[must_use]
    pub fn local_credential(&self) -> Option<Local> {
        self.local
    }

    /// Issuer and subject.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The OAuth client that obtained the token, if the token says so.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// The organisation (tenant) of the subject, if the token says so.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// What the caller may do.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        self.scopes
    }

    /// End of validity in Unix seconds.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        self.expires_at
    }

    /// The same as a moment: when to end what was opened with this credential. The end of time, if it has no end.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        let end = self.expires_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
        end.unwrap_or(Timestamp::MAX)
    }

    /// What to send to the platform; `None` for an anonymous caller.
    #[must_use]
    pub fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("principal", &self.principal)
            .field("client_id", &self.client_id)
            .field("organization", &self.organization)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Something kept for one caller: a cache key that cannot be made without its principal and organisation. Cheap to
/// make, because every request makes some.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PerCaller<K> {
    principal: Principal,
    organization: Option<Arc<str>>,
    inner: K,
}

/// An organisation of an issuer, for what all its users together may have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Organization {
    issuer: Arc<str>,
    name: Arc<str>,
}

impl<K> PerCaller<K> {
    /// The organisation of the caller, if the credential names one.
    #[must_use]
    pub fn organization(&self) -> Option<Organization> {
        let name = self.organization.clone()?;
        Some(Organization { issuer: Arc::clone(&self.principal.issuer), name })
    }

    /// What is kept.
    #[must_use]
    pub fn inner(&self) -> &K {
        &self.inner
    }
}

impl Caller {
    /// A key that no other caller has.
    #[must_use]
    pub fn key<K>(&self, inner: K) -> PerCaller<K> {
        PerCaller { principal: self.principal.clone(), organization: self.organization.clone(), inner }
    }
}
