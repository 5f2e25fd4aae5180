//! `doctor`: what is wrong with an installation, and what to do about it.
//!
//! It asks the issuers and the platform the way the server does, and the server itself the way clients do: from the
//! outside, through the published address. Introspection, `LIMITS_STORE` and the collector of traces are not asked. Texts
//! of others are quoted, never trusted.

mod ask;
mod issuer;
mod platform;
mod published;
mod token;

use std::{fmt::Write as _, process::ExitCode};

use clap::{Arg, ArgMatches, Command};
use secrecy::SecretString;
use serde::Serialize;

use crate::{
    clock::Clock,
    config::{Config, Problem},
};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    /// It works, or may work, but not as well as it could, or something could not be looked at.
    Warning,
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    /// What was found.
    finding: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    fn ok(name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, finding: finding.into(), remedy: None }
    }

    fn warning(name: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Warning, remedy: Some(remedy.into()), ..Self::ok(name, finding) }
    }

    fn failed(name: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Failed, ..Self::warning(name, finding, remedy) }
    }
}

pub(super) fn command() -> Command {
    Command::new("doctor")
        .about("Check settings, issuer, platform and the published server: exit code 1 if something failed")
        .arg(Arg::new("json").long("json").num_args(0).help("Print the findings as JSON"))
        .arg(
            Arg::new("token-env")
                .long("token-env")
                .value_name("NAME")
                .help("Also make a call with the access token or API key in this environment variable"),
        )
}

pub(super) fn run(config: Result<Config, Vec<Problem>>, matches: &ArgMatches) -> ExitCode {
    let token = matches.get_one::<String>("token-env").map(|name| (name.clone(), read_token(name)));
    let json = matches.get_flag("json");
    super::block_on(async move {
        let checks = match config {
            Ok(config) => examine(&config, token, &Clock::system()).await,
            Err(problems) => problems.iter().map(refused).collect(),
        };
        super::say(&if json { as_json(&checks) } else { as_text(&checks) });
        let failed = checks.iter().any(|check| check.status == Status::Failed);
        if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    })
}

fn read_token(name: &str) -> Option<SecretString> {
    let value = std::env::var(name).ok()?;
    (!value.trim().is_empty()).then(|| value.trim().into())
}

/// A setting that was refused. Nothing else can be looked at then.
fn refused(problem: &Problem) -> Check {
    Check::failed(
        "configuration",
        problem.to_string(),
        "Correct the setting; `sequentum-mcp --help` shows all of them. Everything else is checked after that.",
    )
}

async fn examine(
    config: &Config,
    token: Option<(String, Option<SecretString>)>,
    clock: &Clock,
) -> Vec<Check> {
    let mut checks = configuration(config);
    let (issuer, platform, published) =
        tokio::join!(issuer::check(config, clock), platform::check(config), published::check(config));
    checks.extend(issuer);
    checks.extend(platform);
    let is_up = published.iter().all(|check| check.name != published::SERVER || check.status == Status::Ok);
    checks.extend(published);
    if let Some((name, token)) = token {
        checks.extend(token::check(config, &name, token.as_ref(), is_up).await);
    }
    if let Some(key) = &config.api.key {
        checks.extend(token::check(config, "SEQUENTUM_API_KEY", Some(key), is_up).await);
    }
    checks
}

/// What is allowed and still unwise.
fn configuration(config: &Config) -> Vec<Check> {
    const NAME: &str = "configuration";
    let mut checks = vec![Check::ok(NAME, "every setting can be used")];
    if config.sessions.keys.is_empty() && !config.http.host.is_loopback() {
        checks.push(Check::warning(
            NAME,
            "SESSION_KEY is not set: sessions and tasks are unknown to other replicas and after a restart",
            "Set SESSION_KEY to 32 random bytes, for instance from `openssl rand -hex 32`.",
        ));
    }
    if !config.auth.required {
        checks.push(Check::warning(
            NAME,
            "REQUIRE_AUTH=false lets everybody on this machine in, and the platform refuses their calls",
            "Leave REQUIRE_AUTH unset, and try `sequentum-mcp demo` for a server without an account.",
        ));
    }
    checks
}

fn as_text(checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { name, status, finding, remedy } in checks {
        let status = match status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Failed => "failed",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{status:<8} {name}: {finding}");
        if let Some(remedy) = remedy {
            let _ = writeln!(text, "         -> {remedy}");
        }
    }
    let count = |wanted| checks.iter().filter(|check| check.status == wanted).count();
    let [ok, warnings, failed] = [Status::Ok, Status::Warning, Status::Failed].map(count);
    let plural = if warnings == 1 { "" } else { "s" };
    let _ = writeln!(text, "\n{ok} ok, {warnings} warning{plural}, {failed} failed");
    text
}

fn as_json(checks: &[Check]) -> String {
    let healthy = checks.iter().all(|check| check.status != Status::Failed);
    let report =
        serde_json::json!({"version": env!("CARGO_PKG_VERSION"), "healthy": healthy, "checks": checks});
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}
