//! Sessions of the agent builder: like runs, a pure function of time, except for the agent they leave behind.

use std::{borrow::Cow, collections::VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::{
    Agent, Behaviour, Tenant, UserId,
    dataset::{Column, Dataset},
    version,
};

const READY_AFTER: SignedDuration = SignedDuration::from_secs(60);
const COMPLETED_AFTER: SignedDuration = SignedDuration::from_secs(75);
const FAILS_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// How long a session can be asked about.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Agents per organisation, so that a simulation under load does not grow.
const MOST_AGENTS: usize = 100;

/// What every built agent extracts, whatever was asked for.
const BUILT: Dataset = Dataset {
    columns: &[
        ("id", Column::Code("B-")),
        ("title", Column::Text(&["First", "Second, improved", "Third \"and last\""])),
        ("price", Column::Price(500, 9_900)),
        ("url", Column::Link("https://built.example.com/item/")),
    ],
};

#[derive(Clone, Debug)]
pub(crate) struct Build {
    prompt: String,
    space_id: Option<i32>,
    started: Timestamp,
    cancelled: Option<Timestamp>,
    /// The agent, once it is in the world.
    saved: Option<(i32, String)>,
    refused: bool,
}

/// Where a build is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Processing,
    /// The agent is there, the session not over.
    Ready,
    Completed,
    Error,
    Cancelled,
}

impl Stage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::Completed => "completed",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Build {
    pub(crate) fn new(prompt: &str, space_id: Option<i32>, started: Timestamp) -> Self {
        let prompt = prompt.to_owned();
        Self { prompt, space_id, started, cancelled: None, saved: None, refused: false }
    }

    pub(crate) fn stage(&self, now: Timestamp) -> Stage {
        if self.cancelled.is_some() {
            return Stage::Cancelled;
        }
        let age = now.duration_since(self.started);
        match age {
            _ if age >= FAILS_AFTER && (self.refused || self.fails()) => Stage::Error,
            _ if age >= COMPLETED_AFTER => Stage::Completed,
            _ if age >= READY_AFTER => Stage::Ready,
            _ => Stage::Processing,
        }
    }

    /// Does nothing once the build is over.
    pub(crate) fn cancel(&mut self, now: Timestamp) {
        if matches!(self.stage(now), Stage::Processing | Stage::Ready) {
            self.cancelled = Some(now);
        }
    }

    pub(crate) fn agent(&self) -> Option<(i32, &str)> {
        self.saved.as_ref().map(|(id, name)| (*id, name.as_str()))
    }

    /// How long it has been at work.
    pub(crate) fn elapsed(&self, now: Timestamp) -> SignedDuration {
        let until = self.cancelled.unwrap_or(now);
        let most = if self.fails() { FAILS_AFTER } else { COMPLETED_AFTER };
        until.duration_since(self.started).min(most)
    }

    pub(crate) fn expires(&self) -> Timestamp {
        self.started.checked_add(KEPT_FOR).unwrap_or(self.started)
    }

    /// For trying out what a client does then.
    fn fails(&self) -> bool {
        self.prompt.to_lowercase().contains("fail")
    }

    fn due(&self, now: Timestamp) -> bool {
        self.saved.is_none() && !self.refused && matches!(self.stage(now), Stage::Ready | Stage::Completed)
    }

    /// The beginning of what was asked for.
    fn name(&self) -> String {
        let words = self.prompt.split_whitespace().take(6).collect::<Vec<_>>().join(" ");
        words.chars().take(60).collect()
    }
}

impl Tenant {
    /// Brings agents into the world whose builds have got that far by `now`.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        for build in self.builds.values_mut().filter(|build| build.due(now)) {
            if self.agents.len() >= MOST_AGENTS {
                build.refused = true;
                continue;
            }
            let id = self.agents.last_key_value().map_or(1, |(id, _)| id + 1);
            let created = build.started.checked_add(READY_AFTER).unwrap_or(build.started);
            let mut agent = built(id, build.name(), created, self.user.id);
            agent.space_id = build.space_id;
            agent.versions = version::history(1, self.user.login.name, created, created);
            build.saved = Some((id, build.name()));
            self.agents.insert(id, agent);
        }
    }
}

fn built(id: i32, name: String, created: Timestamp, user_id: UserId) -> Agent {
    Agent {
        id,
        name: Cow::Owned(name),
        description: Some("Made by the agent builder"),
        documentation: None,
        inputs: &[],
        space_id: None,
        start_url: "https://built.example.com/",
        user_id,
        version: 1,
        is_active: true,
        is_archived: false,
        created,
        updated: created,
        labels: &[],
        dataset: &BUILT,
        behaviour: Behaviour::Normal,
        rows: 48,
        has_success_criteria: false,
        runs: VecDeque::new(),
        deleted: VecDeque::new(),
        forgotten: 0,
        sequence: 0,
        schedules: Vec::new(),
        versions: VecDeque::new(),
    }
}
