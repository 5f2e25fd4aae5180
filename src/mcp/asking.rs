//! Asking the user something before a call starts, in whichever way their client allows.
//!
//! In 2026-07-28 the answer to the call is the question (`input_required`), and the client comes again with the answer and
//! a sealed state. In the 2025 revisions the question is a request of the server's own (`elicitation/create`) while the
//! call waits, over standard input and output or on a live session. Only clients that declared the capability are asked;
//! everybody else's calls act as the hints of the tool say.
//!
//! # What a confirmation is worth
//!
//! It protects the user from a model that is too quick. The state is opened for the caller for whom it was sealed, for
//! the same tool with the same arguments, within [`ANSWER_WITHIN`], and for nothing else. It is no ticket for one use:
//! a table would be needed for that, which replicas would have to share. So a client can repeat the same confirmed call
//! until the state expires: kill a run a second time (by force), start a space again, add a restored version twice. Such
//! a client could as well say yes to a new question without asking anybody; what it may do at all is decided by the
//! caller's scopes at each request.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use futures_util::FutureExt;
use rmcp::{
    ErrorData, Peer, RoleServer,
    model::{
        ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema,
        InputRequest, InputRequiredResult, InputResponses, PrimitiveSchemaDefinition, ServerRequest,
        StringSchema,
    },
    service::{PeerRequestOptions, RequestContext},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    CallScope, McpServer, Shared,
    abilities::{is_modern, shows_forms},
};
use crate::{
    questions::{Answers, Field, Object, Question, answers},
    seal::{Purpose, Sealer},
    tools::ToolError,
};

/// How long the user may take to answer. Nothing is done before; afterwards the question has to be asked anew.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_mins(5);

/// The name of the question whether something may be done.
pub(super) const CONFIRMATION: &str = "confirmation";
/// The name of the question for what is missing.
pub(super) const DETAILS: &str = "details";

/// How the user behind one call can be asked.
pub(super) struct Asker<'a> {
    shared: &'a Shared,
    scope: &'a Arc<CallScope>,
    context: &'a RequestContext<RoleServer>,
    way: Way,
}

enum Way {
    /// Not at all.
    None,
    /// By the answer to the call, which the client repeats with what it was sent.
    Rounds { seal: SealedState, responses: InputResponses, state: Option<String> },
    /// By a request, while the call waits.
    Live,
}

/// How asking ended.
pub(super) enum AskOutcome {
    /// The user could not be asked.
    Nobody,
    /// What the user filled in; nothing, if the question was whether something may be done.
    Answered(Answers),
    /// The client asks and comes again.
    Round(InputRequiredResult),
    /// Nothing may be done.
    Refused(ToolError),
    /// The client came again with a state that is not for this call.
    Foreign(ErrorData),
}

/// What a client keeps between two rounds. Short names: it travels.
#[derive(Serialize, Deserialize)]
struct State {
    #[serde(rename = "c")]
    call: String,
    #[serde(rename = "q")]
    question: String,
}

/// Seals states for one call of one caller, and recognises them when they come back.
pub(super) struct SealedState {
    sealer: Arc<Sealer>,
    /// Of the call.
    pub scope: Arc<CallScope>,
    /// A digest of method, name and arguments. JSON objects are written with their members in order, so that a client
    /// that sends them in another one is understood.
    call: String,
}

impl SealedState {
    pub(super) fn new(
        shared: &Shared,
        scope: Arc<CallScope>,
        (method, name, arguments): (&str, &str, Option<&Object>),
    ) -> Self {
        let call = json!([method, name, arguments.cloned().unwrap_or_default()]).to_string();
        let call = BASE64URL_NOPAD.encode(digest(&SHA256, call.as_bytes()).as_ref());
        Self { sealer: Arc::clone(&shared.sealer), scope, call }
    }

    /// A state for the answer to this question.
    pub(super) fn seal(&self, question: &str) -> Option<String> {
        let state = State { call: self.call.clone(), question: question.to_owned() };
        self.sealer.seal(Purpose::Question, &self.scope.caller, ANSWER_WITHIN, &state)
    }

    /// Whether it is one.
    pub(super) fn is_of(&self, question: &str, state: &str) -> bool {
        let opened = self.sealer.open::<State>(Purpose::Question, &self.scope.caller, state);
        opened.is_ok_and(|state| state.call == self.call && state.question == question)
    }
}

impl<'a> Asker<'a> {
    /// For a call as the client sent it: method, name and arguments; and what it sent back of an earlier round.
    pub(super) fn new(
        server: &'a McpServer,
        context: &'a RequestContext<RoleServer>,
        scope: &'a Arc<CallScope>,
        call: (&str, &str, Option<&Object>),
        (responses, state): (Option<InputResponses>, Option<String>),
    ) -> Self {
        let able = server.shared.asks && shows_forms(context);
        let way = match (able, is_modern(context)) {
            (true, true) => {
                let seal = SealedState::new(&server.shared, Arc::clone(scope), call);
                Way::Rounds { seal, responses: responses.unwrap_or_default(), state }
            }
            // Whoever reads no event stream would not see the question.
            (true, false) if server.live.is_some() && scope.streams => Way::Live,
            _ => Way::None,
        };
        Self { shared: &server.shared, scope, context, way }
    }

    /// Asks a question, of which `words` are made only if it has to be put.
    pub(super) async fn ask(
        &self,
        name: &'static str,
        fields: &'static [Field],
        words: impl Future<Output = Result<String, ToolError>>,
    ) -> AskOutcome {
        match &self.way {
            Way::None => AskOutcome::Nobody,
            Way::Rounds { seal, responses, state } => {
                if let Some(state) = state {
                    if !seal.is_of(name, state) {
                        return AskOutcome::Foreign(foreign(self.scope));
                    }
                    let response = responses.get(name);
                    let response = response.and_then(|raw| ElicitResult::deserialize(raw).ok());
                    // What is missing, or cannot be read, is asked for again.
                    if let Some(answer) = response.and_then(|response| judge(name, fields, &response)) {
                        return answer;
                    }
                }
                match words.await {
                    Ok(message) => self.round(seal, name, Question { message, fields }),
                    Err(error) => AskOutcome::Refused(error),
                }
            }
            Way::Live => match words.await {
                Ok(message) => self.wait(name, Question { message, fields }).await,
                Err(error) => AskOutcome::Refused(error),
            },
        }
    }

    fn round(&self, seal: &SealedState, name: &str, question: Question) -> AskOutcome {
        let Some(sealed) = seal.seal(name) else { return AskOutcome::Refused(ToolError::panicked()) };
        let request = InputRequest::Elicitation(ElicitRequest::new(form(question)));
        let requests = BTreeMap::from([(name.to_owned(), request)]);
        self.scope.report("input_required", None);
        AskOutcome::Round(InputRequiredResult::new(Some(requests), Some(sealed)))
    }

    /// Puts the question and waits, for as long as the client listens, the call is wanted and the server is up.
    async fn wait(&self, name: &str, question: Question) -> AskOutcome {
        let fields = question.fields;
        let Some(_paused) = self.scope.pause() else { return AskOutcome::Refused(too_many_questions()) };
        let request = ServerRequest::ElicitRequest(ElicitRequest::new(form(question)));
        let peer: &Peer<RoleServer> = &self.context.peer;
        let sent = peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await;
        let Ok(mut sent) = sent else { return AskOutcome::Refused(unanswered(name)) };
        let (refusal, reason) = tokio::select! {
            biased;
            answer = &mut sent.rx => return match answer {
                Ok(Ok(ClientResult::ElicitResult(answer))) => {
                    judge(name, fields, &answer).unwrap_or_else(|| AskOutcome::Refused(unanswered(name)))
                }
                _ => AskOutcome::Refused(unanswered(name)),
            },
            () = self.context.ct.cancelled() => (ToolError::cancelled(), "the call was cancelled"),
            () = self.scope.hung_up() => (ToolError::cancelled(), "the client hung up"),
            () = self.shared.stopping.cancelled() => (unanswered(name), "the server is about to end"),
            () = self.shared.clock.sleep(ANSWER_WITHIN) => (unanswered(name), "there was no answer in time"),
        };
        // So that the question goes away where it is shown. It is put on its way and not waited for: the connection may be
        // about to end.
        let _ = sent.cancel(Some(reason.to_owned())).now_or_never();
        AskOutcome::Refused(refusal)
    }
}

/// What a user's answer means; `None` if it was accepted without what was to be filled in.
fn judge(name: &str, fields: &'static [Field], response: &ElicitResult) -> Option<AskOutcome> {
    match response.action {
        ElicitationAction::Accept => answers(fields, response.content.as_ref()).map(AskOutcome::Answered),
        ElicitationAction::Decline => Some(AskOutcome::Refused(ToolError::declined(name == CONFIRMATION))),
        _ => Some(AskOutcome::Refused(unanswered(name))),
    }
}

fn unanswered(name: &str) -> ToolError {
    ToolError::unanswered(name == CONFIRMATION)
}

fn too_many_questions() -> ToolError {
    ToolError::busy("This user has too many questions and event streams open.", "Answer or close one first.")
}

/// Altered, expired, somebody else's, or of another call: these are not told apart.
pub(super) fn foreign(scope: &CallScope) -> ErrorData {
    scope.report("invalid_request_state", None);
    let data = json!({
        "code": "invalid_request_state",
        "remedy": "Call again without requestState and inputResponses; the user is asked anew.",
        "retryable": false,
        "requestId": scope.request_id,
    });
    let message = "This requestState is not of this call, or has expired. Nothing was done.";
    ErrorData::invalid_params(message, Some(data))
}

fn form(question: Question) -> ElicitRequestParams {
    let properties = question.fields.iter().map(|field| {
        let schema = StringSchema::new().title(field.title).description(field.description);
        let schema = schema.min_length(field.min).max_length(field.max);
        (field.name.to_owned(), PrimitiveSchemaDefinition::String(schema))
    });
    let mut schema = ElicitationSchema::new(properties.collect());
    if !question.fields.is_empty() {
        schema = schema.with_required(question.fields.iter().map(|field| field.name.to_owned()).collect());
    }
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question.message,
        requested_schema: schema,
    }
}
