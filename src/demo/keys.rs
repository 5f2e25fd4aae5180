//! The issuer's signing keys: RSA 2048, RS256, published as a JWKS (RFC 7517).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    error::Unspecified,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::secrets;

/// Why a token could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Header and claims of a JWT are JSON objects (RFC 7519 section 3).
    #[error("the {0} of a token must be a JSON object")]
    NotAnObject(&'static str),
    /// The cryptographic library refused.
    #[error("the signature could not be computed")]
    Signature,
}

/// The key that signs and the one before it, which the key set still lists for tokens under way.
#[derive(Debug)]
pub(crate) struct Keys(Mutex<Ring>);

#[derive(Debug)]
struct Ring {
    current: Arc<Key>,
    previous: Option<Arc<Key>>,
}

#[derive(Debug)]
pub(crate) struct Key {
    kid: String,
    pair: KeyPair,
}

impl Keys {
    pub(crate) fn generate() -> Result<Self, Unspecified> {
        Ok(Self(Mutex::new(Ring { current: Arc::new(Key::generate()?), previous: None })))
    }

    pub(crate) fn rotate(&self) {
        // When no key can be made the old one goes on signing, which is what a real issuer would do.
        if let Ok(key) = Key::generate() {
            let mut ring = self.lock();
            let previous = std::mem::replace(&mut ring.current, Arc::new(key));
            ring.previous = Some(previous);
        }
    }

    pub(crate) fn current(&self) -> Arc<Key> {
        Arc::clone(&self.lock().current)
    }

    /// The public half, newest key first.
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": self.lock().keys().map(|key| key.jwk()).collect::<Vec<_>>() })
    }

    /// See [`super::Platform::sign`].
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> Result<String, SignError> {
        let key = self.current();
        let mut header = header.as_object().ok_or(SignError::NotAnObject("header"))?.clone();
        header.entry("alg").or_insert_with(|| "RS256".into());
        header.entry("kid").or_insert_with(|| key.kid.as_str().into());
        if !claims.is_object() {
            return Err(SignError::NotAnObject("payload"));
        }
        let header = BASE64URL_NOPAD.encode(Value::Object(header).to_string().as_bytes());
        let message = format!("{header}.{}", BASE64URL_NOPAD.encode(claims.to_string().as_bytes()));
        let mut signature = vec![0; key.pair.public_modulus_len()];
        key.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .map_err(|_| SignError::Signature)?;
        Ok(format!("{message}.{}", BASE64URL_NOPAD.encode(&signature)))
    }

    /// The claims of a token that one of the listed keys has signed. Says nothing about their content: expiry and
    /// issuer are the caller's to check, because time here is the simulation's.
    pub(crate) fn verify<C: DeserializeOwned>(&self, token: &str) -> Option<C> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.lock().keys().find(|key| key.kid == kid).map(Arc::clone)?;
        let decoding = DecodingKey::from_rsa_components(&key.modulus(), &key.exponent()).ok()?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        jsonwebtoken::decode::<C>(token, &decoding, &validation).ok().map(|token| token.claims)
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    /// Newest first.
    fn keys(&self) -> impl Iterator<Item = &Arc<Key>> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

impl Key {
    fn generate() -> Result<Self, Unspecified> {
        let pair = KeyPair::generate(KeySize::Rsa2048)?;
        Ok(Self { kid: BASE64URL_NOPAD.encode(&secrets::bytes::<9>()), pair })
    }

    pub(crate) fn spki(&self) -> Vec<u8> {
        let der: Result<PublicKeyX509Der<'_>, _> = self.pair.public_key().as_der();
        der.map(|der| der.as_ref().to_vec()).unwrap_or_default()
    }

    fn modulus(&self) -> String {
        BASE64URL_NOPAD.encode(self.pair.public_key().modulus().big_endian_without_leading_zero())
    }

    fn exponent(&self) -> String {
        BASE64URL_NOPAD.encode(self.pair.public_key().exponent().big_endian_without_leading_zero())
    }

    fn jwk(&self) -> Value {
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": self.modulus(), "e": self.exponent(),
        })
    }
}

/// What the API reads from an access token. The audience is not among it: the real API does not check it either.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) exp: i64,
    #[serde(default)]
    pub(crate) nbf: i64,
    #[serde(default)]
    pub(crate) scope: String,
    #[serde(default)]
    pub(crate) jti: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_verifies_until_its_key_leaves_the_set() {
        let keys = Keys::generate().unwrap();
        let token = keys.sign(&json!({}), &json!({ "sub": "15" })).unwrap();
        assert!(keys.verify::<Value>(&token).is_some());
        keys.rotate();
        assert!(keys.verify::<Value>(&token).is_some());
        keys.rotate();
        assert!(keys.verify::<Value>(&token).is_none());
        assert_eq!(keys.jwks()["keys"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn signing_keeps_what_the_header_claims() {
        let keys = Keys::generate().unwrap();
        let token = keys.sign(&json!({ "alg": "none", "typ": "x" }), &json!({})).unwrap();
        let header = BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!((&header["alg"], &header["typ"]), (&json!("none"), &json!("x")));
        assert!(header["kid"].is_string());
        assert!(keys.verify::<Value>(&token).is_none());
        assert!(keys.sign(&json!([]), &json!({})).is_err());
    }
}
