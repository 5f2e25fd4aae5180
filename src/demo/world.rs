//! The living world: tenants with their users, spaces, agents and runs. Everything a request can see or change.

pub(crate) mod build;
pub(crate) mod cost;
pub(crate) mod cron;
pub(crate) mod dataset;
pub(crate) mod files;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod version;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use jiff::Timestamp;

use self::{
    build::Build,
    cost::{Charge, Milli},
    dataset::Dataset,
    run::{Plan, Run, Snapshot},
    schedule::Schedule,
    version::Version,
};
use super::table::Table;

/// Runs kept per agent. Old ones make room, so that a simulation under load for days does not grow.
const RUNS_PER_AGENT: usize = 200;

pub(crate) type UserId = i32;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) tenants: Vec<Tenant>,
    /// Users whose credentials are all dead.
    pub(crate) revoked: BTreeSet<UserId>,
}

/// One organisation. Nothing in it is visible to another one's users.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) organization_id: i32,
    pub(crate) user: User,
    pub(crate) spaces: Vec<Space>,
    pub(crate) agents: BTreeMap<i32, Agent>,
    /// When this organisation's world began.
    pub(crate) opened: Timestamp,
    /// All credits it ever got.
    pub(crate) granted: Milli,
    pub(crate) written_off: Option<(Timestamp, Milli)>,
    pub(crate) next_run_id: i64,
    pub(crate) next_schedule_id: i64,
    /// By session id.
    pub(crate) builds: Table<Build>,
}

#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) login: super::Login,
}

#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) id: i32,
    pub(crate) name: &'static str,
    pub(crate) created: Timestamp,
    pub(crate) is_default_access: bool,
    pub(crate) scope: &'static str,
    pub(crate) run_retention_hours: Option<i32>,
    pub(crate) access: &'static [&'static str],
}

#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: i32,
    pub(crate) name: Cow<'static, str>,
    pub(crate) description: Option<&'static str>,
    pub(crate) documentation: Option<&'static str>,
    pub(crate) inputs: &'static [(&'static str, &'static str)],
    /// None: the owner's personal area.
    pub(crate) space_id: Option<i32>,
    pub(crate) start_url: &'static str,
    pub(crate) user_id: UserId,
    pub(crate) version: i32,
    pub(crate) is_active: bool,
    pub(crate) is_archived: bool,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) labels: &'static [(i32, &'static str)],
    pub(crate) dataset: &'static Dataset,
    pub(crate) behaviour: Behaviour,
    /// Rows a full run extracts.
    pub(crate) rows: i64,
    /// Runs that go well end as Success instead of Completed.
    pub(crate) has_success_criteria: bool,
    /// Oldest first.
    pub(crate) runs: VecDeque<Run>,
    /// Deleted runs: nobody sees them any more, but they were charged.
    pub(crate) deleted: VecDeque<Run>,
    /// What runs cost that made room for others.
    pub(crate) forgotten: Milli,
    /// Runs ever started.
    pub(crate) sequence: i64,
    pub(crate) schedules: Vec<Schedule>,
    /// Oldest first.
    pub(crate) versions: VecDeque<Version>,
}

/// How an agent's new runs go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Normal,
    /// Breaks off half-way with this message.
    FailsHalfWay(&'static str),
    /// Waits ten minutes for a worker.
    QueuesLong,
    /// As normal, but a synchronous start answers CSV text instead of JSON.
    AnswersCsv,
}

/// What a start asks for.
#[derive(Clone, Debug)]
pub(crate) struct StartOptions {
    pub(crate) parallelism: i32,
    pub(crate) parallel_max_concurrency: Option<i32>,
    pub(crate) parallel_export: Option<&'static str>,
    pub(crate) is_exclusive: bool,
    pub(crate) inputs: Option<i64>,
}

/// Why a run was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartRefusal {
    NoAgent,
    Inactive,
    Archived,
    NoCredits,
    /// Exclusive, and this run is in progress.
    Busy(i64),
}

impl World {
    pub(crate) fn tenant(&self, user: UserId) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.user.id == user)
    }

    pub(crate) fn tenant_mut(&mut self, user: UserId) -> Option<&mut Tenant> {
        self.tenants.iter_mut().find(|tenant| tenant.user.id == user)
    }

    /// The user with this API key.
    pub(crate) fn user_by_key(&self, api_key: &str) -> Option<UserId> {
        self.users().find(|user| user.login.api_key == api_key).map(|user| user.id)
    }

    pub(crate) fn user_by_name(&self, username: &str) -> Option<&User> {
        self.users().find(|user| user.login.username.eq_ignore_ascii_case(username))
    }

    fn users(&self) -> impl Iterator<Item = &User> {
        self.tenants.iter().map(|tenant| &tenant.user)
    }

    pub(crate) fn revoke(&mut self, username: &str) -> Option<UserId> {
        let user = self.user_by_name(username)?.id;
        self.revoked.insert(user);
        Some(user)
    }

    pub(crate) fn exhaust_credits(&mut self, username: &str, now: Timestamp) {
        let user = self.user_by_name(username).map(|user| user.id);
        if let Some(tenant) = user.and_then(|user| self.tenant_mut(user)) {
            let before = tenant.written_off.map_or(0, |(_, amount)| amount);
            let left = tenant.balance(now).max(0);
            tenant.written_off = Some((now, before + left));
        }
    }
}

impl Tenant {
    pub(crate) fn agent(&self, id: i32) -> Option<&Agent> {
        self.agents.get(&id)
    }

    pub(crate) fn space(&self, id: i32) -> Option<&Space> {
        self.spaces.iter().find(|space| space.id == id)
    }

    /// Queues a run of an agent.
    pub(crate) fn start(
        &mut self,
        agent: i32,
        options: &StartOptions,
        now: Timestamp,
    ) -> Result<Run, StartRefusal> {
        let balance = self.balance(now);
        let agent = self.agents.get_mut(&agent).ok_or(StartRefusal::NoAgent)?;
        if agent.is_archived {
            return Err(StartRefusal::Archived);
        }
        if !agent.is_active {
            return Err(StartRefusal::Inactive);
        }
        if balance <= 0 {
            return Err(StartRefusal::NoCredits);
        }
        if options.is_exclusive
            && let Some(busy) = agent.runs.iter().find(|run| run.at(now).status.in_progress())
        {
            return Err(StartRefusal::Busy(busy.id));
        }
        let id = self.next_run_id;
        self.next_run_id += 1;
        agent.sequence += 1;
        let run = Run {
            id,
            agent_id: agent.id,
            sequence: agent.sequence,
            created: now,
            config_version: agent.version,
            parallelism: options.parallelism,
            parallel_max_concurrency: options.parallel_max_concurrency,
            parallel_export: options.parallel_export,
            inputs: options.inputs,
            plan: Plan::live(agent, id),
            stop_requested: None,
            killed: None,
            files_removed: false,
            input_removed: false,
        };
        agent.push(run.clone());
        Ok(run)
    }
}

impl Agent {
    pub(crate) fn run(&self, id: i64) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == id)
    }

    /// Adds the newest run, letting go of the oldest when there are too many.
    pub(crate) fn push(&mut self, run: Run) {
        if self.runs.len() >= RUNS_PER_AGENT {
            let oldest = self.runs.pop_front();
            self.forget(oldest);
        }
        self.runs.push_back(run);
    }

    /// Takes a run out of sight. False when there is none.
    pub(crate) fn delete(&mut self, id: i64) -> bool {
        let at = self.runs.iter().position(|run| run.id == id);
        let Some(run) = at.and_then(|at| self.runs.remove(at)) else { return false };
        if self.deleted.len() >= RUNS_PER_AGENT {
            let oldest = self.deleted.pop_front();
            self.forget(oldest);
        }
        self.deleted.push_back(run);
        true
    }

    /// Keeps of a run only what it cost, or will have cost.
    fn forget(&mut self, run: Option<Run>) {
        let charge = run.and_then(|run| Charge::of(&run, Timestamp::MAX));
        self.forgotten += charge.map_or(0, |charge| charge.total());
    }

    /// The newest run and how far it is.
    pub(crate) fn latest(&self, now: Timestamp) -> Option<(&Run, Snapshot)> {
        self.runs.back().map(|run| (run, run.at(now)))
    }

    /// When something last happened to a run of this agent.
    pub(crate) fn last_activity(&self, now: Timestamp) -> Option<Timestamp> {
        let (run, snapshot) = self.latest(now)?;
        Some(snapshot.ended.or(snapshot.started).unwrap_or(run.created))
    }
}
