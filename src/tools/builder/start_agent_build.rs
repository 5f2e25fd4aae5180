//! `start_agent_build`: have an agent built from a prompt, and by default wait for it.

use std::{borrow::Cow, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{
    FAILED,
    wait::{self, BOUND, End},
};
use crate::{
    api::ids::{BuildSessionId, SpaceId},
    auth::Scope,
    policies::prompt_handling,
    questions::BUILD,
    tools::{
        Asks, Begun, Effect, LongTool, Stage, Tool, ToolCx, ToolError, Toolset,
        arguments::Flag,
        long::{is_over, until},
        lost_writes,
        untrusted::Notice,
    },
};

/// Time beyond the wait, for starting the build and for stopping it.
const MARGIN: Duration = Duration::from_mins(1);

/// The tool.
pub struct StartAgentBuild;

/// What to build, and where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Args {
    /// What to extract and from which site, in the user's own words.
    prompt: Prompt,
    /// Space for the new agent; left out, the default space.
    space_id: Option<SpaceId>,
    /// Wait up to 5 minutes for the agent (the default), or return the sessionId at once.
    wait_for_completion: Option<Flag>,
}

/// 10 to 5000 characters, without the blanks around them.
#[derive(Debug)]
pub struct Prompt(String);

impl Prompt {
    const MIN: usize = 10;
    const MAX: usize = 5000;
}

impl<'de> Deserialize<'de> for Prompt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let text = text.trim();
        let fits = (Self::MIN..=Self::MAX).contains(&text.chars().count());
        if fits { Ok(Self(text.to_owned())) } else { Err(de::Error::custom("too short or too long")) }
    }
}

impl JsonSchema for Prompt {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Prompt".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": Self::MIN, "maxLength": Self::MAX})
    }
}

/// The session, and the agent if it was waited for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    session_id: BuildSessionId,
    /// completed, ready or timeout; absent when not waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    /// Beside a name, which the build service took from the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
}

impl Tool for StartAgentBuild {
    const NAME: &'static str = "start_agent_build";
    const TITLE: &'static str = "Build Agent from Prompt";
    const DESCRIPTION: &'static str = concat!(
        "Has a new agent built from a plain-language request, in one to two minutes. Waits and returns the agent's id; if it takes longer than 5 minutes the build goes on, and get_agent_build_status follows it. ",
        prompt_handling!()
    );
    const TOOLSET: Toolset = Toolset::Builder;
    const EFFECT: Effect = Effect::Launch;
    const SCOPES: &'static [Scope] = &[Scope::AgentsWrite, Scope::AgentsRead];

    const ASKS: Asks<Args> = Asks::Details(&BUILD);

    type Args = Args;
    type Output = Output;

    fn patience(args: &Args) -> Option<Duration> {
        args.waits().then(|| BOUND + MARGIN)
    }

    async fn call(cx: &ToolCx, args: Args) -> Result<Output, ToolError> {
        let api = cx.api();
        let session_id = begin(cx, &args).await?;
        if !args.waits() {
            return Ok(started(session_id));
        }
        let notice = goes_on(&session_id);
        cx.progress.report(0.0, BOUND.as_secs_f64(), notice.clone()).await;
        let follow = wait::follow(|| api.build_status(&session_id));
        let end = tokio::select! {
            biased;
            end = cx.progress.during(BOUND, &notice, follow) => end,
            () = cx.cancelled.cancelled() => {
                // As well as it goes: nobody reads the answer any more.
                if let Err(error) = api.stop_build(&session_id).await {
                    tracing::debug!(%session_id, %error, "the build could not be stopped");
                }
                End::Cancelled
            }
        };
        finish(session_id, end)
    }
}

/// Starts the build.
async fn begin(cx: &ToolCx, args: &Args) -> Result<BuildSessionId, ToolError> {
    let api = cx.api();
    let start = api.start_build(&args.prompt.0, args.space_id);
    cx.progress.during(BOUND, "The build is being started", start).await.map_err(|error| {
        let look = "It is not known whether the build started. Look with list_agents for a new agent before building again.";
        lost_writes::once(error, look)
    })
}

/// The answer to a start that is not waited for.
fn started(session_id: BuildSessionId) -> Output {
    Output { session_id, status: None, agent_id: None, agent_name: None, message: None, notice: None }
}

impl Args {
    fn waits(&self) -> bool {
        self.wait_for_completion.is_none_or(|wait| wait.0)
    }
}

/// The answer to how the wait ended. Each names the session, so that nothing is lost.
fn finish(session_id: BuildSessionId, end: End) -> Result<Output, ToolError> {
    match end {
        End::Built(build) => Ok(Output {
            session_id,
            status: build.status,
            agent_id: build.agent_id.or(build.config_id),
            notice: build.agent_name.is_some().then_some(Notice),
            agent_name: build.agent_name,
            message: None,
        }),
        End::TimedOut => Ok(Output {
            session_id,
            status: Some("timeout".to_owned()),
            agent_id: None,
            agent_name: None,
            message: Some("The build goes on. Follow it with get_agent_build_status; do not start it again."),
            notice: None,
        }),
        End::Failed(build) => {
            tracing::debug!(%session_id, cause = build.error, "the build failed");
            let message = format!("{FAILED} The session was {session_id}.");
            Err(ToolError::new("build_failed", message, "Ask the user to put the request differently."))
        }
        End::Cancelled => {
            let message = format!("Build session {session_id} was cancelled (status cancelled).");
            Err(ToolError::new("build_cancelled", message, "Start a new build if it is still wanted."))
        }
        End::Lost(error) => {
            let mut error = ToolError::from(error);
            error.never_repeat(format!(
                "Do not build again: session {session_id} was started. Follow it with get_agent_build_status."
            ));
            Err(error)
        }
    }
}

/// Which build was started, and until when it is followed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Work {
    #[serde(rename = "s")]
    session: BuildSessionId,
    #[serde(rename = "u")]
    until: i64,
}

impl LongTool for StartAgentBuild {
    const FOLLOW: &'static [Scope] = &[];
    const PAUSE: Duration = Duration::from_secs(5);

    type Work = Work;

    async fn begin(cx: &ToolCx, args: Args) -> Result<Begun<Work, Output>, ToolError> {
        let session = begin(cx, &args).await?;
        if !args.waits() {
            return Ok(Begun::Done(started(session)));
        }
        let state = goes_on(&session);
        Ok(Begun::On { work: Work { session, until: until(cx, BOUND) }, within: BOUND, state })
    }

    async fn look(cx: &ToolCx, work: Work) -> Result<Stage<Output>, ToolError> {
        let end = match cx.api().build_status(&work.session).await {
            Ok(build) => wait::end_of(build),
            Err(error) if error.fault().is_transient() => return Err(error.into()),
            Err(error) => Some(End::Lost(error)),
        };
        match end {
            Some(End::Cancelled) => Ok(Stage::Stopped("The build was stopped.")),
            Some(end) => Ok(Stage::Done(finish(work.session, end)?)),
            None if is_over(cx, work.until) => Ok(Stage::Done(finish(work.session, End::TimedOut)?)),
            None => Ok(Stage::On(goes_on(&work.session))),
        }
    }

    /// Stops the build. One that has ended stays as it is, and an agent that was saved already stays too.
    async fn stop(cx: &ToolCx, work: Work) -> Result<(), ToolError> {
        Ok(cx.api().stop_build(&work.session).await?)
    }
}

fn goes_on(session: &BuildSessionId) -> String {
    format!("Build session {session} goes on")
}
