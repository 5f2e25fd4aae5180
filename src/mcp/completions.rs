//! `completion/complete` to suggestions and back.

use std::{collections::BTreeMap, sync::Arc};

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    CallScope, Shared, prompts, resources,
    tools::{self, Work},
};
use crate::{
    completions::{Source, Suggestions},
    resources::{KINDS, Kind},
    tools::{Effect, Selection, ToolError},
};

/// Longest text looked at. Nobody types more into a field that is being completed.
const MAX_TYPED: usize = 500;

/// Suggestions for one argument. Without any source there are none, which is no error.
pub(super) async fn complete(
    shared: &Shared,
    request: CompleteRequestParams,
    cancelled: &CancellationToken,
    scope: &CallScope,
) -> Result<CompleteResult, ErrorData> {
    let source = source(shared, &request, scope.selection)?;
    let typed = request.argument.value;
    let context = request.context.and_then(|context| context.arguments).unwrap_or_default();
    // What is longer is no name and no id: the text of a request may well stand beside the argument being completed.
    let context: BTreeMap<_, _> = context.into_iter().filter(|(_, value)| value.len() <= MAX_TYPED).collect();
    let Some(source) = source.filter(|_| typed.len() <= MAX_TYPED) else {
        scope.report("ok", None);
        return Ok(CompleteResult::default());
    };
    let (api, completions) = (Arc::clone(&shared.api), Arc::clone(&shared.completions));
    let caller = Arc::clone(&scope.caller);
    let find = async move {
        let found = completions.suggest(&api, &caller, source, &typed, &context).await;
        found.map_err(ToolError::from)
    };
    let work = Work { tool: None, effect: Effect::Read, patience: shared.call_timeout };
    match tools::guarded(work, find, cancelled, scope).await {
        Ok(Suggestions { values, total }) => {
            scope.report("ok", None);
            let more = total > values.len();
            let info = CompletionInfo::with_pagination(values, u32::try_from(total).ok(), more);
            info.map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
        }
        Err(error) => Err(tools::protocol_error(scope, &error, json!({}))),
    }
}

/// Where suggestions for the argument come from.
fn source(
    shared: &Shared,
    request: &CompleteRequestParams,
    selection: Selection,
) -> Result<Option<Source>, ErrorData> {
    let name = request.argument.name.as_str();
    let unknown = |what: &'static str| ErrorData::invalid_params(what, None);
    match &request.r#ref {
        Reference::Prompt(reference) => {
            let prompt = prompts::offered(shared, &reference.name, selection);
            let prompt = prompt.ok_or_else(|| unknown("Unknown prompt: prompts/list shows the names."))?;
            let argument = prompt.arguments.iter().find(|argument| argument.name == name);
            argument
                .map(|argument| argument.completion)
                .ok_or_else(|| unknown("The prompt has no such argument."))
        }
        Reference::Resource(reference) => {
            let offered = |kind: &&Kind| resources::offered(shared, kind, selection).is_some();
            let kind = KINDS.iter().find(|kind| kind.template == reference.uri).filter(offered);
            let kind = kind
                .ok_or_else(|| unknown("Unknown template: resources/templates/list shows the templates."))?;
            if kind.variables().any(|variable| variable == name) {
                Ok(Kind::completion(name))
            } else {
                Err(unknown("The template has no such variable."))
            }
        }
        _ => Err(unknown("ref must be a ref/prompt or a ref/resource.")),
    }
}
