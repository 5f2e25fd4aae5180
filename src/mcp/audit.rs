//! The audit trail: one record for each call of a tool, reading of a resource and the like, under the log target
//! `audit`.
//!
//! It says who did what, through which client, with what outcome. Arguments are present as a keyed digest only: two
//! calls with the same arguments can be recognised, the arguments themselves cannot be guessed from it.

use std::{fmt, time::Instant};

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;

use crate::{auth::Caller, metrics::Metrics, telemetry::millis};

/// Bytes of the digest that are written: enough to tell calls apart.
const DIGEST: usize = 8;
/// The outcome of a request that was given up by its client.
pub(super) const ABANDONED: &str = "abandoned";
/// Separates this use of the key from every other.
const PURPOSE: &[u8] = b"sequentum-mcp audit 1";

/// Makes digests. One for the process; replicas with the same key make the same ones.
pub struct Auditor {
    key: hmac::Key,
    metrics: Metrics,
}

impl Auditor {
    /// With a secret of at least 32 bytes.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, PURPOSE).as_ref());
        Self { key, metrics: Metrics::default() }
    }

    /// Records are counted here as well.
    #[must_use]
    pub fn counted(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Begins the record of a request. `subject` is a tool, prompt or resource kind by a name of ours; `arguments` are
    /// as the client sent them.
    #[must_use]
    pub fn begin(&self, method: &'static str, subject: Option<&'static str>, arguments: &[u8]) -> Audited {
        let tag = hmac::sign(&self.key, arguments);
        let digest = HEXLOWER.encode(tag.as_ref().get(..DIGEST).unwrap_or_default());
        Audited { method, subject, digest, begun: Instant::now(), metrics: self.metrics.clone() }
    }
}

impl fmt::Debug for Auditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auditor")
    }
}

/// A record that is written when the request is over.
#[derive(Debug)]
pub struct Audited {
    method: &'static str,
    subject: Option<&'static str>,
    digest: String,
    begun: Instant,
    metrics: Metrics,
}

impl Audited {
    /// Writes the record. A request without an outcome was given up by its client.
    pub(super) fn write(&self, caller: &Caller, request_id: &str, outcome: Option<&'static str>) {
        let outcome = outcome.unwrap_or(ABANDONED);
        let took = self.begun.elapsed();
        self.metrics.called(self.method, self.subject, outcome, took);
        tracing::event!(
            target: "audit",
            tracing::Level::INFO,
            request.id = request_id,
            tenant.id = caller.organization(),
            caller.id = caller.principal().subject(),
            caller.issuer = caller.principal().issuer(),
            client.id = caller.client_id(),
            mcp.method = self.method,
            subject = self.subject,
            arguments.digest = self.digest,
            outcome,
            duration_ms = millis(took),
            "call"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_depend_on_arguments_and_key_and_show_neither() {
        let digest =
            |secret: &[u8], arguments: &[u8]| Auditor::new(secret).begin("m", None, arguments).digest;
        let (one, other) = ([1; 32], [2; 32]);
        assert_eq!(digest(&one, b"{\"agentId\":7301}"), digest(&one, b"{\"agentId\":7301}"));
        assert_ne!(digest(&one, b"{\"agentId\":7301}"), digest(&one, b"{\"agentId\":7302}"));
        assert_ne!(digest(&one, b"{}"), digest(&other, b"{}"));
        assert_eq!(digest(&one, b"").len(), 2 * DIGEST);
    }
}
