//! Buckets in a Redis or Valkey that all replicas share.
//!
//! A request costs one round trip: a script that takes and tells, by the store's own clock. Its keys hold a hash of who
//! is counted and expire by themselves. The store is never worth a call: what it does not answer in time, the process
//! counts by itself, and from then on everything until a connection stands again, which is tried in the background.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;
use redis::{AsyncConnectionConfig, Client, RedisError, Script, aio::MultiplexedConnection};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

use super::buckets::{Quota, Standing};
use crate::clock::Clock;

/// Between two attempts to connect.
const RETRY: Duration = Duration::from_secs(1);
/// One attempt.
const CONNECT: Duration = Duration::from_secs(2);

/// The configured store cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("LIMITS_STORE cannot be used as the address of a Redis")]
pub struct StoreError;

/// The shared buckets.
pub(super) struct Store {
    client: Client,
    script: Script,
    timeout: Duration,
    clock: Clock,
    connection: ArcSwapOption<MultiplexedConnection>,
    lost: Notify,
}

impl Store {
    /// Does not connect yet: [`Store::keep_connected`] does.
    pub(super) fn new(url: &SecretString, timeout: Duration, clock: Clock) -> Result<Self, StoreError> {
        // The library's error might repeat the address, which may hold a password.
        let client = Client::open(url.expose_secret()).map_err(|_| StoreError)?;
        let script = Script::new(include_str!("take.lua"));
        Ok(Self { client, script, timeout, clock, connection: ArcSwapOption::empty(), lost: Notify::new() })
    }

    /// Whether a connection stands.
    pub(super) fn is_connected(&self) -> bool {
        self.connection.load().is_some()
    }

    /// Takes one request out of the bucket of `name`; `None` when the store does not say.
    pub(super) async fn take(&self, quota: &Arc<Quota>, name: Name) -> Option<Standing> {
        let connection = self.connection.load_full()?;
        let micros = |nanos: i64| format!("{}.{:03}", nanos / 1000, nanos % 1000);
        let mut call = self.script.key(name.key());
        call.arg(micros(quota.cost)).arg(micros(quota.capacity));
        let mut handle = MultiplexedConnection::clone(&connection);
        let problem = match tokio::time::timeout(self.timeout, call.invoke_async(&mut handle)).await {
            Ok(Ok((admitted, used))) => {
                let (admitted, used): (bool, i64) = (admitted, used);
                return Some(Standing::new(quota, admitted, used.saturating_mul(1000)));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} ms", self.timeout.as_millis()),
        };
        // Only the first of those who wait for it finds it gone and says so.
        let before = self.connection.compare_and_swap(&connection, None);
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, &connection)) {
            tracing::warn!(
                cause = problem,
                "the store of the limits is lost: this process counts for itself"
            );
            self.lost.notify_one();
        }
        None
    }

    /// Connects, and again whenever the connection was lost, for as long as the process lives.
    pub(super) async fn keep_connected(&self) {
        let mut reported = false;
        loop {
            match self.connect().await {
                Ok(connection) => {
                    self.connection.store(Some(Arc::new(connection)));
                    tracing::info!("the store of the limits is connected");
                    self.lost.notified().await;
                    // That was reported where it was noticed.
                    reported = true;
                }
                Err(error) if !reported => {
                    tracing::warn!(cause = %error, "the store of the limits cannot be reached: this process counts for itself");
                    reported = true;
                }
                Err(error) => {
                    tracing::debug!(cause = %error, "the store of the limits cannot be reached yet");
                }
            }
            self.clock.sleep(RETRY).await;
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        // Answers have a time-out of their own.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(None);
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let load = self.script.prepare_invoke().load_async(&mut connection).await;
        load.map(|_| connection)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Who is counted, unreadable for whoever reads the store.
pub(super) struct Name {
    kind: &'static str,
    hash: digest::Digest,
}

impl Name {
    /// Of a kind, from parts none of which runs into the next.
    pub(super) fn new(kind: &'static str, parts: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        Self { kind, hash: context.finish() }
    }

    fn key(&self) -> String {
        format!("sequentum-mcp:limit:{}:{}", self.kind, BASE64URL_NOPAD.encode(self.hash.as_ref()))
    }
}
