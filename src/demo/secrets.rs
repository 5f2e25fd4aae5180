//! Unguessable strings and comparisons that do not tell how much was right.

use aws_lc_rs::{constant_time, rand};
use data_encoding::BASE64URL_NOPAD;

/// 256 random bits, base64url: client ids, codes, sessions, CSRF tokens.
pub(crate) fn token() -> String {
    BASE64URL_NOPAD.encode(&bytes::<32>())
}

/// Random bytes for a key.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if rand::fill(&mut bytes).is_err() {
        // Without randomness every secret of this process would be a guess; there is no safe way to go on.
        std::process::abort();
    }
    bytes
}

/// Compares two secrets in constant time (for equal lengths).
pub(crate) fn same(a: &str, b: &str) -> bool {
    constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}
