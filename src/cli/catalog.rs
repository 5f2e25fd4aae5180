//! `catalog`: the reference pages, printed from the code.

mod prompts;
mod readme;
mod resources;

use std::{collections::HashMap, fmt::Write as _, process::ExitCode};

use clap::ArgMatches;
use serde_json::{Value, json};

use crate::{
    config::reference,
    metrics,
    tools::{
        Asked, Catalog, Row,
        examples::{self, Example},
    },
};

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let page = matches.get_one::<String>("page").map_or("tools", String::as_str);
    let json = matches.get_flag("json");
    let text = match page {
        "configuration" | "metrics" | "readme" if json => {
            super::complain(&format!("{page} has no form in JSON: leave out --json.\n"));
            return ExitCode::from(super::USAGE);
        }
        "configuration" => reference::markdown(),
        "metrics" => metrics::reference::markdown(),
        "prompts" => prompts::page(json),
        "readme" => readme::section(),
        "resources" => resources::page(json),
        _ if json => json_list(),
        _ => markdown(),
    };
    super::say(&text);
    ExitCode::SUCCESS
}

fn json_list() -> String {
    let tools: Vec<_> = Catalog::new().rows().iter().map(describe).collect();
    pretty(&json!({"tools": tools}))
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn describe(row: &Row) -> Value {
    let [read_only, destructive, idempotent, open_world] = row.effect.hints();
    json!({
        "name": row.name,
        "title": row.title,
        "description": row.description,
        "toolset": row.toolset.title(),
        "scopes": row.scopes.iter().map(crate::auth::Scope::as_str).collect::<Vec<_>>(),
        "inputSchema": &*row.input_schema,
        "outputSchema": &*row.output_schema,
        "annotations": {
            "readOnlyHint": read_only,
            "destructiveHint": destructive,
            "idempotentHint": idempotent,
            "openWorldHint": open_world,
        },
    })
}

/// `docs/tool-reference.md`, complete.
fn markdown() -> String {
    let catalog = Catalog::new();
    let mut page = format!(
        "# Tool reference\n\n<!-- Printed by `sequentum-mcp catalog`. Do not edit: change src/tools. -->\n\n{} tools. Examples are recorded from the simulated platform; lists of more than two items and long texts are shortened.\n",
        catalog.rows().len()
    );
    let examples = examples::all();
    let mut toolset = None;
    for row in catalog.rows() {
        if toolset != Some(row.toolset) {
            toolset = Some(row.toolset);
            // Writing to a String cannot fail.
            let _ = write!(page, "\n## {}\n", row.toolset.title());
        }
        tool(&mut page, row, &examples);
    }
    page
}

fn tool(page: &mut String, row: &Row, examples: &HashMap<String, Example>) {
    let [read_only, destructive, idempotent, open_world] = row.effect.hints();
    let hints = [
        (read_only, "read-only"),
        (destructive, "destructive"),
        (idempotent, "idempotent"),
        (open_world, "open-world"),
    ];
    let hints: Vec<_> = hints.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
    let scopes = if row.scopes == crate::auth::ScopeSet::EMPTY {
        "none".to_owned()
    } else {
        format!("`{}`", row.scopes)
    };
    let _ = write!(
        page,
        "\n### `{}`\n\n{}\n\nScopes: {scopes}. Hints: {}.{}\n",
        row.name,
        row.description,
        hints.join(", "),
        match row.asks {
            Asked::Nothing => "",
            Asked::Confirmation => " Asks the user for confirmation first, where the client can ask.",
            Asked::Details(_) => " Asks the user for what is missing, where the client can ask.",
        }
    );
    table(page, "Argument", &row.input_schema);
    table(page, "Result", &(row.output_reference)());
    if let Some(Example { arguments, result }) = examples.get(row.name) {
        let _ = write!(page, "\nExample: `{arguments}` gives\n\n```json\n{result:#}\n```\n");
    }
}

fn table(page: &mut String, heading: &str, schema: &serde_json::Map<String, Value>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
        let _ = write!(page, "\n{heading}: none.\n");
        return;
    };
    let required: Vec<_> = schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
    let _ = write!(page, "\n| {heading} | Type | | Meaning |\n| --- | --- | --- | --- |\n");
    for (name, property) in properties {
        let presence = if required.iter().any(|required| *required == name) { "always" } else { "optional" };
        let presence = if heading == "Argument" && presence == "always" { "required" } else { presence };
        let kind = property.get("type").and_then(Value::as_str).unwrap_or("any");
        let meaning =
            property.get("description").and_then(Value::as_str).unwrap_or_default().replace('|', "\\|");
        let _ = writeln!(page, "| `{name}` | {kind} | {presence} | {} |", meaning.replace('\n', " "));
    }
}
