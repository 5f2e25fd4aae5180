//! `demo`: the server in front of a simulated platform, both on this machine.
//!
//! The server is configured exactly as in production, by its settings; only the addresses of platform and issuer are
//! those of the simulation, and it listens on loopback whatever `HOST` says: the passwords of its users are printed.

use std::{net::Ipv4Addr, process::ExitCode};

use tokio::net::TcpListener;

use crate::{
    app::App,
    clock::Clock,
    config::Config,
    demo::{Options, Platform},
    telemetry,
};

/// Where the simulated platform listens unless told otherwise.
const PLATFORM_PORT: u16 = 3001;

pub(super) fn run(mut config: Config, platform_port: Option<u16>) -> ExitCode {
    telemetry::start(&config.telemetry);
    super::block_on(async move {
        let platform = match start(platform_port).await {
            Ok(platform) => platform,
            Err(error) => {
                super::complain(&format!(
                    "The simulated platform cannot start: {error}; choose another --platform-port\n"
                ));
                return ExitCode::FAILURE;
            }
        };
        config.api.url = platform.url().clone();
        config.auth.issuers = vec![platform.issuer().to_owned()];
        let app = match App::bind(&config, Clock::system()).await {
            Ok(app) => app,
            Err(error) => {
                super::complain(&format!("The server cannot start: {error}\n"));
                return ExitCode::FAILURE;
            }
        };
        super::say(&welcome(&app.endpoint(), &platform));
        app.run(super::stop_signal()).await;
        platform.shutdown().await;
        ExitCode::SUCCESS
    })
}

async fn start(port: Option<u16>) -> std::io::Result<Platform> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = match port {
        Some(port) => bind(port).await?,
        None => match bind(PLATFORM_PORT).await {
            Ok(listener) => listener,
            Err(_taken) => bind(0).await?,
        },
    };
    Platform::start(listener, Options::default()).await
}

/// What a newcomer needs, ready to paste.
fn welcome(endpoint: &str, platform: &Platform) -> String {
    let logins = Platform::logins().map(|login| {
        format!("  {:<26} password {:<16} {}", login.username, login.password, login.organization)
    });
    let [first, ..] = Platform::logins();
    let program = std::env::current_exe().map_or("sequentum-mcp".into(), |path| path.display().to_string());
    format!(
        "\
Sequentum MCP server, demo: everything runs on this machine, nothing is real but the protocols.

  MCP endpoint         {endpoint}
  Simulated platform   {platform}

Sign in (the page opens in the browser when a client connects) as one of:
{logins}

Claude Code
  claude mcp add --transport http sequentum-demo {endpoint}

Cursor (~/.cursor/mcp.json)
  {{ \"mcpServers\": {{ \"sequentum-demo\": {{ \"url\": \"{endpoint}\" }} }} }}

VS Code (.vscode/mcp.json)
  {{ \"servers\": {{ \"sequentum-demo\": {{ \"type\": \"http\", \"url\": \"{endpoint}\" }} }} }}

Without the browser, over standard input and output (as {user})
  {{ \"mcpServers\": {{ \"sequentum-demo\": {{ \"command\": \"{program}\", \"args\": [\"stdio\"],
    \"env\": {{ \"SEQUENTUM_API_URL\": \"{platform}\", \"SEQUENTUM_API_KEY\": \"{key}\" }} }} }} }}

curl (shows the sign-in challenge that clients follow)
  curl -i -X POST {endpoint}

Stop with Ctrl-C.
",
        platform = platform.url(),
        user = first.username,
        key = first.api_key,
        logins = logins.join("\n"),
    )
}
