//! Where the browser comes back to: one page on a loopback port, for one answer.

use std::{convert::Infallible, net::Ipv4Addr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{net::TcpListener, sync::mpsc};

/// The path of the page.
const PATH: &str = "/callback";

/// How long the browser may take to read its page.
const FAREWELL: Duration = Duration::from_secs(2);

const DONE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sequentum</title><p>You can close this page and go back to the terminal.";

/// The answer of the authorization server (RFC 6749 section 4.1.2), whose `state` is the one that was sent.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub code: Option<String>,
    pub error: Option<String>,
    pub iss: Option<String>,
}

/// A bound port.
pub(super) struct Redirect {
    listener: TcpListener,
    port: u16,
}

impl Redirect {
    /// Binds this port of the loopback address; 0 takes any free one.
    pub async fn bind(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// The redirect URI. The address instead of `localhost`, which could be somebody else's (RFC 8252 section 8.3).
    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Serves until a request with this `state` comes. Anything else that knocks is turned away and changes nothing.
    pub async fn answer(self, state: &str) -> Option<Answer> {
        let (found, mut answers) = mpsc::channel(1);
        let state: Arc<str> = state.into();
        let connections = GracefulShutdown::new();
        let serve = async {
            loop {
                let Ok((stream, _)) = self.listener.accept().await else {
                    tokio::task::yield_now().await;
                    continue;
                };
                let (found, state) = (found.clone(), Arc::clone(&state));
                let service = service_fn(move |request: hyper::Request<Incoming>| {
                    let (found, state) = (found.clone(), Arc::clone(&state));
                    async move { Ok::<_, Infallible>(respond(&request, &state, &found)) }
                });
                let server = auto::Builder::new(TokioExecutor::new());
                let connection = server.serve_connection(TokioIo::new(stream), service).into_owned();
                // A browser that goes away has its answer, or will come again.
                tokio::spawn(connections.watch(connection));
            }
        };
        let answer = tokio::select! {
            answer = answers.recv() => answer,
            () = serve => None,
        };
        // The process may end soon, and the browser needs the page before that.
        let _ = tokio::time::timeout(FAREWELL, connections.shutdown()).await;
        answer
    }
}

fn respond(
    request: &hyper::Request<Incoming>,
    state: &str,
    found: &mpsc::Sender<Answer>,
) -> Response<Full<Bytes>> {
    let (status, text) = if request.method() != Method::GET || request.uri().path() != PATH {
        (StatusCode::NOT_FOUND, "Not found.")
    } else if let Some(answer) = read(request.uri().query().unwrap_or_default(), state) {
        // A second answer to the same question is not waited for.
        let _ = found.try_send(answer);
        (StatusCode::OK, DONE)
    } else {
        (StatusCode::BAD_REQUEST, "This page belongs to another sign-in.")
    };
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::CONNECTION, "close"),
    ] {
        response.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    response
}

/// The answer, if its state is ours and no parameter is repeated.
fn read(query: &str, expected: &str) -> Option<Answer> {
    let (mut answer, mut state) = (Answer::default(), None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let place = match &*name {
            "code" => &mut answer.code,
            "error" => &mut answer.error,
            "iss" => &mut answer.iss,
            "state" => &mut state,
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    (state.as_deref() == Some(expected)).then_some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_with_our_state_count() {
        let answer = read("code=a%2Bb&state=s1&iss=https%3A%2F%2Fas", "s1").unwrap();
        assert_eq!((answer.code.as_deref(), answer.iss.as_deref()), (Some("a+b"), Some("https://as")));
        for query in ["code=a", "code=a&state=s2", "code=a&state=s1&state=s1", "code=a&code=b&state=s1", ""] {
            assert!(read(query, "s1").is_none(), "{query}");
        }
    }
}
