//! `docs/resources-reference.md`: what can be read by URI, what is suggested while filling in, what can be subscribed to.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    auth::{Scope, ScopeSet},
    prompts::Prompts,
    resources::{KINDS, Kind, ResourceUri},
    tools::Catalog,
};

/// Ids for examples: an agent of the demo, and others of about the size that they have.
const EXAMPLES: [(&str, &str); 4] =
    [("{agentId}", "7301"), ("{runId}", "88123"), ("{fileId}", "12"), ("{spaceId}", "42")];

/// The page, or the same as JSON.
pub(super) fn page(json: bool) -> String {
    let catalog = Catalog::new();
    if json { json_list(&catalog) } else { markdown(&catalog) }
}

/// What reading needs: the scopes of the tool behind it.
fn scopes(kind: &Kind, catalog: &Catalog) -> ScopeSet {
    catalog.find(kind.tool).map_or(ScopeSet::ALL, |row| row.scopes)
}

fn json_list(catalog: &Catalog) -> String {
    let describe = |kind: &Kind| {
        let key = if kind.is_template() { "uriTemplate" } else { "uri" };
        let mut item = json!({
            "name": kind.name,
            "description": kind.description,
            "mimeType": kind.media_type,
            "tool": kind.tool,
            "scopes": scopes(kind, catalog).iter().map(Scope::as_str).collect::<Vec<_>>(),
            "example": example(kind),
        });
        if let Some(members) = item.as_object_mut() {
            members.insert(key.to_owned(), kind.template.into());
        }
        item
    };
    let (templates, fixed): (Vec<_>, Vec<_>) = KINDS.iter().partition(|kind| kind.is_template());
    super::pretty(&json!({
        "resources": fixed.into_iter().map(describe).collect::<Vec<_>>(),
        "resourceTemplates": templates.into_iter().map(describe).collect::<Vec<_>>(),
    }))
}

/// A URI of this kind.
fn example(kind: &Kind) -> String {
    EXAMPLES.iter().fold(kind.template.to_owned(), |uri, (variable, id)| uri.replace(variable, id))
}

/// The tool, with the arguments that do not come from the URI.
fn call(kind: &Kind) -> String {
    if kind.media_type.is_none() {
        return format!("the file itself, not the result of `{}`", kind.tool);
    }
    let arguments = example(kind).parse::<ResourceUri>().map(|uri| uri.arguments()).unwrap_or_default();
    let fixed = arguments.iter().filter(|(name, _)| !kind.variables().any(|variable| variable == *name));
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fixed: Vec<_> = fixed.map(|(name, value)| format!("`{name}` {}", plain(value))).collect();
    let with = if fixed.is_empty() { String::new() } else { format!(" with {}", fixed.join(", ")) };
    format!("`{}`{with}", kind.tool)
}

fn markdown(catalog: &Catalog) -> String {
    let (templates, fixed): (Vec<&Kind>, Vec<&Kind>) = KINDS.iter().partition(|kind| kind.is_template());
    let mut page = format!(
        "# Resource reference\n\n\
         <!-- Printed by `sequentum-mcp catalog resources`. Do not edit: change src/resources.rs. -->\n\n\
         {} resources and {} templates. A resource shows the result of a tool as JSON, for the same caller and under the\n\
         same scopes; it is offered to those who hold them. The content belongs to the caller and is never kept.\n",
        fixed.len(),
        templates.len(),
    );
    for (heading, kinds) in [("Resources", &fixed), ("Templates", &templates)] {
        let _ = write!(page, "\n## {heading}\n\n| URI | What it holds | Result of | Scopes |");
        // A fixed URI is its own example.
        page.push_str(if heading == "Templates" { " Example |\n| --- " } else { "\n" });
        page.push_str("| --- | --- | --- | --- |\n");
        for kind in kinds {
            let _ = write!(
                page,
                "| `{}` | {}. {} | {} | `{}` |",
                kind.template,
                kind.name,
                kind.description,
                call(kind),
                scopes(kind, catalog),
            );
            if kind.is_template() {
                let _ = write!(page, " `{}` |", example(kind));
            }
            page.push('\n');
        }
    }
    page.push_str(
        "\nIds are positive whole numbers without leading zeros. Everything is `application/json` except the content\n\
         of a file, which has the media type of the file. What does not exist and what the caller may not see get the same\n\
         error.\n",
    );
    completions(&mut page);
    page.push_str(
        "\n## Subscriptions\n\n\
         The status of a run, `sequentum://agents/{agentId}/runs/{runId}`, can be subscribed to. How that works is in\n\
         [Architecture](architecture.md).\n",
    );
    page
}

/// One row for each argument or variable, wherever it occurs.
fn completions(page: &mut String) {
    page.push_str(
        "\n## Completions\n\n\
         `completion/complete` suggests at most 100 values, from what the caller can see and never from anybody else's\n\
         data: those that begin with what was typed, then those that contain it. A caller without the scope of the tool\n\
         behind it gets none. Answers of the platform are kept for five seconds per caller.\n\n\
         | Argument or variable | Completed from | Where | Needs |\n| --- | --- | --- | --- |\n",
    );
    let mut rows: Vec<(&str, _, Vec<String>)> = Vec::new();
    let mut add =
        |name, source, place: String| match rows.iter_mut().find(|row| (row.0, row.1) == (name, source)) {
            Some((_, _, places)) if !places.contains(&place) => places.push(place),
            Some(_) => {}
            None => rows.push((name, source, vec![place])),
        };
    for prompt in Prompts::new().iter().flat_map(Prompts::all) {
        for argument in prompt.arguments {
            if let Some(source) = argument.completion {
                add(argument.name, source, format!("`{}`", prompt.name));
            }
        }
    }
    for variable in KINDS.iter().flat_map(Kind::variables) {
        if let Some(source) = Kind::completion(variable) {
            add(variable, source, "every template with it".to_owned());
        }
    }
    for (name, source, places) in rows {
        let needs: Vec<_> = source.needs().iter().map(|need| format!("`{need}`")).collect();
        let needs = if needs.is_empty() { "-".to_owned() } else { needs.join(", ") };
        let _ = writeln!(page, "| `{name}` | {} | {} | {needs} |", source.description(), places.join(", "));
    }
}
