//! Processes: starting them, ending them on every path, and what they cost by the account of `/proc`.

use std::{
    error::Error,
    fmt, fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::Ipv4Addr,
    num::NonZeroU32,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use axum::{Router, serve::ListenerExt as _};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// Whatever fails ends the benchmark with this text.
pub(crate) type Outcome<T> = Result<T, String>;

/// Turns an error with all its causes into the text that ends the benchmark.
pub(crate) fn because<E: Into<Box<dyn Error>>>(what: impl fmt::Display) -> impl FnOnce(E) -> String {
    move |error| {
        let error = error.into();
        let mut text = format!("{what}: {error}");
        let mut cause = error.source();
        while let Some(next) = cause {
            text = format!("{text}: {next}");
            cause = next.source();
        }
        text
    }
}

/// Longest life of a helper process, should its parent neither end it nor end itself.
const HELPER_LIFE: Duration = Duration::from_mins(40);
/// Unit of the CPU times in `/proc/<pid>/stat`: `USER_HZ` is 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// The one line a helper prints when it listens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// Where, on the loopback address.
    pub(crate) port: u16,
    /// The platform's access token.
    pub(crate) token: Option<String>,
}

/// A started process that is killed, by its own id, when this value goes out of scope.
pub(crate) struct Process(std::process::Child);

impl Process {
    /// Starts `command`.
    pub(crate) fn start(command: &mut Command) -> Outcome<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.spawn().map(Self).map_err(because(format!("cannot start {name}")))
    }

    /// Starts this program once more, as a helper, and waits for its [`Ready`] line.
    ///
    /// The helper's standard input is a pipe that nobody writes to: it closes when this process ends, however that
    /// comes about, and then the helper ends too.
    pub(crate) fn helper(arguments: &[&str]) -> Outcome<(Self, Ready)> {
        let program = std::env::current_exe().map_err(because("no path to this program"))?;
        let mut process =
            Self::start(Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let mut line = String::new();
        if let Some(stdout) = process.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(because("helper"))?;
        }
        let ready = serde_json::from_str(&line)
            .map_err(because(format!("helper {arguments:?} is not ready, it said {line:?}")))?;
        Ok((process, ready))
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The exit status, if it has ended by itself.
    pub(crate) fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        self.0.try_wait().map_err(because("cannot look after a process"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Helper side: tells the parent that connections are accepted, and from now on watches that there is a parent.
pub(crate) fn announce(ready: &Ready) -> Outcome<()> {
    say(ready)?;
    thread::spawn(|| {
        // Nothing is ever written: this returns when the parent has ended.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    thread::spawn(|| {
        thread::sleep(HELPER_LIFE);
        std::process::exit(1);
    });
    Ok(())
}

/// Keeper side: ends process `pid` when the parent has ended, or after the longest life of a helper.
///
/// The server under test does not watch for its parent as the other helpers do. Where the parent gets the chance to end
/// the server itself, it ends the keeper first; this is for the case that it was killed. (Zero would be a whole group.)
pub(crate) fn keep(pid: NonZeroU32) -> Outcome<()> {
    say(&Ready { port: 0, token: None })?;
    let (sender, orphaned) = mpsc::channel();
    thread::spawn(move || {
        let _ = io::stdin().read(&mut [0]);
        sender.send(())
    });
    let _ = orphaned.recv_timeout(HELPER_LIFE);
    Command::new("kill").args(["-9", &pid.to_string()]).status().map(drop).map_err(because("kill"))
}

fn say(ready: &Ready) -> Outcome<()> {
    let line = serde_json::to_string(ready).map_err(because("ready line"))?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(because("ready line"))
}

/// Helper side: a loopback socket. Port 0 takes any free one.
pub(crate) async fn listen(port: u16) -> Outcome<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(because(format!("cannot listen on {port}")))
}

/// Helper side: serves, answering without Nagle's delay.
pub(crate) async fn serve(listener: TcpListener, app: Router) -> Outcome<()> {
    let listener = listener.tap_io(|stream| {
        // Fails only when the peer is gone, and then the first read says so.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await.map_err(because("cannot serve"))
}

/// CPU time that the process has used so far, all its threads, user and system.
pub(crate) fn cpu(pid: u32) -> Outcome<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).map_err(because(&path))?;
    // The second field, the name in parentheses, may hold anything; after it, utime and stime are the 12th and 13th.
    let (_, fields) = text.rsplit_once(')').ok_or_else(|| format!("{path}: {text}"))?;
    let ticks: Option<u32> =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u32>().ok()).sum();
    ticks.map(|ticks| TICK * ticks).ok_or_else(|| format!("{path}: {text}"))
}

/// Memory of a process, in kB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) now: u32,
    /// Most that was ever resident.
    pub(crate) peak: u32,
}

/// Resident memory of the process.
pub(crate) fn memory(pid: u32) -> Outcome<Memory> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).map_err(because(&path))?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    match (field("VmRSS:"), field("VmHWM:")) {
        (Some(now), Some(peak)) => Ok(Memory { now, peak }),
        _ => Err(format!("{path} says nothing about memory")),
    }
}

/// The end of a log, for the message about a process that did not do what it should.
pub(crate) fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(20).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
