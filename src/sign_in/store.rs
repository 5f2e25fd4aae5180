//! Where the tokens are kept: one file that only the user can read.
//!
//! A file and not the system's keyring: on Linux that would be a service which servers and containers do not have, behind
//! a C library or a second async runtime. The file is replaced as a whole, by one process at a time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// What is kept of a sign-in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The platform it is for. The tokens go to no other.
    pub platform: String,
    /// Who gave the tokens.
    pub issuer: String,
    /// As whom we asked.
    pub client_id: String,
    /// Where tokens are refreshed.
    pub token_endpoint: String,
    /// Where tokens are given back, if there is such a place.
    pub revocation_endpoint: Option<String>,
    /// What was granted, as the server wrote it.
    pub scope: String,
    /// For calls.
    pub access_token: SecretString,
    /// For the next access token.
    pub refresh_token: Option<SecretString>,
    /// End of the access token in Unix seconds, if the server said.
    pub expires_at: Option<i64>,
}

/// The file. Its texts are secrets, so it is never printed.
#[derive(Serialize, Deserialize)]
struct Written {
    platform: String,
    issuer: String,
    client_id: String,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    scope: String,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no home directory.
    #[error("there is no place for the sign-in: neither XDG_STATE_HOME nor a home directory is set")]
    NoPlace,
    /// The system says no.
    #[error("{path} cannot be {what}: {cause}")]
    File {
        /// Which file.
        path: String,
        /// What was tried.
        what: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// Somebody else wrote it.
    #[error("{0} is not a sign-in of this program: run `sequentum-mcp login` again")]
    Unreadable(String),
}

/// The place of the file.
#[derive(Debug, Clone)]
pub struct Store {
    file: PathBuf,
}

impl Store {
    /// `sequentum-mcp/sign-in.json` in `XDG_STATE_HOME`, by default `~/.local/state`.
    ///
    /// # Errors
    ///
    /// When there is neither.
    pub fn of_the_user() -> Result<Self, StoreError> {
        // Relative paths are to be ignored (XDG Base Directory Specification).
        let named = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::home_dir().filter(|home| home.is_absolute());
        let state =
            named.or_else(|| Some(home()?.join(".local").join("state"))).ok_or(StoreError::NoPlace)?;
        Ok(Self { file: state.join("sequentum-mcp").join("sign-in.json") })
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file
    }

    fn fail(&self, what: &'static str) -> impl FnOnce(io::Error) -> StoreError {
        let path = self.file.display().to_string();
        move |cause| StoreError::File { path, what, cause }
    }

    /// What is kept, if anything is.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn read(&self) -> Result<Option<SignIn>, StoreError> {
        let text = match fs::read(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.fail("read")(error)),
        };
        let written: Written = serde_json::from_slice(&text)
            .map_err(|_| StoreError::Unreadable(self.file.display().to_string()))?;
        Ok(Some(SignIn {
            platform: written.platform,
            issuer: written.issuer,
            client_id: written.client_id,
            token_endpoint: written.token_endpoint,
            revocation_endpoint: written.revocation_endpoint,
            scope: written.scope,
            access_token: written.access_token.into(),
            refresh_token: written.refresh_token.map(Into::into),
            expires_at: written.expires_at,
        }))
    }

    /// Replaces what is kept. The caller holds the lock, if others may do the same.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn write(&self, sign_in: &SignIn) -> Result<(), StoreError> {
        let written = Written {
            platform: sign_in.platform.clone(),
            issuer: sign_in.issuer.clone(),
            client_id: sign_in.client_id.clone(),
            token_endpoint: sign_in.token_endpoint.clone(),
            revocation_endpoint: sign_in.revocation_endpoint.clone(),
            scope: sign_in.scope.clone(),
            access_token: sign_in.access_token.expose_secret().to_owned(),
            refresh_token: sign_in.refresh_token.as_ref().map(|token| token.expose_secret().to_owned()),
            expires_at: sign_in.expires_at,
        };
        let replace = || {
            let text = serde_json::to_vec(&written)?;
            self.make_directory()?;
            // Beside it, so that the renaming is atomic.
            let beside = self.file.with_extension("new");
            // One that was left behind may have another mode.
            let _absent = fs::remove_file(&beside);
            let mut file = private().write(true).create_new(true).open(&beside)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&beside, &self.file)
        };
        replace().map_err(self.fail("written"))
    }

    /// Forgets what is kept.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn remove(&self) -> Result<(), StoreError> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.fail("removed")(error)),
            _ => Ok(()),
        }
    }

    /// Waits until no other process changes what is kept. The lock ends with the file that is returned.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn lock(&self) -> Result<File, StoreError> {
        let locked = || {
            self.make_directory()?;
            let file =
                private().write(true).create(true).truncate(false).open(self.file.with_extension("lock"))?;
            file.lock()?;
            Ok(file)
        };
        locked().map_err(self.fail("locked"))
    }

    fn make_directory(&self) -> io::Result<()> {
        let Some(directory) = self.file.parent() else { return Ok(()) };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        builder.create(directory)
    }
}

/// Files that only the user can read. Elsewhere than on Unix that follows from the directory they are in.
fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}
