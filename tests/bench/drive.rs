//! The driver: 32 connections, each with one call at a time, and what that cost whom.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Client;
use tokio::{
    task::JoinSet,
    time::{self, MissedTickBehavior},
};

use crate::{
    calls::Call,
    process::{Outcome, because, cpu},
};

/// Connections, and therefore calls under way at any time.
pub(crate) const CONNECTIONS: u32 = 32;
/// A call that took this long met a 40 ms timer: Nagle's algorithm against a delayed acknowledgement.
pub(crate) const STALL: Duration = Duration::from_millis(35);
/// How often the end of a round is looked for.
const WATCH: Duration = Duration::from_millis(20);

/// How fast the connections follow one call with the next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// At once. Everything queues for the CPUs, so latency is mostly the reciprocal of throughput.
    Saturated,
    /// Each connection once in this time, the connections taking turns: an idle machine.
    Every(Duration),
}

/// When a round ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Length {
    /// When the server has used so much CPU time...
    pub(crate) cpu: Duration,
    /// ...or after this time at the latest.
    pub(crate) wall: Duration,
}

/// What a round cost.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// How long each call took, in microseconds.
    pub(crate) latencies: Vec<u32>,
    /// CPU time that the server under test used.
    pub(crate) cpu: Duration,
    /// How long the round took.
    pub(crate) wall: Duration,
}

impl Load {
    /// Number of calls.
    pub(crate) fn calls(&self) -> u32 {
        u32::try_from(self.latencies.len()).unwrap_or(u32::MAX)
    }

    /// CPU time per call, in microseconds.
    pub(crate) fn cpu_per_call(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(self.calls().max(1))
    }

    /// Adds a further round of the same.
    pub(crate) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.cpu += other.cpu;
        self.wall += other.wall;
    }
}

/// Drives one round. The CPU time is that of `pid`, zero without one.
pub(crate) async fn round(
    client: &Client,
    call: &Arc<Call>,
    pid: Option<u32>,
    pace: Pace,
    length: Length,
) -> Outcome<Load> {
    let total = || pid.map_or(Ok(Duration::ZERO), cpu);
    let (start, before) = (Instant::now(), total()?);
    let used = || total().map(|total| total.saturating_sub(before));
    let stop = Arc::new(AtomicBool::new(false));
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        connections.spawn(connection(client.clone(), Arc::clone(call), number, pace, Arc::clone(&stop)));
    }
    while start.elapsed() < length.wall && used()? < length.cpu && !stop.load(Ordering::Relaxed) {
        time::sleep(WATCH.min(length.wall.saturating_sub(start.elapsed()))).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut load = Load::default();
    while let Some(latencies) = connections.join_next().await {
        load.latencies.extend(latencies.map_err(because("driver"))??);
    }
    load.cpu = used()?;
    load.wall = start.elapsed();
    Ok(load)
}

/// One connection: calls until it is told to stop, and stops all others when an answer is wrong.
async fn connection(
    client: Client,
    call: Arc<Call>,
    number: u32,
    pace: Pace,
    stop: Arc<AtomicBool>,
) -> Outcome<Vec<u32>> {
    let mut ticks = match pace {
        Pace::Saturated => None,
        Pace::Every(period) => {
            let first = time::Instant::now() + period / CONNECTIONS * number;
            let mut ticks = time::interval_at(first, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            Some(ticks)
        }
    };
    let mut latencies = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let start = Instant::now();
        if let Err(wrong) = call.once(&client).await {
            stop.store(true, Ordering::Relaxed);
            return Err(wrong);
        }
        latencies.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}

/// Everything measured of one kind of call.
pub(crate) struct Series {
    /// The call.
    pub(crate) call: Arc<Call>,
    /// The server whose CPU time counts.
    pub(crate) pid: Option<u32>,
    /// CPU time per saturated round.
    pub(crate) cpu: Duration,
    /// Size of an answer in bytes.
    pub(crate) size: usize,
    /// The saturated rounds.
    pub(crate) rounds: Vec<Load>,
    /// The paced rounds, as one.
    pub(crate) paced: Load,
}

impl Series {
    /// Starts the series: checks one answer closely, so that nothing wrong is ever measured.
    pub(crate) async fn open(client: &Client, call: Call, pid: Option<u32>, cpu: Duration) -> Outcome<Self> {
        let size = call.check(client).await?;
        let call = Arc::new(call);
        Ok(Self { call, pid, cpu, size, rounds: Vec::new(), paced: Load::default() })
    }

    /// Drives for `wall` without keeping the figures: fills pools and caches.
    pub(crate) async fn warm_up(&self, client: &Client, wall: Duration) -> Outcome<()> {
        let length = Length { cpu: Duration::MAX, wall };
        round(client, &self.call, None, Pace::Saturated, length).await.map(drop)
    }

    /// One more saturated round, `wall` at the longest.
    pub(crate) async fn saturate(&mut self, client: &Client, wall: Duration) -> Outcome<()> {
        let length = Length { cpu: self.cpu, wall };
        self.rounds.push(round(client, &self.call, self.pid, Pace::Saturated, length).await?);
        Ok(())
    }

    /// One more paced round of `wall`.
    pub(crate) async fn pace(&mut self, client: &Client, period: Duration, wall: Duration) -> Outcome<()> {
        let length = Length { cpu: Duration::MAX, wall };
        self.paced.add(round(client, &self.call, self.pid, Pace::Every(period), length).await?);
        Ok(())
    }
}
