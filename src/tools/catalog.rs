//! Every tool, in the order in which clients see them, and what is known about each.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::Value;

use super::{
    Asked, Asks, Begun, Effect, LongTool, Reply, Stage, Tool, ToolCx, ToolError, Toolset, account, agents,
    analytics, arguments,
    asking::Confirmation,
    billing, builder, files, runs, schedules,
    schema::{self, Object},
    spaces, versions,
};
use crate::auth::ScopeSet;

/// All tools. One line each: `row`, or `long` if its calls can be followed as tasks.
fn all() -> Vec<Row> {
    vec![
        row::<account::Whoami>(),
        row::<agents::ListAgents>(),
        row::<agents::GetAgent>(),
        row::<agents::SearchAgents>(),
        row::<agents::GetAgentSearchCount>(),
        row::<agents::GetPersonalAgentCount>(),
        row::<runs::GetAgentRuns>(),
        row::<runs::GetAgentRunSummary>(),
        row::<runs::GetRunStatus>(),
        long::<runs::WaitForRun>(),
        long::<runs::StartAgent>(),
        row::<runs::StopAgent>(),
        row::<runs::KillAgent>(),
        row::<runs::DeleteRun>(),
        row::<files::GetRunFiles>(),
        row::<files::ReadRunFile>(),
        row::<files::GetFileDownloadUrl>(),
        row::<versions::GetAgentVersions>(),
        row::<versions::RestoreAgentVersion>(),
        row::<schedules::ListAgentSchedules>(),
        row::<schedules::GetAgentSchedule>(),
        row::<schedules::CreateAgentSchedule>(),
        row::<schedules::UpdateAgentSchedule>(),
        row::<schedules::DeleteAgentSchedule>(),
        row::<schedules::EnableAgentSchedule>(),
        row::<schedules::DisableAgentSchedule>(),
        row::<schedules::GetScheduledRuns>(),
        row::<billing::GetCreditsBalance>(),
        row::<billing::GetSpendingSummary>(),
        row::<billing::GetCreditHistory>(),
        row::<billing::GetAgentsUsage>(),
        row::<billing::GetAgentCostBreakdown>(),
        row::<billing::GetAgentRunsCost>(),
        row::<spaces::ListSpaces>(),
        row::<spaces::GetSpace>(),
        row::<spaces::GetSpaceAgents>(),
        row::<spaces::SearchSpaceByName>(),
        row::<spaces::GetSpaceAgentCount>(),
        long::<spaces::RunSpaceAgents>(),
        row::<analytics::GetRunsSummary>(),
        row::<analytics::GetRecordsSummary>(),
        row::<analytics::GetRunDiagnostics>(),
        row::<analytics::GetLatestFailure>(),
        long::<builder::StartAgentBuild>(),
        row::<builder::GetAgentBuildStatus>(),
        row::<builder::StopAgentBuild>(),
    ]
}

/// One tool as data, with the way to run it.
#[derive(Clone)]
pub struct Row {
    /// Name on the wire.
    pub name: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// Description for the model.
    pub description: &'static str,
    /// Group.
    pub toolset: Toolset,
    /// What it does to the world.
    pub effect: Effect,
    /// What it asks first, where the client can ask.
    pub asks: Asked,
    /// What the caller must hold.
    pub scopes: ScopeSet,
    /// Schema of the arguments, as they are checked.
    pub input_schema: Arc<Object>,
    /// The same as published.
    pub published_input: Arc<Object>,
    /// Schema of the result, as published.
    pub output_schema: Arc<Object>,
    /// Makes the same with descriptions, for the reference page. A server never needs it, so it is not kept.
    pub output_reference: fn() -> Arc<Object>,
    /// How its calls are followed as tasks, if they can take long.
    pub long: Option<Long>,
    prepare: fn(&Object, Object) -> Result<Prepared, ToolError>,
}

/// How the calls of a tool are followed as tasks: [`LongTool`] as data.
#[derive(Debug, Clone, Copy)]
pub struct Long {
    /// What a caller must hold to get a task, and to ask about one.
    pub scopes: ScopeSet,
    /// How long a client should wait between two looks.
    pub pause: Duration,
    look: fn(ToolCx, Value) -> Running<Phase>,
    stop: fn(ToolCx, Value) -> Running<()>,
}

/// What came of beginning, with what has to be known to follow it as JSON.
#[derive(Debug)]
pub enum Started {
    /// There is nothing to wait for.
    Done(Reply),
    /// The work goes on: see [`Begun::On`].
    On {
        /// What has to be known to follow it.
        work: Value,
        /// The longest that it is followed.
        within: Duration,
        /// Where it is, in one sentence.
        state: String,
    },
}

/// How far work is.
pub type Phase = Stage<Reply>;

/// A call whose arguments were read.
pub struct Prepared {
    /// How long it may take, where the usual deadline does not fit.
    pub patience: Option<Duration>,
    /// What the user is to agree to first, if the tool asks that.
    pub confirmation: Option<Confirmation>,
    ready: Box<dyn Runnable>,
}

/// The future of a call.
pub type Running<T = Reply> = Pin<Box<dyn Future<Output = Result<T, ToolError>> + Send>>;

impl Prepared {
    /// Calls the tool.
    #[must_use]
    pub fn start(self, cx: ToolCx) -> Running {
        self.ready.call(cx)
    }

    /// Begins what can be followed as a task; see [`LongTool::begin`]. Other tools are called.
    #[must_use]
    pub fn begin(self, cx: ToolCx) -> Running<Started> {
        self.ready.begin(cx)
    }
}

/// Arguments of a tool, with what can be done with them.
trait Runnable: Send {
    fn call(self: Box<Self>, cx: ToolCx) -> Running;
    fn begin(self: Box<Self>, cx: ToolCx) -> Running<Started>;
}

/// Those of any tool.
struct Short<T: Tool>(T::Args);

/// Those of one whose calls can be followed.
struct Lasting<T: LongTool>(T::Args);

impl<T: Tool> Runnable for Short<T> {
    fn call(self: Box<Self>, cx: ToolCx) -> Running {
        Box::pin(async move {
            let output = T::call(&cx, self.0).await?;
            reply(&cx, &output)
        })
    }

    fn begin(self: Box<Self>, cx: ToolCx) -> Running<Started> {
        Box::pin(async move { self.call(cx).await.map(Started::Done) })
    }
}

impl<T: LongTool> Runnable for Lasting<T> {
    fn call(self: Box<Self>, cx: ToolCx) -> Running {
        Box::new(Short::<T>(self.0)).call(cx)
    }

    fn begin(self: Box<Self>, cx: ToolCx) -> Running<Started> {
        Box::pin(async move {
            Ok(match T::begin(&cx, self.0).await? {
                Begun::Done(output) => Started::Done(reply(&cx, &output)?),
                Begun::On { work, within, state } => {
                    let work = serde_json::to_value(work).map_err(|error| ToolError::internal(&error))?;
                    Started::On { work, within, state }
                }
            })
        })
    }
}

impl Row {
    /// Reads the arguments of a call.
    ///
    /// # Errors
    ///
    /// An unknown, missing or wrong argument.
    pub fn prepare(&self, arguments: Object) -> Result<Prepared, ToolError> {
        (self.prepare)(&self.input_schema, arguments)
    }
}

impl Long {
    /// How far the work is; see [`LongTool::look`].
    #[must_use]
    pub fn look(&self, cx: ToolCx, work: Value) -> Running<Phase> {
        (self.look)(cx, work)
    }

    /// Stops the work; see [`LongTool::stop`].
    #[must_use]
    pub fn stop(&self, cx: ToolCx, work: Value) -> Running<()> {
        (self.stop)(cx, work)
    }
}

fn row<T: Tool>() -> Row {
    let input_schema = schema::input::<T::Args>();
    Row {
        name: T::NAME,
        title: T::TITLE,
        description: T::DESCRIPTION,
        toolset: T::TOOLSET,
        effect: T::EFFECT,
        asks: T::ASKS.outline(),
        scopes: ScopeSet::of(T::SCOPES),
        published_input: schema::published_input(&input_schema),
        input_schema,
        output_schema: schema::output(&schema::reference::<T::Output>()),
        output_reference: schema::reference::<T::Output>,
        long: None,
        prepare: |schema, arguments| prepare::<T>(schema, arguments, |args| Box::new(Short::<T>(args))),
    }
}

fn long<T: LongTool>() -> Row {
    let mut row = row::<T>();
    row.long = Some(Long {
        scopes: row.scopes.union(ScopeSet::of(T::FOLLOW)),
        pause: T::PAUSE,
        look: |cx, work| {
            Box::pin(async move {
                Ok(match T::look(&cx, known::<T>(work)?).await? {
                    Stage::Done(output) => Stage::Done(reply(&cx, &output)?),
                    Stage::On(state) => Stage::On(state),
                    Stage::Stopped(state) => Stage::Stopped(state),
                })
            })
        },
        stop: |cx, work| Box::pin(async move { T::stop(&cx, known::<T>(work)?).await }),
    });
    row.prepare = |schema, arguments| prepare::<T>(schema, arguments, |args| Box::new(Lasting::<T>(args)));
    row
}

fn prepare<T: Tool>(
    schema: &Object,
    arguments: Object,
    ready: impl FnOnce(T::Args) -> Box<dyn Runnable>,
) -> Result<Prepared, ToolError> {
    let args: T::Args = arguments::read(schema, arguments)?;
    let confirmation = match T::ASKS {
        Asks::Confirmation(confirmation) => Some(confirmation(&args)),
        Asks::Nothing | Asks::Details(_) => None,
    };
    Ok(Prepared { patience: T::patience(&args), confirmation, ready: ready(args) })
}

/// What was sealed by this server is as it was written.
fn known<T: LongTool>(work: Value) -> Result<T::Work, ToolError> {
    serde_json::from_value(work).map_err(|error| ToolError::internal(&error))
}

fn reply<T: Serialize>(cx: &ToolCx, output: &T) -> Result<Reply, ToolError> {
    Ok(Reply::of(output)?.with_links(cx.links.take()))
}

/// The tools, built once at start and shared by every request.
#[derive(Clone)]
pub struct Catalog {
    rows: Vec<Row>,
    by_name: HashMap<&'static str, usize>,
}

impl Catalog {
    /// Builds all rows with their schemas.
    #[must_use]
    pub fn new() -> Self {
        Self::of(all())
    }

    /// With one more tool, which replaces none: tests bring tools that misbehave.
    #[must_use]
    pub fn with<T: Tool>(mut self) -> Self {
        self.rows.push(row::<T>());
        Self::of(self.rows)
    }

    fn of(rows: Vec<Row>) -> Self {
        let by_name = rows.iter().enumerate().map(|(index, row)| (row.name, index)).collect();
        Self { rows, by_name }
    }

    /// The tool of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Row> {
        self.by_name.get(name).and_then(|index| self.rows.get(*index))
    }

    /// All tools, in order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rows.iter().map(|row| row.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_portable() {
        let catalog = Catalog::new();
        assert_eq!(catalog.rows.len(), catalog.by_name.len());
        for row in catalog.rows() {
            assert!(
                row.name.len() <= 40 && row.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn schemas_are_portable() {
        for row in Catalog::new().rows() {
            for (kind, schema) in [("input", &row.input_schema), ("output", &row.output_schema)] {
                let text = serde_json::to_string(&**schema).unwrap();
                for keyword in [
                    "$ref",
                    "$defs",
                    "$schema",
                    "\"null\"",
                    "\"format\"",
                    "\"title\"",
                    "\"oneOf\"",
                    "\"allOf\"",
                ] {
                    assert!(!text.contains(keyword), "{} {kind} has {keyword}: {text}", row.name);
                }
                assert_eq!(schema["type"], "object", "{} {kind}", row.name);
            }
            assert_eq!(row.input_schema["additionalProperties"], false);
            for (name, property) in row.input_schema["properties"].as_object().unwrap() {
                assert!(property.get("description").is_some(), "{}.{name} lacks a description", row.name);
            }
        }
    }
}
