//! One request out, one answer back: deadline, byte cap, credential to one pinned host.

use std::{fmt::Write as _, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

pub(super) use super::call::Call;
use super::{ApiError, Credential, Fault, Session};
use crate::{
    clock::Clock,
    config,
    metrics::Metrics,
    traces::{Server, Span},
};

/// The connection pool to the platform.
#[derive(Debug)]
pub(super) struct Network {
    http: reqwest::Client,
    /// Without trailing slash; every path is appended to it, so nothing goes to another host.
    base: String,
    server: Server,
    timeout: Duration,
    max_bytes: usize,
    clock: Clock,
    pub metrics: Metrics,
}

/// A successful answer (2xx, or 3xx where that is asked for).
#[derive(Debug)]
pub(super) struct Answer {
    operation: &'static str,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Network {
    pub fn new(config: &config::Api, http: reqwest::Client, clock: Clock) -> Self {
        Self {
            http,
            base: config.url.as_str().trim_end_matches('/').to_owned(),
            server: Server::of(&config.url),
            timeout: config.timeout,
            max_bytes: config.max_response_bytes,
            clock,
            metrics: Metrics::default(),
        }
    }

    /// Sends once.
    async fn send(
        &self,
        call: &Call,
        credential: &Credential,
        deadline: Instant,
        span: &Span,
    ) -> Result<Answer, ApiError> {
        let fail = |fault| ApiError::new(call.operation, fault);
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = call.timeout.unwrap_or(self.timeout).min(left);
        let exchange = async {
            match credential.own() {
                Some(header) => self.attempt(call, header, span).await,
                // In a box, so that the rarer kind does not make every call larger.
                None => Box::pin(self.attempt_lent(call, credential, span)).await,
            }
        };
        let counted = self.metrics.platform(call.operation);
        let result =
            tokio::time::timeout(timeout, exchange).await.unwrap_or_else(|_| Err(fail(Fault::Timeout)));
        let failure = result.as_ref().err().map(|error| error.fault().name());
        counted.ended(failure.unwrap_or("ok"));
        if let Some(failure) = failure {
            span.failed(failure);
        }
        result
    }

    async fn attempt_lent(
        &self,
        call: &Call,
        credential: &Credential,
        span: &Span,
    ) -> Result<Answer, ApiError> {
        let header = credential.lend(call.operation, None).await?;
        match self.attempt(call, header.clone(), span).await {
            // It can end before its time. Whoever is not known has changed nothing, so that a write may be sent again too.
            Err(error) if *error.fault() == Fault::Unauthorized => {
                let another = credential.lend(call.operation, Some(&header)).await?;
                self.attempt(call, another, span).await
            }
            result => result,
        }
    }

    async fn attempt(&self, call: &Call, credential: HeaderValue, span: &Span) -> Result<Answer, ApiError> {
        let fail = |fault| ApiError::new(call.operation, fault);
        let mut request = self.request(call, credential).ok_or_else(|| fail(Fault::NoCredential))?;
        span.inject(request.headers_mut());
        let response = self.http.execute(request).await.map_err(|error| transport(call.operation, error))?;
        let status = response.status();
        span.number("http.response.status_code", status.as_u16().into());
        let headers = response.headers().clone();
        let body = self.read(call.operation, response).await?;
        if status.is_success() || (status.is_redirection() && call.redirects) {
            return Ok(Answer { operation: call.operation, headers, body });
        }
        if status.is_redirection() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(fail(Fault::Malformed).caused_by(format!("unexpected redirect (status {status})")));
        }
        Err(ApiError::from_answer(call.operation, status.as_u16(), &headers, &body, self.clock.now()))
    }

    fn request(&self, call: &Call, credential: HeaderValue) -> Option<reqwest::Request> {
        let mut address = String::with_capacity(self.base.len() + call.path.len() + 32);
        address.push_str(&self.base);
        address.push_str(&call.path);
        for (index, (name, value)) in call.query.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            // Writing to a String cannot fail.
            let _ = write!(address, "{separator}{name}={value}");
        }
        let mut request = reqwest::Request::new(call.method.clone(), Url::parse(&address).ok()?);
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, credential);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(body) = &call.body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        Some(request)
    }

    /// The body, up to the byte cap: a larger one is an error, never a record with its end missing.
    async fn read(
        &self,
        operation: &'static str,
        mut response: reqwest::Response,
    ) -> Result<Bytes, ApiError> {
        let too_large =
            || ApiError::new(operation, Fault::Malformed).caused_by("the answer is larger than the limit");
        let announced = response.content_length().unwrap_or(0);
        if usize::try_from(announced).map_or(true, |length| length > self.max_bytes) {
            return Err(too_large());
        }
        let Some(first) = response.chunk().await.map_err(|error| transport(operation, error))? else {
            return Ok(Bytes::new());
        };
        // Most answers arrive in one piece, which is passed on without a copy.
        let Some(second) = response.chunk().await.map_err(|error| transport(operation, error))? else {
            return if first.len() > self.max_bytes { Err(too_large()) } else { Ok(first) };
        };
        let mut body = BytesMut::from(first);
        body.extend_from_slice(&second);
        while let Some(more) = response.chunk().await.map_err(|error| transport(operation, error))? {
            if body.len() + more.len() > self.max_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&more);
        }
        if body.len() > self.max_bytes { Err(too_large()) } else { Ok(body.freeze()) }
    }
}

impl Session<'_> {
    /// Sends a call as this caller, repeating it where that is allowed.
    pub(super) async fn send(&self, call: Call) -> Result<Answer, ApiError> {
        let Some(credential) = self.credential else {
            return Err(ApiError::new(call.operation, Fault::NoCredential));
        };
        self.repeatedly(&call, credential, &mut 0).await
    }

    /// Sends a call as often as it may be and need be, and counts the attempts.
    async fn repeatedly(
        &self,
        call: &Call,
        credential: &Credential,
        attempts: &mut u32,
    ) -> Result<Answer, ApiError> {
        let network = &self.api.network;
        let attempt = || {
            let span = self.span.platform(&call.method, call.operation, &network.server);
            if *attempts > 0 {
                network.metrics.repeated(call.operation);
                span.number("http.request.resend_count", i64::from(*attempts));
            }
            *attempts += 1;
            // In a box: whoever awaits a call would otherwise carry the whole exchange in its own future, some of them twice.
            Box::pin(async move { network.send(call, credential, self.deadline, &span).await })
        };
        self.api.retry.run(call.repeat, self.deadline, attempt).await
    }

    /// Sends a removal. If a later attempt finds nothing, an earlier one, whose answer was lost, has done the work.
    pub(super) async fn remove(&self, call: Call) -> Result<(), ApiError> {
        let Some(credential) = self.credential else {
            return Err(ApiError::new(call.operation, Fault::NoCredential));
        };
        let mut attempts = 0;
        match self.repeatedly(&call, credential, &mut attempts).await {
            Err(error) if attempts > 1 && *error.fault() == Fault::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(_ignored) => Ok(()),
        }
    }

    /// Sends a call and reads its JSON.
    pub(super) async fn fetch<T: DeserializeOwned>(&self, call: Call) -> Result<T, ApiError> {
        self.send(call).await?.json()
    }
}

impl Answer {
    /// Whether the content type says JSON.
    pub fn is_json(&self) -> bool {
        let essence = self.content_type();
        essence == "application/json" || essence.ends_with("+json")
    }

    /// Whether the content type says text that is data. HTML is not: it is a login or an error page.
    pub fn is_text(&self) -> bool {
        let essence = self.content_type();
        essence.starts_with("text/") && essence != "text/html"
    }

    fn content_type(&self) -> String {
        let value =
            self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body as `T`. HTML or any other type is an error, never data; a JSON error names the path.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let malformed = || ApiError::new(self.operation, Fault::Malformed);
        if !self.is_json() {
            return Err(malformed().caused_by("the answer is not JSON by its content type"));
        }
        serde_json::from_slice(&self.body).map_err(|plain| {
            // Read again, slowly, to find out where: failures are rare, answers are many.
            let reader = &mut serde_json::Deserializer::from_slice(&self.body);
            match serde_path_to_error::deserialize::<_, T>(reader) {
                Err(error) => {
                    malformed().caused_by(format!("at {}: {}", error.path(), category(error.inner())))
                }
                Ok(_) => malformed().caused_by(category(&plain)),
            }
        })
    }
}

/// What is wrong with the JSON, without its content, which belongs to a tenant.
fn category(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "unreadable",
        serde_json::error::Category::Syntax => "invalid JSON",
        serde_json::error::Category::Data => "unexpected type",
        serde_json::error::Category::Eof => "JSON ends too early",
    };
    format!("{kind} (line {}, column {})", error.line(), error.column())
}

fn transport(operation: &'static str, error: reqwest::Error) -> ApiError {
    let fault = if error.is_timeout() { Fault::Timeout } else { Fault::Unreachable };
    // The URL holds search terms, which are arguments.
    ApiError::new(operation, fault).caused_by(error.without_url())
}
