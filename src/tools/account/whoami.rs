//! `whoami`: who is signed in, with which rights, until when.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    auth::Scope,
    tools::{Effect, Tool, ToolCx, ToolError, Toolset, arguments::NoArgs},
};

/// The tool.
pub struct Whoami;

/// The caller, as the verified credential describes it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Subject of the sign-in: the user's id at the authorization server.
    subject: String,
    /// Organisation of the user, if the token says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    /// The application that signed in on the user's behalf.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// Scopes that were granted.
    scopes: Vec<&'static str>,
    /// Scopes that exist and were not granted; a tool that needs one asks for it.
    missing_scopes: Vec<&'static str>,
    /// When the present access token ends, UTC. Clients refresh it by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_expires_at: Option<String>,
}

impl Tool for Whoami {
    const NAME: &'static str = "whoami";
    const TITLE: &'static str = "Who Am I";
    const DESCRIPTION: &'static str = "Shows who is signed in, for which organisation, with which scopes, and until when. It explains why a tool is refused.";
    const TOOLSET: Toolset = Toolset::Account;
    const EFFECT: Effect = Effect::Read;
    const SCOPES: &'static [Scope] = &[];

    type Args = NoArgs;
    type Output = Output;

    async fn call(cx: &ToolCx, _: NoArgs) -> Result<Output, ToolError> {
        let caller = &cx.caller;
        let names = |set: crate::auth::ScopeSet| set.iter().map(Scope::as_str).collect();
        Ok(Output {
            subject: caller.principal().subject().to_owned(),
            organization: caller.organization().map(str::to_owned),
            client_id: caller.client_id().map(str::to_owned),
            scopes: names(caller.scopes()),
            missing_scopes: names(crate::auth::ScopeSet::ALL.missing_from(caller.scopes())),
            token_expires_at: caller
                .expires_at()
                .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
                .map(|time| time.to_string()),
        })
    }
}
