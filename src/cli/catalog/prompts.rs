//! `docs/prompts-reference.md`: every prompt with its arguments, its tools, and the text that a model gets.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::{
    auth::{Scope, ScopeSet},
    prompts::{Argument, Category, Prompt, PromptError, Prompts},
    tools::Catalog,
};

/// The page, or the same as JSON.
pub(super) fn page(json: bool) -> String {
    let catalog = Catalog::new();
    let page = Prompts::new().and_then(|prompts| {
        if json { Ok(json_list(&prompts, &catalog)) } else { markdown(&prompts, &catalog) }
    });
    // A test renders every template, so this is never seen.
    page.unwrap_or_else(|error| format!("The prompts cannot be shown: {error}\n"))
}

/// What is needed to be offered the prompt.
fn scopes(prompt: &Prompt, catalog: &Catalog) -> ScopeSet {
    let tools = prompt.tools.iter().filter_map(|name| catalog.find(name));
    tools.fold(ScopeSet::EMPTY, |scopes, row| scopes.union(row.scopes))
}

fn json_list(prompts: &Prompts, catalog: &Catalog) -> String {
    let argument = |argument: &Argument| {
        json!({
            "name": argument.name,
            "title": argument.title,
            "description": argument.description,
            "required": argument.required,
            "expected": argument.form.expectation(),
            "completedFrom": argument.completed_from(),
        })
    };
    let prompt = |prompt: &&Prompt| {
        json!({
            "name": prompt.name,
            "title": prompt.title,
            "description": prompt.description,
            "category": prompt.category.title(),
            "arguments": prompt.arguments.iter().map(argument).collect::<Vec<_>>(),
            "tools": prompt.tools,
            "scopes": scopes(prompt, catalog).iter().map(Scope::as_str).collect::<Vec<_>>(),
        })
    };
    super::pretty(&json!({"prompts": prompts.all().iter().map(prompt).collect::<Vec<_>>()}))
}

fn markdown(prompts: &Prompts, catalog: &Catalog) -> Result<String, PromptError> {
    let mut page = format!(
        "# Prompt reference\n\n\
         <!-- Printed by `sequentum-mcp catalog prompts`. Do not edit: change src/prompts. -->\n\n\
         {} prompts: runbooks that a user picks in the client, often as a slash command, and fills in. A prompt calls\n\
         nothing by itself; its text leads the model through the tools. It is offered to those who hold the scopes of all\n\
         its tools.\n\n\
         A value becomes one line of visible text that cannot close the quotation marks around it. A value that is too\n\
         long, of the wrong kind or unknown is refused with the name of the argument; nothing is cut.\n",
        prompts.all().len()
    );
    let mut categories: Vec<Category> = Vec::new();
    for prompt in prompts.all() {
        if !categories.contains(&prompt.category) {
            categories.push(prompt.category);
        }
    }
    for category in categories {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {}\n", category.title());
        for prompt in prompts.all().iter().filter(|prompt| prompt.category == category) {
            section(&mut page, prompts, prompt, scopes(prompt, catalog))?;
        }
    }
    Ok(page)
}

fn section(
    page: &mut String,
    prompts: &Prompts,
    prompt: &Prompt,
    scopes: ScopeSet,
) -> Result<(), PromptError> {
    let _ = write!(
        page,
        "\n### `{}`\n\n{}. {}\n\nTools: `{}`. Scopes: `{scopes}`.\n",
        prompt.name,
        prompt.title,
        prompt.description,
        prompt.tools.join("`, `"),
    );
    if prompt.arguments.is_empty() {
        page.push_str("\nArguments: none.\n");
    } else {
        page.push_str(
            "\n| Argument | | Must be | Completed from | Meaning |\n| --- | --- | --- | --- | --- |\n",
        );
        for argument in prompt.arguments {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | {} |",
                argument.name,
                if argument.required { "required" } else { "optional" },
                argument.form.expectation(),
                argument.completed_from().unwrap_or("-".into()),
                argument.description,
            );
        }
    }
    let example: Map<String, Value> =
        prompt.arguments.iter().map(|argument| (argument.name.to_owned(), argument.example.into())).collect();
    let values: Vec<_> = prompt
        .arguments
        .iter()
        .map(|argument| format!("`{}` = `{}`", argument.name, argument.example))
        .collect();
    let with = if values.is_empty() { String::new() } else { format!(" with {}", values.join(", ")) };
    let _ = write!(page, "\nThe text{with}:\n\n");
    for line in prompts.render(prompt, &example)?.lines() {
        let _ = writeln!(page, "{}", format!("> {line}").trim_end());
    }
    Ok(())
}
