//! Every tool, in the order in which clients see them, and what is known about each.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use super::{
    Asked, Asks, Effect, Reply, Tool, ToolCx, ToolError, Toolset, account, agents, analytics, arguments,
    asking::Confirmation,
    billing, builder, files, runs, schedules,
    schema::{self, Object},
    spaces, versions,
};
use crate::auth::ScopeSet;

/// All tools. One line each.
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
        row::<runs::WaitForRun>(),
        row::<runs::StartAgent>(),
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
        row::<spaces::RunSpaceAgents>(),
        row::<analytics::GetRunsSummary>(),
        row::<analytics::GetRecordsSummary>(),
        row::<analytics::GetRunDiagnostics>(),
        row::<analytics::GetLatestFailure>(),
        row::<builder::StartAgentBuild>(),
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
    prepare: fn(&Object, Object) -> Result<Prepared, ToolError>,
}

/// A call whose arguments were read.
pub struct Prepared {
    /// How long it may take, where the usual deadline does not fit.
    pub patience: Option<Duration>,
    /// What the user is to agree to first, if the tool asks that.
    pub confirmation: Option<Confirmation>,
    start: Box<dyn FnOnce(ToolCx) -> Running + Send>,
}

/// The future of a call.
pub type Running = Pin<Box<dyn Future<Output = Result<Reply, ToolError>> + Send>>;

impl Prepared {
    /// Begins the work.
    #[must_use]
    pub fn start(self, cx: ToolCx) -> Running {
        (self.start)(cx)
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
        prepare: |schema, arguments| {
            let args: T::Args = arguments::read(schema, arguments)?;
            let patience = T::patience(&args);
            let confirmation = match T::ASKS {
                Asks::Confirmation(confirmation) => Some(confirmation(&args)),
                Asks::Nothing | Asks::Details(_) => None,
            };
            let start = move |cx: ToolCx| -> Running {
                Box::pin(async move {
                    let reply = Reply::of(&T::call(&cx, args).await?)?;
                    Ok(reply.with_links(cx.links.take()))
                })
            };
            Ok(Prepared { patience, confirmation, start: Box::new(start) })
        },
    }
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
