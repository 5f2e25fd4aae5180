//! `get_accounts`: the accounts with their balances.

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use tokio::time::Instant;

use super::bank::{Account, Bank};
use crate::tools::{Reply, ToolError};

pub(super) const NAME: &str = "get_accounts";
pub(super) const TITLE: &str = "Get accounts";
pub(super) const DESCRIPTION: &str = "Lists the user's accounts in Sequence (Pods, income sources, external accounts) with their balances in dollars. A balance can be missing while its account is listed; balance_error then says why. errors tells what could not be listed at all.";

/// None.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Args {}

/// The accounts with their balances.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// The accounts.
    accounts: Vec<Row>,
    /// How many there are.
    total_accounts: usize,
    /// What could not be listed.
    errors: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_dollars: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_error: Option<String>,
}

/// Lists the accounts.
pub(super) async fn call(
    bank: &Bank,
    token: Option<&SecretString>,
    deadline: Instant,
) -> Result<Reply, ToolError> {
    let Some(token) = token else {
        return Err(ToolError::new(
            "authentication_required",
            "SEQUENCE_ACCESS_TOKEN is not set, and accounts are listed with that token.",
            "Make an access token in the settings of Sequence, put it into SEQUENCE_ACCESS_TOKEN in the environment that the client gives to sequence-mcp, and start the server again.",
        ));
    };
    let listed = bank.accounts(token, deadline).await?;
    let accounts: Vec<_> = listed.accounts.into_iter().map(row).collect();
    let errors = listed.errors.unwrap_or_default().into_iter().map(text).collect();
    Reply::of(&Output { total_accounts: accounts.len(), accounts, errors })
}

fn row(account: Account) -> Row {
    let balance = account.balance.unwrap_or_default();
    Row {
        id: account.id,
        name: account.name,
        kind: account.kind,
        balance_dollars: balance.amount_in_dollars,
        balance_error: balance.error,
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
