//! Which Host and Origin values are ours.

use std::sync::Arc;

use axum::{body::Body, extract::State, middleware::Next, response::Response};
use http::{Request, StatusCode, header, uri::Authority};
use url::Url;

use super::{Edge, access_log, problem::Problem};

/// Browser origins of the clients and of the platform's own pages; fixed, because directories list them.
pub const KNOWN_ORIGINS: [&str; 6] = [
    "https://claude.ai",
    "https://claude.com",
    "https://chatgpt.com",
    "https://platform.openai.com",
    "https://dashboard.sequentum.com",
    "https://mcp.sequentum.com",
];
/// Domains whose sub-domains, to any depth, are allowed as well.
const KNOWN_PARENTS: [&str; 3] = [".claude.ai", ".claude.com", ".chatgpt.com"];
/// Names of this machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The Host values that are answered.
#[derive(Debug, Clone)]
pub struct HostRules {
    /// In lower case, with or without port; one without admits any port.
    allowed: Vec<String>,
}

impl HostRules {
    /// The public host, what the operator adds, and on a loopback bind the names of this machine with the bound port.
    #[must_use]
    pub fn new(public: &Url, additional: &[String], loopback_port: Option<u16>) -> Self {
        let public = match (public.host_str(), public.port()) {
            (Some(host), Some(port)) => Some(format!("{host}:{port}")),
            // The default port may or may not be written out, so any is admitted.
            (Some(host), None) => Some(host.to_owned()),
            (None, _) => None,
        };
        let loopback =
            loopback_port.into_iter().flat_map(|port| LOOPBACK.map(|name| format!("{name}:{port}")));
        Self { allowed: public.into_iter().chain(additional.iter().cloned()).chain(loopback).collect() }
    }

    fn admits(&self, authority: &Authority) -> bool {
        // The whole text: what the type calls the host may be followed or preceded by something else.
        let whole = authority.as_str().to_ascii_lowercase();
        let is_port = |rest: &str| {
            rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let mut rests = self.allowed.iter().filter_map(|allowed| whole.strip_prefix(allowed.as_str()));
        rests.any(|rest| rest.is_empty() || is_port(rest))
    }
}

/// The layer. Probes are exempt: an orchestrator asks by address, and they tell nothing worth protecting.
pub(super) async fn check(State(edge): State<Arc<Edge>>, request: Request<Body>, next: Next) -> Response {
    let probe = matches!(request.uri().path(), "/health" | "/livez" | "/readyz");
    let mut values = request.headers().get_all(header::HOST).iter();
    let authority = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().and_then(|text| text.parse::<Authority>().ok()),
        (None, _) => request.uri().authority().cloned(),
        (Some(_), Some(_)) => None,
    };
    let problem = match authority {
        None => Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_host",
            "The Host header is missing or cannot be read.",
            "Send exactly one Host header with the name of this server.",
        ),
        // A request target with a host of its own (RFC 9112 section 3.2.2) must name this server as well.
        Some(authority)
            if probe
                || edge.hosts.admits(&authority)
                    && request.uri().authority().is_none_or(|target| edge.hosts.admits(target)) =>
        {
            return next.run(request).await;
        }
        Some(_) => Problem::new(
            StatusCode::FORBIDDEN,
            "host_not_allowed",
            "This server does not answer to the name in the Host header.",
            "Use the published URL, or ask the operator to add the name to ALLOWED_HOSTS.",
        ),
    };
    problem.for_path(request.uri().path(), &access_log::id_of(&request))
}

/// The browser origins that may call.
#[derive(Debug, Clone)]
pub struct OriginRules {
    additional: Vec<String>,
    loopback: bool,
}

impl OriginRules {
    /// The built-in origins, our own, and what the operator adds; pages of this machine if `loopback`.
    #[must_use]
    pub fn new(own: &str, additional: &[String], loopback: bool) -> Self {
        Self { additional: additional.iter().cloned().chain([own.to_owned()]).collect(), loopback }
    }

    /// Compared byte by byte: another case, a trailing slash or another scheme is another origin. `null` is nobody.
    pub(super) fn admits(&self, origin: &str) -> bool {
        KNOWN_ORIGINS.contains(&origin)
            || self.additional.iter().any(|allowed| allowed == origin)
            || is_known_subdomain(origin)
            || (self.loopback && is_loopback(origin))
    }
}

fn is_known_subdomain(origin: &str) -> bool {
    let Some(host) = origin.strip_prefix("https://") else { return false };
    KNOWN_PARENTS.iter().filter_map(|parent| host.strip_suffix(parent)).any(|labels| {
        labels.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
    })
}

fn is_loopback(origin: &str) -> bool {
    let Some(host) = origin.strip_prefix("http://") else { return false };
    LOOPBACK.iter().filter_map(|name| host.strip_prefix(name)).any(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix(':')
                .is_some_and(|port| port.parse::<u16>().is_ok_and(|_| !port.starts_with('+')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_exactly() {
        let rules =
            OriginRules::new("https://mcp.example.com", &["https://app.example.com".to_owned()], false);
        for good in [
            "https://claude.ai",
            "https://a.b-1.claude.ai",
            "https://app.example.com",
            "https://mcp.example.com",
        ] {
            assert!(rules.admits(good), "{good}");
        }
        for bad in [
            "null",
            "http://claude.ai",
            "https://claude.ai/",
            "https://CLAUDE.ai",
            "https://claude.ai.example",
            "https://notclaude.ai",
            "https://.claude.ai",
            "https://a..claude.ai",
            "https://a.claude.ai:8443",
            "https://chat.openai.com",
            "https://x.platform.openai.com",
            "http://localhost:3000",
            "https://A.claude.ai",
        ] {
            assert!(!rules.admits(bad), "{bad}");
        }
    }

    #[test]
    fn loopback_origins_are_admitted_on_request() {
        let rules = OriginRules::new("http://127.0.0.1:3000", &[], true);
        for good in ["http://localhost", "http://localhost:5173", "http://[::1]:80", "http://127.0.0.1"] {
            assert!(rules.admits(good), "{good}");
        }
        for bad in [
            "https://localhost",
            "http://localhost.example",
            "http://localhost:port",
            "http://localhost:+1",
            "http://127.0.0.2",
        ] {
            assert!(!rules.admits(bad), "{bad}");
        }
    }

    #[test]
    fn hosts_match_with_their_port() {
        let public = Url::parse("https://mcp.example.com").unwrap();
        let rules = HostRules::new(&public, &["internal:8080".to_owned()], Some(3000));
        for (host, admitted) in [
            ("mcp.example.com", true),
            ("MCP.example.com:443", true),
            ("internal:8080", true),
            ("localhost:3000", true),
            ("[::1]:3000", true),
            ("internal", false),
            ("internal:80", false),
            ("localhost:3001", false),
            ("evil.example", false),
            // What the type takes for a host with something around it.
            ("[::1]evil.example:3000", false),
            ("evil@mcp.example.com", false),
            ("mcp.example.com.evil.example", false),
        ] {
            assert_eq!(rules.admits(&host.parse().unwrap()), admitted, "{host}");
        }
    }
}
