//! `login`: signs the user of `stdio` in through the browser.

use std::process::{ExitCode, Stdio};

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::{
    app,
    auth::ScopeSet,
    clock::Clock,
    config::Config,
    sign_in::{Attempt, SignIn, SignInError, Store, Wanted},
    telemetry,
    tools::{Catalog, Reach},
};

const PORT: &str = "redirect-port";
const NO_BROWSER: &str = "no-browser";

pub(super) fn command() -> Command {
    Command::new("login")
        .about("Sign in through the browser, for `stdio` without an API key")
        .arg(
            Arg::new(NO_BROWSER)
                .long(NO_BROWSER)
                .num_args(0)
                .help("Only print the address of the page; do not open a browser"),
        )
        .arg(
            Arg::new(PORT)
                .long(PORT)
                .value_name("PORT")
                .value_parser(value_parser!(u16))
                .help("Port on this machine to which the sign-in page leads back: the one that LOGIN_CLIENT_ID is registered for [default: any free one]"),
        )
}

pub(super) fn run(config: &Config, matches: &ArgMatches) -> ExitCode {
    telemetry::start(&config.telemetry);
    let port = matches.get_one::<u16>(PORT).copied().unwrap_or(0);
    let browser = !matches.get_flag(NO_BROWSER);
    super::block_on(async {
        let sign_in = tokio::select! {
            result = Box::pin(sign_in(config, port, browser)) => result,
            () = super::stop_signal() => {
                super::complain("Sign-in cancelled.\n");
                return ExitCode::FAILURE;
            }
        };
        match sign_in {
            Ok((store, sign_in)) => {
                super::say(&format!(
                    "Signed in to {} with the scopes {}.\nThe tokens are in {}, which only you can read. `sequentum-mcp stdio` uses them while SEQUENTUM_API_KEY is not set; `sequentum-mcp logout` forgets them.\n",
                    sign_in.platform,
                    sign_in.scope,
                    store.path().display()
                ));
                ExitCode::SUCCESS
            }
            Err(error) => {
                super::complain(&format!("Signing in failed: {error}.\n"));
                ExitCode::FAILURE
            }
        }
    })
}

async fn sign_in(config: &Config, redirect_port: u16, browser: bool) -> Result<(Store, SignIn), SignInError> {
    let store = Store::of_the_user()?;
    let wanted = Wanted {
        platform: &config.api.url,
        issuer: config.auth.issuers.first().map_or("", String::as_str),
        client_id: config.api.login_client_id.as_deref(),
        scopes: scopes(config),
        redirect_port,
    };
    let attempt = Attempt::begin(&wanted).await?;
    let page = attempt.page();
    super::say(&format!(
        "To sign in, open this page in a browser on this machine:\n\n  {page}\n\nWaiting ...\n"
    ));
    if browser {
        open(page.as_str());
    }
    let sign_in = attempt.finish(&Clock::system()).await?;
    let _lock = store.lock()?;
    store.write(&sign_in)?;
    Ok((store, sign_in))
}

/// What the tools that are offered need, and no more: `READ_ONLY` and `TOOLSETS` hold here too.
fn scopes(config: &Config) -> ScopeSet {
    let offered = app::selection(&config.mcp);
    let catalog = Catalog::new();
    let rows = catalog.rows().iter().filter(|row| offered.admits(Reach::of(row)));
    rows.fold(ScopeSet::EMPTY, |scopes, row| scopes.union(row.scopes))
}

/// Tries the system's ways to open a page, one after the other. If there is none, the user has the address.
fn open(page: &str) {
    for mut command in open::commands(page) {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if quiet.spawn().is_ok() {
            return;
        }
    }
    super::complain("No browser could be opened: open the page yourself.\n");
}
