//! What must not leak: every token that a test uses is looked for in every log line and every answer of that test.
//!
//! Logs are kept at debug level, as with `DEBUG=1`. Nobody has to remember to check: the server of the test does it.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

static LOG: Mutex<String> = Mutex::new(String::new());
/// What may be nowhere.
static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// What may be in answers, but not in logs: what users type.
static PRIVATE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Begins to keep the log.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let filter = EnvFilter::new(sequentum_mcp::telemetry::VERBOSE);
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(Keeper);
        tracing_subscriber::registry().with(filter).with(layer).init();
    });
}

/// Notes a token, key or handle.
pub fn secret(text: &str) {
    remember(&SECRETS, text);
}

/// Notes what a user typed. Short texts are words that logs have on their own.
pub fn private(text: &str) {
    if text.len() >= 10 {
        remember(&PRIVATE, text);
    }
}

/// The log so far. With one process per test, as nextest has it, that of this test alone.
pub fn log() -> String {
    lock(&LOG).clone()
}

/// Fails if a secret stands in what a client gets.
pub fn check_answer(text: &str) {
    for secret in &*lock(&SECRETS) {
        assert!(!text.contains(&**secret), "an answer holds a secret: {text}");
    }
}

/// How long the log is now.
pub fn position() -> usize {
    lock(&LOG).len()
}

/// Fails if a secret or something private stands in the log from this position on. Where all tests are one process the
/// whole log is long, and what was written before was looked at before.
pub fn check_log(from: usize) {
    let log = lock(&LOG);
    let log = log.get(from..).unwrap_or_default();
    for hidden in lock(&SECRETS).iter().chain(&*lock(&PRIVATE)) {
        let line = log.lines().find(|line| line.contains(&**hidden));
        assert!(line.is_none(), "the log holds {hidden:?}: {line:?}");
    }
}

/// Fails if a secret or something private stands in what is counted.
pub fn check_metrics(page: &str) {
    for hidden in lock(&SECRETS).iter().chain(&*lock(&PRIVATE)) {
        let line = page.lines().find(|line| line.contains(&**hidden));
        assert!(line.is_none(), "the metrics hold {hidden:?}: {line:?}");
    }
}

/// Fails if a secret or something private stands in what is sent to a collector.
pub fn check_bytes(bytes: &[u8]) {
    for hidden in lock(&SECRETS).iter().chain(&*lock(&PRIVATE)) {
        let found = bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes());
        assert!(!found, "the traces hold {hidden:?}");
    }
}

fn remember(list: &Mutex<Vec<String>>, text: &str) {
    let mut list = lock(list);
    if !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes into [`LOG`].
struct Keeper;

impl std::io::Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lock(&LOG).push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Keeper {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}
