//! What people and assistants read before they connect: `/` and `/llms.txt`.

use data_encoding::BASE64;
use reqwest::Method;
use sequentum_mcp::tools::Catalog;
use serde_json::{Value, json};
use url::Url;

use crate::support::{Answer, TestServer};

const PUBLIC: &str = "https://mcp.example.com";

/// Asked for by another name than the published one.
async fn page(path: &str, settings: &[(&str, &str)]) -> Answer {
    let always = [("PUBLIC_URL", PUBLIC), ("ALLOWED_HOSTS", "other.example")];
    let server = TestServer::with(&[&always, settings].concat(), Catalog::new()).await;
    let request = server.request(Method::GET, path).header("host", "other.example");
    server.send(request.header("x-forwarded-host", "evil.example")).await
}

/// What stands between two texts, wherever they do.
fn between<'a>(text: &'a str, begin: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(begin).skip(1).map(move |rest| rest.split(end).next().unwrap())
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&amp;", "&")
}

#[tokio::test]
async fn the_links_that_install_name_the_published_endpoint() {
    let page = page("/", &[]).await;
    let links: Vec<_> = between(&page.text, "href=\"", "\"").map(unescaped).collect();
    let of = |scheme: &str| Url::parse(links.iter().find(|link| link.starts_with(scheme)).unwrap()).unwrap();

    let cursor = of("cursor:");
    let parameter = |name: &str| cursor.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!((cursor.host_str(), cursor.path()), (Some("anysphere.cursor-deeplink"), "/mcp/install"));
    assert_eq!(parameter("name"), "sequentum");
    let config: Value =
        serde_json::from_slice(&BASE64.decode(parameter("config").as_bytes()).unwrap()).unwrap();
    assert_eq!(config, json!({"url": "https://mcp.example.com/mcp"}));

    for scheme in ["vscode:", "vscode-insiders:"] {
        let link = of(scheme);
        assert_eq!(link.path(), "mcp/install");
        // The whole query is one text.
        let (config, _) = url::form_urlencoded::parse(link.query().unwrap().as_bytes()).next().unwrap();
        let config: Value = serde_json::from_str(&config).unwrap();
        assert_eq!(
            config,
            json!({"name": "sequentum", "type": "http", "url": "https://mcp.example.com/mcp"})
        );
    }
}

#[tokio::test]
async fn what_is_to_be_pasted_can_be_read_and_names_the_published_endpoint_only() {
    let page = page("/", &[]).await;
    let mut read = 0;
    for block in between(&page.text, "<pre><code>", "</code>").map(unescaped) {
        assert!(block.contains("https://mcp.example.com/mcp"), "{block}");
        serde_json::from_str::<Value>(&block).unwrap_or_else(|error| panic!("{error}: {block}"));
        read += 1;
    }
    assert_eq!(read, 5);
    for stranger in ["other.example", "evil.example", "127.0.0.1", "localhost"] {
        assert!(!page.text.contains(stranger), "{stranger}");
    }
}

#[tokio::test]
async fn the_page_needs_nothing_but_itself() {
    let page = page("/", &[]).await;
    assert_eq!(
        page.header("content-security-policy"),
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    for forbidden in ["<script", "<img", "<link", "src=", "style=", "onclick", "javascript:", "<form"] {
        assert!(!page.text.contains(forbidden), "{forbidden}");
    }
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn assistants_are_told_where_the_endpoint_is_and_what_is_offered() {
    let all = page("/llms.txt", &[]).await;
    assert_eq!(all.header("content-type"), "text/plain; charset=utf-8");
    assert!(all.text.starts_with("# Sequentum MCP server\n\n> "), "{}", all.text);
    assert!(all.text.contains("Endpoint: https://mcp.example.com/mcp "), "{}", all.text);
    assert!(!all.text.contains("other.example") && !all.text.contains("evil.example"));
    for row in Catalog::new().rows() {
        assert!(all.text.contains(&format!("- `{}`: ", row.name)), "{}", row.name);
    }

    let some = page("/llms.txt", &[("READ_ONLY", "true"), ("TOOLSETS", "runs")]).await;
    let offered: Vec<_> = between(&some.text, "- `", "`").collect();
    assert_eq!(
        offered,
        ["whoami", "get_agent_runs", "get_agent_run_summary", "get_run_status", "wait_for_run"]
    );
}
