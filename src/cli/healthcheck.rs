//! `healthcheck`: one probe of a running server, for container engines: the image has neither shell nor curl.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use clap::{Arg, ArgMatches, Command};
use url::Url;

use crate::{api::error::chain, config::Config, outbound};

/// Longest wait for the answer. Engines give a probe a few seconds and count from its start.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn command() -> Command {
    Command::new("healthcheck")
        .about("Ask the server on this machine whether it is alive: exit code 0 or 1, and one line")
        .arg(
            Arg::new("ready")
                .long("ready")
                .num_args(0)
                .help("Ask whether it is ready for requests (/readyz instead of /livez)"),
        )
        .arg(
            Arg::new("url")
                .long("url")
                .value_name("ORIGIN")
                .value_parser(address)
                .help("Where to ask [default: HOST and PORT on this machine]"),
        )
}

/// What `--url` takes.
fn address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or("give the address with its scheme, like http://localhost:3000")
}

pub(super) fn run(config: &Config, matches: &ArgMatches) -> ExitCode {
    let path = if matches.get_flag("ready") { "/readyz" } else { "/livez" };
    let origin = match matches.get_one::<Url>("url") {
        Some(url) => Some(url.clone()),
        None => local_origin(config.http.host, config.http.port),
    };
    let Some(probe) = origin.and_then(|origin| origin.join(path).ok()) else {
        super::complain("PORT=0 is any free port: give the address with --url.\n");
        return ExitCode::from(super::USAGE);
    };
    super::block_on(async move {
        match ask(&probe).await {
            Ok(()) => {
                super::say(&format!("ok: {probe} answers\n"));
                ExitCode::SUCCESS
            }
            Err(cause) => {
                super::complain(&format!("failed: {probe} {cause}\n"));
                ExitCode::FAILURE
            }
        }
    })
}

async fn ask(probe: &Url) -> Result<(), String> {
    let client = outbound::client(probe).map_err(|error| format!("cannot be asked: {}", chain(&error)))?;
    match client.get(probe.clone()).timeout(PATIENCE).send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("answers with status {}", answer.status().as_u16())),
        Err(error) => Err(format!("does not answer: {}", chain(&error.without_url()))),
    }
}

/// Where a server with these settings is reached from this machine; `None` for a port that only the server knows.
pub(super) fn local_origin(host: IpAddr, port: u16) -> Option<Url> {
    let host = match host {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    if port == 0 {
        return None;
    }
    Url::parse(&format!("http://{}/", SocketAddr::new(host, port))).ok()
}
