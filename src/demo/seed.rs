//! The made-up data the world starts with: two tenants that share nothing, not even a range of ids.

mod blue_harbor;
mod northwind;
mod schedules;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Login,
    table::Table,
    world::{
        Agent, Behaviour, Space, Tenant, User, World,
        dataset::Dataset,
        run::{Outcome, Plan, Run},
        version,
    },
};

pub(crate) const LOGINS: [Login; 2] = [
    Login {
        username: "alice@northwind.example",
        password: "alice-demo",
        name: "Alice Moreau",
        organization: "Northwind Retail",
        api_key: "sk-demo-alice-3f9c1d7b52e84a60",
    },
    Login {
        username: "bob@blueharbor.example",
        password: "bob-demo",
        name: "Bob Lindqvist",
        organization: "Blue Harbor Research",
        api_key: "sk-demo-bob-8e2b6a4c90d15f73",
    },
];

const HOUR: i32 = 3600;
const DAY: i32 = 24 * HOUR;

/// Builder sessions remembered per tenant.
const MOST_BUILDS: usize = 100;

/// One tenant in short form.
struct TenantSeed {
    login: Login,
    organization_id: i32,
    user_id: i32,
    credits: i64,
    first_agent_id: i32,
    first_run_id: i64,
    spaces: &'static [SpaceSeed],
    agents: &'static [AgentSeed],
}

struct SpaceSeed {
    id: i32,
    name: &'static str,
    is_default_access: bool,
    scope: &'static str,
    run_retention_hours: Option<i32>,
    access: &'static [&'static str],
}

struct AgentSeed {
    name: &'static str,
    description: Option<&'static str>,
    documentation: Option<&'static str>,
    start_url: &'static str,
    space: Option<i32>,
    inputs: &'static [(&'static str, &'static str)],
    dataset: &'static Dataset,
    behaviour: Behaviour,
    rows: i64,
    version: i32,
    has_success_criteria: bool,
    is_active: bool,
    is_archived: bool,
    labels: &'static [(i32, &'static str)],
    /// Runs of the past, this many seconds apart.
    history: i32,
    every: i32,
    /// Age in seconds of the newest run when the world begins.
    newest: i32,
}

/// What most agents have in common.
const AGENT: AgentSeed = AgentSeed {
    name: "",
    description: None,
    documentation: None,
    start_url: "",
    space: None,
    inputs: &[],
    dataset: &Dataset { columns: &[] },
    behaviour: Behaviour::Normal,
    rows: 120,
    version: 1,
    has_success_criteria: false,
    is_active: true,
    is_archived: false,
    labels: &[],
    history: 5,
    every: DAY,
    newest: 3 * HOUR,
};

/// The world as it is at `now`, with all its past.
pub(crate) fn world(now: Timestamp) -> World {
    let [alice, bob] = LOGINS;
    World {
        tenants: vec![tenant(&northwind::tenant(alice), now), tenant(&blue_harbor::tenant(bob), now)],
        revoked: BTreeSet::new(),
    }
}

fn tenant(seed: &TenantSeed, now: Timestamp) -> Tenant {
    let mut agents: BTreeMap<i32, Agent> =
        (seed.first_agent_id..).zip(seed.agents).map(|(id, a)| (id, agent(id, seed, a, now))).collect();
    // Run ids follow time across agents, as those of a shared table do.
    let mut starts: Vec<(Timestamp, i32, i64)> = (seed.first_agent_id..)
        .zip(seed.agents)
        .flat_map(|(id, a)| (1..=a.history).map(move |n| (start(id, a, n, now), id, i64::from(n))))
        .collect();
    starts.sort_unstable();
    let mut next_run_id = seed.first_run_id;
    for (created, agent_id, sequence) in starts {
        if let Some(agent) = agents.get_mut(&agent_id) {
            let run = historic(agent, next_run_id, sequence, created);
            agent.sequence = sequence;
            agent.push(run);
            next_run_id += 1;
        }
    }
    let spent: i64 = agents.values().flat_map(|agent| agent.charges(now)).map(|charge| charge.total()).sum();
    Tenant {
        organization_id: seed.organization_id,
        user: User { id: seed.user_id, login: seed.login },
        spaces: seed.spaces.iter().map(|s| space(s, now)).collect(),
        agents,
        opened: now,
        // What is left now was chosen, so what they began with follows from what they spent.
        granted: seed.credits * 1_000 + spent,
        written_off: None,
        next_run_id,
        next_schedule_id: schedules::next_id(seed.organization_id),
        builds: Table::new(MOST_BUILDS),
    }
}

fn space(seed: &SpaceSeed, now: Timestamp) -> Space {
    Space {
        id: seed.id,
        name: seed.name,
        created: ago(now, (300 + seed.id) * DAY + 4_321, seed.id),
        is_default_access: seed.is_default_access,
        scope: seed.scope,
        run_retention_hours: seed.run_retention_hours,
        access: seed.access,
    }
}

fn agent(id: i32, tenant: &TenantSeed, seed: &AgentSeed, now: Timestamp) -> Agent {
    let created = ago(now, (200 + id % 37) * DAY, id * 31);
    let updated = ago(now, (70 + id % 11) * DAY + 7_777, id * 17);
    Agent {
        id,
        name: Cow::Borrowed(seed.name),
        description: seed.description,
        documentation: seed.documentation,
        inputs: seed.inputs,
        space_id: seed.space,
        start_url: seed.start_url,
        user_id: tenant.user_id,
        version: seed.version,
        is_active: seed.is_active,
        is_archived: seed.is_archived,
        created,
        updated,
        labels: seed.labels,
        dataset: seed.dataset,
        behaviour: seed.behaviour,
        rows: seed.rows,
        has_success_criteria: seed.has_success_criteria,
        runs: VecDeque::new(),
        deleted: VecDeque::new(),
        forgotten: 0,
        sequence: 0,
        schedules: schedules::of(id, updated, now),
        versions: version::history(seed.version, tenant.login.name, created, updated),
    }
}

/// When run number `n` of an agent was started.
fn start(agent_id: i32, seed: &AgentSeed, n: i32, now: Timestamp) -> Timestamp {
    ago(now, seed.newest + (seed.history - n) * seed.every, agent_id + n * 7)
}

fn historic(agent: &Agent, id: i64, sequence: i64, created: Timestamp) -> Run {
    let usual = Outcome::of(agent);
    let outcome = match agent.behaviour {
        // It went well until the site changed.
        Behaviour::FailsHalfWay(_) if sequence <= 5 => Outcome::Completed,
        Behaviour::FailsHalfWay(_) => usual,
        _ if !agent.is_active && sequence == 4 => Outcome::Skipped("Agent is not active"),
        _ if sequence % 19 == 0 => Outcome::Failure("The remote server did not answer within 60 seconds"),
        _ => usual,
    };
    let plan = if agent.behaviour == Behaviour::QueuesLong {
        Plan { outcome, ..Plan::live(agent, id) }
    } else {
        Plan::historic(agent, outcome, id)
    };
    // Now and then somebody changes their mind.
    let stop_requested = (sequence % 23 == 0)
        .then(|| created.checked_add(SignedDuration::from_millis(31_250)).unwrap_or(created));
    Run {
        id,
        agent_id: agent.id,
        sequence,
        created,
        config_version: agent.version,
        parallelism: 1,
        parallel_max_concurrency: None,
        parallel_export: None,
        inputs: None,
        plan,
        stop_requested,
        killed: None,
        files_removed: false,
        input_removed: false,
    }
}

/// `seconds` before `now`, with a fraction of a second that follows from `salt`, because real clocks are never even.
fn ago(now: Timestamp, seconds: i32, salt: i32) -> Timestamp {
    let micros = i64::from(salt).rem_euclid(997) * 1_003;
    let back = SignedDuration::from_secs(i64::from(seconds)) + SignedDuration::from_micros(micros);
    now.checked_sub(back).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_tenants_share_no_id() {
        let now = Timestamp::from_second(1_780_000_000).unwrap();
        let world = world(now);
        let mut seen = BTreeSet::new();
        let mut count = 0;
        for tenant in &world.tenants {
            for agent in tenant.agents.values() {
                let ids = agent.runs.iter().map(|run| ("run", run.id));
                let all = ids.chain([("agent", i64::from(agent.id))]);
                for id in all {
                    count += 1;
                    assert!(seen.insert(id), "{id:?} twice");
                }
                assert!(agent.space_id.is_none_or(|space| tenant.space(space).is_some()), "{}", agent.name);
            }
            for space in &tenant.spaces {
                count += 1;
                assert!(seen.insert(("space", i64::from(space.id))));
            }
        }
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn each_kind_of_agent_is_there() {
        let now = Timestamp::from_second(1_780_000_000).unwrap();
        let world = world(now);
        let [northwind, blue_harbor] = &world.tenants[..] else { panic!("two tenants") };
        assert_eq!((northwind.agents.len(), blue_harbor.agents.len()), (12, 6));
        for tenant in &world.tenants {
            assert!(tenant.agents.values().any(|agent| agent.space_id.is_none()));
        }
        let agents = || northwind.agents.values();
        assert!(agents().any(|agent| agent.runs.is_empty()));
        assert!(agents().any(|agent| agent.runs.len() > 60));
        assert!(agents().any(|agent| !agent.is_active));
        assert!(agents().any(|agent| agent.is_archived));
        for behaviour in [Behaviour::QueuesLong, Behaviour::AnswersCsv] {
            assert!(agents().any(|agent| agent.behaviour == behaviour));
        }
        let failing = agents().find(|agent| matches!(agent.behaviour, Behaviour::FailsHalfWay(_))).unwrap();
        assert_eq!(failing.latest(now).unwrap().1.status.number(), 7);
    }
}
