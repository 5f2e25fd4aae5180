//! One run, as a pure function of time: nothing ticks in the background, a run *is* how far it would be by now.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use super::{Agent, Behaviour};

/// How long a stopping run takes to come to rest.
const STOPPING: SignedDuration = SignedDuration::from_secs(3);
/// How long after its end a run moves from the active table to history.
const ARCHIVE_AFTER: SignedDuration = SignedDuration::from_secs(120);
/// Records on one page of a simulated site.
const ROWS_PER_PAGE: i64 = 24;

/// One execution of an agent: what was asked for and what fate has in store for it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) id: i64,
    pub(crate) agent_id: i32,
    pub(crate) sequence: i64,
    pub(crate) created: Timestamp,
    pub(crate) config_version: i32,
    pub(crate) parallelism: i32,
    pub(crate) parallel_max_concurrency: Option<i32>,
    pub(crate) parallel_export: Option<&'static str>,
    /// Number of input rows, when inputs were given.
    pub(crate) inputs: Option<i64>,
    pub(crate) plan: Plan,
    pub(crate) stop_requested: Option<Timestamp>,
    /// When a run that was already stopping was ended by force.
    pub(crate) killed: Option<Timestamp>,
    pub(crate) files_removed: bool,
    pub(crate) input_removed: bool,
}

/// How the run goes if nobody stops it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) queue: SignedDuration,
    pub(crate) boot: SignedDuration,
    pub(crate) extract: SignedDuration,
    pub(crate) export: SignedDuration,
    pub(crate) rows: i64,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    Success,
    /// Ends with this message after half of the extraction.
    Failure(&'static str),
    /// Never really started, for instance because the agent was inactive when its schedule fired.
    Skipped(&'static str),
}

/// The platform's run states, by their numbers on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Running = 1,
    Exporting = 2,
    Starting = 3,
    Queuing = 4,
    Stopping = 5,
    /// Failed and still in the active table.
    Failure = 6,
    /// The same once archived.
    Failed = 7,
    Stopped = 8,
    Completed = 9,
    Success = 10,
    Skipped = 11,
}

impl Status {
    pub(crate) fn number(self) -> i32 {
        self as i32
    }

    pub(crate) const ALL: [Self; 11] = [
        Self::Running,
        Self::Exporting,
        Self::Starting,
        Self::Queuing,
        Self::Stopping,
        Self::Failure,
        Self::Failed,
        Self::Stopped,
        Self::Completed,
        Self::Success,
        Self::Skipped,
    ];

    /// The platform's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Exporting => "Exporting",
            Self::Starting => "Starting",
            Self::Queuing => "Queuing",
            Self::Stopping => "Stopping",
            Self::Failure => "Failure",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
            Self::Completed => "Completed",
            Self::Success => "Success",
            Self::Skipped => "Skipped",
        }
    }

    pub(crate) fn failed(self) -> bool {
        matches!(self, Self::Failure | Self::Failed)
    }

    pub(crate) fn in_progress(self) -> bool {
        self <= Self::Stopping
    }
}

/// How far a run is at one instant.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) status: Status,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) archived: bool,
    pub(crate) message: Option<String>,
    pub(crate) data_count: i64,
    pub(crate) export_count: Option<i64>,
    pub(crate) page_count: i64,
    pub(crate) error_count: i64,
    pub(crate) run_time: Option<SignedDuration>,
    pub(crate) server: Option<String>,
}

impl Plan {
    /// A run that is started now: over in 14 to 18 seconds, unless the agent is one of the difficult ones.
    pub(crate) fn live(agent: &Agent, run_id: i64) -> Self {
        Self {
            queue: SignedDuration::from_secs(match agent.behaviour {
                Behaviour::QueuesLong => 600,
                _ => 2,
            }),
            boot: SignedDuration::from_secs(2),
            extract: SignedDuration::from_secs(8 + run_id.rem_euclid(5)),
            export: SignedDuration::from_secs(2),
            rows: agent.rows,
            outcome: Outcome::of(agent),
        }
    }

    /// A run of the past, when agents took the minutes that real sites take.
    pub(crate) fn historic(agent: &Agent, outcome: Outcome, run_id: i64) -> Self {
        let rows = agent.rows - agent.rows * run_id.rem_euclid(7) / 100;
        Self {
            queue: SignedDuration::from_millis(1_900 + run_id.rem_euclid(11) * 137),
            boot: SignedDuration::from_millis(3_250 + run_id.rem_euclid(5) * 410),
            extract: SignedDuration::from_millis(20_000 + rows * 390 + run_id.rem_euclid(13) * 1_117),
            export: SignedDuration::from_millis(2_000 + rows * 7),
            rows,
            outcome,
        }
    }
}

impl Outcome {
    /// What becomes of a run of this agent.
    pub(crate) fn of(agent: &Agent) -> Self {
        match agent.behaviour {
            Behaviour::FailsHalfWay(message) => Self::Failure(message),
            _ if agent.has_success_criteria => Self::Success,
            _ => Self::Completed,
        }
    }
}

impl Run {
    /// Where the run is at `now`.
    pub(crate) fn at(&self, now: Timestamp) -> Snapshot {
        let end = self.natural_end();
        match self.stop_requested {
            Some(stop) if stop < end => self.stopped(stop, now),
            _ => self.undisturbed(now),
        }
    }

    /// When the run is (or will be) over, as things stand.
    pub(crate) fn end(&self) -> Timestamp {
        let end = self.natural_end();
        let end = self.stop_requested.map_or(end, |stop| later(stop, STOPPING).min(end));
        self.killed.map_or(end, |killed| killed.min(end))
    }

    fn extraction(&self) -> (Timestamp, Timestamp) {
        let start = later(later(self.created, self.plan.queue), self.plan.boot);
        let full = self.plan.extract;
        let length = if matches!(self.plan.outcome, Outcome::Failure(_)) { full / 2 } else { full };
        (start, later(start, length))
    }

    fn natural_end(&self) -> Timestamp {
        match self.plan.outcome {
            Outcome::Skipped(_) => self.created,
            Outcome::Failure(_) => self.extraction().1,
            Outcome::Completed | Outcome::Success => later(self.extraction().1, self.plan.export),
        }
    }

    fn undisturbed(&self, now: Timestamp) -> Snapshot {
        let started = later(self.created, self.plan.queue);
        let (extracting, exporting) = self.extraction();
        let end = self.natural_end();
        let archived = now >= later(end, ARCHIVE_AFTER);
        let status = if now >= end {
            match self.plan.outcome {
                Outcome::Completed => Status::Completed,
                Outcome::Success => Status::Success,
                Outcome::Failure(_) if archived => Status::Failed,
                Outcome::Failure(_) => Status::Failure,
                Outcome::Skipped(_) => Status::Skipped,
            }
        } else if now < started {
            Status::Queuing
        } else if now < extracting {
            Status::Starting
        } else if now < exporting {
            Status::Running
        } else {
            Status::Exporting
        };
        let mut snapshot = self.progress(now.min(end), status);
        snapshot.archived = archived;
        if now >= end {
            snapshot.ended = Some(end);
            snapshot.message = match self.plan.outcome {
                Outcome::Failure(message) | Outcome::Skipped(message) => Some(message.to_owned()),
                Outcome::Completed | Outcome::Success => None,
            };
            if matches!(self.plan.outcome, Outcome::Failure(_)) {
                snapshot.error_count += 1;
            }
        }
        snapshot
    }

    fn stopped(&self, stop: Timestamp, now: Timestamp) -> Snapshot {
        let end = self.end();
        let over = now >= end;
        let mut snapshot =
            self.progress(stop.min(now), if over { Status::Stopped } else { Status::Stopping });
        if over {
            snapshot.ended = Some(end);
            let how = if self.killed == Some(end) { "Killed by user" } else { "Stopped by user" };
            snapshot.message = Some(how.to_owned());
            snapshot.archived = now >= later(end, ARCHIVE_AFTER);
            snapshot.run_time = snapshot.started.map(|started| end.duration_since(started));
        }
        snapshot
    }

    /// The counters as they stand at `at`, which is not after the run's end.
    fn progress(&self, at: Timestamp, status: Status) -> Snapshot {
        let started = later(self.created, self.plan.queue);
        let skipped = matches!(self.plan.outcome, Outcome::Skipped(_));
        let started = (!skipped && at >= started).then_some(started);
        let (extracting, exporting) = self.extraction();
        let data_count =
            if skipped { 0 } else { share(self.plan.rows, at.duration_since(extracting), self.plan.extract) };
        let failing = matches!(self.plan.outcome, Outcome::Failure(_));
        let export_count = (!skipped && !failing && at >= exporting)
            .then(|| share(self.plan.rows, at.duration_since(exporting), self.plan.export));
        let page_count = (data_count + ROWS_PER_PAGE - 1) / ROWS_PER_PAGE;
        Snapshot {
            status,
            started,
            ended: None,
            archived: false,
            message: None,
            data_count,
            export_count,
            page_count,
            // A page in forty needs a second try.
            error_count: page_count / 40,
            run_time: started.map(|started| at.duration_since(started)),
            server: started.map(|_| format!("worker-{:02}", 1 + self.id.rem_euclid(12))),
        }
    }
}

/// `whole` times `done / all`, between 0 and `whole`.
fn share(whole: i64, done: SignedDuration, all: SignedDuration) -> i64 {
    let all = i64::try_from(all.as_millis()).unwrap_or(i64::MAX).max(1);
    let done = i64::try_from(done.as_millis()).unwrap_or(i64::MAX).clamp(0, all);
    whole.saturating_mul(done) / all
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
