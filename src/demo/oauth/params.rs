//! Request parameters of the OAuth endpoints.

/// Names and values of a query or form. A parameter without a value counts as absent (RFC 6749 section 3.1).
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(encoded).into_owned();
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first parameter that is there more than once, which none may be (RFC 6749 section 3.1). `resource` may by
    /// RFC 8707, but not here: a token has one audience.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.array_windows().find(|[a, b]| a == b).map(|[name, _]| *name)
    }
}
