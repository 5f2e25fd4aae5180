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
    tools::Catalog,
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
    (Needs::of(prompt.tools.iter().filter_map(|name| catalog.find(name))), listed)
}

/// `prompts/get`. The error is the outcome for the log, and what the client is told.
pub(super) fn get(
    shared: &Shared,
    request: GetPromptRequestParams,
) -> Result<GetPromptResult, (&'static str, ErrorData)> {
    let invalid = |code, message: String, data: Value| (code, ErrorData::invalid_params(message, Some(data)));
    let Some(prompt) = shared.prompts.find(&request.name) else {
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
