//! The browser's side: its session cookie, and sending it elsewhere.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use url::Url;

use crate::demo::state::State;

/// Cookies do not tell ports apart, so the name does: two simulations on one machine must not sign each other out.
fn cookie_name(state: &State) -> String {
    format!("sequentum_demo_{}", state.url.port_or_known_default().unwrap_or_default())
}

/// The session id the browser presents.
pub(super) fn session_id(state: &State, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(state);
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// `Set-Cookie` for a session. Lax, because the browser comes to the authorization endpoint from another site.
pub(super) fn set_session(state: &State, id: &str) -> (HeaderName, String) {
    let cookie = format!("{}={id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=28800", cookie_name(state));
    (header::SET_COOKIE, cookie)
}

/// A redirect to one of our own pages.
pub(super) fn to_page(status: StatusCode, page: &str, pending: &str) -> Response {
    redirect(status, &format!("{page}?request={pending}"))
}

/// The authorization response (RFC 6749 section 4.1.2), with `state` as it was sent and the issuer (RFC 9207).
pub(super) fn to_client(
    status: StatusCode,
    issuer: &str,
    redirect_uri: &str,
    client_state: Option<&str>,
    answer: &[(&str, &str)],
) -> Response {
    let Ok(mut url) = Url::parse(redirect_uri) else {
        // Checked when the client was registered.
        return StatusCode::BAD_REQUEST.into_response();
    };
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(answer);
        if let Some(client_state) = client_state {
            query.append_pair("state", client_state);
        }
        query.append_pair("iss", issuer);
    }
    redirect(status, url.as_str())
}

fn redirect(status: StatusCode, location: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (status, headers).into_response()
}
