//! The platform's REST API: one file per domain, and in front of them one guard for credential, scope and rate.

mod agents;
mod analytics;
mod billing;
mod builder;
mod cost_series;
mod credential;
mod diagnostics;
mod error;
mod files;
mod input;
mod limits;
mod model;
mod runs;
mod schedule_settings;
mod schedules;
mod spaces;
mod start;
#[cfg(test)]
mod tests;
mod versions;
mod window;

use std::sync::Arc;

use axum::{
    Router,
    extract::{MatchedPath, Request, State as Extract},
    http::{Method, StatusCode, Uri},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

pub(crate) use self::limits::RateLimiter;
use self::{credential::Caller, error::Refusal};
use super::{oauth::Scope, state::State};

/// The scope every operation needs. An operation that is not listed here is refused, so that none can be added without
/// deciding about it.
const SCOPES: &[(Method, &str, Scope)] = &[
    (Method::GET, "/api/v1/agent/all", Scope::AgentsRead),
    (Method::GET, "/api/v1/agent/search", Scope::AgentsRead),
    (Method::GET, "/api/v1/agent/{agent_id}", Scope::AgentsRead),
    (Method::GET, "/api/v1/agent/{agent_id}/runs", Scope::RunsRead),
    (Method::POST, "/api/v1/agent/{agent_id}/start", Scope::AgentsWrite),
    (Method::GET, "/api/v1/agent/{agent_id}/run/{run_id}/status", Scope::RunsRead),
    (Method::POST, "/api/v1/agent/{agent_id}/run/{run_id}/stop", Scope::AgentsWrite),
    (Method::GET, "/api/v1/agent/{agent_id}/run/{run_id}/files", Scope::RunsRead),
    (Method::GET, "/api/v1/agent/{agent_id}/run/{run_id}/file/{file_id}/download", Scope::RunsRead),
    (Method::GET, "/api/v1/spaces", Scope::SpacesRead),
    (Method::GET, "/api/v1/spaces/search", Scope::SpacesRead),
    (Method::GET, "/api/v1/spaces/{space_id}", Scope::SpacesRead),
    (Method::GET, "/api/v1/spaces/{space_id}/agents", Scope::SpacesRead),
    (Method::GET, "/api/v1/agent/search/count", Scope::AgentsRead),
    (Method::GET, "/api/v1/agent/personal/count", Scope::AgentsRead),
    (Method::GET, "/api/v1/agent/{agent_id}/runs/summary", Scope::RunsRead),
    (Method::POST, "/api/v1/agent/{agent_id}/run/{run_id}/kill", Scope::AgentsWrite),
    (Method::DELETE, "/api/v1/agent/{agent_id}/run/{run_id}", Scope::AgentsWrite),
    (Method::GET, "/api/v1/agent/{agent_id}/versions", Scope::AgentsRead),
    (Method::POST, "/api/v1/agent/{agent_id}/version/{version}/restore", Scope::AgentsWrite),
    (Method::GET, "/api/v1/agent/{agent_id}/schedules", Scope::AgentsRead),
    (Method::POST, "/api/v1/agent/{agent_id}/schedules", Scope::AgentsWrite),
    (Method::GET, "/api/v1/agent/{agent_id}/schedules/{schedule_id}", Scope::AgentsRead),
    (Method::PUT, "/api/v1/agent/{agent_id}/schedules/{schedule_id}", Scope::AgentsWrite),
    (Method::DELETE, "/api/v1/agent/{agent_id}/schedules/{schedule_id}", Scope::AgentsWrite),
    (Method::POST, "/api/v1/agent/{agent_id}/schedules/{schedule_id}/enable", Scope::AgentsWrite),
    (Method::POST, "/api/v1/agent/{agent_id}/schedules/{schedule_id}/disable", Scope::AgentsWrite),
    (Method::GET, "/api/v1/analytics/schedules/upcoming", Scope::RunsRead),
    (Method::GET, "/api/v1/analytics/runs/summary", Scope::RunsRead),
    (Method::GET, "/api/v1/analytics/records/summary", Scope::RunsRead),
    (Method::GET, "/api/v1/analytics/agents/{agent_id}/runs/{run_id}/diagnostics", Scope::RunsRead),
    (Method::GET, "/api/v1/analytics/agents/{agent_id}/latest-failure", Scope::RunsRead),
    (Method::GET, "/api/v1/billing/credits", Scope::BillingRead),
    (Method::GET, "/api/v1/billing/spending", Scope::BillingRead),
    (Method::GET, "/api/v1/billing/history", Scope::BillingRead),
    (Method::GET, "/api/v1/billing/agents", Scope::BillingRead),
    (Method::GET, "/api/v1/billing/agents/{agent_id}", Scope::BillingRead),
    (Method::GET, "/api/v1/billing/agents/{agent_id}/runs", Scope::BillingRead),
    (Method::GET, "/api/v1/spaces/{space_id}/agents/count", Scope::SpacesRead),
    (Method::POST, "/api/v1/spaces/{space_id}/run-all", Scope::SpacesWrite),
    (Method::POST, "/api/v1/agent-builder/start", Scope::AgentsWrite),
    (Method::GET, "/api/v1/agent-builder/{session_id}/status", Scope::AgentsRead),
    (Method::POST, "/api/v1/agent-builder/{session_id}/stop", Scope::AgentsWrite),
];

/// Every path of the API. Literal segments win over ids, whatever the order here.
pub(crate) fn router(state: &Arc<State>) -> Router<Arc<State>> {
    Router::new()
        .merge(agents::routes())
        .merge(runs::routes())
        .merge(files::routes())
        .merge(spaces::routes())
        .merge(versions::routes())
        .merge(schedules::routes())
        .merge(analytics::routes())
        .merge(billing::routes())
        .merge(builder::routes())
        .method_not_allowed_fallback(async || {
            Refusal::vendor(StatusCode::METHOD_NOT_ALLOWED, "The operation does not exist").into_response()
        })
        .route_layer(middleware::from_fn_with_state(Arc::clone(state), guard))
        .fallback(unknown)
}

/// Every other path of this host.
async fn unknown(Extract(state): Extract<Arc<State>>, uri: Uri) -> Response {
    let mut response = Refusal::vendor(StatusCode::NOT_FOUND, "The resource does not exist").into_response();
    if uri.path().starts_with("/api/v1/") {
        state.limiter.describe(response.headers_mut());
    }
    response
}

/// Lets a request through when its credential is good, may do this, and has not done too much lately.
async fn guard(
    Extract(state): Extract<Arc<State>>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(&state, path.as_str(), &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    };
    state.limiter.describe(response.headers_mut());
    response
}

fn admit(state: &State, path: &str, request: &Request) -> Result<Caller, Refusal> {
    let caller = credential::authenticate(state, request.headers())?;
    state.limiter.count(&caller.credential, state.now())?;
    let scope = SCOPES.iter().find(|(method, template, _)| method == request.method() && *template == path);
    match scope {
        Some((_, _, scope)) => caller.require(state, *scope)?,
        None => return Err(Refusal::vendor(StatusCode::METHOD_NOT_ALLOWED, "The operation does not exist")),
    }
    Ok(caller)
}
