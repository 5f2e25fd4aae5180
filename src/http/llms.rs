//! `/llms.txt`: what an assistant reads that is asked about this server before it is connected (llmstxt.org).

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};

use super::{DOCUMENTATION, Edge, PublicUrls};
use crate::{
    auth::Scope,
    tools::{Catalog, Reach, Selection},
};

/// The document: the same for everybody, with what the operator offers.
pub(super) async fn page(State(edge): State<Arc<Edge>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    (headers, text(&edge.public, &edge.catalog, edge.selection)).into_response()
}

fn text(public: &PublicUrls, catalog: &Catalog, selection: Selection) -> String {
    let mut page = format!(
        "\
# Sequentum MCP server

> Connects AI assistants to the Sequentum web-scraping platform through the Model Context Protocol: find agents, start and follow runs, read their files, manage schedules, see costs.

- Endpoint: {endpoint} (Streamable HTTP; revisions 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26)
- Sign-in: OAuth 2.1 with the user's Sequentum account at {issuer}; clients find everything through {metadata}
- Scopes: {scopes}
- Read-only: {endpoint}?readonly=true
- To connect, a user adds the endpoint as a remote (HTTP) MCP server or custom connector; steps for each client: {origin}/

## Documentation

- [How to connect]({origin}/): each client, with links that install
- [Sequentum API]({DOCUMENTATION}): the platform behind this server
",
        endpoint = public.endpoint(),
        issuer = public.issuer(),
        metadata = public.resource_metadata(),
        origin = public.origin(),
        scopes = Scope::ALL.map(Scope::as_str).join(" "),
    );
    let mut toolset = None;
    for row in catalog.rows().iter().filter(|row| selection.admits(Reach::of(row))) {
        if toolset != Some(row.toolset) {
            toolset = Some(row.toolset);
            // Writing to a String cannot fail.
            let _ = write!(page, "\n## Tools: {}\n\n", row.toolset.title());
        }
        let _ = writeln!(page, "- `{}`: {}", row.name, first_sentence(row.description));
    }
    page
}

/// Enough to choose by; the whole description is in the list of tools.
fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}
