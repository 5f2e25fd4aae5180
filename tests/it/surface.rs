//! The tools against the surface that users of this platform's public server know: names, parameters, bounds, hints
//! and scopes. What is different here on purpose stands in this file, with its reason.

use std::fs;

use sequentum_mcp::{
    auth::Scope,
    tools::{Catalog, Row},
};
use serde_json::Value;

/// Tools that only this server has.
const OURS: [&str; 3] = ["whoami", "wait_for_run", "read_run_file"];
/// Where this server differs on purpose: the check, and why.
const DIFFERENCES: [(&str, &str, &str); 4] = [
    ("get_agents_usage", "sortOrder", SORT_ORDER),
    ("get_agent_runs_cost", "sortOrder", SORT_ORDER),
    ("update_agent_schedule", "scopes", "it reads the schedule first, so that omitted members survive"),
    (
        "update_agent_schedule",
        "name.required",
        "a name that must be repeated is a known defect of the surface",
    ),
];
const SORT_ORDER: &str =
    "asc and desc are published wherever there is an order; 0 and 1 are understood as well";
/// Arguments that only this server has, and why: they narrow or widen an answer.
const OUR_ARGUMENTS: [(&str, &str, &str); 5] = [
    (
        "get_agent",
        "includeImages",
        "an icon and an image are larger than all the rest, and hardly ever wanted",
    ),
    ("get_agent_runs", "verbosity", WHOLE),
    ("list_agents", "verbosity", WHOLE),
    ("search_agents", "verbosity", WHOLE),
    ("get_space_agents", "verbosity", WHOLE),
];
const WHOLE: &str = "lists are short by default; who needs whole records need not ask for them one by one";

fn surface() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tool-surface.json");
    let fixture: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    fixture["tools"].as_array().unwrap().clone()
}

fn compare(row: &Row, known: &Value, wrong: &mut Vec<String>) {
    let mut check = |what: &str, ours: Value, theirs: &Value| {
        let meant = DIFFERENCES.iter().any(|(tool, check, _why)| {
            let rest = what.strip_prefix(check);
            *tool == row.name && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        if ours != *theirs && !meant {
            wrong.push(format!("{} {what}: {ours} here, {theirs} there", row.name));
        }
    };
    check("title", row.title.into(), &known["title"]);
    let mut scopes: Vec<_> = row.scopes.iter().map(Scope::as_str).collect();
    scopes.sort_unstable();
    let mut known_scopes = known["scopes"].clone();
    known_scopes.as_array_mut().unwrap().sort_by_key(|scope| scope.as_str().map(str::to_owned));
    check("scopes", scopes.into(), &known_scopes);
    let [read_only, destructive, idempotent, open_world] = row.effect.hints();
    for (hint, ours) in [
        ("readOnlyHint", read_only),
        ("destructiveHint", destructive),
        ("idempotentHint", idempotent),
        ("openWorldHint", open_world),
    ] {
        check(hint, ours.into(), &known["annotations"][hint]);
    }
    let schema = &row.input_schema;
    let parameters = known["params"].as_array().unwrap();
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap();
        let Some(ours) = schema["properties"].get(name) else {
            check(&format!("argument {name}"), Value::Null, &name.into());
            continue;
        };
        for (ours_key, theirs_key) in
            [("type", "type"), ("enum", "enum"), ("minimum", "min"), ("maximum", "max")]
        {
            // A list of all values says as much as the two bounds.
            let listed = ours.get("enum").is_some();
            if listed && theirs_key.starts_with('m') && parameter.get(theirs_key).is_some() {
                let values: Vec<i64> =
                    ours["enum"].as_array().unwrap().iter().filter_map(Value::as_i64).collect();
                let bound = if theirs_key == "min" { values.iter().min() } else { values.iter().max() };
                let bound = bound.map_or(Value::Null, |bound| (*bound).into());
                check(&format!("{name}.{theirs_key}"), bound, &parameter[theirs_key]);
            } else if let Some(theirs) = parameter.get(theirs_key) {
                check(&format!("{name}.{ours_key}"), ours.get(ours_key).cloned().unwrap_or_default(), theirs);
            }
        }
        let required = schema["required"].as_array().unwrap().iter().any(|required| required == name);
        check(&format!("{name}.required"), required.into(), &parameter["required"]);
    }
    for name in schema["properties"].as_object().unwrap().keys() {
        let known = parameters.iter().any(|parameter| parameter["name"] == name.as_str());
        if !known && !OUR_ARGUMENTS.iter().any(|(tool, ours, _why)| *tool == row.name && ours == name) {
            wrong.push(format!("{}.{name} is not in the surface and not in OUR_ARGUMENTS", row.name));
        }
    }
    for field in known["outputFields"].as_array().into_iter().flatten() {
        if row.output_schema["properties"].get(field.as_str().unwrap()).is_none() {
            wrong.push(format!("{} lacks the result member {field}", row.name));
        }
    }
}

#[test]
fn every_tool_is_as_its_users_know_it() {
    let (catalog, surface) = (Catalog::new(), surface());
    let mut wrong = Vec::new();
    for row in catalog.rows() {
        match surface.iter().find(|known| known["name"] == row.name) {
            Some(known) => compare(row, known, &mut wrong),
            None if OURS.contains(&row.name) => {}
            None => wrong.push(format!("{} is not in the surface and not in OURS", row.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let missing: Vec<_> = surface
        .iter()
        .filter_map(|known| known["name"].as_str())
        .filter(|name| catalog.find(name).is_none())
        .collect();
    println!("not offered yet: {} of {}: {}", missing.len(), surface.len(), missing.join(", "));
}
