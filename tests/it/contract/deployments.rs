//! The product in front of both deployments: what one of them leaves out is missing, and nothing else changes.

use std::collections::BTreeSet;

use sequentum_mcp::{demo::Profile, tools::Catalog};
use serde_json::Value;

use super::{drive, server_before};
use crate::{every_tool::plain, support::contract::problems};

#[tokio::test]
async fn results_fit_their_schemas_on_both_deployments() {
    let catalog = Catalog::new();
    for profile in [Profile::Newer, Profile::Production] {
        let server = server_before(profile).await;
        for (tool, result) in drive(&server, plain()).await {
            let row = catalog.find(tool).unwrap();
            for schema in [row.output_schema.clone(), (row.output_reference)()] {
                let validator = jsonschema::validator_for(&Value::Object((*schema).clone())).unwrap();
                let problems = problems(&validator, &result);
                assert!(problems.is_empty(), "{profile:?} {tool}: {problems:?}\n{result}");
            }
        }
    }
}

/// The names of all members inside a value, with the way to them.
fn members(value: &Value, way: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                let way = format!("{way}.{name}");
                members(inner, &way, found);
                found.insert(way);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, &format!("{way}[]"), found)),
        _ => {}
    }
}

#[tokio::test]
async fn what_only_newer_deployments_send_reaches_the_caller() {
    let mut found = [BTreeSet::new(), BTreeSet::new()];
    for (profile, found) in [Profile::Newer, Profile::Production].into_iter().zip(&mut found) {
        let server = server_before(profile).await;
        for (tool, result) in drive(&server, plain()).await {
            members(&result, tool, found);
        }
    }
    let [newer, production] = found;
    let only_newer: Vec<_> = newer.difference(&production).cloned().collect();
    insta::assert_snapshot!(only_newer.join("\n"), @"
    create_agent_schedule.configName
    create_agent_schedule.saveContentCache
    get_agent_build_status.agentElapsedSeconds
    get_agent_build_status.browserIoSeconds
    get_agent_schedule.configName
    get_agent_schedule.saveContentCache
    get_scheduled_runs.result[].lastRunId
    get_scheduled_runs.result[].lastRunMessage
    get_scheduled_runs.result[].lastRunStatus
    get_scheduled_runs.result[].lastRunTime
    get_scheduled_runs.result[].runEveryCount
    get_scheduled_runs.result[].runEveryPeriod
    get_scheduled_runs.result[].schedule
    get_scheduled_runs.result[].scheduleType
    get_scheduled_runs.result[].spaceId
    get_scheduled_runs.result[].spaceName
    get_space.access
    get_space.scope
    list_agent_schedules.result[].configName
    list_agent_schedules.result[].saveContentCache
    list_spaces.result[].access
    list_spaces.result[].runRetentionHours
    list_spaces.result[].scope
    search_space_by_name.access
    search_space_by_name.scope
    update_agent_schedule.configName
    update_agent_schedule.saveContentCache
    ");
    assert_eq!(production.difference(&newer).collect::<Vec<_>>(), Vec::<&String>::new());
}
