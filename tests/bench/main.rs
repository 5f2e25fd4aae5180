//! `cargo bench`: what a call through the server costs, as a multiple of a pass-through that does nothing.
//!
//! Three kinds of processes run on loopback: a fixed fake platform, a bare pass-through (both are this program in
//! another role) and the release server with authentication, limits and logs on. One driver sends them the same calls
//! by turns, so that whatever else the machine does hits all of them alike, and reads the CPU time of the server under
//! test from `/proc`. Every answer is checked; a wrong one ends the run with a failure. Time never does: figures are
//! printed beside their targets, and judging them is the reader's part.
//!
//! - `cargo bench` takes about three minutes.
//! - `cargo bench -- --quick` (or `BENCH_QUICK=1`) takes some seconds and shows that everything works. Without cargo's
//!   own `--bench` argument, as in `cargo test --benches`, a run is always quick.
//! - `--server PATH` measures another build of this server.
//! - `--against URL --token T --against-pid PID` compares with another implementation. It must serve `get_agent`
//!   without a session and use the fake platform, whose port `--platform-port` fixes. Without a pid, which must be on
//!   this machine, there is only its latency.
#![expect(clippy::print_stdout, reason = "the report goes to standard output")]
#![expect(clippy::print_stderr, reason = "progress and failures go to standard error")]

mod calls;
mod drive;
mod pass_through;
mod platform;
mod process;
mod product;
mod report;
mod run;

use std::{num::NonZeroU32, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::{
    signal::unix::{SignalKind, signal},
    time,
};
use url::Url;

use crate::{
    process::{Outcome, because},
    run::{Options, Other, Plan},
};

/// Same allocator as the product's, for the pass-through's sake.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Longest duration of everything: then all processes are ended.
const DEADLINE: Duration = Duration::from_mins(30);
#[tokio::main]
async fn main() -> ExitCode {
    let arguments = command().get_matches();
    let text = |name: &str| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    let url = |name: &str| text(name).parse::<Url>().map_err(because(format!("--{name}")));
    let outcome = match text("role").as_str() {
        "platform" => platform::run(platform_port(&arguments), &text("audience")).await,
        "pass-through" => match url("platform") {
            Ok(platform) => pass_through::run(&platform).await,
            Err(problem) => Err(problem),
        },
        "keeper" => arguments.get_one("pid").map_or(Ok(()), |pid: &NonZeroU32| process::keep(*pid)),
        _ => bounded(&arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("benchmark failed: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Command {
    let option = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help);
    Command::new("pass_through")
        .about("What a call through the server costs, as a multiple of a bare pass-through")
        .arg(option("quick", "Short rounds: shows that everything works").action(ArgAction::SetTrue))
        .arg(
            option("server", "Another build of this server to measure")
                .default_value(env!("CARGO_BIN_EXE_sequentum-mcp"))
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(option("against", "MCP endpoint of another implementation to compare with"))
        .arg(option("token", "Access token for --against").requires("against").default_value(""))
        .arg(
            option("against-pid", "Process of --against, to count its CPU time")
                .requires("against")
                .value_parser(value_parser!(u32)),
        )
        .arg(
            option("platform-port", "Port of the fake platform, 0 for any")
                .default_value("0")
                .value_parser(value_parser!(u16)),
        )
        .arg(option("bench", "Given by cargo bench").hide(true).action(ArgAction::SetTrue))
        .arg(option("role", "What this process is").hide(true))
        .arg(option("audience", "What the platform's token is for").hide(true))
        .arg(option("pid", "What the keeper ends").hide(true).value_parser(value_parser!(NonZeroU32)))
        .arg(option("platform", "Where the pass-through asks").hide(true))
}

fn platform_port(arguments: &ArgMatches) -> u16 {
    arguments.get_one("platform-port").copied().unwrap_or_default()
}

fn options(arguments: &ArgMatches) -> Outcome<Options> {
    let from_environment =
        std::env::var("BENCH_QUICK").is_ok_and(|value| !matches!(value.as_str(), "" | "0"));
    let quick = arguments.get_flag("quick") || !arguments.get_flag("bench") || from_environment;
    let other = match arguments.get_one::<String>("against") {
        Some(url) => Some(Other {
            endpoint: url.parse().map_err(because("--against"))?,
            token: arguments.get_one::<String>("token").cloned().unwrap_or_default(),
            pid: arguments.get_one("against-pid").copied(),
        }),
        None => None,
    };
    Ok(Options {
        plan: Plan::new(quick),
        server: arguments.get_one::<PathBuf>("server").cloned().unwrap_or_default(),
        platform_port: platform_port(arguments),
        other,
    })
}

/// The benchmark, ended by signals and by the deadline in such a way that its processes end with it.
async fn bounded(arguments: &ArgMatches) -> Outcome<()> {
    let options = options(arguments)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(because("signals"))?;
    let report = tokio::select! {
        outcome = run::benchmark(options) => outcome?,
        _ = tokio::signal::ctrl_c() => return Err("interrupted".into()),
        _ = terminate.recv() => return Err("terminated".into()),
        () = time::sleep(DEADLINE) => return Err(format!("not finished after {DEADLINE:?}")),
    };
    println!("{report}");
    Ok(())
}
