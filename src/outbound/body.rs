//! Reading answers: whole, or not at all.

/// The whole body of an answer of at most `limit` bytes.
///
/// # Errors
///
/// See [`BodyError`].
pub async fn body(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// There is more of it than is read.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}
