//! A simulated Sequence: two operations, every request recorded, faults on demand.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What `/accounts` wants.
pub const ACCESS_TOKEN: &str = "seq-access-token-of-alice-93251";
/// A rule that is set up to be triggered.
pub const RULE: &str = "rule_save-10";
/// What it wants.
pub const SECRET: &str = "seq-rule-secret-of-alice-11835";

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// What happens to the next request instead of an answer of its own.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// This status, `Retry-After` and body, with nothing done.
    Answer(u16, Option<u32>, &'static str),
    /// It is done, and the answer is no JSON.
    DoneAndGarbled,
    /// It is done, and the connection breaks before the answer.
    DoneAndLost,
}

#[derive(Default)]
struct Inner {
    recorded: Vec<Recorded>,
    faults: VecDeque<Fault>,
    /// How often the rule was triggered, by idempotency key.
    triggered: BTreeMap<String, u32>,
}

/// The bank; it stops with the test.
#[derive(Clone, Default)]
pub struct Bank {
    inner: Arc<Mutex<Inner>>,
    url: String,
}

impl Bank {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let bank = Self { inner: Arc::default(), url: format!("http://{}", listener.local_addr().unwrap()) };
        let router = Router::new()
            .route("/accounts", post(accounts))
            .route("/remote-api/rules/{rule}/trigger", post(trigger))
            .with_state(bank.clone());
        tokio::spawn(async move { serve(listener, router).await });
        bank
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next request of all has this fault, the one after it the next, and so on.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().faults.extend(faults);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.lock().recorded.clone()
    }

    /// How often money was moved.
    pub fn moves(&self) -> usize {
        self.lock().triggered.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, path: &str, headers: &HeaderMap, body: &Bytes) -> Option<Fault> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = serde_json::from_slice(body).unwrap();
        let mut inner = self.lock();
        inner.recorded.push(Recorded { path: path.to_owned(), headers, body });
        inner.faults.pop_front()
    }
}

/// `axum::serve` cannot break a connection.
async fn serve(listener: TcpListener, router: Router) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let router = router.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                let router = router.clone();
                async move {
                    let response: Response = tower::ServiceExt::oneshot(router, request).await.unwrap();
                    if response.extensions().get::<Lost>().is_some() {
                        return Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
                    }
                    Ok(response)
                }
            });
            let server = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
            let _ = server.serve_connection(hyper_util::rt::TokioIo::new(stream), service).await;
        });
    }
}

/// Marks an answer that is not sent.
#[derive(Clone)]
struct Lost;

fn faulty(fault: Fault) -> Response {
    match fault {
        Fault::Answer(status, wait, body) => {
            let status = StatusCode::from_u16(status).unwrap();
            let mut response = (status, body).into_response();
            if let Some(wait) = wait {
                response.headers_mut().insert("retry-after", wait.into());
            }
            response
        }
        Fault::DoneAndGarbled => "<html>done</html>".into_response(),
        Fault::DoneAndLost => {
            let mut response = StatusCode::OK.into_response();
            response.extensions_mut().insert(Lost);
            response
        }
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"code": code, "message": message}))).into_response()
}

async fn accounts(State(bank): State<Bank>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(fault) = bank.record("/accounts", &headers, &body) {
        return faulty(fault);
    }
    if headers.get("x-sequence-access-token").is_none_or(|sent| *sent != format!("Bearer {ACCESS_TOKEN}")) {
        return refusal(StatusCode::UNAUTHORIZED, "INVALID_ACCESS_TOKEN", "The access token is invalid");
    }
    Json(json!({"message": "OK", "requestId": "req-1", "data": {
        "accounts": [
            {"id": "5579244", "name": "Groceries", "type": "Pod", "balance": {"amountInDollars": 142.5, "error": null}},
            {"id": "5579245", "name": "Salary", "type": "Income Source", "balance": {"amountInDollars": 0, "error": null}},
            {"id": "5579246", "name": "Chase\u{202e} checking", "type": "Account",
             "balance": {"amountInDollars": null, "error": "Balance is not available at the moment"}},
            {"id": "5579247", "name": "Visa", "type": "Liability", "balance": {"amountInDollars": -1300, "error": null}},
        ],
        "errors": ["Institution ins_3 could not be reached"],
    }}))
    .into_response()
}

async fn trigger(
    State(bank): State<Bank>,
    Path(rule): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = bank.record(&format!("/remote-api/rules/{rule}/trigger"), &headers, &body);
    if let Some(fault @ Fault::Answer(..)) = fault {
        return faulty(fault);
    }
    if headers.get("x-sequence-signature").is_none_or(|sent| *sent != format!("Bearer {SECRET}")) {
        return refusal(StatusCode::UNAUTHORIZED, "INVALID_API_SECRET", "The API secret is invalid");
    }
    if rule != RULE {
        return refusal(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "Rule not found or not remote-triggered");
    }
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = key.map_or_else(|| format!("none-{}", bank.requests().len()), str::to_owned);
    *bank.lock().triggered.entry(key).or_default() += 1;
    match fault {
        Some(fault) => faulty(fault),
        None => Json(json!({"code": "OK", "message": "Rule triggered", "data": {"requestId": "req-7"}}))
            .into_response(),
    }
}
