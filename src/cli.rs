//! Commands and flags.
//!
//! `serve` is also what runs without a command. Every setting is a flag, made from the table in
//! [`settings`], so there is nothing to keep in step by hand.

mod catalog;
mod demo;
mod serve;

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use clap::{Arg, ArgMatches, Command, error::ErrorKind, value_parser};

use crate::config::{Config, Problem, Sources, settings};

/// Bad configuration or command line.
const USAGE: u8 = 2;

/// Reads the command line, runs the command, and turns the result into an exit code: 0 done, 1 failed, 2 not understood.
#[must_use]
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Nothing is left to report to if standard error is gone.
            let _ = error.print();
            return if help { ExitCode::SUCCESS } else { ExitCode::from(USAGE) };
        }
    };
    let (name, matches) = matches.subcommand().unwrap_or(("serve", &matches));
    match name {
        "demo" => with_config(matches, |config| demo::run(config, port(matches))),
        "catalog" => catalog::run(matches),
        _ => with_config(matches, |config| serve::run(&config)),
    }
}

fn command() -> Command {
    let mut command = Command::new("sequentum-mcp")
        .version(env!("CARGO_PKG_VERSION"))
        .about("MCP server for the Sequentum web-scraping platform")
        .subcommand(Command::new("serve").about("Serve over HTTP to many users (also what runs without a command)"))
        .subcommand(
            Command::new("demo")
                .about("Try it without an account: this server in front of a simulated platform, on this machine")
                .arg(
                    Arg::new("platform-port")
                        .long("platform-port")
                        .value_name("PORT")
                        .value_parser(value_parser!(u16))
                        .help("Port of the simulated platform [default: 3001, or any free one if that is taken]"),
                ),
        )
        .subcommand(
            Command::new("catalog")
                .about("Print the reference of tools, prompts, resources or settings")
                .arg(
                    Arg::new("page")
                        .value_parser(["tools", "prompts", "resources", "configuration"])
                        .default_value("tools")
                        .help("What to print"),
                )
                .arg(Arg::new("json").long("json").num_args(0).help("The same as JSON, but for the configuration")),
        )
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .global(true)
                .help("TOML file with settings"),
        );
    for setting in settings::ALL {
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
    let config = sources(matches).map_err(|problem| vec![problem]).and_then(|sources| Config::load(&sources));
    match config {
        Ok(config) => run(config),
        Err(problems) => {
            let mut text = String::from("The configuration was refused:\n");
            for problem in problems {
                text.push_str("  - ");
                text.push_str(&problem.to_string());
                text.push('\n');
            }
            text.push_str("Run `sequentum-mcp --help` for all settings.\n");
            complain(&text);
            ExitCode::from(USAGE)
        }
    }
}

fn sources(matches: &ArgMatches) -> Result<Sources, Problem> {
    // Variables that are not UTF-8 are no settings of ours; iterating with `vars` would panic on them.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut sources = Sources::default().with_environment(environment);
    for setting in settings::ALL {
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
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            complain(&format!("The runtime cannot be started: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Completes on SIGTERM or Ctrl-C. A second signal ends the process at once.
async fn stop_signal() {
    wait_for_signal().await;
    tokio::spawn(async {
        wait_for_signal().await;
        std::process::exit(130);
    });
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
