//! `/`: what a person sees who opens the server's address in a browser: how to connect each client.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use data_encoding::BASE64;
use http::{HeaderValue, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use super::{DOCUMENTATION, Edge};

const STYLE: &str = include_str!("landing.css");
/// No script, nothing from elsewhere, no framing.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// What the server is called in the clients' lists.
const NAME: &str = "sequentum";
/// What people ask first.
const QUESTIONS: [&str; 5] = [
    "Which of my agents failed last time, and why?",
    "Start the price monitor agent and tell me when it is done.",
    "Show me the first rows of its last output file.",
    "What did I spend this month, and which agents cost most?",
    "Run this agent every weekday at six in the morning.",
];

/// The page. It is the same for everybody: its one variable part is the configured URL.
pub(super) async fn page(State(edge): State<Arc<Edge>>) -> Response {
    let endpoint = edge.public.endpoint();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="description" content="Connect AI assistants to your Sequentum web-scraping agents.";
                title { "Sequentum MCP server" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Sequentum MCP server" }
                    p.lead { "Connects AI assistants to your Sequentum web-scraping agents: find agents, start runs, follow them, fetch their files." }
                    section { (connect(&endpoint)) }
                    section {
                        h2 { "Then ask" }
                        ul { @for question in QUESTIONS { li { (question) } } }
                    }
                    section {
                        h2 { "What it may do" }
                        p { "You sign in with your Sequentum account and choose which rights the assistant gets. It sees what your account sees and nothing of other organizations. This server keeps neither your password nor your data." }
                        p { "For an assistant that must not change anything, connect to " code { (endpoint) "?readonly=true" } "." }
                    }
                    footer {
                        a href=(DOCUMENTATION) { "Documentation" }
                        a href="https://dashboard.sequentum.com" { "Sequentum dashboard" }
                        a href="/llms.txt" { "For assistants" }
                        a href="/health" { "Health" }
                    }
                }
            }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, page.into_string()).into_response()
}

/// The URL, the links that install, and the steps for each client.
fn connect(endpoint: &str) -> Markup {
    html! {
        h2 { "Connect" }
        p { "Add this URL to your assistant. A page to sign in opens on first use." }
        pre.url { code { (endpoint) } }
        p.install {
            a href=(cursor_link(endpoint)) { "Add to Cursor" }
            a href=(vscode_link("vscode", endpoint)) { "Add to VS Code" }
            a.second href=(vscode_link("vscode-insiders", endpoint)) { "VS Code Insiders" }
        }
        details {
            summary { "Claude (web, desktop and mobile)" }
            ol {
                li { "Open " a href="https://claude.ai/customize/connectors" { "Connectors" } " in the settings and choose " b { "Add custom connector" } ". In a team, an owner does this once." }
                li { "Name it Sequentum and paste the URL above." }
                li { "Choose " b { "Connect" } " and sign in." }
            }
        }
        details {
            summary { "Claude Code" }
            pre.command { code { "claude mcp add --transport http " (NAME) " " (endpoint) } }
            p.hint { "Then type " code { "/mcp" } " in a session and sign in." }
        }
        details {
            summary { "Cursor" }
            p { "Use the button above, or put this into " code { "~/.cursor/mcp.json" } ":" }
            pre { code { (pretty(&json!({"mcpServers": {NAME: {"url": endpoint}}}))) } }
        }
        details {
            summary { "ChatGPT" }
            ol {
                li { "Switch " b { "Developer mode" } " on, in the advanced settings of " b { "Apps & Connectors" } ". In a workspace, an administrator allows it first." }
                li { "Choose " b { "Create" } ", name it Sequentum, paste the URL above and choose OAuth." }
                li { "Sign in, and switch it on in a new chat." }
            }
        }
        details {
            summary { "VS Code" }
            p { "Use a button above, or put this into " code { ".vscode/mcp.json" } ":" }
            pre { code { (pretty(&json!({"servers": {NAME: {"type": "http", "url": endpoint}}}))) } }
        }
        details {
            summary { "Windsurf" }
            p { "Put this into " code { "~/.codeium/windsurf/mcp_config.json" } " and refresh the list of servers:" }
            pre { code { (pretty(&json!({"mcpServers": {NAME: {"serverUrl": endpoint}}}))) } }
        }
        details {
            summary { "Others" }
            p { "Most clients read this form, some with " code { "\"type\": \"http\"" } " beside the URL:" }
            pre { code { (pretty(&json!({"mcpServers": {NAME: {"url": endpoint}}}))) } }
            p { "A client that only starts commands gets there through a bridge:" }
            pre { code { (bridge(endpoint)) } }
        }
    }
}

/// By hand, so that the command stands before its arguments. A URL has nothing in it that JSON would escape.
fn bridge(endpoint: &str) -> String {
    format!(
        r#"{{
  "mcpServers": {{
    "{NAME}": {{
      "command": "npx",
      "args": ["-y", "mcp-remote", "{endpoint}"]
    }}
  }}
}}"#
    )
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}

/// Cursor's link takes one entry of its `mcp.json`, in base64.
fn cursor_link(endpoint: &str) -> String {
    let config = BASE64.encode(json!({"url": endpoint}).to_string().as_bytes());
    let config: String = byte_serialize(config.as_bytes()).collect();
    format!("cursor://anysphere.cursor-deeplink/mcp/install?name={NAME}&config={config}")
}

/// The link of VS Code takes what its `--add-mcp` takes, percent-encoded.
fn vscode_link(scheme: &str, endpoint: &str) -> String {
    let config = json!({"name": NAME, "type": "http", "url": endpoint}).to_string();
    let config: String = byte_serialize(config.as_bytes()).collect();
    format!("{scheme}:mcp/install?{config}")
}
