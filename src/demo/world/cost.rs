//! What runs cost. Money is counted in thousandths of a credit, so that sums are exact whichever way they are formed.

use jiff::{SignedDuration, Timestamp};

use super::{
    Agent, Tenant,
    run::{Run, Status},
};

/// Thousandths of a credit.
pub(crate) type Milli = i64;

/// What is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    ServerTime,
    ExportBandwidth,
    ExportCpm,
    InputCount,
    ProxyData,
    AgentBuilder,
}

impl Usage {
    pub(crate) const ALL: [Self; 6] = [
        Self::ServerTime,
        Self::ExportBandwidth,
        Self::ExportCpm,
        Self::InputCount,
        Self::ProxyData,
        Self::AgentBuilder,
    ];

    /// Its name in breakdowns.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ServerTime => "RunUsage",
            Self::ExportBandwidth => "ExportDataBandwidth",
            Self::ExportCpm => "ExportDataCpm",
            Self::InputCount => "InputCount",
            Self::ProxyData => "ProxyUsage",
            Self::AgentBuilder => "AgentBuilder",
        }
    }

    /// Its name in filters and on runs.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::ServerTime => "Server Time",
            Self::ExportBandwidth => "Export GB",
            Self::ExportCpm => "Export CPM",
            Self::InputCount => "Agent Inputs",
            Self::ProxyData => "Proxy Data",
            Self::AgentBuilder => "Agent Builder",
        }
    }

    /// By either name, in any case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is =
            |usage: &Self| [usage.name(), usage.label()].iter().any(|name| name.eq_ignore_ascii_case(text));
        Self::ALL.into_iter().find(is)
    }
}

/// What one finished run was charged, when it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    pub(crate) run_id: i64,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Timestamp,
    server_time: Milli,
    export_bandwidth: Milli,
    export_cpm: Milli,
    inputs: Milli,
}

impl Charge {
    /// None while the run is in progress, and for runs that never began.
    pub(crate) fn of(run: &Run, now: Timestamp) -> Option<Self> {
        let snapshot = run.at(now);
        let ended = snapshot.ended.filter(|_| snapshot.status != Status::Skipped)?;
        let seconds = snapshot.run_time.map_or(0, |time| time.as_secs());
        let exported = snapshot.export_count.unwrap_or(0);
        Some(Self {
            run_id: run.id,
            started: snapshot.started,
            ended,
            server_time: seconds * 4 * i64::from(run.parallelism),
            export_bandwidth: exported / 16,
            export_cpm: exported / 2,
            inputs: run.inputs.unwrap_or(0) * 5,
        })
    }

    pub(crate) fn part(&self, usage: Usage) -> Milli {
        match usage {
            Usage::ServerTime => self.server_time,
            Usage::ExportBandwidth => self.export_bandwidth,
            Usage::ExportCpm => self.export_cpm,
            Usage::InputCount => self.inputs,
            // These sites are reached directly, and building is free during the preview.
            Usage::ProxyData | Usage::AgentBuilder => 0,
        }
    }

    /// The sum of some of its parts.
    pub(crate) fn cost(&self, usages: &[Usage]) -> Milli {
        usages.iter().map(|usage| self.part(*usage)).sum()
    }

    pub(crate) fn total(&self) -> Milli {
        self.cost(&Usage::ALL)
    }
}

impl Agent {
    /// Everything charged for this agent's runs, deleted ones included: deleting a run gives nothing back.
    pub(crate) fn charges(&self, now: Timestamp) -> impl Iterator<Item = Charge> {
        self.runs.iter().chain(&self.deleted).filter_map(move |run| Charge::of(run, now))
    }
}

/// A movement on an organisation's account.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    pub(crate) id: i64,
    pub(crate) kind: &'static str,
    pub(crate) amount: Milli,
    pub(crate) at: Timestamp,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) message: String,
}

/// What was bought a while ago, besides the credits of the beginning.
const TOP_UP: Milli = 1_000_000;

impl Tenant {
    /// What is left: the sum of all movements. Runs are charged when they end.
    pub(crate) fn balance(&self, now: Timestamp) -> Milli {
        let agents = self.agents.values();
        let spent: Milli = agents
            .map(|agent| agent.forgotten + agent.charges(now).map(|charge| charge.total()).sum::<Milli>())
            .sum();
        self.granted - spent - self.written_off.map_or(0, |(_, amount)| amount)
    }

    /// Every movement so far, oldest first.
    pub(crate) fn movements(&self, now: Timestamp) -> Vec<Movement> {
        let days = |count: i64| SignedDuration::from_hours(24 * count);
        let at = |time: Timestamp, by: SignedDuration| time.checked_add(by).unwrap_or(time);
        let first_id = i64::from(self.organization_id) * 10;
        let mut all = vec![
            Movement {
                id: first_id + 1,
                kind: "Initial",
                amount: self.granted - TOP_UP,
                at: at(self.opened, -days(500)),
                expires: None,
                message: "Opening balance".to_owned(),
            },
            Movement {
                id: first_id + 2,
                kind: "Credit",
                amount: TOP_UP,
                at: at(self.opened, -days(45)),
                expires: Some(at(self.opened, days(320))),
                message: "Top-up, order 20260414".to_owned(),
            },
        ];
        let forgotten: Milli = self.agents.values().map(|agent| agent.forgotten).sum();
        if forgotten != 0 {
            all.push(Movement {
                id: first_id + 3,
                kind: "Adjustment",
                amount: -forgotten,
                at: at(self.opened, -days(400)),
                expires: None,
                message: "Runs beyond the retention period".to_owned(),
            });
        }
        if let Some((time, amount)) = self.written_off {
            all.push(Movement {
                id: first_id + 4,
                kind: "WriteOff",
                amount: -amount,
                at: time,
                expires: None,
                message: "Credits written off".to_owned(),
            });
        }
        for agent in self.agents.values() {
            all.extend(agent.charges(now).map(|charge| Movement {
                id: charge.run_id,
                kind: "Debit",
                amount: -charge.total(),
                at: charge.ended,
                expires: None,
                message: format!("Run {} of agent '{}'", charge.run_id, agent.name),
            }));
        }
        all.sort_by_key(|movement| (movement.at, movement.id));
        all
    }
}
