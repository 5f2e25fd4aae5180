//! The storage host: hands out files to whoever has a signed, unexpired address, and refuses credentials.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    Router,
    extract::{Path, Query, State as Extract},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;

use super::{
    secrets,
    state::State,
    world::{UserId, files},
};

/// How long an address is good for.
const LIFETIME_SECONDS: i64 = 300;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/{user}/{agent_id}/{run_id}/{file_id}/{name}", get(file))
        .fallback(async || error(StatusCode::NOT_FOUND, "NoSuchKey"))
}

/// A signed address of `file`.
pub(crate) fn address(state: &State, user: UserId, agent_id: i32, run_id: i64, file: &files::File) -> String {
    let path = format!("{user}/{agent_id}/{run_id}/{}/{}", file.id, file.name);
    let expires = state.options.clock.unix_seconds() + LIFETIME_SECONDS;
    let signature = state.mac("storage", &format!("{path}?{expires}"));
    format!("{}{path}?expires={expires}&signature={signature}", state.storage_url)
}

#[derive(Debug, Deserialize)]
struct Permission {
    #[serde(default)]
    expires: i64,
    #[serde(default)]
    signature: String,
}

async fn file(
    Extract(state): Extract<Arc<State>>,
    Path((user, agent_id, run_id, file_id, name)): Path<(UserId, i32, i64, i64, String)>,
    Query(permission): Query<Permission>,
    headers: HeaderMap,
) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        state.credential_leaked.store(true, Ordering::SeqCst);
        return error(StatusCode::BAD_REQUEST, "InvalidArgument");
    }
    let signed = format!("{user}/{agent_id}/{run_id}/{file_id}/{name}?{}", permission.expires);
    let genuine = secrets::same(&state.mac("storage", &signed), &permission.signature);
    if !genuine || permission.expires <= state.options.clock.unix_seconds() {
        return error(StatusCode::FORBIDDEN, "AccessDenied");
    }
    let file = {
        let world = state.world();
        let agent = world.tenant(user).and_then(|tenant| tenant.agent(agent_id));
        let run = agent.and_then(|agent| Some((agent, agent.run(run_id)?)));
        run.and_then(|(agent, run)| {
            files::of(agent, run, state.now()).into_iter().find(|file| file.id == file_id)
        })
    };
    let Some(file) = file else { return error(StatusCode::NOT_FOUND, "NoSuchKey") };
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    let common = [
        (header::CONTENT_TYPE, file.content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
    ];
    let total = file.body.len();
    let wanted = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    match wanted.map_or(Part::Whole, |wanted| Part::of(wanted, total)) {
        Part::Whole => (common, file.body).into_response(),
        Part::Outside => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{total}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response()
        }
        Part::Bytes { first, last } => {
            let part = file.body.get(first..=last).unwrap_or_default().to_vec();
            let range = [(header::CONTENT_RANGE, format!("bytes {first}-{last}/{total}"))];
            (StatusCode::PARTIAL_CONTENT, common, range, part).into_response()
        }
    }
}

/// What a `Range` header asks for (RFC 9110 section 14.2).
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Also when the header is not a single byte range, which a server may ignore.
    Whole,
    Outside,
    Bytes {
        first: usize,
        last: usize,
    },
}

impl Part {
    fn of(header: &str, total: usize) -> Self {
        let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
        else {
            return Self::Whole;
        };
        match (first.parse::<usize>(), last.parse::<usize>()) {
            (Err(_), Ok(suffix)) if first.is_empty() => {
                if suffix == 0 || total == 0 {
                    return Self::Outside;
                }
                Self::Bytes { first: total.saturating_sub(suffix), last: total - 1 }
            }
            (Ok(first), _) if first >= total => Self::Outside,
            (Ok(first), Err(_)) if last.is_empty() => Self::Bytes { first, last: total - 1 },
            (Ok(first), Ok(last)) if first <= last => Self::Bytes { first, last: last.min(total - 1) },
            _ => Self::Whole,
        }
    }
}

/// Object stores answer in XML.
fn error(status: StatusCode, code: &str) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_ranges() {
        let bytes = |first, last| Part::Bytes { first, last };
        assert_eq!(Part::of("bytes=0-9", 100), bytes(0, 9));
        assert_eq!(Part::of("bytes=90-", 100), bytes(90, 99));
        assert_eq!(Part::of("bytes=90-900", 100), bytes(90, 99));
        assert_eq!(Part::of("bytes=-5", 100), bytes(95, 99));
        assert_eq!(Part::of("bytes=-500", 100), bytes(0, 99));
        assert_eq!(Part::of("bytes=100-", 100), Part::Outside);
        assert_eq!(Part::of("bytes=-0", 100), Part::Outside);
        assert_eq!(Part::of("bytes=9-3", 100), Part::Whole);
        assert_eq!(Part::of("bytes=0-1,3-4", 100), Part::Whole);
    }
}
