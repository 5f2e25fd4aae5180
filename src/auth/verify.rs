//! Is this token ours, current, and for us?
//!
//! RFC 9068 section 4 and RFC 8725, fail closed: whatever is not understood is refused. A verdict is remembered under
//! the token's SHA-256 for [`REMEMBER`] at most and never past the token's own end, so that a busy client does not cost
//! a signature check per request.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use jsonwebtoken::{Algorithm, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{
    caller::{Caller, Principal, Verified},
    keys::{KeyError, KeyStore},
    refusal::Refusal,
    scopes::ScopeSet,
};
use crate::clock::Clock;

/// How long a good verdict is remembered.
const REMEMBER: Duration = Duration::from_mins(1);
/// Verdicts remembered at a time; the least used ones make room.
const REMEMBERED: u64 = 20_000;
/// Tolerated difference between the issuer's clock and ours, in seconds.
pub const LEEWAY: i64 = 60;
/// Longest token looked at. Real ones are below 2 kB.
const MAX_TOKEN: usize = 8 * 1024;

/// Checks access tokens of one issuer for one audience.
pub struct Verifier {
    keys: Arc<KeyStore>,
    issuer: String,
    audiences: Vec<String>,
    clock: Clock,
    verdicts: moka::sync::Cache<[u8; 32], Arc<Caller>>,
}

impl Verifier {
    /// `audiences` are the values of `aud` that mean us; one of them must be in the token.
    pub(super) fn new(keys: Arc<KeyStore>, issuer: String, audiences: Vec<String>, clock: Clock) -> Self {
        let verdicts = moka::sync::Cache::builder().max_capacity(REMEMBERED).time_to_live(REMEMBER).build();
        Self { keys, issuer, audiences, clock, verdicts }
    }

    /// The caller whom this token proves.
    ///
    /// # Errors
    ///
    /// Every [`Refusal`] that concerns a token that was sent.
    pub(super) async fn verify(&self, token: &SecretString) -> Result<Arc<Caller>, Refusal> {
        let text = token.expose_secret();
        if text.len() > MAX_TOKEN {
            return Err(Refusal::Malformed);
        }
        let key = fingerprint(text);
        if let Some(caller) = self.verdicts.get(&key) {
            self.check_expiry(caller.expires_at())?;
            return Ok(caller);
        }
        let caller = Arc::new(Caller::from_token(self.check(text).await?, token));
        self.verdicts.insert(key, Arc::clone(&caller));
        Ok(caller)
    }

    async fn check(&self, token: &str) -> Result<Verified, Refusal> {
        let header = Header::of(token).ok_or(Refusal::Malformed)?;
        let algorithm = allowed_algorithm(&header.alg).ok_or(Refusal::Algorithm)?;
        header.check_type()?;
        let kid = header.kid.as_deref().filter(|kid| !kid.is_empty()).ok_or(Refusal::UnknownKey)?;
        let key = self.keys.find(kid).await.map_err(|error| match error {
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
        self.check_claims(claims.claims)
    }

    fn check_claims(&self, claims: Claims) -> Result<Verified, Refusal> {
        if claims.iss.as_deref() != Some(self.issuer.as_str()) {
            return Err(Refusal::Issuer);
        }
        if claims.cnf.is_some() {
            return Err(Refusal::SenderConstrained);
        }
        if claims.nonce.is_some() || claims.at_hash.is_some() || claims.c_hash.is_some() {
            return Err(Refusal::IdToken);
        }
        let audiences = claims.aud.as_ref().ok_or(Refusal::Audience)?;
        if !audiences.values().any(|audience| self.is_ours(audience)) {
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
            principal: Principal::new(&self.issuer, subject),
            client_id: claims.client_id.or(claims.azp),
            organization: claims.organization_id.and_then(|value| match value {
                serde_json::Value::String(text) => Some(text),
                serde_json::Value::Number(number) => Some(number.to_string()),
                _ => None,
            }),
            scopes: match claims.scope.or(claims.scp) {
                Some(Many::One(text)) => ScopeSet::parse(text.split(' ')),
                Some(Many::Several(list)) => ScopeSet::parse(list.iter().map(String::as_str)),
                None => ScopeSet::EMPTY,
            },
            expires_at,
        })
    }

    fn check_expiry(&self, expires_at: Option<i64>) -> Result<(), Refusal> {
        match expires_at {
            Some(end) if end.saturating_add(LEEWAY) <= self.clock.unix_seconds() => Err(Refusal::Expired),
            _ => Ok(()),
        }
    }

    fn is_ours(&self, audience: &str) -> bool {
        // The issuer keeps the path of the requested resource and drops the query; a trailing slash is no difference.
        let audience = audience.strip_suffix('/').unwrap_or(audience);
        self.audiences.iter().any(|ours| ours.strip_suffix('/').unwrap_or(ours) == audience)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}

fn fingerprint(token: &str) -> [u8; 32] {
    let mut key = [0; 32];
    key.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    key
}

/// The JOSE header, as far as it decides anything. `jku`, `x5u` and `jwk` are not even read.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

impl Header {
    fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (header, _, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
            return None;
        };
        let json = data_encoding::BASE64URL_NOPAD.decode(header.as_bytes()).ok()?;
        serde_json::from_slice(&json).ok()
    }

    fn check_type(&self) -> Result<(), Refusal> {
        if self.crit.is_some() {
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
    cnf: Option<serde::de::IgnoredAny>,
    // Members of ID tokens only (OpenID Connect Core section 2).
    nonce: Option<serde::de::IgnoredAny>,
    at_hash: Option<serde::de::IgnoredAny>,
    c_hash: Option<serde::de::IgnoredAny>,
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
