//! Every setting, on one page: its name, what it means and what it may be.
//!
//! One name serves everywhere: `PUBLIC_URL` in the environment is `--public-url` on the command line and
//! `public_url` in the TOML file. The reference page `docs/configuration.md` is printed from this list.

/// One setting: how it is called, what it means, what it may be.
#[derive(Debug)]
pub struct Setting {
    /// The environment variable. Flag and file key are derived from it.
    pub name: &'static str,
    /// Older or foreign names of the same setting, read from the environment only.
    pub aliases: &'static [&'static str],
    /// What holds when it is unset, in words or as a value.
    pub default: &'static str,
    /// What a value may be; completes the sentence "expected ...".
    pub allowed: &'static str,
    /// What it does, and what happens at its limit.
    pub help: &'static str,
    /// Secrets have no flag (a process list shows flags) and never appear in an error.
    pub secret: bool,
}

impl Setting {
    /// The command-line flag, without the leading dashes; `None` for secrets.
    #[must_use]
    pub fn flag(&self) -> Option<String> {
        (!self.secret).then(|| self.name.to_ascii_lowercase().replace('_', "-"))
    }

    /// The key in the TOML file.
    #[must_use]
    pub fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }
}

/// Declares settings, and `ALL` of them in the order of the reference page. Each command has a table of its own.
macro_rules! settings {
    ($($(#[secret $secret:ident])? $name:ident $([$($alias:literal),*])? = $default:literal, $allowed:literal, $help:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`: ", $help)]
            pub static $name: $crate::config::settings::Setting = $crate::config::settings::Setting {
                name: stringify!($name),
                aliases: &[$($($alias),*)?],
                default: $default,
                allowed: $allowed,
                help: $help,
                secret: $crate::config::settings::table!(@secret $($secret)?),
            };
        )*
        /// All settings, in the order of the reference page.
        pub static ALL: &[&$crate::config::settings::Setting] = &[$(&$name),*];
    };
    (@secret) => { false };
    (@secret $secret:ident) => { true };
}
pub(crate) use settings as table;

settings! {
    HOST = "127.0.0.1", "an IP address or `localhost`",
        "Address to listen on. Anything but loopback also needs PUBLIC_URL.";
    PORT = "3000", "a port number from 0 to 65535 (0 = any free port)",
        "Port to listen on.";
    PUBLIC_URL ["MCP_CANONICAL_ORIGIN"] = "http://HOST:PORT on loopback", "an origin such as https://mcp.example.com (https, or http on loopback; no path)",
        "The origin under which clients reach this server. The only source of every URL it publishes, and of the audience it accepts.";
    ALLOWED_HOSTS = "none besides the host of PUBLIC_URL", "a comma-separated list of host names, each with or without a port",
        "Further values of the Host header to answer to. On a loopback bind, localhost, 127.0.0.1 and ::1 are always among them.";
    ALLOWED_ORIGINS = "none besides the built-in list", "a comma-separated list of origins such as https://app.example.com",
        "Browser origins allowed in addition to the built-in ones (Claude, ChatGPT, OpenAI platform, Sequentum).";
    TRUST_PROXY = "nobody", "`false`, a number of proxies from 0 to 16, or a comma-separated list of addresses and networks such as 10.0.0.0/8",
        "Proxies in front of this server that are believed about the address of a client, in the header that FORWARDED_HEADER names: either the N nearest proxies, or all proxies in these networks. The address counts for RATE_LIMIT_PER_ADDRESS only.";
    FORWARDED_HEADER = "x-forwarded-for", "`x-forwarded-for` or `forwarded`",
        "The header in which the proxies of TRUST_PROXY write whom they serve: `X-Forwarded-For` or `Forwarded` (RFC 7239). The other one is not read, because a proxy that does not write it passes on what the client wrote.";
    SEQUENTUM_API_URL = "https://dashboard.sequentum.com", "an https URL (http on loopback) without query or fragment",
        "The Sequentum platform this server talks to. Credentials are sent to this host and no other.";
    #[secret yes]
    SEQUENTUM_API_KEY = "none", "an API key, which starts with `sk-`; an administrator makes one per user on the Users page of the platform",
        "For `stdio`: the key of the one user who is served. Serving over HTTP never uses it.";
    LOGIN_CLIENT_ID = "none: `login` registers a client each time", "a client id: the https URL of a client metadata document, or the id of a client that is registered with the authorization server",
        "For `login`: the OAuth client to sign in as. Its redirect URI is http://127.0.0.1:PORT/callback; `--redirect-port` chooses the port.";
    SEQUENTUM_OAUTH_ISSUER = "the value of SEQUENTUM_API_URL", "one or more https URLs (http on loopback) without query or fragment, separated by commas, each once",
        "The authorization servers whose access tokens are accepted; clients are sent to the first. Each must equal the issuer in its own metadata, byte for byte, a slash at the end included. A token is verified with the keys of the issuer it names and of no other.";
    OAUTH_AUDIENCES = "none", "a comma-separated list of audience values",
        "Values of the token's `aud` claim accepted besides this server's /mcp URL and its origin. `Sequentum Enterprise` admits tokens that were requested without a resource.";
    REQUIRE_AUTH = "true", "`true` or `false`",
        "Whether a request needs an access token. `false` is accepted only if both HOST and PUBLIC_URL are on loopback; a token that is sent is verified anyway.";
    OAUTH_INTROSPECTION_URL = "none", "an https URL (http on loopback) without query or fragment",
        "Where opaque access tokens of the first issuer are looked up (RFC 7662). Without it they are refused. Needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET.";
    OAUTH_CLIENT_ID = "none", "the id of a confidential client at the issuer",
        "This server's own client id, for introspection and token exchange.";
    #[secret yes]
    OAUTH_CLIENT_SECRET = "none", "the secret that goes with OAUTH_CLIENT_ID",
        "This server's own client secret, for introspection and token exchange.";
    ALLOW_API_KEYS = "false", "`true` or `false`",
        "Whether the platform's API keys (`sk-...`) are accepted in the Authorization header, as `ApiKey` or `Bearer`. A key has all the rights of its user; the platform is asked about it, at most once a minute.";
    UPSTREAM_CREDENTIAL = "forward", "`forward` or `exchange`",
        "What goes to the platform: the caller's own verified token, or one that the issuer gives in exchange for it (RFC 8693). `exchange` needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET, and one issuer only.";
    SESSIONS = "sealed", "`sealed`, `live` or `off`",
        "Session ids for clients of the 2025 revisions: `sealed` issues encrypted handles that need no storage, `live` puts the same handles in front of sessions in memory, to which resource subscriptions can be sent, `off` issues none.";
    MAX_SESSIONS = "1000", "a number from 1 to 1000000",
        "Live sessions at a time; one more is answered with 503. Sealed sessions take no room and are not counted.";
    SESSION_IDLE_SECONDS = "1800", "a number of seconds from 60 to 86400",
        "How long a live session lasts without a request, a running call or an open stream.";
    #[secret yes]
    SESSION_KEY = "random at each start", "one or more keys of 32 bytes in base64url or hex, separated by commas; the first seals, all open",
        "Encrypts the handles of sessions and tasks, and the state of questions. Set it if there is more than one replica, or if they are to survive a restart.";
    READ_ONLY = "false", "`true` or `false`",
        "Whether only tools that change nothing are offered. Users can ask for the same with `?readonly=true`.";
    CONFIRM = "auto", "`auto` or `never`",
        "Whether users are asked before a tool kills, deletes or restores something or starts a whole space, and for what a build request leaves out. `auto` asks where the client can ask; `never` is for automation.";
    TOOLSETS = "all", "`all`, or a comma-separated list of account, agents, runs, files, versions, schedules, billing, spaces, analytics, builder",
        "The toolsets that are offered. Users can narrow them further with `?toolsets=`; whoami (account) is always offered.";
    MCP_RATE_LIMIT_MAX = "300", "a number from 1 to 1000000",
        "Requests of one user within MCP_RATE_LIMIT_WINDOW_MS; one more is answered with 429. They may all come at once; the allowance refills evenly over the window.";
    MCP_RATE_LIMIT_WINDOW_MS = "60000", "a number of milliseconds from 1000 to 3600000",
        "The window of MCP_RATE_LIMIT_MAX and RATE_LIMIT_PER_ADDRESS.";
    RATE_LIMIT_PER_ADDRESS = "600", "a number from 1 to 1000000",
        "Requests without an accepted credential from one client address (IPv6: one /64 network) within MCP_RATE_LIMIT_WINDOW_MS; one more is answered with 429. Requests of users who are signed in cost their address nothing. Discovery documents and pages have a limit of their own, ten times as high.";
    MAX_CONCURRENT_CALLS = "512", "a number from 1 to 100000",
        "Requests to /mcp being answered at the same time, for all users together; one more is answered with 503.";
    MAX_CONCURRENT_CALLS_PER_USER = "32", "a number from 1 to 100000",
        "The same for one user; one more is answered with 429.";
    MAX_CONCURRENT_CALLS_PER_ORGANIZATION = "256", "a number from 1 to 100000",
        "The same for all users of one organisation, so that it cannot take the room of the others; one more is answered with 429.";
    MAX_STREAMS_PER_USER = "16", "a number from 1 to 100000",
        "Event streams that one user may keep open at the same time to be told of changes; one more is answered with 429. They are not counted as calls.";
    #[secret yes]
    LIMITS_STORE = "memory", "`memory`, or a URL such as redis://user:password@host:6379/0 (rediss:// for TLS) without query or fragment",
        "Where requests are counted. With more than one replica, a Redis or Valkey (5 or later) makes the limits hold for all of them together. While it cannot be reached, every replica counts for itself, and no call fails because of it. rediss:// trusts the certificates of the system, or those in SSL_CERT_FILE.";
    LIST_CACHE_TTL_MS = "300000", "a number of milliseconds from 0 to 86400000",
        "How long a client of the 2026-07-28 revision may keep the tool list and the discovery answer.";
    MAX_BODY_BYTES = "1048576", "a number of bytes from 1024 to 16777216",
        "Largest request body; a larger one is answered with 413.";
    MAX_CONNECTIONS = "4096", "a number from 1 to 1000000",
        "Open connections at the same time. Further ones wait in the operating system's queue. One client address has half of them at most, unless it is on loopback or a proxy of TRUST_PROXY; further ones of it are closed.";
    IDLE_TIMEOUT_SECONDS = "75", "a number of seconds from 1 to 3600",
        "How long a connection may take to send its headers, and how long it may be idle between requests. Keep it above the idle timeout of a load balancer in front.";
    CALL_TIMEOUT_SECONDS = "60", "a number of seconds from 1 to 3600",
        "Deadline of one tool call. A synchronous start_agent has its own `timeout` argument instead.";
    API_TIMEOUT_SECONDS = "30", "a number of seconds from 1 to 600",
        "Deadline of one request to the platform; calls that may be repeated get several attempts within the tool call's deadline.";
    MAX_RESPONSE_BYTES = "8388608", "a number of bytes from 65536 to 268435456",
        "Largest answer read from the platform; a larger one becomes an error, never a truncated record.";
    STORAGE_HOSTS = "none", "a comma-separated list of host names, each with or without a port",
        "Hosts from which read_run_file may read although they are not on the public internet or not https. Public https hosts need no entry, unless they can be reached through `HTTPS_PROXY` only: a proxy is used for the hosts named here and for no other storage host, because it would decide to which address a name leads. No credential is sent to any of them.";
    SHUTDOWN_DELAY_SECONDS = "0", "a number of seconds from 0 to 600",
        "How long requests are still taken after SIGTERM, while `/readyz` answers 503 already: time for balancers to send them elsewhere. Set it above the balancer's idle timeout and its probe interval.";
    SHUTDOWN_GRACE_SECONDS = "30", "a number of seconds from 0 to 600",
        "How long running calls may take to finish, after SIGTERM and SHUTDOWN_DELAY_SECONDS, before they are cut off.";
    LOG_FORMAT = "text", "`text` or `json`",
        "Format of the log lines on standard error.";
    METRICS_ADDR = "off", "`off`, a port number (on 127.0.0.1), or an IP address with a port such as 0.0.0.0:9464",
        "Where `GET /metrics` answers Prometheus, without sign-in. Keep it inside your network.";
    OTEL_EXPORTER_OTLP_ENDPOINT = "none", "an http or https URL without user, query or fragment, such as http://127.0.0.1:4318",
        "The OpenTelemetry collector that traces are sent to, as OTLP protobuf over HTTP; `/v1/traces` is appended. Without it there are no traces.";
    DEBUG = "0", "`0` or `1`",
        "`1` logs at debug level and admits browser pages served from this machine (loopback origins).";
}
