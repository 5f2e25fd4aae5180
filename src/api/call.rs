//! A request to the platform as data: what it asks, and whether it may be asked twice.

use std::time::Duration;

use http::Method;

use super::retry::Repeat;

/// A request to the platform, described.
#[derive(Debug)]
pub(super) struct Call {
    /// `operationId` in the platform's contract.
    pub operation: &'static str,
    pub method: Method,
    /// Begins with a slash; its variable segments are typed ids.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<serde_json::Value>,
    pub repeat: Repeat,
    /// Deadline of one attempt, when it differs from the configured one.
    pub timeout: Option<Duration>,
    /// A redirect is the answer, not an error.
    pub redirects: bool,
}

impl Call {
    /// A read, which may be repeated.
    pub fn get(operation: &'static str, path: String) -> Self {
        Self {
            operation,
            method: Method::GET,
            path,
            query: Vec::new(),
            body: None,
            repeat: Repeat::Allowed,
            timeout: None,
            redirects: false,
        }
    }

    /// A write, which is sent once.
    pub fn post(operation: &'static str, path: String, body: Option<serde_json::Value>) -> Self {
        Self { method: Method::POST, body, repeat: Repeat::Never, ..Self::get(operation, path) }
    }

    /// A write that puts something into a named state, which may be repeated.
    pub fn put(operation: &'static str, path: String, body: serde_json::Value) -> Self {
        Self { method: Method::PUT, body: Some(body), ..Self::get(operation, path) }
    }

    /// A removal, which may be repeated: gone is gone.
    pub fn delete(operation: &'static str, path: String) -> Self {
        Self { method: Method::DELETE, ..Self::get(operation, path) }
    }

    /// For a write without a body that puts something into a named state.
    pub fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Allowed;
        self
    }

    /// Sent once, although it could be repeated.
    pub fn once(mut self) -> Self {
        self.repeat = Repeat::Never;
        self
    }

    /// Adds a query parameter if there is a value: the platform wants unset ones left out.
    pub fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }
}
