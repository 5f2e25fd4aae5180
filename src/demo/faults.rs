//! Breaking the platform on purpose: what tests of timeouts, retries and outages inject.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};

/// Faults waiting for their requests, oldest first.
#[derive(Debug, Default)]
pub struct Faults(Mutex<VecDeque<Fault>>);

/// Something to do to the next requests of a kind instead of, or besides, answering them.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Matches requests whose method and path, as in `GET /api/oauth/certs`, contain this. The query is left out.
    pub path_contains: String,
    /// How many matching requests it hits before it is used up.
    pub times: u32,
    /// What happens to them.
    pub kind: FaultKind,
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// Answered like this, without looking at it.
    Status {
        /// Status code; one that HTTP does not have becomes 500.
        status: u16,
        /// Headers of the answer. Without a `content-type` among them it is `application/json`.
        headers: Vec<(String, String)>,
        /// The body as it is.
        body: String,
    },
    /// Never answered, until the client gives up.
    Hang,
    /// Carried out, but never answered.
    HangAfterAction,
    /// The connection is closed without an answer.
    Disconnect,
    /// Answered 200 with a JSON body of this size.
    Huge {
        /// Size of the body.
        bytes: usize,
    },
    /// Answered normally, but this much later by the platform's clock.
    Delay(Duration),
}

/// Marks an answer that must not be sent: the connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropped;

impl Faults {
    /// Queues a fault. A request is hit by the oldest one that matches it.
    pub fn inject(&self, fault: Fault) {
        if fault.times > 0 {
            self.lock().push_back(fault);
        }
    }

    /// Forgets every fault; requests already hanging go on hanging.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Takes one hit off the oldest matching fault.
    pub(crate) fn take(&self, method: &Method, path: &str) -> Option<FaultKind> {
        let request = format!("{method} {path}");
        let mut queue = self.lock();
        let at = queue.iter().position(|fault| request.contains(&fault.path_contains))?;
        let fault = queue.get_mut(at)?;
        fault.times -= 1;
        let kind = fault.kind.clone();
        if fault.times == 0 {
            queue.remove(at);
        }
        Some(kind)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultKind {
    /// The answer of a fault that gives one without the request being carried out.
    pub(crate) async fn answer(self) -> Response {
        match self {
            Self::Status { status, headers, body } => {
                let mut response = Response::new(Body::from(body));
                *response.status_mut() =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                for (name, value) in headers {
                    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
                    {
                        response.headers_mut().append(name, value);
                    }
                }
                response
                    .headers_mut()
                    .entry(header::CONTENT_TYPE)
                    .or_insert(HeaderValue::from_static("application/json"));
                response
            }
            Self::Huge { bytes } => {
                const FRAME: usize = r#"{"filler":""}"#.len();
                let body = format!(r#"{{"filler":"{}"}}"#, "x".repeat(bytes.saturating_sub(FRAME)));
                let mut response = Response::new(Body::from(body));
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Self::Disconnect => {
                let mut response = Response::default();
                response.extensions_mut().insert(Dropped);
                response
            }
            Self::Hang | Self::HangAfterAction | Self::Delay(_) => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_matching_requests_and_is_used_up() {
        let faults = Faults::default();
        faults.inject(Fault { path_contains: "POST /api/v1/agent".into(), times: 2, kind: FaultKind::Hang });
        assert!(faults.take(&Method::GET, "/api/v1/agent/1").is_none());
        assert!(faults.take(&Method::POST, "/api/v1/agent/1/start").is_some());
        assert!(faults.take(&Method::POST, "/api/v1/agent/1/start").is_some());
        assert!(faults.take(&Method::POST, "/api/v1/agent/1/start").is_none());
    }
}
