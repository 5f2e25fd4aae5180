//! Bodies: read whole within bounds, and written in the form that the client accepts.

use std::time::Duration;

use axum::{body::Body, response::Response};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;

use crate::http::problem::Problem;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The whole body, up to the limit, within a time.
pub(super) async fn read_body(body: Body, headers: &HeaderMap, limit: usize) -> Result<Bytes, Problem> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_large = || {
        let message = format!("The body is larger than {limit} bytes.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message, "Send a smaller message.")
    };
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let collect = async {
        let mut body = body;
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| broken())?;
            let Ok(data) = frame.into_data() else { continue };
            if first.len() + whole.len() + data.len() > limit {
                return Err(too_large());
            }
            // A body that comes in one piece, as most do, is not copied.
            if first.is_empty() && whole.is_empty() {
                first = data;
            } else {
                whole.extend_from_slice(&std::mem::take(&mut first));
                whole.extend_from_slice(&data);
            }
        }
        Ok(if whole.is_empty() { first } else { whole.freeze() })
    };
    tokio::time::timeout(BODY_TIMEOUT, collect).await.unwrap_or_else(|_| {
        let message = "The body did not arrive in time.";
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", message, "Send the request again."))
    })
}

pub(super) fn broken() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "body_broken",
        "The body could not be read to its end.",
        "Send the request again.",
    )
}

/// A body to its end.
pub(super) async fn read_answer(body: Body) -> Bytes {
    body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

/// The last message of an event stream, which is the answer to the request. The library writes a message on one line.
pub(super) fn last_event(stream: &[u8]) -> Bytes {
    let messages = stream.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data:"));
    let last = messages.map(<[u8]>::trim_ascii).rfind(|message| !message.is_empty());
    last.map(Bytes::copy_from_slice).unwrap_or_default()
}

/// A complete JSON answer with the head of another.
pub(super) fn as_json(mut head: http::response::Parts, body: Bytes) -> Response {
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body))
}

/// One event with the answer, for clients that read event streams only.
pub(super) async fn as_stream(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let body = read_answer(body).await;
    let mut event = BytesMut::with_capacity(body.len() + 24);
    event.extend_from_slice(b"event: message\ndata: ");
    event.extend_from_slice(&body);
    event.extend_from_slice(b"\n\n");
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(event.freeze()))
}

pub(super) fn json(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

pub(super) fn finish(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
    {
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    }
}
