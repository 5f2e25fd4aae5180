//! Billing: the account, and what agents and runs cost. Everything adds up, because it all comes from the same charges.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State as Extract},
    routing::get,
};
use serde_json::{Value, json};

use super::{
    agents::{no_agent, tenant},
    cost_series,
    credential::Caller,
    error::Refusal,
    input::{Query, id},
    model::stamp,
    window::{Window, date, start_of_day},
};
use crate::demo::{
    state::State,
    world::{
        Agent,
        cost::{Charge, Milli, Usage},
    },
};

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/billing/credits", get(credits))
        .route("/api/v1/billing/spending", get(spending))
        .route("/api/v1/billing/history", get(history))
        .route("/api/v1/billing/agents", get(agents))
        .route("/api/v1/billing/agents/{agent_id}", get(cost_series::breakdown))
        .route("/api/v1/billing/agents/{agent_id}/runs", get(runs))
}

/// Thousandths as the decimal number they are: through text, so that 0.376 is exactly that on the wire.
pub(super) fn decimal(amount: Milli) -> f64 {
    let sign = if amount < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:03}", amount.abs() / 1_000, amount.abs() % 1_000);
    text.parse().unwrap_or_default()
}

async fn credits(Extract(state): Extract<Arc<State>>, caller: Caller) -> Result<Json<Value>, Refusal> {
    let now = state.now();
    tenant(&state, &caller, |tenant| {
        Ok(Json(json!({
            "availableCredits": decimal(tenant.balance(now)), "organizationId": tenant.organization_id,
            "retrievedAt": stamp(now),
        })))
    })
}

async fn spending(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    query: Query,
) -> Result<Json<Value>, Refusal> {
    let now = state.now();
    let window = Window::month(&query, now)?;
    tenant(&state, &caller, |tenant| {
        let charges = tenant.agents.values().flat_map(|agent| agent.charges(now));
        let spent = charges.filter(|charge| window.contains(charge.ended)).map(|charge| charge.total()).sum();
        Ok(Json(json!({
            "totalSpent": decimal(spent), "startDate": window.start_text, "endDate": window.end_text,
            "organizationId": tenant.organization_id, "currentBalance": decimal(tenant.balance(now)),
        })))
    })
}

/// Newest first.
async fn history(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    query: Query,
) -> Result<Json<Value>, Refusal> {
    let page = query.page(100)?;
    let movements = tenant(&state, &caller, |tenant| Ok(tenant.movements(state.now())))?;
    let mut balance = 0;
    let mut all: Vec<Value> = movements
        .into_iter()
        .map(|movement| {
            balance += movement.amount;
            json!({
                "id": movement.id, "transactionType": movement.kind, "amount": decimal(movement.amount),
                "balance": decimal(balance), "created": stamp(movement.at),
                "expiresAt": movement.expires.map(stamp), "message": movement.message,
            })
        })
        .collect();
    all.reverse();
    let total = all.len();
    let transactions = page.cut(all);
    Ok(Json(json!({
        // An empty page is null here.
        "transactions": (!transactions.is_empty()).then_some(transactions),
        "totalCount": total, "pageIndex": page.index, "recordsPerPage": page.size,
    })))
}

/// The usage types to count: all, unless the query names some.
pub(super) fn usages(query: &Query) -> Result<Vec<Usage>, Refusal> {
    let Some(text) = query.text("usageTypes") else { return Ok(Usage::ALL.to_vec()) };
    let wrong = |name| Refusal::bad_request(format!("The value '{name}' is not valid for usageTypes"));
    text.split(',').map(|name| Usage::parse(name.trim()).ok_or_else(|| wrong(name))).collect()
}

/// An agent's charges in a window.
pub(super) fn charges(agent: &Agent, window: &Window, now: jiff::Timestamp) -> Vec<Charge> {
    agent.charges(now).filter(|charge| window.contains(charge.ended)).collect()
}

/// What every agent cost that was used in the window.
async fn agents(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    query: Query,
) -> Result<Json<Value>, Refusal> {
    let (window, page, usages) = (Window::required(&query)?, query.page(1000)?, usages(&query)?);
    let (by_cost, descending) = (query.sort_column(&["name", "cost"])? == "cost", query.descending()?);
    let wanted = query.text("name").map(str::to_lowercase).unwrap_or_default();
    let now = state.now();
    let mut rows = tenant(&state, &caller, |tenant| {
        let named = tenant.agents.values().filter(|agent| agent.name.to_lowercase().contains(&wanted));
        let rows = named.map(|agent| {
            let cost: Milli = charges(agent, &window, now).iter().map(|charge| charge.cost(&usages)).sum();
            (cost, agent.name.clone().into_owned(), agent.id, agent.space_id)
        });
        Ok(rows.filter(|(cost, ..)| *cost > 0).collect::<Vec<_>>())
    })?;
    rows.sort_by(|a, b| {
        let order = if by_cost { a.0.cmp(&b.0) } else { a.1.to_lowercase().cmp(&b.1.to_lowercase()) };
        if descending { order.reverse() } else { order }.then(a.2.cmp(&b.2))
    });
    // Over all pages, unlike the total of the runs below.
    let (total, count) = (rows.iter().map(|row| row.0).sum(), rows.len());
    let view = |(cost, name, id, space): (Milli, String, i32, Option<i32>)| json!({ "agentId": id, "agentName": name, "cost": decimal(cost), "spaceId": space });
    let agents: Vec<Value> = page.cut(rows).into_iter().map(view).collect();
    Ok(Json(json!({
        // An empty page is null here.
        "agents": (!agents.is_empty()).then_some(agents), "totalRecordCount": count,
        "totalCost": decimal(total), "startDate": window.start_text, "endDate": window.end_text,
    })))
}

/// What every run of an agent cost.
async fn runs(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(agent_id): Path<String>,
    query: Query,
) -> Result<Json<Value>, Refusal> {
    let id = id("agentId", &agent_id)?;
    let (window, page, usages) = (Window::required(&query)?, query.page(1000)?, usages(&query)?);
    let column = query.sort_column(&["date", "cost", "duration"])?;
    let descending = query.descending()?;
    let now = state.now();
    let (name, mut charges) = tenant(&state, &caller, |tenant| {
        let agent = tenant.agent(id).ok_or_else(|| no_agent(id))?;
        Ok((agent.name.clone(), charges(agent, &window, now)))
    })?;
    charges.sort_by(|a, b| {
        let duration = |charge: &Charge| charge.started.map(|started| charge.ended.duration_since(started));
        let order = match column {
            "cost" => a.cost(&usages).cmp(&b.cost(&usages)),
            "duration" => duration(a).cmp(&duration(b)),
            _ => a.ended.cmp(&b.ended),
        };
        if descending { order.reverse() } else { order }.then(a.run_id.cmp(&b.run_id))
    });
    let count = charges.len();
    let charges = page.cut(charges);
    let total = charges.iter().map(|charge| charge.cost(&usages)).sum();
    let view = |charge: &Charge| {
        // A run has one line, under what it cost most for.
        let main = usages.iter().rev().max_by_key(|usage| charge.part(**usage));
        json!({
            "runId": charge.run_id, "date": stamp(start_of_day(date(charge.ended))),
            "startTime": charge.started.map(stamp), "endTime": stamp(charge.ended),
            "cost": decimal(charge.cost(&usages)), "billingType": main.map(|usage| usage.label()),
        })
    };
    Ok(Json(json!({
        "runs": charges.iter().map(view).collect::<Vec<_>>(), "totalRecordCount": count,
        "totalCost": decimal(total), "agentId": id, "agentName": name,
    })))
}

#[cfg(test)]
mod tests {
    #[test]
    #[expect(clippy::float_cmp, reason = "exactly these decimals are the point")]
    fn amounts_are_exact_decimals() {
        assert_eq!([376, -5, -1_250].map(super::decimal), [0.376, -0.005, -1.25]);
    }
}
