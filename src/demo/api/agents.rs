//! Agents: list, search, read.

use std::{cmp::Ordering, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State as Extract},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    credential::Caller,
    error::Refusal,
    input::{Query, id},
    model::{self, CONFIG_TYPE_AGENT},
};
use crate::demo::{
    state::State,
    world::{Agent, Tenant},
};

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/agent/all", get(list))
        .route("/api/v1/agent/search", get(search))
        .route("/api/v1/agent/search/count", get(search_count))
        .route("/api/v1/agent/personal/count", get(personal_count))
        .route("/api/v1/agent/{agent_id}", get(read))
}

/// Runs `f` on the caller's tenant. Nobody sees another one.
pub(super) fn tenant<T>(
    state: &State,
    caller: &Caller,
    f: impl FnOnce(&mut Tenant) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let mut world = state.world();
    let tenant = world.tenant_mut(caller.user);
    let tenant = tenant.ok_or_else(|| Refusal::vendor(StatusCode::UNAUTHORIZED, "Unknown user"))?;
    tenant.settle(state.now());
    f(tenant)
}

/// One answer for agents that do not exist and agents of somebody else.
pub(super) fn no_agent(id: i32) -> Refusal {
    Refusal::vendor(StatusCode::NOT_FOUND, format!("Agent {id} was not found"))
}

async fn read(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(agent_id): Path<String>,
) -> Result<Json<model::Agent>, Refusal> {
    let id = id("agentId", &agent_id)?;
    tenant(&state, &caller, |tenant| {
        let agent = tenant.agent(id).ok_or_else(|| no_agent(id))?;
        Ok(Json(model::Agent::new(agent, state.now())))
    })
}

async fn search(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    query: Query,
) -> Result<Json<Vec<model::Agent>>, Refusal> {
    let wanted = query.required("query")?;
    let most = query.max_records()?;
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        let found = searched(tenant, wanted).filter(|agent| !agent.is_archived).take(most);
        Ok(Json(found.map(|agent| model::Agent::new(agent, now)).collect()))
    })
}

/// The agents with this text in their name or description.
fn searched<'a>(tenant: &'a Tenant, wanted: &str) -> impl Iterator<Item = &'a Agent> + use<'a> {
    let wanted = wanted.to_lowercase();
    tenant.agents.values().filter(move |agent| {
        let texts = [Some(&*agent.name), agent.description];
        texts.iter().flatten().any(|text| text.to_lowercase().contains(&wanted))
    })
}

async fn search_count(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    query: Query,
) -> Result<Json<Value>, Refusal> {
    let wanted = query.required("query")?;
    let archived = query.flag("includeArchived", false)?;
    tenant(&state, &caller, |tenant| {
        let found = searched(tenant, wanted).filter(|agent| archived || !agent.is_archived);
        Ok(Json(model::count(found.count())))
    })
}

/// The personal area is not a space: it has its own count.
async fn personal_count(Extract(state): Extract<Arc<State>>, caller: Caller) -> Result<Json<Value>, Refusal> {
    tenant(&state, &caller, |tenant| {
        let own = tenant.agents.values().filter(|agent| agent.space_id.is_none() && !agent.is_archived);
        Ok(Json(model::count(own.count())))
    })
}

async fn list(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Refusal> {
    let filter = Filter::parse(&query)?;
    let order = Order::parse(&query)?;
    let page = (query.number("pageIndex", 1)?, query.number("recordsPerPage", 1)?);
    let now = state.now();
    let agents: Vec<model::Agent> = tenant(&state, &caller, |tenant| {
        let mut agents: Vec<&Agent> =
            tenant.agents.values().filter(|agent| filter.matches(agent, now)).collect();
        agents.sort_by(|a, b| order.compare(a, b, now));
        Ok(agents.into_iter().map(|agent| model::Agent::new(agent, now)).collect())
    })?;
    // A page only when both are given; one alone is ignored.
    let (Some(index), Some(size)) = page else { return Ok(Json(agents).into_response()) };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let skip = usize::try_from(index - 1).unwrap_or(usize::MAX).saturating_mul(size);
    let total_record_count = agents.len();
    let agents = agents.into_iter().skip(skip).take(size).collect();
    Ok(Json(model::AgentPage { agents, total_record_count }).into_response())
}

struct Filter {
    name: Option<String>,
    status: Option<i64>,
    space: Option<i64>,
    config_type: Option<i64>,
}

impl Filter {
    fn parse(query: &Query) -> Result<Self, Refusal> {
        let config_type = match query.text("configType") {
            // The names of the kinds are taken in place of their numbers; other words are not.
            Some(word) if word.eq_ignore_ascii_case("agent") => Some(i64::from(CONFIG_TYPE_AGENT)),
            Some(word) if word.eq_ignore_ascii_case("sharedfile") => Some(2),
            Some(word) if word.eq_ignore_ascii_case("template") => Some(3),
            Some(word) if word.eq_ignore_ascii_case("command") => Some(4),
            _ => query.number("configType", 1)?,
        };
        Ok(Self {
            name: query.text("name").map(str::to_lowercase),
            status: query.number("status", 0)?,
            space: query.number("spaceId", 1)?,
            config_type,
        })
    }

    fn matches(&self, agent: &Agent, now: Timestamp) -> bool {
        let status = || agent.latest(now).map(|(_, snapshot)| i64::from(snapshot.status.number()));
        self.name.as_ref().is_none_or(|name| agent.name.to_lowercase().contains(name))
            && self.status.is_none_or(|wanted| status().is_some_and(|is| alike(is) == alike(wanted)))
            && self.space.is_none_or(|space| agent.space_id.map(i64::from) == Some(space))
            && self.config_type.is_none_or(|wanted| wanted == i64::from(CONFIG_TYPE_AGENT))
    }
}

/// Failure and Failed are one filter value, and so are Completed and Success.
fn alike(status: i64) -> i64 {
    match status {
        7 => 6,
        10 => 9,
        other => other,
    }
}

struct Order {
    column: Column,
    descending: bool,
}

enum Column {
    Name,
    LastActivity,
    Created,
    Updated,
    Status,
    ConfigType,
}

impl Order {
    fn parse(query: &Query) -> Result<Self, Refusal> {
        let column = match query.text("sortColumn").map(str::to_lowercase).as_deref() {
            None | Some("name") => Column::Name,
            Some("lastactivity") => Column::LastActivity,
            Some("created") => Column::Created,
            Some("updated") => Column::Updated,
            Some("status") => Column::Status,
            Some("configtype") => Column::ConfigType,
            Some(other) => {
                return Err(Refusal::bad_request(format!("The value '{other}' is not valid for sortColumn")));
            }
        };
        Ok(Self { column, descending: query.descending()? })
    }

    fn compare(&self, a: &Agent, b: &Agent, now: Timestamp) -> Ordering {
        let status = |agent: &Agent| agent.latest(now).map(|(_, snapshot)| snapshot.status.number());
        let order = match self.column {
            Column::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
            Column::LastActivity => a.last_activity(now).cmp(&b.last_activity(now)),
            Column::Created => a.created.cmp(&b.created),
            Column::Updated => a.updated.cmp(&b.updated),
            Column::Status => status(a).cmp(&status(b)),
            Column::ConfigType => Ordering::Equal,
        };
        let order = if self.descending { order.reverse() } else { order };
        order.then(a.id.cmp(&b.id))
    }
}
