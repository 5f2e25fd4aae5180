//! The REST API of Sequence: two operations, each with a credential and a header of its own.

use std::time::Duration;

use http::{Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Number, Value};
use tokio::time::Instant;
use url::Url;

use super::{
    error::{BankError, Fault},
    rule::{IdempotencyKey, RuleId},
};
use crate::{
    api::{
        error::retry_after,
        retry::{Policy, Repeat},
    },
    clock::Clock,
    outbound::{self, BodyError},
};

/// The path of the list of accounts.
const ACCOUNTS: &str = "accounts";
/// The path under which rules are triggered, before the id. The vendor's help pages also show it without `remote-api`.
const RULES: [&str; 2] = ["remote-api", "rules"];
/// The path of the trigger, after the id.
const TRIGGER: &str = "trigger";

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer read, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// Twice again, soon: a person is waiting.
const RETRY: Policy = Policy { first_wait: Duration::from_millis(500), repetitions: 2 };

/// The API, with a connection pool.
#[derive(Debug)]
pub(super) struct Bank {
    http: reqwest::Client,
    base: Url,
    clock: Clock,
}

/// The accounts, and what could not be listed.
#[derive(Debug, Deserialize)]
pub(super) struct Accounts {
    pub accounts: Vec<Account>,
    /// Texts as a rule; read as they come.
    pub errors: Option<Vec<Value>>,
}

/// One account. Every member is optional by construction.
#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub id: Option<String>,
    pub name: Option<String>,
    /// `Pod`, `Income Source`, `Account`, or whatever else there will be.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub balance: Option<Balance>,
}

/// A balance, or why there is none.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Balance {
    pub amount_in_dollars: Option<Number>,
    pub error: Option<String>,
}

/// A trigger that was taken.
#[derive(Debug, Default)]
pub(super) struct Triggered {
    pub code: Option<String>,
    pub message: Option<String>,
    pub request_id: Option<String>,
}

/// What every answer is wrapped in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Envelope {
    code: Option<String>,
    message: Option<String>,
    data: Option<Value>,
}

impl Bank {
    /// Builds the client. Nothing is sent yet.
    pub fn new(base: &Url) -> Result<Self, reqwest::Error> {
        Ok(Self { http: outbound::client(base)?, base: base.clone(), clock: Clock::system() })
    }

    /// `POST /accounts`.
    pub async fn accounts(&self, token: &SecretString, deadline: Instant) -> Result<Accounts, BankError> {
        const OPERATION: &str = "accounts";
        let address = self.address(OPERATION, &[ACCOUNTS])?;
        let envelope = self
            .send(
                OPERATION,
                &address,
                ("x-sequence-access-token", token),
                None,
                &Value::Object(Map::new()),
                deadline,
            )
            .await?;
        let malformed = |cause: String| BankError::new(OPERATION, Fault::Malformed).caused_by(cause);
        let data = envelope.data.ok_or_else(|| malformed("no `data`".to_owned()))?;
        // The path only: the parser's own words quote what they stumble over.
        serde_path_to_error::deserialize(data)
            .map_err(|error| malformed(format!("unexpected type at {}", error.path())))
    }

    /// `POST /remote-api/rules/{ruleId}/trigger`. Every attempt carries the same key, so the rule is triggered once.
    pub async fn trigger(
        &self,
        rule: &RuleId,
        secret: &SecretString,
        key: &IdempotencyKey,
        payload: &Value,
        deadline: Instant,
    ) -> Result<Triggered, BankError> {
        const OPERATION: &str = "trigger";
        let [first, second] = RULES;
        let address = self.address(OPERATION, &[first, second, rule.as_str(), TRIGGER])?;
        let envelope = self
            .send(OPERATION, &address, ("x-sequence-signature", secret), Some(key), payload, deadline)
            .await?;
        let request_id =
            envelope.data.as_ref().and_then(|data| data.get("requestId")).and_then(Value::as_str);
        Ok(Triggered {
            request_id: request_id.map(str::to_owned),
            code: envelope.code,
            message: envelope.message,
        })
    }

    /// The base with further segments, each percent-encoded.
    fn address(&self, operation: &'static str, segments: &[&str]) -> Result<Url, BankError> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => drop(path.pop_if_empty().extend(segments)),
            // An https URL always has a path.
            Err(()) => {
                return Err(BankError::new(operation, Fault::Malformed).caused_by("the base URL has no path"));
            }
        }
        Ok(url)
    }

    async fn send(
        &self,
        operation: &'static str,
        address: &Url,
        credential: (&'static str, &SecretString),
        key: Option<&IdempotencyKey>,
        body: &Value,
        deadline: Instant,
    ) -> Result<Envelope, BankError> {
        let fail = |fault| BankError::new(operation, fault);
        let (name, secret) = credential;
        let bearer = outbound::authorization("Bearer", secret.expose_secret())
            .ok_or_else(|| fail(Fault::Malformed).caused_by("the credential cannot stand in a header"))?;
        let body = body.to_string();
        let attempt = || async {
            let mut request = self
                .http
                .request(Method::POST, address.clone())
                .header(name, bearer.clone())
                .header(header::ACCEPT, "application/json")
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.clone());
            if let Some(key) = key {
                request = request.header("idempotency-key", key.as_str());
            }
            let left = deadline.saturating_duration_since(Instant::now()).min(TIMEOUT);
            let exchange = tokio::time::timeout(left, self.exchange(operation, request));
            exchange.await.unwrap_or_else(|_| Err(fail(Fault::Timeout)))
        };
        // The list is a read, and a trigger has a key.
        RETRY.run(Repeat::Allowed, deadline, attempt).await
    }

    /// One request, one answer.
    async fn exchange(
        &self,
        operation: &'static str,
        request: reqwest::RequestBuilder,
    ) -> Result<Envelope, BankError> {
        let fail = |fault| BankError::new(operation, fault);
        let transport = |error: reqwest::Error| {
            let fault = if error.is_timeout() { Fault::Timeout } else { Fault::Unreachable };
            fail(fault).caused_by(error.without_url())
        };
        let response = request.send().await.map_err(transport)?;
        let status = response.status();
        let wait = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let wait = wait.and_then(|text| retry_after(text, self.clock.now()));
        let body = outbound::body(response, MAX_BODY).await.map_err(|error| match error {
            BodyError::Http(error) => transport(error),
            error @ BodyError::TooLarge(_) => fail(Fault::Malformed).caused_by(error),
        })?;
        let envelope = serde_json::from_slice::<Envelope>(&body);
        let code = envelope.as_ref().ok().and_then(|envelope| envelope.code.as_deref());
        match (fault(status, code), envelope) {
            (None, Ok(envelope)) => Ok(envelope),
            (None, Err(_)) => Err(fail(Fault::Malformed).caused_by("the answer is not the expected JSON")),
            (Some(fault), envelope) => {
                let envelope = envelope.unwrap_or_default();
                let cause = format!("status {}", status.as_u16());
                Err(fail(fault).saying(envelope.message.as_deref()).after(wait).caused_by(cause))
            }
        }
    }
}

/// Whether an answer is a failure, and which. The code decides; the status where there is no code that is known.
fn fault(status: StatusCode, code: Option<&str>) -> Option<Fault> {
    match code {
        Some("INVALID_ACCESS_TOKEN") => Some(Fault::TokenRefused),
        Some("INVALID_API_SECRET") => Some(Fault::SecretRefused),
        Some("INVALID_REQUEST") => Some(Fault::Rejected),
        Some("TOO_MANY_REQUESTS") => Some(Fault::RateLimited),
        Some("UNEXPECTED_ERROR") => Some(Fault::Failed),
        _ => match status.as_u16() {
            200..=299 => None,
            // Nothing here redirects, and a credential is not carried along.
            300..=399 => Some(Fault::Malformed),
            400 | 404 | 422 => Some(Fault::Rejected),
            429 => Some(Fault::RateLimited),
            500..=599 => Some(Fault::Failed),
            other => Some(Fault::Status(other)),
        },
    }
}
