//! The one confidential client: a resource server that looks tokens up and exchanges them. Everybody else is public.

use axum::http::{HeaderMap, header};
use data_encoding::BASE64;

use crate::demo::secrets;

/// Its id.
pub(crate) const CLIENT_ID: &str = "demo-resource-server";
/// Its secret, which is public on purpose: there is nothing behind it.
pub(crate) const CLIENT_SECRET: &str = "demo-secret-of-the-resource-server";

/// Whether the request comes from it, by HTTP Basic (RFC 6749 section 2.3.1).
pub(super) fn is_authentic(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(("Basic", encoded)) = value.and_then(|value| value.split_once(' ')) else { return false };
    // Neither half has a character that form-encoding would change.
    let expected = BASE64.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}").as_bytes());
    secrets::same(encoded, &expected)
}
