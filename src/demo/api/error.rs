//! Refusals, in the two shapes the platform uses: its own, and problem details (RFC 7807).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::demo::oauth::Scope;

/// An operation's "no".
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
    shape: Shape,
    error_code: Option<&'static str>,
    headers: Vec<(header::HeaderName, String)>,
}

#[derive(Debug)]
enum Shape {
    /// `{statusCode,statusDescription,message,severity,errorCode}`
    Vendor,
    /// RFC 7807, about this path.
    Problem(String),
}

impl Refusal {
    /// In the vendor's own shape.
    pub(crate) fn vendor(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), shape: Shape::Vendor, error_code: None, headers: Vec::new() }
    }

    /// As problem details about `instance`.
    pub(crate) fn problem(status: StatusCode, message: impl Into<String>, instance: &str) -> Self {
        Self { shape: Shape::Problem(instance.to_owned()), ..Self::vendor(status, message) }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::vendor(StatusCode::BAD_REQUEST, message)
    }

    /// The same "no", told as problem details about `instance`.
    pub(crate) fn about(self, instance: &str) -> Self {
        Self { shape: Shape::Problem(instance.to_owned()), ..self }
    }

    /// A valid token without the right: says which scope would do, in the body and in a challenge.
    pub(crate) fn insufficient_scope(scope: Scope) -> Self {
        let name = scope.name();
        Self {
            error_code: Some("insufficient_scope"),
            headers: vec![(
                header::WWW_AUTHENTICATE,
                format!("Bearer error=\"insufficient_scope\", scope=\"{name}\""),
            )],
            ..Self::vendor(StatusCode::FORBIDDEN, format!("The token does not have the scope {name}"))
        }
    }

    pub(crate) fn too_many_requests(retry_after: String) -> Self {
        Self {
            headers: vec![(header::RETRY_AFTER, retry_after)],
            ..Self::vendor(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded, try again later")
        }
    }

    /// What it says.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    fn body(&self) -> Value {
        let (status, title) = (self.status.as_u16(), self.status.canonical_reason());
        match &self.shape {
            Shape::Vendor => json!({
                "statusCode": status, "statusDescription": title, "message": self.message, "severity": "Error",
                "errorCode": self.error_code,
            }),
            Shape::Problem(instance) => json!({
                "type": format!("https://httpstatuses.io/{status}"), "title": title, "status": status,
                "detail": self.message, "instance": instance, "errorCode": self.error_code,
            }),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if matches!(self.shape, Shape::Problem(_)) {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
