//! `sequence-mcp`: the server for Sequence banking, a command of its own.

use std::process::ExitCode;

use clap::Command;

use crate::{
    sequence::{self, Config},
    telemetry,
};

/// The command.
const NAME: &str = "sequence-mcp";

/// Reads the command line, serves standard input and output until the client closes its end, and turns the result into an
/// exit code: 0 done, 1 failed, 2 not understood.
#[must_use]
pub fn main() -> ExitCode {
    let matches = match super::parse(command(), std::env::args_os()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let config = super::sources(&matches, sequence::settings::ALL)
        .map_err(|problem| vec![problem])
        .and_then(|sources| Config::load(&sources));
    super::run_with(NAME, config, |config| run(&config))
}

/// The whole command line, for the test that reads the documentation.
#[must_use]
pub fn command() -> Command {
    let command = Command::new(NAME).version(env!("CARGO_PKG_VERSION")).about(
        "MCP server for Sequence banking (getsequence.io): balances and rules of one user, over standard input and output",
    );
    super::with_settings(command, sequence::settings::ALL)
}

fn run(config: &Config) -> ExitCode {
    telemetry::start(&config.telemetry);
    super::block_on(async {
        let stop = super::stop_signal();
        match sequence::serve(config, stop).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                super::complain(&format!("The server stopped: {error}\n"));
                ExitCode::FAILURE
            }
        }
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
