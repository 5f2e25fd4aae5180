//! `trigger_rule`: starts a rule, which can move money.

use std::fmt::Write as _;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    bank::Bank,
    config::Config,
    rule::{IdempotencyKey, RuleId, SecretArgument},
};
use crate::tools::{Reply, ToolError, arguments, schema::Object, untrusted};

pub(super) const NAME: &str = "trigger_rule";
pub(super) const TITLE: &str = "Trigger rule";
pub(super) const DESCRIPTION: &str = "Triggers an automation rule in Sequence, which can move money. Only on the user's explicit wish. Each call triggers the rule once more, unless it has the idempotency_key of an earlier one.";

/// Longest payload that is shown whole to the user, in characters.
const MAX_SHOWN: usize = 2000;
/// The argument that is there only if the user has allowed it.
pub(super) const SECRET_ARGUMENT: &str = "api_secret";

/// What to trigger.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Args {
    /// Id of the rule, from its API trigger in Sequence.
    rule_id: RuleId,
    /// API secret of the rule, only if the server has none for it.
    api_secret: Option<SecretArgument>,
    /// JSON object for the rule; empty by default.
    payload: Option<Map<String, Value>>,
    /// Key of an earlier call, to repeat it without triggering the rule twice; made by the server otherwise.
    idempotency_key: Option<IdempotencyKey>,
}

/// What Sequence answered.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// That the rule was triggered.
    success: bool,
    /// Sequence's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Sequence's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Sequence's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// The key that was sent.
    idempotency_key: String,
}

/// A rule that can be triggered: everything checked, nothing sent.
#[derive(Debug, Clone)]
pub(super) struct Order {
    rule: RuleId,
    secret: SecretString,
    payload: Value,
    key: IdempotencyKey,
}

/// Reads the arguments and finds the secret.
pub(super) fn prepare(config: &Config, schema: &Object, arguments: Object) -> Result<Order, ToolError> {
    let has_secret = arguments.get(SECRET_ARGUMENT).is_some_and(|value| !value.is_null());
    if has_secret && !config.secret_argument {
        return Err(ToolError::new(
            "secret_argument_refused",
            "The argument `api_secret` is not accepted: a secret in a call passes through the model and its provider.",
            "Call again without it. The user puts the rule's secret into SEQUENCE_RULE_SECRETS, or allows the argument with SEQUENCE_ALLOW_SECRET_ARGUMENT=true, and starts the server again.",
        ));
    }
    let args: Args = arguments::read(schema, arguments)?;
    let secret = match (config.rule_secrets.get(&args.rule_id), args.api_secret) {
        (Some(stored), None) => stored.clone(),
        (None, Some(SecretArgument(given))) => given,
        (Some(_), Some(_)) => {
            return Err(ToolError::new(
                "secret_argument_refused",
                "The argument `api_secret` is not accepted, because the server has a secret for this rule.",
                "Call again without api_secret.",
            ));
        }
        (None, None) => {
            return Err(ToolError::new(
                "missing_rule_secret",
                "The server has no API secret for this rule.",
                "The user adds it to SEQUENCE_RULE_SECRETS, a JSON object of rule id to secret (or a file with one), and starts the server again. The secret stands beside the rule's API trigger in Sequence. Check rule_id too.",
            ));
        }
    };
    Ok(Order {
        rule: args.rule_id,
        secret,
        payload: Value::Object(args.payload.unwrap_or_default()),
        key: args.idempotency_key.unwrap_or_else(IdempotencyKey::random),
    })
}

impl Order {
    /// What the user is asked.
    pub fn question(&self) -> String {
        let mut text = format!("Trigger the rule {} in Sequence? It can move money.", self.rule);
        if self.payload.as_object().is_some_and(|payload| !payload.is_empty()) {
            let payload = untrusted::clean(&self.payload.to_string());
            let shown: String = payload.chars().take(MAX_SHOWN).collect();
            let _ = write!(text, "\n\nPayload: {shown}");
            let rest = payload.chars().count().saturating_sub(MAX_SHOWN);
            if rest > 0 {
                let _ = write!(text, "… and {rest} more characters");
            }
        }
        text
    }

    /// Triggers the rule.
    pub async fn send(self, bank: &Bank, deadline: Instant) -> Result<Reply, ToolError> {
        let sent = bank.trigger(&self.rule, &self.secret, &self.key, &self.payload, deadline).await;
        let triggered = sent.map_err(|error| error.into_trigger_error(&self.key))?;
        Reply::of(&Output {
            success: true,
            code: triggered.code,
            message: triggered.message,
            request_id: triggered.request_id,
            idempotency_key: self.key.as_str().to_owned(),
        })
    }
}
