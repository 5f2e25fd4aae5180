//! Who may know whom: the arrows of `docs/architecture.md`, read from the source.

use std::{fs, path::Path};

/// A room, the rooms it may know, and the libraries that are its alone to name.
const ROOMS: [(&str, &[&str]); 23] = [
    ("clock", &[]),
    ("outbound", &[]),
    ("metrics", &[]),
    ("traces", &[]),
    ("config", &["outbound", "api::retry", "tools::Toolset"]),
    ("api", &["config", "outbound", "clock", "metrics", "traces"]),
    ("auth", &["api::credential", "api::error", "config", "outbound", "clock"]),
    ("policies", &[]),
    ("seal", &["auth", "clock"]),
    ("questions", &["tools::untrusted"]),
    ("tools", &["api", "auth", "clock", "policies", "questions", "resources", "traces"]),
    ("completions", &["api", "auth", "clock", "tools::untrusted"]),
    ("resources", &["api::ids", "completions"]),
    ("subscriptions", &["api", "auth", "clock"]),
    ("prompts", &["api::ids", "completions", "policies", "questions", "tools::untrusted"]),
    (
        "mcp",
        &[
            "tools",
            "prompts",
            "resources",
            "completions",
            "subscriptions",
            "policies",
            "questions",
            "seal",
            "api",
            "auth",
            "seal",
            "config",
            "clock",
            "metrics",
            "telemetry",
            "traces",
        ],
    ),
    ("http", &["mcp", "tools", "auth", "seal", "config", "clock", "metrics", "telemetry", "traces"]),
    ("telemetry", &["config"]),
    ("demo", &["clock", "outbound"]),
    ("sign_in", &["api::credential", "auth::Scope", "auth::ScopeSet", "auth::client", "clock", "outbound"]),
    // Another system's small server: the plumbing, nothing of the platform.
    (
        "sequence",
        &[
            "mcp::SUPPORTED",
            "mcp::abilities",
            "mcp::guard",
            "mcp::stdio",
            "tools::Effect",
            "tools::Reply",
            "tools::ToolError",
            "tools::arguments",
            "tools::schema",
            "tools::untrusted",
            "api::error",
            "api::retry",
            "config",
            "clock",
            "outbound",
            "telemetry",
        ],
    ),
    (
        "app",
        &[
            "http", "mcp", "prompts", "tools", "auth", "api", "config", "clock", "outbound", "seal",
            "metrics", "traces",
        ],
    ),
    // For `doctor` and `healthcheck` also what they look at: who may call, which keys can be used, how to connect.
    (
        "cli",
        &[
            "app",
            "demo",
            "sequence",
            "sign_in",
            "telemetry",
            "tools",
            "prompts",
            "resources",
            "auth",
            "config",
            "clock",
            "outbound",
            "metrics",
            "api::error",
            "http::KNOWN_ORIGINS",
            "http::PublicUrls",
        ],
    ),
];

/// Libraries that change shape often or carry a risk, and the only rooms that may name them.
const LIBRARIES: [(&str, &[&str]); 8] = [
    ("rmcp", &["mcp", "sequence"]),
    ("axum", &["http", "demo"]),
    ("reqwest", &["outbound", "api", "auth", "app", "cli", "demo", "sequence", "sign_in", "traces"]),
    ("jsonwebtoken", &["auth", "demo"]),
    ("redis", &["http"]),
    ("prometheus_client", &["metrics"]),
    ("opentelemetry", &["traces"]),
    ("clap", &["cli"]),
];

fn sources(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
            found.push((name.to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    found.retain(|(name, _)| name != "lib.rs" && name != "main.rs" && !name.starts_with("bin/"));
    found
}

fn room(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap()
}

/// The code of a file: no comments, no unit tests.
fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]").next().unwrap();
    product.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every `crate::...` path, with grouped imports spelled out.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in code.split("crate::").skip(1) {
        spell_out("", part, &mut found);
    }
    found
}

/// The paths that `text` begins with, each behind `prefix`.
fn spell_out(prefix: &str, text: &str, found: &mut Vec<String>) {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..end]);
    let Some(group) = text[end..].strip_prefix('{').filter(|_| path.is_empty() || path.ends_with("::"))
    else {
        if !path.is_empty() {
            found.push(path);
        }
        return;
    };
    let (mut depth, mut start) = (0, 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let item = group[start..at].trim();
                if !item.is_empty() {
                    spell_out(&path, item, found);
                }
                if character == '}' {
                    return;
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

#[test]
fn every_arrow_points_the_right_way() {
    let mut wrong = Vec::new();
    for (name, text) in all() {
        let room = room(&name);
        let Some((_, allowed)) = ROOMS.iter().find(|(known, _)| *known == room) else {
            panic!("src/{name} is in no known room: add it to ROOMS and to docs/architecture.md");
        };
        for path in paths(&code(&text)) {
            let own = path == room || path.starts_with(&format!("{room}::"));
            let is_allowed =
                allowed.iter().any(|allowed| path == *allowed || path.starts_with(&format!("{allowed}::")));
            if !own && !is_allowed {
                wrong.push(format!("src/{name} may not use crate::{path}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (name, text) in all() {
        let code = code(&text);
        for (library, rooms) in LIBRARIES {
            let names_it =
                code.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == library);
            if names_it && code.contains(&format!("{library}::")) && !rooms.contains(&room(&name)) {
                wrong.push(format!("src/{name} may not name {library}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn grouped_imports_are_spelled_out() {
    let code = "use crate::{\n    api::{Api, call::{self, Call}},\n    auth::Caller,\n};\nlet x = crate::clock::Clock::system();";
    assert_eq!(
        paths(code),
        ["api::Api", "api::call::self", "api::call::Call", "auth::Caller", "clock::Clock::system"]
    );
}
