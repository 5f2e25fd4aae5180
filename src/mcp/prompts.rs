//! Prompts to the protocol and back.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        ContentBlock, ErrorCode, GetPromptRequestParams, GetPromptResponse, GetPromptResult,
        Prompt as Listed, PromptArgument, PromptMessage, Role,
    },
    service::RequestContext,
};
use serde_json::{Map, Value, json};

use super::{
    CallScope, McpServer, Shared,
    asking::{self, AskOutcome, Asker},
    lists::Needs,
    tools,
};
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

/// `prompts/get`, for which the user may be asked what is missing.
pub(super) async fn get(
    server: &McpServer,
    mut request: GetPromptRequestParams,
    context: RequestContext<RoleServer>,
) -> Result<GetPromptResponse, ErrorData> {
    let scope = CallScope::of(&context)?;
    let details = offered(&server.shared, &request.name, scope.selection).and_then(|prompt| prompt.asks);
    let question = details.and_then(|details| {
        let none = Map::new();
        (details.missing)(request.arguments.as_ref().unwrap_or(&none)).map(|question| (details, question))
    });
    if let Some((details, question)) = question {
        let rounds = (request.input_responses.take(), request.request_state.take());
        let call = ("prompts/get", &*request.name, request.arguments.as_ref());
        let asker = Asker::new(server, &context, &scope, call, rounds);
        let words = std::future::ready(Ok(question.message));
        match asker.ask(asking::DETAILS, question.fields, words).await {
            AskOutcome::Nobody => {}
            AskOutcome::Answered(answers) => {
                (details.complete)(request.arguments.get_or_insert_default(), &answers);
            }
            AskOutcome::Round(round) => return Ok(round.into()),
            AskOutcome::Foreign(error) => return Err(error),
            AskOutcome::Refused(error) => {
                let mut error = tools::protocol_error(&scope, &error, json!({}));
                error.code = ErrorCode::INVALID_PARAMS;
                return Err(error);
            }
        }
    }
    let got = render(&server.shared, request, scope.selection);
    scope.report(got.as_ref().err().map_or("ok", |(code, _)| code), None);
    got.map(Into::into).map_err(|(_, error)| error)
}

/// The text of a prompt. The error is the outcome for the log, and what the client is told.
fn render(
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
