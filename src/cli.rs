//! Commands and flags.
//!
//! `serve` is also what runs without a command. Every setting is a flag, made from the table in
//! [`settings`], so there is nothing to keep in step by hand.

mod catalog;
mod demo;
mod doctor;
mod healthcheck;
mod login;
mod logout;
pub mod sequence;
mod serve;
mod stdio;

use std::{ffi::OsString, fmt::Write as _, io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Arg, ArgMatches, Command, error::ErrorKind, value_parser};

use crate::config::{
    Config, Problem, Sources,
    settings::{self, Setting},
};

/// The command.
const NAME: &str = "sequentum-mcp";
/// Bad configuration or command line.
const USAGE: u8 = 2;

/// Reads the command line, runs the command, and turns the result into an exit code: 0 done, 1 failed, 2 not understood.
#[must_use]
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match parse(command(), arguments) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let (name, matches) = matches.subcommand().unwrap_or(("serve", &matches));
    match name {
        "demo" => with_config_on_loopback(matches, |config| demo::run(config, port(matches))),
        "catalog" => catalog::run(matches),
        "doctor" => doctor::run(load(matches, |sources| sources), matches),
        "healthcheck" => with_config(matches, |config| healthcheck::run(&config, matches)),
        "login" => with_config_on_loopback(matches, |config| login::run(&config, matches)),
        "logout" => with_config_on_loopback(matches, |config| logout::run(&config)),
        "stdio" => with_config_on_loopback(matches, |config| stdio::run(&config)),
        _ => with_config(matches, |config| serve::run(&config)),
    }
}

/// Reads a command line. The error is what the process ends with: help has been printed, or what is wrong.
fn parse(command: Command, arguments: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, ExitCode> {
    command.try_get_matches_from(arguments).map_err(|error| {
        let help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        // Nothing is left to report to if standard error is gone.
        let _ = error.print();
        if help { ExitCode::SUCCESS } else { ExitCode::from(USAGE) }
    })
}

/// The whole command line. A test holds the commands in the documentation against it.
#[must_use]
pub fn command() -> Command {
    let command = Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about("MCP server for the Sequentum web-scraping platform")
        .subcommand(Command::new("serve").about("Serve over HTTP to many users (also what runs without a command)"))
        .subcommand(Command::new("stdio").about(
            "Serve one user over standard input and output, with the API key in SEQUENTUM_API_KEY or the sign-in of `login`",
        ))
        .subcommand(
            Command::new("demo")
                .about("Try it without an account: the server and a simulated platform, both on this machine")
                .arg(
                    Arg::new("platform-port")
                        .long("platform-port")
                        .value_name("PORT")
                        .value_parser(value_parser!(u16))
                        .help("Port of the simulated platform [default: 3001, or any free one if that is taken]"),
                ),
        )
        .subcommand(login::command())
        .subcommand(Command::new("logout").about("Sign out: delete the sign-in of `login`"))
        .subcommand(doctor::command())
        .subcommand(healthcheck::command())
        .subcommand(
            Command::new("catalog")
                .about("Print the reference of tools, prompts, resources, settings or metrics, or the lists in the README")
                .arg(
                    Arg::new("page")
                        .value_parser(["tools", "prompts", "resources", "configuration", "metrics", "readme"])
                        .default_value("tools")
                        .help("What to print"),
                )
                .arg(Arg::new("json").long("json").num_args(0).help("Print tools, prompts or resources as JSON")),
        );
    with_settings(command, settings::ALL)
}

/// A flag for each setting, and one for the file.
fn with_settings(mut command: Command, known: &[&'static Setting]) -> Command {
    command = command.arg(
        Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .global(true)
            .help("TOML file with settings"),
    );
    for setting in known {
        if let Some(flag) = setting.flag() {
            command =
                command.arg(Arg::new(setting.name).long(flag).value_name("VALUE").global(true).help(
                    format!("{} [env: {}] [default: {}]", setting.help, setting.name, setting.default),
                ));
        }
    }
    command
}

fn with_config(matches: &ArgMatches, run: impl FnOnce(Config) -> ExitCode) -> ExitCode {
    run_with(NAME, load(matches, |sources| sources), run)
}

/// For commands that listen on nothing or on loopback only: the address that is set, by the container image for one, is no
/// concern of theirs, and neither is what it demands.
fn with_config_on_loopback(matches: &ArgMatches, run: impl FnOnce(Config) -> ExitCode) -> ExitCode {
    run_with(NAME, load(matches, |sources| sources.with_flag(&settings::HOST, "localhost")), run)
}

fn load(matches: &ArgMatches, adapt: impl FnOnce(Sources) -> Sources) -> Result<Config, Vec<Problem>> {
    let sources = sources(matches, settings::ALL).map_err(|problem| vec![problem])?;
    Config::load(&adapt(sources))
}

fn run_with<C>(program: &str, config: Result<C, Vec<Problem>>, run: impl FnOnce(C) -> ExitCode) -> ExitCode {
    match config {
        Ok(config) => run(config),
        Err(problems) => {
            let mut text = String::from("The configuration was refused:\n");
            for problem in problems {
                text.push_str("  - ");
                text.push_str(&problem.to_string());
                text.push('\n');
            }
            let _ = writeln!(text, "Run `{program} --help` for all settings.");
            complain(&text);
            ExitCode::from(USAGE)
        }
    }
}

fn sources(matches: &ArgMatches, known: &'static [&'static Setting]) -> Result<Sources, Problem> {
    // Variables that are not UTF-8 are no settings of ours; iterating with `vars` would panic on them.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut sources = Sources::of(known).with_environment(environment);
    for setting in known {
        if let Some(value) = setting.flag().and_then(|_| matches.get_one::<String>(setting.name)) {
            sources = sources.with_flag(setting, value);
        }
    }
    match matches.get_one::<PathBuf>("config") {
        None => Ok(sources),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| Problem {
                subject: format!("--config={}", path.display()),
                cause: format!("cannot be read: {error}"),
            })?;
            sources.with_file(&text)
        }
    }
}

fn port(matches: &ArgMatches) -> Option<u16> {
    matches.get_one::<u16>("platform-port").copied()
}

/// To standard output. A closed pipe ends the conversation, not the process.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// To standard error.
fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Runs a future on a multi-threaded runtime.
fn block_on(work: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(work);
            // Waits for nothing: where standard input is no pipe, a thread of the runtime may be reading it for good.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            complain(&format!("The runtime cannot be started: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Completes on SIGTERM or Ctrl-C, which are listened to from the call on. A second signal ends the process at once.
fn stop_signal() -> impl Future<Output = ()> {
    let mut signals = Signals::listen();
    async move {
        signals.next().await;
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(130);
        });
    }
}

/// SIGTERM and Ctrl-C.
#[cfg(unix)]
struct Signals([Option<tokio::signal::unix::Signal>; 2]);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).ok()))
    }

    async fn next(&mut self) {
        let [terminate, interrupt] = &mut self.0;
        tokio::select! {
            () = received(terminate) => {}
            () = received(interrupt) => {}
        }
    }
}

/// What cannot be listened to never comes.
#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
