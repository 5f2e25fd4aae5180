//! `logout`: forgets the sign-in, and gives its tokens back where the authorization server takes them.

use std::process::ExitCode;

use crate::{
    config::Config,
    sign_in::{Store, StoreError, revoke},
    telemetry,
};

pub(super) fn run(config: &Config) -> ExitCode {
    telemetry::start(&config.telemetry);
    super::block_on(async {
        match forget().await {
            Ok(text) => {
                super::say(&text);
                ExitCode::SUCCESS
            }
            Err(error) => {
                super::complain(&format!("Signing out failed: {error}.\n"));
                ExitCode::FAILURE
            }
        }
    })
}

/// The file goes first: whatever the server says, this machine has the tokens no more.
async fn forget() -> Result<String, StoreError> {
    let store = Store::of_the_user()?;
    let lock = store.lock()?;
    let kept = store.read();
    store.remove()?;
    drop(lock);
    let kept = match kept {
        Ok(Some(kept)) => kept,
        Ok(None) => return Ok("You were not signed in.\n".to_owned()),
        // It is gone now, whatever it was.
        Err(StoreError::Unreadable(path)) => return Ok(format!("{path} was unreadable and is removed.\n")),
        Err(error) => return Err(error),
    };
    let about_tokens = match revoke(&kept).await {
        Ok(true) => "The tokens were given back and are void.".to_owned(),
        Ok(false) => "The authorization server takes no tokens back: they end by themselves.".to_owned(),
        Err(cause) => format!("The tokens could not be given back ({cause}): they end by themselves."),
    };
    Ok(format!("Signed out of {}. {about_tokens}\n", kept.platform))
}
