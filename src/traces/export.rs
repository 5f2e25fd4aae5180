//! Delivery: batches of spans as OTLP protobuf over the HTTP client that everything here uses.
//!
//! The SDK collects and exports on a thread of its own; requests are made on the server's runtime. What cannot be
//! delivered is dropped by the SDK when its queue is full: traces never hold up a request.

use std::{
    error::Error,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use opentelemetry::KeyValue;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::SdkTracerProvider,
};
use tokio::runtime::Handle;
use url::Url;

/// Longest wait for the collector to take a batch.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most that is read of its answer, which says no more than what it did not take.
const MAX_ANSWER: usize = 64 * 1024;

/// Why traces cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Something in the `OTEL_*` variables cannot be used.
    #[error("traces cannot be exported: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// There is nothing to send on.
    #[error("traces cannot be exported: {0}")]
    Runtime(#[from] tokio::runtime::TryCurrentError),
}

/// Everything between a span that has ended and the collector. What has a standard variable and no setting of ours (sampling,
/// batches, headers, resource) is read from the environment by the SDK.
pub(super) fn provider(endpoint: &Url, http: reqwest::Client) -> Result<SdkTracerProvider, SetupError> {
    let sender = Sender { http, runtime: Handle::try_current()?, failing: AtomicBool::new(false) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_http_client(sender)
        // OTLP 1.x, "OTLP/HTTP request": the path of a signal is appended to the endpoint of all.
        .with_endpoint(format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')))
        .build()?;
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build())
}

/// Who sends the traces. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win over what is built in.
fn resource() -> Resource {
    let resource = Resource::builder_empty()
        .with_service_name("sequentum-mcp")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    match std::env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.is_empty() => resource.with_service_name(name).build(),
        _ => resource.build(),
    }
}

/// Sends from a thread without a runtime on the one of the server.
#[derive(Debug)]
struct Sender {
    http: reqwest::Client,
    runtime: Handle,
    /// Whether the last batch was not taken, which is said once.
    failing: AtomicBool,
}

impl Sender {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        // The timer, too, has to be made over there.
        let exchange = async move { tokio::time::timeout(TIMEOUT, exchange(http, request)).await };
        let sent = self.runtime.spawn(exchange).await;
        let result = match sent {
            Ok(Ok(result)) => result,
            Ok(Err(elapsed)) => Err(elapsed.into()),
            Err(gone) => Err(gone.into()),
        };
        let failure = match &result {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("status {}", response.status().as_u16())),
            Err(error) => Some(chain(error.as_ref())),
        };
        match failure {
            Some(cause) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(cause, "traces cannot be delivered; this is said once until they are");
            }
            None if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!("traces are delivered again");
            }
            _ => {}
        }
        result
    }
}

impl HttpClient for Sender {
    // As the attribute macro of the trait writes it.
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.send(request))
    }
}

async fn exchange(http: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let request = reqwest::Request::try_from(request)?;
    // The address may hold a password.
    let mut response = http.execute(request).await.map_err(reqwest::Error::without_url)?;
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err("the answer of the collector is too large".into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut answer = Response::new(body.freeze());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    Ok(answer)
}

/// An error and its sources in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
