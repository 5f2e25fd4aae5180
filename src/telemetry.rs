//! Logs: text or JSON lines on standard error.
//!
//! The MCP library logs errors only: at warn it prints error answers, which name what a client asked for, at info it
//! writes three lines per request, and at debug it prints arguments and results. Outcomes stand in our own access log.

use std::{io::IsTerminal, panic, time::Duration};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, Telemetry};

/// Levels by default. Library logs stay quiet: they can hold arguments.
const QUIET: &str = "info,rmcp=error,hyper=warn,h2=warn,reqwest=warn,rustls=warn";
/// Levels with `DEBUG=1`.
pub const VERBOSE: &str = "info,sequentum_mcp=debug,rmcp=error,hyper=warn,h2=warn,reqwest=warn,rustls=warn";

/// A duration as log lines give it: in milliseconds, to the microsecond.
pub(crate) fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}

/// Starts logging and makes panics one line of it. To be called once.
pub fn start(config: &Telemetry) {
    let filter = EnvFilter::new(if config.debug { VERBOSE } else { QUIET });
    let registry = tracing_subscriber::registry().with(filter);
    // A second start (tests) keeps the first subscriber.
    let _ = match config.format {
        LogFormat::Text => {
            let ansi = std::io::stderr().is_terminal();
            registry
                .with(fmt::layer().with_writer(std::io::stderr).with_ansi(ansi).with_target(false))
                .try_init()
        }
        LogFormat::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
        }
    };
    panic::set_hook(Box::new(|info| {
        // The place only: the message of a panic may hold what it was working on.
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}
