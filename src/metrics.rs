//! What is counted while the server runs, for Prometheus to scrape.
//!
//! [`Metrics`] is a handle that is passed to whoever counts, so that two servers in one process share nothing. Switched
//! off it holds nothing and counting is a test of a pointer. All names are in [`table`]; labels take words of ours only,
//! so that their number is bounded whatever clients send.

pub mod reference;
mod series;
pub mod table;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, gauge::Gauge, info::Info},
    registry::Registry,
};

use self::series::{Counters, Durations, register};

/// The media type of [`Metrics::page`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What a name of a client's is called when it is none of ours.
const UNKNOWN: &str = "unknown";

/// Where things are counted. Cheap to clone; the default is switched off.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    http_requests: Durations<3>,
    refusals: Counters<1>,
    messages: Counters<2>,
    tool_calls: Counters<2>,
    tool_call_duration: Durations<1>,
    resource_reads: Counters<2>,
    prompt_gets: Counters<2>,
    platform_requests: Counters<2>,
    platform_request_duration: Durations<1>,
    platform_retries: Counters<1>,
    auth_verdicts: Counters<1>,
    sessions_opened: Counters<1>,
    limit_charges: Counters<2>,
    limit_store_fallbacks: Counter,
    gauges: Vec<(Read, Gauge)>,
}

/// What is the case at the moment of a scrape.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Requests to the endpoint that are being answered.
    pub calls: usize,
    /// Event streams that are open.
    pub streams: usize,
    /// Live sessions.
    pub live_sessions: usize,
    /// Whether new requests can be served.
    pub ready: bool,
    /// Whether the shared store of the limits is connected, or none is set.
    pub store_connected: bool,
}

/// The value of a gauge.
type Read = fn(&Now) -> usize;

/// A limit over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charged {
    /// Requests of a user.
    User,
    /// Unauthenticated requests from an address.
    Address,
    /// Pages asked for from an address.
    Page,
}

impl Charged {
    const ALL: [Self; 3] = [Self::User, Self::Address, Self::Page];

    fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Address => "address",
            Self::Page => "page",
        }
    }
}

fn verdict(admitted: bool) -> &'static str {
    if admitted { "admitted" } else { "refused" }
}

impl Metrics {
    /// Switched on, for a process that began at `start`.
    #[must_use]
    pub fn on(start: Timestamp) -> Self {
        let mut registry = Registry::default();
        let r = &mut registry;
        let charges =
            Charged::ALL.map(|limit| [true, false].map(|admitted| [limit.as_str(), verdict(admitted)]));
        let current: [(&table::Definition, Read); 5] = [
            (&table::LIMIT_STORE_CONNECTED, |now| now.store_connected.into()),
            (&table::CALLS_IN_FLIGHT, |now| now.calls),
            (&table::STREAMS_OPEN, |now| now.streams),
            (&table::LIVE_SESSIONS, |now| now.live_sessions),
            (&table::READY, |now| now.ready.into()),
        ];
        let started = Gauge::<i64>::default();
        started.set(start.as_second());
        let limit_store_fallbacks = Counter::default();
        register(r, &table::LIMIT_STORE_FALLBACKS, limit_store_fallbacks.clone());
        register(r, &table::START, started);
        register(r, &table::BUILD, Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let gauges = current
            .map(|(definition, read)| {
                let gauge = Gauge::default();
                register(r, definition, gauge.clone());
                (read, gauge)
            })
            .into();
        Self(Some(Arc::new(Inner {
            http_requests: Durations::new(r, &table::HTTP_REQUESTS),
            refusals: Counters::new(r, &table::REFUSALS),
            messages: Counters::new(r, &table::MESSAGES),
            tool_calls: Counters::new(r, &table::TOOL_CALLS),
            tool_call_duration: Durations::new(r, &table::TOOL_CALL_DURATION),
            resource_reads: Counters::new(r, &table::RESOURCE_READS),
            prompt_gets: Counters::new(r, &table::PROMPT_GETS),
            platform_requests: Counters::new(r, &table::PLATFORM_REQUESTS),
            platform_request_duration: Durations::new(r, &table::PLATFORM_REQUEST_DURATION),
            platform_retries: Counters::new(r, &table::PLATFORM_RETRIES),
            auth_verdicts: Counters::new(r, &table::AUTH_VERDICTS).starting_with([["ok"]]),
            sessions_opened: Counters::new(r, &table::SESSIONS_OPENED).starting_with([["sealed"], ["live"]]),
            limit_charges: Counters::new(r, &table::LIMIT_CHARGES)
                .starting_with(charges.into_iter().flatten()),
            limit_store_fallbacks,
            gauges,
            registry,
        })))
    }

    /// An HTTP request whose answer's head is ready.
    pub fn http(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        let Some(inner) = &self.0 else { return };
        let class = match status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        inner.http_requests.observe([method, route, class], took);
    }

    /// A request that was refused with this code before the protocol saw it.
    pub fn refused(&self, code: &'static str) {
        let Some(inner) = &self.0 else { return };
        inner.refusals.count([code]);
    }

    /// A message that was read.
    pub fn message(&self, method: &'static str, revision: &'static str) {
        let Some(inner) = &self.0 else { return };
        inner.messages.count([method, revision]);
    }

    /// A request that does or shows something is over. `subject` is a tool, resource kind or prompt of ours.
    pub fn called(
        &self,
        method: &'static str,
        subject: Option<&'static str>,
        outcome: &'static str,
        took: Duration,
    ) {
        let Some(inner) = &self.0 else { return };
        let subject = subject.unwrap_or(UNKNOWN);
        match method {
            "tools/call" => {
                inner.tool_calls.count([subject, outcome]);
                inner.tool_call_duration.observe([subject], took);
            }
            "resources/read" => inner.resource_reads.count([subject, outcome]),
            "prompts/get" => inner.prompt_gets.count([subject, outcome]),
            _ => {}
        }
    }

    /// A request to the platform begins.
    #[must_use]
    pub fn platform(&self, operation: &'static str) -> PlatformRequest {
        let begun = self.0.clone().map(|inner| (inner, Instant::now()));
        PlatformRequest { begun, operation, outcome: "abandoned" }
    }

    /// A failed request to the platform is repeated.
    pub fn repeated(&self, operation: &'static str) {
        let Some(inner) = &self.0 else { return };
        inner.platform_retries.count([operation]);
    }

    /// A credential was accepted, or refused with this code.
    pub fn credential(&self, refusal: Option<&'static str>) {
        let Some(inner) = &self.0 else { return };
        inner.auth_verdicts.count([refusal.unwrap_or("ok")]);
    }

    /// A session id was issued.
    pub fn session(&self, live: bool) {
        let Some(inner) = &self.0 else { return };
        inner.sessions_opened.count([if live { "live" } else { "sealed" }]);
    }

    /// A request was charged to a limit.
    pub fn charged(&self, limit: Charged, admitted: bool) {
        let Some(inner) = &self.0 else { return };
        inner.limit_charges.count([limit.as_str(), verdict(admitted)]);
    }

    /// The shared store of the limits did not answer.
    pub fn store_fallback(&self) {
        let Some(inner) = &self.0 else { return };
        inner.limit_store_fallbacks.inc();
    }

    /// Everything, as [`CONTENT_TYPE`]; `None` when switched off.
    #[must_use]
    pub fn page(&self, now: &Now) -> Option<String> {
        let inner = self.0.as_ref()?;
        for (read, gauge) in &inner.gauges {
            gauge.set(i64::try_from(read(now)).unwrap_or(i64::MAX));
        }
        let mut page = String::new();
        text::encode(&mut page, &inner.registry).ok()?;
        Some(page)
    }
}

/// A request to the platform; counted when dropped, so that one that is given up is counted too.
#[derive(Debug)]
pub struct PlatformRequest {
    begun: Option<(Arc<Inner>, Instant)>,
    operation: &'static str,
    outcome: &'static str,
}

impl PlatformRequest {
    /// It is over.
    pub fn ended(mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}

impl Drop for PlatformRequest {
    fn drop(&mut self) {
        let Some((inner, begun)) = &self.begun else { return };
        inner.platform_requests.count([self.operation, self.outcome]);
        inner.platform_request_duration.observe([self.operation], begun.elapsed());
    }
}
