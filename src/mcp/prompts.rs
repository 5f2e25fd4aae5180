//! Prompts to the protocol and back.

use rmcp::{
    ErrorData,
    model::{
        ContentBlock, GetPromptRequestParams, GetPromptResult, Prompt as Listed, PromptArgument,
        PromptMessage, Role,
    },
};
use serde_json::{Value, json};

use super::{Needs, Shared};
use crate::{
    prompts::{Prompt, PromptError},
    tools::{Catalog, Selection},
};

/// A prompt in the library's words, with what the tools that it leads through need.
pub(super) fn describe(prompt: &Prompt, catalog: &Catalog) -> (Needs, Listed) {
    let arguments = prompt.arguments.iter().map(|argument| {
        PromptArgument::new(argument.name)
            .with_title(argument.title)
            .with_description(argument.description)
            .with_required(argument.required)
    });
    let arguments: Vec<_> = arguments.collect();
    let arguments = (!arguments.is_empty()).then_some(arguments);
    let listed = Listed::new(prompt.name, Some(prompt.description), arguments).with_title(prompt.title);
    (Needs::of_prompt(prompt, catalog), listed)
}

/// The prompt of this name, unless a tool that it leads through is not offered.
pub(super) fn offered<'a>(shared: &'a Shared, name: &str, selection: Selection) -> Option<&'a Prompt> {
    let prompt = shared.prompts.find(name)?;
    selection.admits(Needs::of_prompt(prompt, &shared.catalog).reach).then_some(prompt)
}

/// `prompts/get`. The error is the outcome for the log, and what the client is told.
pub(super) fn get(
    shared: &Shared,
    request: GetPromptRequestParams,
    selection: Selection,
) -> Result<GetPromptResult, (&'static str, ErrorData)> {
    let invalid = |code, message: String, data: Value| (code, ErrorData::invalid_params(message, Some(data)));
    let Some(prompt) = offered(shared, &request.name, selection) else {
        let message = "Unknown prompt: prompts/list shows the names.".to_owned();
        return Err(invalid("unknown_prompt", message, json!({"code": "unknown_prompt"})));
    };
    match shared.prompts.render(prompt, &request.arguments.unwrap_or_default()) {
        Ok(text) => {
            let message = PromptMessage::new(Role::User, ContentBlock::text(text));
            Ok(GetPromptResult::new(vec![message]).with_description(prompt.description))
        }
        Err(PromptError::Argument(error)) => {
            let data = json!({"code": "invalid_arguments", "argument": error.argument});
            Err(invalid("invalid_arguments", error.to_string(), data))
        }
        Err(PromptError::Template(error)) => {
            tracing::error!(prompt.name = prompt.name, cause = %error, "a template cannot be rendered");
            Err(("internal_error", ErrorData::internal_error("the prompt cannot be shown", None)))
        }
    }
}
