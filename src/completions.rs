//! Suggestions while a user fills in an argument: from the caller's own data, and never anybody else's.
//!
//! A source needs the scopes of the operation behind it; a caller without them gets no suggestions, and no hint that
//! there are any. What the platform answered is kept for a few seconds per caller, because clients ask at every key.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::{
    api::{
        AgentFilter, Api, ApiError, Fault, Session,
        ids::{AgentId, RunId},
        model::{AgentPage, run_status_name},
    },
    auth::{Caller, PerCaller, Scope, ScopeSet},
    clock::Clock,
};

/// Most values in one answer (2025-06-18, completion).
pub const MAX_VALUES: usize = 100;
/// How long an answer of the platform is good enough for suggestions.
const FRESH: Duration = Duration::from_secs(5);
/// Most lists kept, over all callers.
const CAPACITY: u64 = 2_000;
/// Agents looked at without a search; those of larger accounts are searched for by what was typed.
const AGENTS: u32 = 100;
/// Runs offered, newest first.
const RUNS: u32 = 50;
/// How long the platform may take. Nobody waits longer for a suggestion.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the suggestions for an argument come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Names of agents.
    AgentNames,
    /// Ids of agents; typing a part of the name finds the id.
    AgentIds,
    /// Names of spaces.
    SpaceNames,
    /// Ids of spaces; typing a part of the name finds the id.
    SpaceIds,
    /// Ids of runs of the agent in `agentId`, newest first; typing a status finds those in it.
    RunIds,
    /// Ids of files of the run in `agentId` and `runId`; typing a part of the name finds the id.
    FileIds,
    /// Ways to say when: examples, names of the schedules that the agent in `agentName` has, and time zones for what
    /// looks like the beginning of one.
    Timings,
    /// A fixed list of words.
    Words(&'static [&'static str]),
}

impl Source {
    /// What is suggested, in words: completes "completed from ...".
    #[must_use]
    pub fn description(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::AgentNames => "the names of your agents",
            Self::AgentIds => "the ids of your agents, found by id or name",
            Self::SpaceNames => "the names of your spaces",
            Self::SpaceIds => "the ids of your spaces, found by id or name",
            Self::RunIds => "the ids of the agent's runs, newest first, found by id or status",
            Self::FileIds => "the ids of the run's files, found by id or name",
            Self::Timings => "examples, the agent's schedules, and time zones for the last word",
            Self::Words(words) => return words.join(", ").into(),
        })
    }

    /// The values that must be filled in before there are suggestions.
    #[must_use]
    pub const fn needs(self) -> &'static [&'static str] {
        match self {
            Self::RunIds => &["agentId"],
            Self::FileIds => &["agentId", "runId"],
            _ => &[],
        }
    }

    /// What the caller must hold.
    #[must_use]
    pub const fn scopes(self) -> ScopeSet {
        match self {
            Self::AgentNames | Self::AgentIds => ScopeSet::of(&[Scope::AgentsRead]),
            Self::SpaceNames | Self::SpaceIds => ScopeSet::of(&[Scope::SpacesRead]),
            Self::RunIds | Self::FileIds => ScopeSet::of(&[Scope::RunsRead]),
            Self::Timings | Self::Words(_) => ScopeSet::EMPTY,
        }
    }
}

/// What is suggested.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suggestions {
    /// At most [`MAX_VALUES`].
    pub values: Vec<String>,
    /// How many fit, as far as is known.
    pub total: usize,
}

/// Something to suggest: the value, and the words by which it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    value: String,
    label: String,
}

/// What was fetched for whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Fetched {
    Agents,
    AgentsNamed(String),
    Spaces,
    Runs(AgentId),
    Files(AgentId, RunId),
    Schedules(AgentId),
}

/// Objects as the platform listed them: id and name.
type Objects = Arc<[(i64, String)]>;

/// Finds suggestions. One for the whole process; every kept list belongs to one caller.
#[derive(Debug)]
pub struct Completions {
    kept: moka::sync::Cache<PerCaller<Fetched>, (Timestamp, Objects)>,
    clock: Clock,
}

impl Completions {
    /// With nothing kept yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let kept = moka::sync::Cache::builder().max_capacity(CAPACITY).time_to_live(FRESH * 2).build();
        Self { kept, clock }
    }

    /// Values of `source` that fit what was `typed`, given the arguments filled in before.
    ///
    /// # Errors
    ///
    /// What the platform answered. An object that the caller cannot see is no error and gives no suggestions.
    pub async fn suggest(
        &self,
        api: &Api,
        caller: &Caller,
        source: Source,
        typed: &str,
        context: &BTreeMap<String, String>,
    ) -> Result<Suggestions, ApiError> {
        if !caller.scopes().contains(source.scopes()) {
            return Ok(Suggestions::default());
        }
        let look =
            Look { kept: self, api: api.session(caller.credential(), Instant::now() + PATIENCE), caller };
        let words = typed.trim();
        let typed = words.to_lowercase();
        let id = |name: &str| context.get(name).and_then(|text| text.trim().parse().ok());
        let found = match source {
            Source::AgentNames => look.agents(&typed).await.map(|found| names(&found)),
            Source::AgentIds => look.agents(&typed).await.map(|found| ids(&found)),
            Source::SpaceNames => look.fetch(Fetched::Spaces).await.map(|found| names(&found)),
            Source::SpaceIds => look.fetch(Fetched::Spaces).await.map(|found| ids(&found)),
            Source::RunIds => match id("agentId").and_then(AgentId::new) {
                Some(agent) => look.fetch(Fetched::Runs(agent)).await.map(|found| ids(&found)),
                None => Ok(Vec::new()),
            },
            Source::FileIds => match (id("agentId").and_then(AgentId::new), id("runId").and_then(RunId::new))
            {
                (Some(agent), Some(run)) => {
                    look.fetch(Fetched::Files(agent, run)).await.map(|found| ids(&found))
                }
                _ => Ok(Vec::new()),
            },
            Source::Timings => look.timings(words, context.get("agentName")).await,
            Source::Words(words) => Ok(words.iter().map(|word| plain(word)).collect()),
        };
        match found {
            Ok(candidates) => Ok(fitting(candidates, &typed)),
            Err(error) if hides(&error) => Ok(Suggestions::default()),
            Err(error) => Err(error),
        }
    }
}

/// One request for suggestions.
struct Look<'a> {
    kept: &'a Completions,
    api: Session<'a>,
    caller: &'a Caller,
}

impl Look<'_> {
    /// Agents: all of them in a small account; in a large one those whose names contain what was typed, and then the
    /// first ones, whose ids may fit it.
    async fn agents(&self, typed: &str) -> Result<Objects, ApiError> {
        let all = self.fetch(Fetched::Agents).await?;
        if typed.is_empty() || all.len() < AGENTS as usize {
            return Ok(all);
        }
        let named = self.fetch(Fetched::AgentsNamed(typed.to_owned())).await?;
        Ok(named.iter().chain(all.iter()).cloned().collect())
    }

    async fn fetch(&self, what: Fetched) -> Result<Objects, ApiError> {
        let now = self.kept.clock.now();
        let key = self.caller.key(what);
        if let Some((until, objects)) = self.kept.kept.get(&key)
            && now < until
        {
            return Ok(objects);
        }
        let api = self.api;
        let objects: Vec<(i64, String)> = match key.inner() {
            Fetched::Agents => named_agents(api.list_agents(&AgentFilter::default(), 1, AGENTS).await?),
            Fetched::AgentsNamed(typed) => {
                let filter = AgentFilter { name: Some(typed.clone()), ..AgentFilter::default() };
                named_agents(api.list_agents(&filter, 1, AGENTS).await?)
            }
            Fetched::Spaces => {
                api.spaces().await?.into_iter().filter_map(|space| space.id.zip(space.name)).collect()
            }
            Fetched::Runs(agent) => {
                let mut runs = api.runs(*agent, RUNS).await?;
                // The platform's order is not documented; the newest run is the one that is meant most often, and one
                // that has not begun is newer than all that have.
                runs.sort_by_cached_key(|run| {
                    Reverse((run.start_time.is_none(), run.start_time.clone(), run.id))
                });
                let status = |code: Option<i64>| code.map(run_status_name).unwrap_or_default().into_owned();
                runs.into_iter().filter_map(|run| Some((run.id?, status(run.status)))).collect()
            }
            Fetched::Files(agent, run) => {
                let files = api.run_files(*agent, *run).await?;
                files.into_iter().filter_map(|file| file.id.zip(file.name)).collect()
            }
            Fetched::Schedules(agent) => {
                let schedules = api.schedules(*agent).await?;
                schedules.into_iter().filter_map(|schedule| schedule.id.zip(schedule.name)).collect()
            }
        };
        let objects: Objects = objects.into();
        let fresh = SignedDuration::try_from(FRESH).unwrap_or_default();
        let until = now.checked_add(fresh).unwrap_or(now);
        self.kept.kept.insert(key, (until, Arc::clone(&objects)));
        Ok(objects)
    }

    async fn timings(&self, typed: &str, agent: Option<&String>) -> Result<Vec<Candidate>, ApiError> {
        let mut found: Vec<_> = TIMINGS.iter().map(|timing| plain(timing)).collect();
        if let Some(agent) = agent.map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty())
            && self.caller.scopes().contains(Source::AgentNames.scopes())
        {
            let schedules = self.schedules(&agent).await?;
            found.extend(schedules.iter().map(|(_, name)| plain(&format!("like the schedule {name}"))));
        }
        // What was typed so far, with its last word completed to a time zone.
        let (before, word) = typed.rsplit_once(' ').map_or(("", typed), |(before, word)| (before, word));
        let word = word.to_lowercase();
        if word.len() >= 3 {
            let zones = jiff::tz::db().available();
            let zones = zones.filter(|zone| zone.as_str().to_lowercase().contains(&word));
            found.extend(zones.map(|zone| plain(format!("{before} {}", zone.as_str()).trim())));
        }
        Ok(found)
    }

    /// The schedules of the agent that is meant by `agent`: the one of exactly this name, or the only one with it in
    /// its name. None if there is no such agent (any more): the examples are good without it.
    async fn schedules(&self, agent: &str) -> Result<Objects, ApiError> {
        let agents = self.agents(agent).await?;
        let named = |fits: &dyn Fn(&str) -> bool| {
            let ids = agents.iter().filter(|(_, name)| fits(&name.to_lowercase())).map(|(id, _)| *id);
            let ids: HashSet<_> = ids.collect();
            ids.iter().next().copied().filter(|_| ids.len() == 1)
        };
        let meant = named(&|name| name == agent).or_else(|| named(&|name| name.contains(agent)));
        let Some(id) = meant.and_then(|id| u64::try_from(id).ok()).and_then(AgentId::new) else {
            return Ok(Objects::default());
        };
        match self.fetch(Fetched::Schedules(id)).await {
            Err(error) if hides(&error) => Ok(Objects::default()),
            fetched => fetched,
        }
    }
}

/// Whether the platform said that there is nothing for this caller, which is no failure.
fn hides(error: &ApiError) -> bool {
    matches!(error.fault(), Fault::NotFound | Fault::Forbidden | Fault::NoAccess)
}

/// Agents by id. One without a name is found by its id.
fn named_agents(page: AgentPage) -> Vec<(i64, String)> {
    page.agents.into_iter().filter_map(|agent| Some((agent.id?, agent.name.unwrap_or_default()))).collect()
}

/// Examples of a timing, one of each kind of schedule.
const TIMINGS: &[&str] = &[
    "every day at 06:00 UTC",
    "every weekday at 09:00 Europe/Berlin",
    "every Monday at 07:30 America/New_York",
    "every 2 hours",
    "every 15 minutes",
    "on the first day of every month at 00:00 UTC",
    "once, tomorrow at 08:00 UTC",
];

fn plain(value: &str) -> Candidate {
    Candidate { value: value.to_owned(), label: String::new() }
}

fn names(objects: &Objects) -> Vec<Candidate> {
    objects.iter().map(|(_, name)| plain(name)).collect()
}

fn ids(objects: &Objects) -> Vec<Candidate> {
    // Ids that were seen negative cannot be used in a path.
    let known = objects.iter().filter(|(id, _)| *id > 0);
    known.map(|(id, name)| Candidate { value: id.to_string(), label: name.to_lowercase() }).collect()
}

/// Those that begin with what was typed come first, then those that contain it; otherwise the order stays. Names come
/// from outside, so what cannot be seen is taken out.
fn fitting(candidates: Vec<Candidate>, typed: &str) -> Suggestions {
    let mut values = Vec::new();
    let mut rest = Vec::new();
    for candidate in candidates {
        let value = crate::tools::untrusted::clean(&candidate.value);
        let lower = value.to_lowercase();
        if lower.starts_with(typed) {
            values.push(value);
        } else if lower.contains(typed) || candidate.label.contains(typed) {
            rest.push(value);
        }
    }
    values.append(&mut rest);
    let mut seen = HashSet::new();
    values.retain(|value| !value.is_empty() && seen.insert(value.clone()));
    let total = values.len();
    values.truncate(MAX_VALUES);
    Suggestions { values, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_come_before_middles_and_ids_are_found_by_name() {
        let objects: Objects =
            vec![(7, "Running shoes".to_owned()), (71, "Shoe\u{200b}s".to_owned()), (-4, "x".to_owned())]
                .into();
        let found = |candidates, typed| fitting(candidates, typed).values;
        assert_eq!(found(names(&objects), "sho"), ["Shoes", "Running shoes"]);
        assert_eq!(found(ids(&objects), "7"), ["7", "71"]);
        assert_eq!(found(ids(&objects), "running"), ["7"]);
        assert_eq!(found(ids(&objects), ""), ["7", "71"]);
    }

    #[test]
    fn no_more_than_a_hundred_and_the_total_is_told() {
        let many = (0..250).map(|n| plain(&format!("agent {n}"))).collect();
        let found = fitting(many, "agent");
        assert_eq!((found.values.len(), found.total), (MAX_VALUES, 250));
    }
}
