//! `stdio`: over standard input and output, to the user who starts it.

use std::process::ExitCode;

use crate::{
    app::LocalApp,
    auth::{Caller, ScopeSet},
    clock::Clock,
    config::Config,
    sign_in::{Lending, Store},
    telemetry,
};

/// What is printed when there is neither key nor sign-in.
const NOBODY: &str = "\
SEQUENTUM_API_KEY is not set, and you are not signed in: `stdio` needs one of the two.
Run `sequentum-mcp login` to sign in through the browser, or ask an administrator of your organisation for an API key (Users
page of the platform; it starts with `sk-` and is shown once) and put it into the environment that your MCP client gives
to this command.
";

pub(super) fn run(config: &Config) -> ExitCode {
    let caller = match caller(config) {
        Ok(caller) => caller,
        Err(text) => {
            super::complain(&text);
            return ExitCode::from(super::USAGE);
        }
    };
    telemetry::start(&config.telemetry);
    super::block_on(async {
        let app = match LocalApp::new(config, caller, Clock::system()) {
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
                super::complain(&format!("The server stopped: {error}\n"));
                ExitCode::FAILURE
            }
        }
    })
}

/// The user with the API key, or else with the sign-in. The error is what to print.
fn caller(config: &Config) -> Result<Caller, String> {
    if let Some(key) = &config.api.key {
        return Ok(Caller::local(key));
    }
    let Ok(store) = Store::of_the_user() else { return Err(NOBODY.to_owned()) };
    let kept = store.read().map_err(|error| format!("The sign-in cannot be used: {error}.\n"))?;
    let sign_in = kept.ok_or_else(|| NOBODY.to_owned())?;
    if sign_in.platform != config.api.url.as_str().trim_end_matches('/') {
        return Err(format!(
            "The sign-in is for {}, and SEQUENTUM_API_URL names {}. Set it to the same, or run `sequentum-mcp login` again.\n",
            sign_in.platform, config.api.url
        ));
    }
    let scopes = ScopeSet::parse(sign_in.scope.split(' '));
    let client_id = sign_in.client_id.clone();
    let lending = Lending::new(store, sign_in, Clock::system())
        .map_err(|error| format!("The HTTP client cannot be built: {error}\n"))?;
    Ok(Caller::signed_in(scopes, &client_id, lending.credential()))
}
