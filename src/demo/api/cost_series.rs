//! What one agent cost over time, by usage type.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State as Extract},
};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    agents::{no_agent, tenant},
    billing::{charges, decimal, usages},
    credential::Caller,
    error::Refusal,
    input::{Query, id},
    window::{Window, date},
};
use crate::demo::{
    state::State,
    world::cost::{Charge, Milli, Usage},
};

/// Days of the longest series.
const MOST_DAYS: usize = 1_100;

pub(super) async fn breakdown(
    Extract(state): Extract<Arc<State>>,
    caller: Caller,
    Path(agent_id): Path<String>,
    query: Query,
) -> Result<Json<Value>, Refusal> {
    let id = id("agentId", &agent_id)?;
    let (window, usages) = (Window::required(&query)?, usages(&query)?);
    let label: fn(Date) -> String = match query.text("timeUnit").map(str::to_lowercase).as_deref() {
        None | Some("day") => |day| day.to_string(),
        Some("month") => |day| day.strftime("%Y-%m").to_string(),
        Some(_) => return Err(Refusal::bad_request("timeUnit must be day or month")),
    };
    if window.days(MOST_DAYS + 1).count() > MOST_DAYS {
        return Err(Refusal::bad_request("The time between startDate and endDate is too long"));
    }
    let now = state.now();
    let (name, charges) = tenant(&state, &caller, |tenant| {
        let agent = tenant.agent(id).ok_or_else(|| no_agent(id))?;
        Ok((agent.name.clone(), charges(agent, &window, now)))
    })?;
    let mut labels: Vec<String> = window.days(MOST_DAYS).map(label).collect();
    labels.dedup();
    let total = charges.iter().map(|charge| charge.cost(&usages)).sum();
    let series: Vec<Value> = usages
        .iter()
        .map(|usage| one(*usage, &charges, &labels, |charge| label(date(charge.ended))))
        .collect();
    Ok(Json(json!({
        "agentId": id, "agentName": name, "labels": labels, "usageTypes": series,
        "totalCost": decimal(total), "startDate": window.start_text, "endDate": window.end_text,
    })))
}

fn one(usage: Usage, charges: &[Charge], labels: &[String], label: impl Fn(&Charge) -> String) -> Value {
    let mut sums: BTreeMap<String, Milli> = BTreeMap::new();
    for charge in charges {
        *sums.entry(label(charge)).or_default() += charge.part(usage);
    }
    let total: Milli = sums.values().sum();
    let data = labels.iter().map(|label| decimal(sums.get(label).copied().unwrap_or(0)));
    // Nothing at all is an empty list, not a row of zeros.
    let data: Vec<f64> = if total == 0 { Vec::new() } else { data.collect() };
    json!({ "type": usage.name(), "data": data, "totalCost": decimal(total) })
}
