//! Every metric, on one page: its name, what it is labelled with, what it means.
//!
//! The reference page `docs/operate/metrics.md` is printed from this list, and the dashboard and the alert rules beside
//! it use no name that is not here.

/// One metric.
#[derive(Debug)]
pub struct Definition {
    /// As it is scraped.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Names of its labels. Their values are words of ours: never a tenant, a token, an argument, an address or a URL.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub help: &'static str,
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Seconds, in buckets up to these bounds.
    Durations(&'static [f64]),
    /// A constant 1 whose labels say something.
    Info,
}

impl Kind {
    /// As it is called in the exposition format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Durations(_) => "histogram",
            Self::Info => "info",
        }
    }
}

/// From a page out of memory to the longest call.
const SECONDS: Kind =
    Kind::Durations(&[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]);

macro_rules! metrics {
    ($($item:ident $name:literal $kind:expr, [$($label:literal),*], $help:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help)]
            pub static $item: Definition =
                Definition { name: concat!("sequentum_mcp_", $name), kind: $kind, labels: &[$($label),*], help: $help };
        )*
        /// All metrics, in the order of the reference page.
        pub static ALL: &[&Definition] = &[$(&$item),*];
    };
}

metrics! {
    HTTP_REQUESTS "http_request_duration_seconds" SECONDS, ["method", "route", "status"],
        "HTTP requests until the head of their answer, by method, route (`none` for an unknown path) and class of status (`2xx`).";
    REFUSALS "refusals_total" Kind::Counter, ["reason"],
        "Requests refused before the protocol, by the code of the refusal, which is also in the log.";
    MESSAGES "messages_total" Kind::Counter, ["method", "revision"],
        "Messages read, by method (`other` for one outside the protocol) and protocol revision (`none` where the client names none).";
    TOOL_CALLS "tool_calls_total" Kind::Counter, ["tool", "outcome"],
        "Tool calls, by tool (`unknown` for an unknown name) and outcome: `ok`, the code of an error, or `abandoned` by the client.";
    TOOL_CALL_DURATION "tool_call_duration_seconds" SECONDS, ["tool"],
        "The same calls, from message to result.";
    RESOURCE_READS "resource_reads_total" Kind::Counter, ["resource", "outcome"],
        "Resources read, by kind (`unknown` for an unknown URI) and outcome.";
    PROMPT_GETS "prompt_gets_total" Kind::Counter, ["prompt", "outcome"],
        "Prompts rendered, by prompt (`unknown` for an unknown name) and outcome.";
    PLATFORM_REQUESTS "platform_requests_total" Kind::Counter, ["operation", "outcome"],
        "Requests to the platform, each attempt counted, by operation and outcome: `ok`, the class of the failure, or `abandoned`.";
    PLATFORM_REQUEST_DURATION "platform_request_duration_seconds" SECONDS, ["operation"],
        "The same requests, until the last byte of their answer.";
    PLATFORM_RETRIES "platform_retries_total" Kind::Counter, ["operation"],
        "Requests to the platform that repeat a failed one.";
    AUTH_VERDICTS "auth_verdicts_total" Kind::Counter, ["verdict"],
        "Credentials checked: `ok`, or the code of the refusal.";
    SESSIONS_OPENED "sessions_opened_total" Kind::Counter, ["kind"],
        "Session ids issued to clients of the 2025 revisions: `sealed` or `live`.";
    LIMIT_CHARGES "limit_charges_total" Kind::Counter, ["limit", "verdict"],
        "Requests charged to a limit over time (`user`, `address` or `page`), `admitted` or `refused`.";
    LIMIT_STORE_FALLBACKS "limit_store_fallbacks_total" Kind::Counter, [],
        "Charges that this process counted by itself because the shared store did not answer.";
    LIMIT_STORE_CONNECTED "limit_store_connected" Kind::Gauge, [],
        "Whether the shared store of the limits is connected: 1 or 0; also 1 if none is set.";
    CALLS_IN_FLIGHT "calls_in_flight" Kind::Gauge, [],
        "Requests to /mcp being answered.";
    STREAMS_OPEN "streams_open" Kind::Gauge, [],
        "Event streams open to tell clients of changes.";
    LIVE_SESSIONS "live_sessions" Kind::Gauge, [],
        "Live sessions in memory.";
    READY "ready" Kind::Gauge, [],
        "Whether new requests can be served, as /readyz says: 1 or 0.";
    BUILD "build_info" Kind::Info, ["version"],
        "The running version.";
    START "process_start_time_seconds" Kind::Gauge, [],
        "When this process started, in seconds since 1970.";
}
