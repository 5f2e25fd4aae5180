//! The report: one Markdown table, ratios first, each figure beside its target.

use std::{
    fmt::{self, Write as _},
    fs,
    time::Duration,
};

use crate::{
    drive::{CONNECTIONS, Load, STALL, Series},
    process::Memory,
    run::{Plan, idle_rate},
};

/// All series, by name.
pub(crate) struct Figures {
    /// The fake platform, asked directly.
    pub(crate) platform: Series,
    /// The yardstick.
    pub(crate) pass_through: Series,
    /// `tools/call` of revision 2025-06-18.
    pub(crate) legacy: Series,
    /// `tools/call` of revision 2026-07-28.
    pub(crate) modern: Series,
    /// `tools/list`.
    pub(crate) list: Series,
    /// `ping`.
    pub(crate) ping: Series,
    /// Another implementation.
    pub(crate) other: Option<Series>,
    /// The server's starts, one after another.
    pub(crate) starts: Vec<Duration>,
    /// Its memory after the start and after all calls.
    pub(crate) memory: (Memory, Memory),
    /// Size of the server's binary in bytes.
    pub(crate) binary: u64,
}

impl Figures {
    /// The series in the order of a turn.
    pub(crate) fn series(&self) -> impl Iterator<Item = &Series> {
        let fixed = [&self.platform, &self.pass_through, &self.legacy, &self.modern, &self.list, &self.ping];
        fixed.into_iter().chain(&self.other)
    }

    /// The same, to add a round.
    pub(crate) fn series_mut(&mut self) -> impl Iterator<Item = &mut Series> {
        let fixed = [
            &mut self.platform,
            &mut self.pass_through,
            &mut self.legacy,
            &mut self.modern,
            &mut self.list,
            &mut self.ping,
        ];
        fixed.into_iter().chain(&mut self.other)
    }
}

/// The table under construction.
struct Table(String);

impl Table {
    fn row(&mut self, figure: impl fmt::Display, measured: impl fmt::Display, target: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "| {figure} | {measured} | {target} |");
    }
}

/// The whole report.
pub(crate) fn markdown(figures: &Figures, plan: &Plan) -> String {
    let mut table = Table(heading(plan));
    table.row("**CPU per call**", "", "");
    for (series, target) in [(&figures.legacy, "at most 2.5 x"), (&figures.modern, "at most 2.5 x")] {
        table.row(format!("{} / pass-through", label(series)), ratio(series, &figures.pass_through), target);
    }
    if let Some(other) = figures.other.as_ref().filter(|other| other.pid.is_some()) {
        let figure = format!("{} / {}", label(other), label(&figures.legacy));
        table.row(figure, ratio(other, &figures.legacy), "at least 10 x");
    }
    for series in figures.series().filter(|series| series.pid.is_some()) {
        table.row(label(series), cpu_per_call(series), "");
    }

    table.row(
        format!("**Latency, {CONNECTIONS} connections, {} calls/s (idle machine)**", idle_rate()),
        "",
        "",
    );
    let platform = Latency::of([&figures.platform.paced]);
    let paced = [Some(&figures.pass_through), Some(&figures.legacy), figures.other.as_ref()];
    for series in paced.into_iter().flatten() {
        let target = if std::ptr::eq(series, &raw const figures.legacy) { "below 2 ms" } else { "" };
        let added = f64::from(Latency::of([&series.paced]).p99) - f64::from(platform.p99);
        table.row(format!("{}: added p99", label(series)), format!("{:.2} ms", added / 1e3), target);
    }
    table.row(label(&figures.platform), platform, "");
    for series in paced.into_iter().flatten() {
        table.row(label(series), Latency::of([&series.paced]), "");
    }

    table.row(format!("**Latency, {CONNECTIONS} connections, closed loop (all CPUs busy)**"), "", "");
    for series in figures.series() {
        table.row(label(series), Latency::of(&series.rounds), "");
    }

    let (start, end) = figures.memory;
    table.row("**Server**", "", "");
    table.row("memory at start", format!("{} MB", megabytes(start.now)), "below 25 MB");
    let after = format!("{} MB, peak {} MB", megabytes(end.now), megabytes(end.peak));
    table.row("memory after the load", after, "flat");
    table.row("start to first healthy answer", starts(&figures.starts), "below 50 ms");
    let binary = Duration::from_micros(figures.binary).as_secs_f64();
    table.row("binary", format!("{binary:.1} MB"), "image below 25 MB");
    table.row("tools/list, one answer", format!("{} bytes", figures.list.size), "at most 45 kB");
    table.0
}

fn heading(plan: &Plan) -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown CPU", |(_, model)| model.trim());
    let warning = match (cfg!(debug_assertions), plan.quick) {
        (true, _) => "\n**Unoptimised build: the figures mean nothing.**\n",
        (false, true) => "\n**Quick run: it shows that everything works; the figures are rough.**\n",
        (false, false) => "",
    };
    format!(
        "# Benchmark against a pass-through\n\n{cpus} x {model}, shared by driver, platform and server. Rounds by \
         turns: {}; median (least to most).\n{warning}\n| Figure | Measured | Target |\n| --- | --- | --- |\n",
        plan.rounds,
    )
}

fn label(series: &Series) -> &'static str {
    series.call.label
}

/// How many times the CPU per call of `base`, round by round.
fn ratio(series: &Series, base: &Series) -> String {
    let pairs = series.rounds.iter().zip(&base.rounds);
    let (low, middle, high) = spread(pairs.map(|(one, base)| one.cpu_per_call() / base.cpu_per_call()));
    format!("**{middle:.2} x** ({low:.2} to {high:.2})")
}

fn cpu_per_call(series: &Series) -> String {
    let (low, middle, high) = spread(series.rounds.iter().map(Load::cpu_per_call));
    let calls: u32 = series.rounds.iter().map(Load::calls).sum();
    format!("{middle:.1} µs ({low:.1} to {high:.1}), {calls} calls")
}

fn starts(times: &[Duration]) -> String {
    let (low, middle, high) = spread(times.iter().map(|time| time.as_secs_f64() * 1e3));
    format!("{middle:.0} ms ({low:.0} to {high:.0}, {} starts)", times.len())
}

fn megabytes(kilobytes: u32) -> String {
    format!("{:.1}", f64::from(kilobytes) * 1024.0 / 1e6)
}

/// Least, median and most.
fn spread(values: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    (at(0), at(values.len() / 2), at(values.len().saturating_sub(1)))
}

/// A distribution of latencies, in microseconds.
struct Latency {
    p50: u32,
    p90: u32,
    p99: u32,
    max: u32,
    stalls: usize,
    calls: usize,
}

impl Latency {
    fn of<'a>(rounds: impl IntoIterator<Item = &'a Load>) -> Self {
        let mut all: Vec<u32> = rounds.into_iter().flat_map(|load| &load.latencies).copied().collect();
        all.sort_unstable();
        let at = |percent: usize| {
            all.get((all.len() * percent / 100).min(all.len().saturating_sub(1))).copied().unwrap_or(0)
        };
        let stalls = all.iter().filter(|&&latency| u128::from(latency) >= STALL.as_micros()).count();
        Self { p50: at(50), p90: at(90), p99: at(99), max: at(100), stalls, calls: all.len() }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |micros: u32| f64::from(micros) / 1e3;
        write!(
            f,
            "p50 {:.2} / p90 {:.2} / p99 {:.2} / max {:.2} ms; {} of {} calls took {} ms or more",
            ms(self.p50),
            ms(self.p90),
            ms(self.p99),
            ms(self.max),
            self.stalls,
            self.calls,
            STALL.as_millis(),
        )
    }
}
