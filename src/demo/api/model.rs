//! What goes over the wire. Unset members are sent as null; members that only newer or only older deployments have are
//! left out for the other profile.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::demo::{
    Profile,
    world::{self, Tenant, files, run},
};

/// ISO 8601 in UTC with zero to seven fractional digits, as different clocks and databases of the platform produce
/// them. How many follows from the time itself, so that the same time always looks the same.
pub(crate) fn stamp(time: Timestamp) -> String {
    let digits = 1 + time.subsec_nanosecond() / 1_000 % 7;
    let text = format!("{}", time.strftime("%Y-%m-%dT%H:%M:%S%.9f"));
    let cut = text.len().saturating_sub(usize::try_from(9 - digits).unwrap_or(0));
    let text = text.get(..cut).unwrap_or(&text).trim_end_matches('0').trim_end_matches('.');
    format!("{text}Z")
}

/// A `Count` answer.
pub(crate) fn count(total: usize) -> Value {
    json!({ "totalCount": total })
}

/// `base` with the members of `more`, when this deployment has them.
pub(crate) fn with(mut base: Value, more: Value, has: bool) -> Value {
    if let (Some(members), Value::Object(more)) = (base.as_object_mut().filter(|_| has), more) {
        members.extend(more);
    }
    base
}

/// What a page of a simulated site weighs.
pub(crate) const BYTES_PER_PAGE: i64 = 301_113;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Agent {
    id: i32,
    pub(crate) name: Cow<'static, str>,
    description: Option<&'static str>,
    documentation: Option<&'static str>,
    icon: Option<&'static str>,
    image: Option<&'static str>,
    input_parameters: Option<BTreeMap<&'static str, &'static str>>,
    pub(crate) config_type: i32,
    proxy_pool_id: Option<i32>,
    space_id: Option<i32>,
    start_url: &'static str,
    pub(crate) status: Option<i32>,
    user_id: i32,
    validation_status: i32,
    version: i32,
    is_active: bool,
    last_activity: Option<String>,
    created: String,
    updated: String,
    #[serde(rename = "agentTemplates")]
    templates: Option<&'static str>,
}

/// The only kind of configuration in this world.
pub(crate) const CONFIG_TYPE_AGENT: i32 = 1;
const VALIDATION_VALID: i32 = 3;

impl Agent {
    pub(crate) fn new(agent: &world::Agent, now: Timestamp) -> Self {
        Self {
            id: agent.id,
            name: agent.name.clone(),
            description: agent.description,
            documentation: agent.documentation,
            icon: None,
            image: None,
            input_parameters: (!agent.inputs.is_empty()).then(|| agent.inputs.iter().copied().collect()),
            config_type: CONFIG_TYPE_AGENT,
            proxy_pool_id: None,
            space_id: agent.space_id,
            start_url: agent.start_url,
            status: agent.latest(now).map(|(_, snapshot)| snapshot.status.number()),
            user_id: agent.user_id,
            validation_status: VALIDATION_VALID,
            version: agent.version,
            is_active: agent.is_active,
            last_activity: agent.last_activity(now).map(stamp),
            created: stamp(agent.created),
            updated: stamp(agent.updated),
            templates: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AgentPage {
    pub(crate) agents: Vec<Agent>,
    pub(crate) total_record_count: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AgentRun {
    tag: &'static str,
    id: i64,
    config_id: i32,
    config_name: Option<&'static str>,
    space_id: i32,
    organization_id: i32,
    organization_name: Option<&'static str>,
    sequence: i64,
    parallelism: i32,
    parallel_max_concurrency: Option<i32>,
    parallel_export: Option<&'static str>,
    parallel_set: i32,
    start_time: Option<String>,
    end_time: Option<String>,
    created: String,
    status: i32,
    message: Option<String>,
    config_version: i32,
    action_count: i64,
    page_count: i64,
    dynamic_page_count: i64,
    request_count: i64,
    data_count: i64,
    input_count: Option<i64>,
    error_count: i64,
    export_count: Option<i64>,
    traffic: i64,
    run_time_sec: Option<i64>,
    server_name: Option<String>,
    pub(crate) table_type: Option<&'static str>,
}

impl AgentRun {
    pub(crate) fn new(tenant: &Tenant, run: &run::Run, now: Timestamp) -> Self {
        let snapshot = run.at(now);
        let pages = snapshot.page_count;
        Self {
            tag: "",
            id: run.id,
            config_id: run.agent_id,
            // Names and the space are not filled in here, as on the real platform's single-agent listings.
            config_name: None,
            space_id: 0,
            organization_id: tenant.organization_id,
            organization_name: None,
            sequence: run.sequence,
            parallelism: run.parallelism,
            parallel_max_concurrency: run.parallel_max_concurrency,
            parallel_export: run.parallel_export,
            parallel_set: 0,
            start_time: snapshot.started.map(stamp),
            end_time: snapshot.ended.map(stamp),
            created: stamp(run.created),
            status: snapshot.status.number(),
            message: snapshot.message,
            config_version: run.config_version,
            action_count: pages * 6,
            page_count: pages,
            dynamic_page_count: pages / 8,
            request_count: pages * 11,
            data_count: snapshot.data_count,
            input_count: run.inputs.filter(|_| !run.input_removed),
            error_count: snapshot.error_count,
            export_count: snapshot.export_count,
            traffic: pages * BYTES_PER_PAGE,
            run_time_sec: snapshot.run_time.map(|time| time.as_secs()),
            server_name: snapshot.server,
            table_type: Some(if snapshot.archived { "history" } else { "run" }),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunFile {
    id: i64,
    name: String,
    file_type: i32,
    file_size: usize,
    created: String,
    region_id: Option<i32>,
}

impl RunFile {
    pub(crate) fn new(file: files::File) -> Self {
        Self {
            id: file.id,
            name: file.name,
            file_type: file.kind as i32,
            file_size: file.body.len(),
            created: stamp(file.created),
            region_id: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Space {
    id: i32,
    name: &'static str,
    organization_id: i32,
    created: String,
    is_default_access: bool,
    #[serde(flatten)]
    newer: Option<NewerSpace>,
    #[serde(flatten)]
    older: Option<OlderSpace>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewerSpace {
    scope: &'static str,
    run_retention_hours: Option<i32>,
    initiated_by: Option<&'static str>,
    access: &'static [&'static str],
}

#[derive(Debug, Serialize)]
struct OlderSpace {
    description: Option<&'static str>,
    updated: String,
}

impl Space {
    pub(crate) fn new(tenant: &Tenant, space: &world::Space, profile: Profile) -> Self {
        Self {
            id: space.id,
            name: space.name,
            organization_id: tenant.organization_id,
            created: stamp(space.created),
            is_default_access: space.is_default_access,
            newer: (profile == Profile::Newer).then_some(NewerSpace {
                scope: space.scope,
                run_retention_hours: space.run_retention_hours,
                initiated_by: None,
                access: space.access,
            }),
            older: (profile == Profile::Production)
                .then(|| OlderSpace { description: None, updated: stamp(space.created) }),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SpaceAgent {
    id: i32,
    name: Cow<'static, str>,
    description: Option<&'static str>,
    config_type: i32,
    status: Option<i32>,
    validation_status: i32,
    last_activity: Option<String>,
    #[serde(flatten)]
    newer: Option<NewerSpaceAgent>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewerSpaceAgent {
    created: String,
    updated: String,
    version: i32,
    is_archived: bool,
    approval_status: Option<i32>,
    labels: Vec<Label>,
}

#[derive(Debug, Serialize)]
struct Label {
    id: i32,
    name: &'static str,
}

impl SpaceAgent {
    pub(crate) fn new(agent: &world::Agent, now: Timestamp, profile: Profile) -> Self {
        Self {
            id: agent.id,
            name: agent.name.clone(),
            description: agent.description,
            config_type: CONFIG_TYPE_AGENT,
            status: agent.latest(now).map(|(_, snapshot)| snapshot.status.number()),
            validation_status: VALIDATION_VALID,
            last_activity: agent.last_activity(now).map(stamp),
            newer: (profile == Profile::Newer).then(|| NewerSpaceAgent {
                created: stamp(agent.created),
                updated: stamp(agent.updated),
                version: agent.version,
                is_archived: agent.is_archived,
                approval_status: None,
                labels: agent.labels.iter().map(|(id, name)| Label { id: *id, name }).collect(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_at_most_seven_fractional_digits_and_end_in_z() {
        let at = |nanos| stamp(Timestamp::new(1_780_000_000, nanos).unwrap());
        assert_eq!(at(0), "2026-05-28T20:26:40Z");
        assert_eq!(at(100_000_000), "2026-05-28T20:26:40.1Z");
        for nanos in [1_000, 123_456_789, 999_999_999] {
            let text = at(nanos);
            assert!(text.ends_with('Z') && text.len() <= "2026-05-28T20:26:40.1234567Z".len(), "{text}");
            text.parse::<Timestamp>().unwrap();
        }
    }
}
