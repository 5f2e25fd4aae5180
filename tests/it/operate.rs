//! What stands in `docs/operate`: the dashboard and the alert rules ask for nothing that is not counted, and every alert
//! has its section in the runbook.

use std::{fs, process::Command};

use sequentum_mcp::metrics::table::{self, Definition, Kind};
use serde_json::Value;

fn file(name: &str) -> String {
    fs::read_to_string(format!("{}/docs/operate/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The metric that a series of this name belongs to.
fn metric(series: &str) -> Option<&'static Definition> {
    table::ALL.iter().copied().find(|metric| match metric.kind {
        Kind::Durations(_) => {
            ["_bucket", "_count", "_sum"].iter().any(|end| series.strip_suffix(end) == Some(metric.name))
        }
        _ => series == metric.name,
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Every series in an expression is one of ours, and is asked for by labels that it has.
fn check(expression: &str) {
    let names: Vec<_> = words(expression).filter(|word| word.starts_with("sequentum_mcp_")).collect();
    for name in &names {
        assert!(metric(name).is_some(), "{name} is not counted: {expression}");
    }
    let mut known: Vec<_> =
        names.iter().filter_map(|name| metric(name)).flat_map(|m| m.labels).copied().collect();
    known.extend(["le", "instance", "job"]);
    let matchers = expression.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    for matcher in
        matchers.flat_map(|matchers| matchers.split(',')).filter(|matcher| !matcher.trim().is_empty())
    {
        let label = words(matcher).next().unwrap();
        assert!(known.contains(&label), "there is no label {label}: {expression}");
    }
    let groups = expression.split("by (").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    for label in groups.flat_map(words) {
        assert!(known.contains(&label), "there is no label {label}: {expression}");
    }
}

#[test]
fn the_dashboard_asks_for_what_is_counted() {
    let board: Value = serde_json::from_str(&file("dashboard.json")).unwrap();
    let targets = board["panels"].as_array().unwrap().iter().filter_map(|panel| panel["targets"].as_array());
    let expressions: Vec<_> = targets.flatten().map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(expressions.len() > 20, "{}", expressions.len());
    for expression in &expressions {
        check(expression);
    }
    // What is counted is also shown.
    for metric in table::ALL {
        assert!(
            expressions.iter().any(|shown| shown.contains(metric.name)),
            "{} is on no panel",
            metric.name
        );
    }
}

#[test]
fn the_alerts_ask_for_what_is_counted_and_have_a_section_in_the_runbook() {
    let rules = file("alerts.yaml");
    let runbook = file("runbook.md");
    let mut alerts = Vec::new();
    for rule in rules.split("- alert: ").skip(1) {
        let (name, rest) = rule.split_once('\n').unwrap();
        let expression = rest.split_once("expr:").unwrap().1;
        let expression = expression.split("\n        for:").next().unwrap();
        check(expression.split("\n        labels:").next().unwrap());
        assert!(runbook.contains(&format!("\n## {name}\n")), "the runbook lacks {name}");
        alerts.push(name);
    }
    assert!(alerts.len() > 10, "{alerts:?}");
    for section in runbook.lines().filter_map(|line| line.strip_prefix("## ")) {
        assert!(alerts.contains(&section), "no alert is called {section}");
    }
}

#[test]
fn the_table_of_metrics_is_fresh() {
    let command =
        Command::new(env!("CARGO_BIN_EXE_sequentum-mcp")).args(["catalog", "metrics"]).output().unwrap();
    assert!(
        command.status.success() && file("metrics.md").as_bytes() == command.stdout,
        "run: cargo run -- catalog metrics > docs/operate/metrics.md"
    );
}
