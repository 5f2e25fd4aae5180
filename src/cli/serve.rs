//! `serve`: over HTTP, to many users.

use std::process::ExitCode;

use crate::{app::App, clock::Clock, config::Config, telemetry};

pub(super) fn run(config: &Config) -> ExitCode {
    telemetry::start(&config.telemetry);
    super::block_on(async {
        match App::bind(config, Clock::system()).await {
            Ok(app) => {
                tracing::info!(
                    endpoint = app.endpoint(),
                    platform = config.api.url.as_str(),
                    issuers = config.auth.issuers.join(" "),
                    version = env!("CARGO_PKG_VERSION"),
                    "serving"
                );
                app.run(super::stop_signal()).await;
                ExitCode::SUCCESS
            }
            Err(error) => {
                super::complain(&format!("The server cannot start: {error}\n"));
                ExitCode::FAILURE
            }
        }
    })
}
