//! Is this token ours, current, and for us?
//!
//! RFC 9068 section 4 and RFC 8725, fail closed: whatever is not understood is refused. A verdict is remembered under
//! the token's SHA-256 for [`REMEMBER`] at most, so that a busy client does not cost a signature check per request; the
//! token's end (with [`LEEWAY`]) is looked at each time.

use std::{sync::Arc, time::Duration};

use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{
    caller::{Caller, Principal, Verified, organization},
    keys::{KeyError, KeyStore},
    refusal::Refusal,
    scopes::ScopeSet,
    upstream::Upstream,
    verdicts::Fingerprint,
};
use crate::clock::Clock;

/// How long a good verdict is remembered.
const REMEMBER: Duration = Duration::from_mins(1);
/// Verdicts remembered at a time; the least used ones make room.
const REMEMBERED: u64 = 20_000;
/// Tolerated difference between the issuer's clock and ours, in seconds.
pub const LEEWAY: i64 = 60;

/// Checks access tokens of the configured issuers for one audience.
pub struct Verifier {
    issuers: Vec<Arc<KeyStore>>,
    audiences: Audiences,
    clock: Clock,
    verdicts: moka::sync::Cache<Fingerprint, Arc<Caller>>,
}

impl Verifier {
    /// A token is verified with the keys of the issuer it names, and one of its audiences must be ours.
    pub(super) fn new(issuers: Vec<Arc<KeyStore>>, audiences: Audiences, clock: Clock) -> Self {
        let verdicts = moka::sync::Cache::builder().max_capacity(REMEMBERED).time_to_live(REMEMBER).build();
        Self { issuers, audiences, clock, verdicts }
    }

    /// The caller whom this token proved a moment ago.
    pub(super) fn remembered(&self, key: &Fingerprint) -> Option<Result<Arc<Caller>, Refusal>> {
        let caller = self.verdicts.get(key)?;
        Some(self.check_expiry(caller.expires_at()).map(|()| caller))
    }

    /// The caller whom this token proves.
    ///
    /// # Errors
    ///
    /// Every [`Refusal`] that concerns a JWT that was sent.
    pub(super) async fn verify(
        &self,
        token: &str,
        key: Fingerprint,
        upstream: &Upstream,
    ) -> Result<Arc<Caller>, Refusal> {
        let verified = self.check(token).await?;
        let caller = Arc::new(upstream.caller(token, verified));
        self.verdicts.insert(key, Arc::clone(&caller));
        Ok(caller)
    }

    async fn check(&self, token: &str) -> Result<Verified, Refusal> {
        let header: Header = part(token, 0).ok_or(Refusal::Malformed)?;
        let algorithm = allowed_algorithm(&header.alg).ok_or(Refusal::Algorithm)?;
        header.check_type()?;
        // Not proven yet: it only says whose keys to try, and is checked again with the other claims.
        let claimed: Claimed = part(token, 1).ok_or(Refusal::Malformed)?;
        let keys = self.issuers.iter().find(|keys| Some(keys.issuer()) == claimed.iss.as_deref());
        let keys = keys.ok_or(Refusal::Issuer)?;
        let kid = header.kid.as_deref().filter(|kid| !kid.is_empty()).ok_or(Refusal::UnknownKey)?;
        let key = keys.find(kid).await.map_err(|error| match error {
            KeyError::Unknown => Refusal::UnknownKey,
            KeyError::Unavailable { retry_after } => Refusal::KeysUnavailable { retry_after },
        })?;
        if !key.algorithms.contains(&algorithm) {
            return Err(Refusal::Algorithm);
        }
        // Only the signature is checked here; the claims are checked below, against our own clock.
        let mut signature = Validation::new(algorithm);
        signature.required_spec_claims.clear();
        signature.validate_exp = false;
        signature.validate_aud = false;
        let claims =
            jsonwebtoken::decode::<Claims>(token, &key.decoding, &signature).map_err(|error| match error
                .kind()
            {
                jsonwebtoken::errors::ErrorKind::Json(_) => Refusal::Claims,
                _ => Refusal::Signature,
            })?;
        self.check_claims(keys.issuer(), claims.claims)
    }

    fn check_claims(&self, issuer: &str, claims: Claims) -> Result<Verified, Refusal> {
        if claims.iss.as_deref() != Some(issuer) {
            return Err(Refusal::Issuer);
        }
        if claims.cnf {
            return Err(Refusal::SenderConstrained);
        }
        if claims.nonce || claims.at_hash || claims.c_hash {
            return Err(Refusal::IdToken);
        }
        let audiences = claims.aud.as_ref().ok_or(Refusal::Audience)?;
        if !audiences.values().any(|audience| self.audiences.has(audience)) {
            return Err(Refusal::Audience);
        }
        let expires_at = claims.exp.and_then(Number::seconds).ok_or(Refusal::Claims)?;
        self.check_expiry(Some(expires_at))?;
        if let Some(not_before) = claims.nbf {
            let not_before = not_before.seconds().ok_or(Refusal::Claims)?;
            if not_before.saturating_sub(LEEWAY) > self.clock.unix_seconds() {
                return Err(Refusal::NotYetValid);
            }
        }
        let subject = claims.sub.as_deref().filter(|subject| !subject.is_empty()).ok_or(Refusal::Claims)?;
        Ok(Verified {
            principal: Principal::new(issuer, subject),
            client_id: claims.client_id.or(claims.azp),
            organization: organization(claims.organization_id.as_ref()),
            scopes: match claims.scope.or(claims.scp) {
                Some(Many::One(text)) => ScopeSet::parse(text.split(' ')),
                Some(Many::Several(list)) => ScopeSet::parse(list.iter().map(String::as_str)),
                None => ScopeSet::EMPTY,
            },
            expires_at: Some(expires_at),
        })
    }

    fn check_expiry(&self, expires_at: Option<i64>) -> Result<(), Refusal> {
        match expires_at {
            Some(end) if end.saturating_add(LEEWAY) <= self.clock.unix_seconds() => Err(Refusal::Expired),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("issuers", &self.issuers)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}

/// The values of `aud` that mean us.
#[derive(Debug, Clone)]
pub(super) struct Audiences(Arc<[String]>);

impl Audiences {
    pub(super) fn new(ours: impl IntoIterator<Item = String>) -> Self {
        Self(ours.into_iter().map(|ours| ours.strip_suffix('/').map(str::to_owned).unwrap_or(ours)).collect())
    }

    /// The issuer keeps the path of the requested resource and drops the query; a trailing slash is no difference.
    pub(super) fn has(&self, audience: &str) -> bool {
        let audience = audience.strip_suffix('/').unwrap_or(audience);
        self.0.iter().any(|ours| ours == audience)
    }
}

/// Whether this is a JWT (a compact JWS with a header that can be read), and not an opaque token.
pub(super) fn is_jwt(token: &str) -> bool {
    part::<Header>(token, 0).is_some()
}

/// Header (0) or payload (1) of a compact JWS, unverified.
fn part<T: serde::de::DeserializeOwned>(token: &str, index: usize) -> Option<T> {
    let mut parts = token.split('.');
    let (header, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let part = if index == 0 { header } else { payload };
    let json = data_encoding::BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
    serde_json::from_slice(&json).ok()
}

/// Whose keys a token says it is signed with.
#[derive(Deserialize)]
struct Claimed {
    iss: Option<String>,
}

/// The JOSE header, as far as it decides anything. `jku`, `x5u`, `jwk` and `x5c` are not even read.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    /// Whatever it lists, we do not understand it (RFC 7515 section 4.1.11).
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// Whether a member is there at all. Its value decides nothing, so `null` is there too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl Header {
    fn check_type(&self) -> Result<(), Refusal> {
        if self.crit {
            return Err(Refusal::Type);
        }
        match self.typ.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("at+jwt" | "application/at+jwt" | "jwt" | "application/jwt") => Ok(()),
            Some("id+jwt" | "id_token+jwt") => Err(Refusal::IdToken),
            Some(_) => Err(Refusal::Type),
        }
    }
}

/// Asymmetric algorithms only (RFC 8725 section 3.1): `none` and HMAC are not in the list, so they cannot be chosen.
fn allowed_algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" => Algorithm::EdDSA,
        _ => return None,
    })
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is whether one claim is there")]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Many>,
    exp: Option<Number>,
    nbf: Option<Number>,
    client_id: Option<String>,
    azp: Option<String>,
    scope: Option<Many>,
    scp: Option<Many>,
    organization_id: Option<serde_json::Value>,
    /// Key binding (RFC 7800).
    #[serde(default, deserialize_with = "present")]
    cnf: bool,
    // Members of ID tokens only (OpenID Connect Core section 2).
    #[serde(default, deserialize_with = "present")]
    nonce: bool,
    #[serde(default, deserialize_with = "present")]
    at_hash: bool,
    #[serde(default, deserialize_with = "present")]
    c_hash: bool,
}

/// A claim that is one text or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Many {
    One(String),
    Several(Vec<String>),
}

impl Many {
    fn values(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(list) => list.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

/// `NumericDate` (RFC 7519 section 2): seconds, possibly with a fraction.
#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Fraction(f64),
}

impl Number {
    fn seconds(self) -> Option<i64> {
        match self {
            Self::Whole(seconds) => Some(seconds),
            #[expect(clippy::cast_possible_truncation, reason = "checked to be within the exact range")]
            Self::Fraction(seconds) if seconds.is_finite() && seconds.abs() < 1e15 => Some(seconds as i64),
            Self::Fraction(_) => None,
        }
    }
}
