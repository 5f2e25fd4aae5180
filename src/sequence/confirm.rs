//! Asking the user before a rule is triggered, where the client can ask.
//!
//! In the 2025 revisions the question is a request to the client (`elicitation/create`), and the call waits. In
//! 2026-07-28 it is an interim result, and the client calls again with the answer; in between the order is kept here
//! under a handle that works once, for a while, and for the same arguments only.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use moka::sync::Cache;
use rmcp::{
    RoleServer,
    model::{
        CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
        ElicitationSchema, InputRequest, InputRequests, InputRequiredResult,
    },
    service::RequestContext,
};
use serde_json::Value;

use super::trigger_rule::Order;
use crate::{
    mcp::abilities::{is_modern, shows_forms},
    tools::{ToolError, schema::Object},
};

/// How long a question stands.
const PATIENCE: Duration = Duration::from_mins(5);
/// Questions that may stand at a time.
const MAX_PENDING: u64 = 64;
/// What the question is called in an interim result.
const QUESTION: &str = "confirm";

/// What comes of it.
pub(super) enum Confirmed {
    /// The user agrees, or cannot be asked.
    Go(Order),
    /// The client has to call again with the user's answer.
    Ask(InputRequiredResult),
}

/// Orders that wait for an answer.
pub(super) struct Confirmations {
    pending: Cache<String, Pending>,
}

#[derive(Clone)]
struct Pending {
    order: Order,
    /// Of the arguments, which must be the same when they come with the answer.
    arguments: [u8; 32],
}

impl Default for Confirmations {
    fn default() -> Self {
        Self { pending: Cache::builder().max_capacity(MAX_PENDING).time_to_live(PATIENCE).build() }
    }
}

impl Confirmations {
    /// Asks about `order`, which `request` has led to, or hears the answer.
    pub async fn confirm(
        &self,
        order: Order,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Confirmed, ToolError> {
        if !shows_forms(context) {
            return Ok(Confirmed::Go(order));
        }
        if is_modern(context) {
            return self.hear_or_ask(order, request);
        }
        let answer = context.peer.create_elicitation_with_timeout(question(&order), Some(PATIENCE));
        match context.ct.run_until_cancelled(answer).await {
            None => Err(ToolError::cancelled()),
            // The answer came too, after the call was taken back.
            Some(_) if context.ct.is_cancelled() => Err(ToolError::cancelled()),
            Some(Ok(answer)) => agreed(&answer).map(|()| Confirmed::Go(order)),
            Some(Err(error)) => Err(unanswered().caused_by(kind(&error).to_owned())),
        }
    }

    fn hear_or_ask(&self, order: Order, request: &CallToolRequestParams) -> Result<Confirmed, ToolError> {
        let arguments = fingerprint(request.arguments.as_ref());
        let pending = request.request_state.as_deref().and_then(|handle| self.pending.remove(handle));
        let answer = request.input_responses.as_ref().and_then(|answers| answers.get(QUESTION));
        if let (Some(pending), Some(answer)) = (pending, answer)
            && pending.arguments == arguments
        {
            let answer: ElicitResult = serde_json::from_value(answer.clone()).map_err(|_| unanswered())?;
            return agreed(&answer).map(|()| Confirmed::Go(pending.order));
        }
        let handle = uuid::Uuid::new_v4().to_string();
        let asked = InputRequest::Elicitation(ElicitRequest::new(question(&order)));
        self.pending.insert(handle.clone(), Pending { order, arguments });
        let asked = InputRequests::from([(QUESTION.to_owned(), asked)]);
        Ok(Confirmed::Ask(InputRequiredResult::new(Some(asked), Some(handle))))
    }
}

/// A form without fields: to accept it is the answer.
fn question(order: &Order) -> ElicitRequestParams {
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: order.question(),
        requested_schema: ElicitationSchema::new(std::collections::BTreeMap::new()),
    }
}

fn agreed(answer: &ElicitResult) -> Result<(), ToolError> {
    if answer.action == ElicitationAction::Accept {
        return Ok(());
    }
    Err(ToolError::new(
        "declined",
        "The user did not agree. Nothing was triggered.",
        "Do not call again unless the user asks for it.",
    ))
}

fn unanswered() -> ToolError {
    ToolError::new(
        "not_confirmed",
        "The user was asked and did not answer. Nothing was triggered.",
        "Ask the user before calling again.",
    )
}

fn fingerprint(arguments: Option<&Object>) -> [u8; 32] {
    let text = arguments.map(|arguments| Value::Object(arguments.clone()).to_string()).unwrap_or_default();
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

/// What went wrong with the question, without the client's words.
fn kind(error: &rmcp::ServiceError) -> &'static str {
    match error {
        rmcp::ServiceError::Timeout { .. } => "there was no answer in time",
        rmcp::ServiceError::McpError(_) => "the client answered with an error",
        _ => "the question could not be asked",
    }
}
