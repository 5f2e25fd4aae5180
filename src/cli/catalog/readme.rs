//! The lists in `README.md`: what there is, by name, each linked to its reference.

use std::fmt::Write as _;

use crate::{
    prompts::Prompts,
    resources::{KINDS, Kind},
    tools::Catalog,
};

/// What stands between the markers.
pub(super) fn section() -> String {
    let mut text = tools();
    prompts(&mut text);
    resources(&mut text);
    text
}

fn tools() -> String {
    let catalog = Catalog::new();
    let mut text = format!(
        "{} tools, all with typed arguments and structured results; the [tool reference](docs/tool-reference.md) has \
         each with\nits arguments, result, scopes and an example:\n",
        catalog.rows().len()
    );
    let mut groups = Groups::default();
    for row in catalog.rows() {
        groups.add(row.toolset.title(), linked("tool-reference", row.name));
    }
    groups.write(&mut text);
    text
}

fn prompts(text: &mut String) {
    let prompts = Prompts::new().iter().flat_map(Prompts::all).copied().collect::<Vec<_>>();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n{} prompts, which clients offer as slash commands or in a menu; the [prompt \
         reference](docs/prompts-reference.md) has\neach with its arguments and its whole text:\n",
        prompts.len()
    );
    let mut groups = Groups::default();
    for prompt in prompts {
        groups.add(prompt.category.title(), linked("prompts-reference", prompt.name));
    }
    groups.write(text);
}

fn resources(text: &mut String) {
    let templates = KINDS.iter().filter(|kind| kind.is_template()).count();
    let _ = write!(
        text,
        "\n{} resources and {templates} templates for data to attach to a conversation, under the same scopes as the \
         tools; details\nare in the [resource reference](docs/resources-reference.md):\n",
        KINDS.len() - templates
    );
    let mut groups = Groups::default();
    for kind in KINDS {
        groups.add(subject(kind), format!("`{}`", kind.template));
    }
    groups.write(text);
}

/// What a URI is about, by the most particular thing in it.
fn subject(kind: &Kind) -> &'static str {
    let about = |variable| kind.variables().any(|name| name == variable);
    match () {
        () if about("runId") => "One run",
        () if about("agentId") => "One agent",
        () if about("spaceId") => "One space",
        () => "Lists and figures",
    }
}

fn linked(page: &str, name: &str) -> String {
    format!("[`{name}`](docs/{page}.md#{name})")
}

/// Items by heading, both in the order in which they came.
#[derive(Default)]
struct Groups(Vec<(&'static str, Vec<String>)>);

impl Groups {
    fn add(&mut self, heading: &'static str, item: String) {
        match self.0.iter_mut().find(|(known, _)| *known == heading) {
            Some((_, items)) => items.push(item),
            None => self.0.push((heading, vec![item])),
        }
    }

    fn write(&self, text: &mut String) {
        text.push_str("\n| | |\n| --- | --- |\n");
        for (heading, items) in &self.0 {
            let _ = writeln!(text, "| {heading} | {} |", items.join(", "));
        }
    }
}
