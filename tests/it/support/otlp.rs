//! A collector on loopback that keeps what it is sent.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    trace::v1::Span,
};
use prost::Message;
use tokio::{net::TcpListener, task::JoinHandle};

use super::leaks;

type Bodies = Arc<Mutex<Vec<Bytes>>>;

pub struct Collector {
    pub endpoint: String,
    bodies: Bodies,
    serving: JoinHandle<()>,
}

impl Collector {
    pub async fn start() -> Self {
        let bodies = Bodies::default();
        let router = Router::new().route("/v1/traces", post(keep)).with_state(Arc::clone(&bodies));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, bodies, serving }
    }

    fn batches(&self) -> Vec<ExportTraceServiceRequest> {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap()).collect()
    }

    /// Every span so far, in the order in which they ended. Looks for secrets in every byte.
    pub fn spans(&self) -> Vec<Span> {
        for body in &*self.bodies.lock().unwrap() {
            leaks::check_bytes(body);
        }
        let scopes = self.batches().into_iter().flat_map(|batch| batch.resource_spans);
        let scopes = scopes.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// What is said about the sender.
    pub fn resource(&self) -> Vec<String> {
        let batch = self.batches().swap_remove(0);
        let mut said = shown(&batch.resource_spans[0].resource.as_ref().unwrap().attributes);
        said.sort_unstable();
        said
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn keep(State(bodies): State<Bodies>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert!(!headers.contains_key("authorization"));
    bodies.lock().unwrap().push(body);
}

/// Attributes as `name=value`.
pub fn shown(attributes: &[KeyValue]) -> Vec<String> {
    let value = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|attribute| format!("{}={}", attribute.key, value(&attribute.value))).collect()
}

pub fn hex(id: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(id)
}
