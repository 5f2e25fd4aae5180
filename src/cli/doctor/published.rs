//! The server as clients see it: through its published address.

use http::{Method, StatusCode, header};
use serde_json::Value;
use url::Url;

use super::{
    Check,
    ask::{self, Answer, quote},
};
use crate::{cli::healthcheck::local_origin, config::Config, http::KNOWN_ORIGINS, http::PublicUrls};

/// The name of the check whether there is a server at all.
pub(super) const SERVER: &str = "server";
const METADATA: &str = "resource metadata";
const CHALLENGE: &str = "challenge";
const ORIGINS: &str = "browser origins";

/// Where clients reach the server: `PUBLIC_URL`, or the address of this machine.
pub(super) fn public_urls(config: &Config) -> Option<PublicUrls> {
    let local = || local_origin(config.http.host, config.http.port);
    let origin = config.http.public_url.clone().or_else(local)?;
    // Clients are sent to the first.
    Some(PublicUrls::new(&origin, config.auth.issuers.first()?.clone()))
}

pub(super) async fn check(config: &Config) -> Vec<Check> {
    let Some(public) = public_urls(config) else {
        let remedy = "Set PUBLIC_URL or PORT to look at a running server.";
        return vec![Check::warning(SERVER, "PORT=0 is any free port: nothing to look at", remedy)];
    };
    let health = async {
        let origin = Url::parse(public.origin()).map_err(|error| error.to_string())?;
        let client = ask::client(&origin)?;
        let answer = ask::ask(client.get(format!("{}/health", public.origin()))).await?;
        Ok::<_, String>((client, answer))
    };
    let origin = public.origin();
    let (client, health) = match health.await {
        Ok(answered) => answered,
        Err(cause) if config.http.public_url.is_some() => {
            return vec![Check::failed(
                SERVER,
                format!("{origin} does not answer: {cause}"),
                "Check that the server runs, that PUBLIC_URL leads to it, and what the proxy in front says.",
            )];
        }
        Err(cause) => {
            return vec![Check::warning(
                SERVER,
                format!("nothing answers at {origin}: {cause}"),
                "Start the server to have it looked at, or set PUBLIC_URL to one that runs elsewhere.",
            )];
        }
    };
    let mut checks = vec![health_check(origin, &health)];
    if checks.iter().all(|check| check.status == super::Status::Ok) {
        checks.push(metadata(&client, &public).await);
        checks.push(challenge(&client, &public, config.auth.required).await);
        checks.push(origins(&client, &public, &config.http.allowed_origins).await);
    }
    checks
}

fn health_check(origin: &str, health: &Answer) -> Check {
    let document = health.object().filter(|_| health.status.is_success());
    let version = document.as_ref().and_then(|document| document.get("version")).and_then(Value::as_str);
    match version {
        Some(version) => Check::ok(SERVER, format!("{origin}/health answers, version {}", quote(version))),
        None => Check::failed(
            SERVER,
            format!(
                "{origin}/health answers with status {} and not as this server does",
                health.status.as_u16()
            ),
            "Check that PUBLIC_URL leads to this server, and that the proxy in front passes every path on.",
        ),
    }
}

/// RFC 9728 section 3.3: a document whose `resource` is another one must not be used.
async fn metadata(client: &reqwest::Client, public: &PublicUrls) -> Check {
    let (address, resource) = (public.resource_metadata(), public.endpoint());
    let remedy = "Set PUBLIC_URL to the origin that users paste, and have the proxy pass /.well-known/ on.";
    let answer = match ask::ask(client.get(&address)).await {
        Ok(answer) => answer,
        Err(cause) => return Check::failed(METADATA, format!("{address} does not answer: {cause}"), remedy),
    };
    let Some(document) = answer.object().filter(|_| answer.status.is_success()) else {
        let finding = format!("{address} answers with {}", answer.without("JSON object"));
        return Check::failed(METADATA, finding, remedy);
    };
    let named = document.get("resource").and_then(Value::as_str).unwrap_or_default();
    if named != resource {
        let finding = format!("{address} names the resource {}, clients use {resource:?}", quote(named));
        return Check::failed(METADATA, finding, remedy);
    }
    let servers = document.get("authorization_servers").and_then(Value::as_array);
    let names_issuer = servers.into_iter().flatten().any(|server| server.as_str() == Some(public.issuer()));
    if !names_issuer {
        let finding = format!("{address} does not name the configured issuer {:?}", public.issuer());
        let remedy = "The running server has another SEQUENTUM_OAUTH_ISSUER than this command: start both with the same settings.";
        return Check::failed(METADATA, finding, remedy);
    }
    Check::ok(METADATA, format!("{address} names {resource} and the configured issuer"))
}

/// What starts a sign-in: a 401 that says where the metadata is.
async fn challenge(client: &reqwest::Client, public: &PublicUrls, required: bool) -> Check {
    let endpoint = public.endpoint();
    let request = client.post(&endpoint).header(header::CONTENT_TYPE, "application/json").body("{}");
    let answer = match ask::ask(request).await {
        Ok(answer) => answer,
        Err(cause) => {
            let remedy = "Have the proxy pass /mcp on, POST requests included.";
            return Check::failed(CHALLENGE, format!("{endpoint} does not answer: {cause}"), remedy);
        }
    };
    let expected = format!("resource_metadata=\"{}\"", public.resource_metadata());
    let header = answer.header("www-authenticate");
    if answer.status == StatusCode::UNAUTHORIZED
        && header.starts_with("Bearer ")
        && header.contains(&expected)
    {
        return Check::ok(CHALLENGE, format!("{endpoint} sends clients to the resource metadata (401)"));
    }
    if !required && answer.status != StatusCode::UNAUTHORIZED {
        let remedy = "Leave REQUIRE_AUTH unset where users are to sign in.";
        return Check::warning(CHALLENGE, "REQUIRE_AUTH=false: nobody is asked to sign in", remedy);
    }
    let finding = format!(
        "{endpoint} answers a call without a token with status {} and the challenge {}",
        answer.status.as_u16(),
        quote(header)
    );
    Check::failed(
        CHALLENGE,
        finding,
        "Have the proxy pass status 401 and WWW-Authenticate on unchanged; without them clients do not know where to sign in.",
    )
}

/// A preflight for each page that may call.
async fn origins(client: &reqwest::Client, public: &PublicUrls, additional: &[String]) -> Check {
    let endpoint = public.endpoint();
    let all: Vec<&str> = KNOWN_ORIGINS.into_iter().chain(additional.iter().map(String::as_str)).collect();
    let mut refused = Vec::new();
    for origin in &all {
        let request = client
            .request(Method::OPTIONS, &endpoint)
            .header(header::ORIGIN, *origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(
                header::ACCESS_CONTROL_REQUEST_HEADERS,
                "authorization,content-type,mcp-protocol-version",
            );
        let admits = |answer: &Answer| {
            let headers = answer.header("access-control-allow-headers").to_ascii_lowercase();
            answer.status.is_success()
                && answer.header("access-control-allow-origin") == *origin
                && headers.split(',').any(|name| name.trim() == "authorization")
        };
        if !ask::ask(request).await.is_ok_and(|answer| admits(&answer)) {
            refused.push(*origin);
        }
    }
    if refused.is_empty() {
        return Check::ok(ORIGINS, format!("pages of all {} may call", all.len()));
    }
    Check::failed(
        ORIGINS,
        format!("the preflight of {} is refused", refused.join(", ")),
        "Have the proxy pass OPTIONS requests and Access-Control headers on unchanged, and add own pages to ALLOWED_ORIGINS.",
    )
}
