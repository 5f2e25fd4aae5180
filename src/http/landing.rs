//! `/`: what a person sees who opens the server's address in a browser.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use maud::{DOCTYPE, PreEscaped, html};

use super::Edge;

const STYLE: &str = include_str!("landing.css");
/// No script, nothing from elsewhere, no framing.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

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
                title { "Sequentum MCP server" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Sequentum MCP server" }
                    p.lead { "Connects AI assistants to your Sequentum web-scraping agents: find agents, start runs, follow them, fetch their files." }
                    section {
                        h2 { "Connect" }
                        p { "Add this URL to your MCP client. It opens a sign-in page on first use." }
                        pre.url { code { (endpoint) } }
                        h3 { "Claude Code" }
                        pre { code { "claude mcp add --transport http sequentum " (endpoint) } }
                        h3 { "Cursor, VS Code and others" }
                        pre { code { "{\n  \"mcpServers\": {\n    \"sequentum\": { \"url\": \"" (endpoint) "\" }\n  }\n}" } }
                        p.hint { "In VS Code the outer key is " code { "servers" } " and the entry also has " code { "\"type\": \"http\"" } "." }
                    }
                    section {
                        h2 { "This is an API" }
                        p { "There is nothing to click here: the endpoint speaks the Model Context Protocol (Streamable HTTP). " a href="/health" { "Health" } }
                        ul {
                            li { a href="https://docs.sequentum.com/api" { "Documentation" } }
                            li { a href="https://dashboard.sequentum.com" { "Sequentum dashboard" } }
                        }
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
