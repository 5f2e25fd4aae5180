//! The server under test: the release binary, started as in production, with everything on.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Client;
use tokio::time;
use url::Url;

use crate::process::{Memory, Outcome, Process, because, memory, tail};

/// Longest wait for the first healthy answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time between two looks at `/health`, and so the resolution of the start time.
const POLL: Duration = Duration::from_millis(1);
/// Time that a started server is left alone before its memory is read.
const SETTLE: Duration = Duration::from_millis(300);

/// Where the server is, and how to start it again.
pub(crate) struct Product {
    program: PathBuf,
    port: u16,
    log: PathBuf,
}

/// A running server and what its start cost.
pub(crate) struct Started {
    /// Ends the process should this one be killed. Goes first, while the process id is still the server's.
    _keeper: Process,
    /// The process.
    pub(crate) process: Process,
    /// From starting the process to the first healthy answer.
    pub(crate) time: Duration,
    /// Memory soon after, before the first call.
    pub(crate) memory: Memory,
}

impl Product {
    /// `program`, to listen on `port`. Its log goes to a file in `folder`.
    pub(crate) fn new(program: PathBuf, port: u16, folder: &Path) -> Self {
        let log = folder.join(format!("pass_through-{}.log", std::process::id()));
        Self { program, port, log }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Size of the binary in bytes.
    pub(crate) fn size(&self) -> Outcome<u64> {
        fs::metadata(&self.program).map(|file| file.len()).map_err(because(self.program.display()))
    }

    /// Starts it in front of `platform` and waits until `/health` answers.
    pub(crate) async fn start(&self, client: &Client, platform: &Url) -> Outcome<Started> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log).map_err(because("log"))?;
        let platform = platform.as_str().trim_end_matches('/');
        let origin = format!("http://127.0.0.1:{}", self.port);
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            // Nothing of the caller's environment: a DEBUG or LOG_FORMAT there would change the figures.
            .env_clear()
            .env("HOST", "127.0.0.1")
            .env("PORT", self.port.to_string())
            .env("PUBLIC_URL", &origin)
            .env("SEQUENTUM_API_URL", platform)
            .env("SEQUENTUM_OAUTH_ISSUER", platform)
            // The limiter works for every call and never refuses one.
            .env("MCP_RATE_LIMIT_MAX", "1000000")
            .env("MCP_RATE_LIMIT_WINDOW_MS", "1000")
            // All connections belong to one user.
            .env("MAX_CONCURRENT_CALLS_PER_USER", "1000")
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(because("log"))?)
            .stderr(log);

        let health = format!("{origin}/health");
        let start = Instant::now();
        let mut process = Process::start(&mut command)?;
        while !is_healthy(client, &health).await {
            if let Some(status) = process.ended()? {
                return Err(self.fault(&format!("the server ended ({status}) before it was healthy")));
            }
            if start.elapsed() > PATIENCE {
                return Err(self.fault("the server was not healthy in time"));
            }
            time::sleep(POLL).await;
        }
        let time = start.elapsed();
        time::sleep(SETTLE).await;
        let memory = memory(process.pid())?;
        let (keeper, _) = Process::helper(&["--role=keeper", &format!("--pid={}", process.pid())])?;
        Ok(Started { _keeper: keeper, process, time, memory })
    }

    /// Empties the log, so that its size is that of one round. (The server appends: it goes on at the start.)
    pub(crate) fn forget_log(&self) -> Outcome<()> {
        let file = File::options().write(true).open(&self.log).map_err(because("log"))?;
        file.set_len(0).map_err(because("log"))
    }

    /// A message about this server, with the end of its log.
    pub(crate) fn fault(&self, what: &str) -> String {
        format!("{what}\n\nThe log of {} ends:\n{}", self.program.display(), tail(&self.log))
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        // A log that was never written is not there.
        let _ = fs::remove_file(&self.log);
    }
}

async fn is_healthy(client: &Client, health: &str) -> bool {
    let answer = client.get(health).timeout(Duration::from_secs(2)).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}
