//! `stdio`: over standard input and output, to the user who starts it.

use std::process::ExitCode;

use crate::{app::LocalApp, clock::Clock, config::Config, telemetry};

/// What is printed when there is no key.
const NO_KEY: &str = "\
SEQUENTUM_API_KEY is not set, and `stdio` serves the user whose API key it holds.
An administrator of your organisation makes a key for you on the Users page of the platform; it starts with `sk-` and is
shown once. Put it into the environment that your MCP client gives to this command.
";

pub(super) fn run(config: &Config) -> ExitCode {
    let Some(key) = &config.api.key else {
        super::complain(NO_KEY);
        return ExitCode::from(super::USAGE);
    };
    telemetry::start(&config.telemetry);
    super::block_on(async {
        let app = match LocalApp::new(config, key, Clock::system()) {
            Ok(app) => app,
            Err(error) => {
                super::complain(&format!("The server cannot start: {error}\n"));
                return ExitCode::FAILURE;
            }
        };
        let stop = super::stop_signal();
        tracing::info!(
            platform = config.api.url.as_str(),
            version = env!("CARGO_PKG_VERSION"),
            "serving standard input and output"
        );
        match app.run(stop).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                super::complain(&format!("The server ends: {error}\n"));
                ExitCode::FAILURE
            }
        }
    })
}
