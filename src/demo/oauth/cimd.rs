//! Client ID metadata documents: a `client_id` that is a URL, and the guarded fetch behind it.
//!
//! Whoever writes a `client_id` decides where this server connects to, so the address is checked before the
//! connection is made and the connection goes to the very address that was checked.

use std::{net::SocketAddr, time::Duration};

use url::{Host, Url};

use super::client::{Client, Metadata};
use crate::outbound;

const TIMEOUT: Duration = Duration::from_secs(5);
const SIZE: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CimdError {
    #[error("{0}")]
    Url(&'static str),
    #[error("its host has no public address")]
    Address,
    #[error("it cannot be fetched")]
    Fetch,
    #[error("it was answered with status {0}")]
    Status(u16),
    #[error("it is larger than 64 KiB")]
    Size,
    #[error("it is not a JSON object of client metadata")]
    Json,
    #[error("its client_id is not its own address")]
    Identity,
    #[error("it asks for something this server does not offer")]
    Unacceptable,
}

/// The client described at `id`.
pub(crate) async fn fetch(id: &str) -> Result<Client, CimdError> {
    let url = check(id)?;
    let fetch = tokio::time::timeout(TIMEOUT, get(&url)).await;
    let body = fetch.map_err(|_| CimdError::Fetch)??;
    let metadata: Metadata = serde_json::from_slice(&body).map_err(|_| CimdError::Json)?;
    if metadata.client_id.as_deref() != Some(id) {
        return Err(CimdError::Identity);
    }
    if metadata.token_endpoint_auth_method.as_deref().is_some_and(|method| method != "none") {
        return Err(CimdError::Unacceptable);
    }
    metadata.check().map_err(|_| CimdError::Unacceptable)?;
    Ok(Client { id: id.to_owned(), name: metadata.display_name(), redirect_uris: metadata.redirect_uris })
}

/// An https URL with a path, or one on this machine; spelled canonically, so that one client has one id.
fn check(id: &str) -> Result<Url, CimdError> {
    let url = Url::parse(id).map_err(|_| CimdError::Url("it is not a URL"))?;
    let loopback = outbound::is_loopback(&url);
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(CimdError::Url("it must be https")),
    }
    if url.path() == "/" {
        return Err(CimdError::Url("it must have a path"));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(CimdError::Url("it must have neither fragment nor user information"));
    }
    if url.as_str() != id {
        return Err(CimdError::Url("it must be written in normal form"));
    }
    Ok(url)
}

async fn get(url: &Url) -> Result<Vec<u8>, CimdError> {
    let addresses = addresses(url).await?;
    let mut client = outbound::builder().no_proxy();
    if let Some(Host::Domain(name)) = url.host() {
        // Pins the connection to what was checked: a second look-up might answer something else.
        client = client.resolve_to_addrs(name, &addresses);
    }
    let client = client.build().map_err(|_| CimdError::Fetch)?;
    let request = client.get(url.clone()).header("accept", "application/json");
    let response = request.send().await.map_err(|_| CimdError::Fetch)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(CimdError::Status(response.status().as_u16()));
    }
    outbound::body(response, SIZE).await.map_err(|error| match error {
        outbound::BodyError::Http(_) => CimdError::Fetch,
        outbound::BodyError::TooLarge(_) => CimdError::Size,
    })
}

/// The addresses of the URL's host, if every one of them may be connected to.
async fn addresses(url: &Url) -> Result<Vec<SocketAddr>, CimdError> {
    let port = url.port_or_known_default().unwrap_or(443);
    let loopback = outbound::is_loopback(url);
    let found: Vec<SocketAddr> = match url.host() {
        Some(Host::Ipv4(address)) => vec![(address, port).into()],
        Some(Host::Ipv6(address)) => vec![(address, port).into()],
        Some(Host::Domain(name)) => {
            tokio::net::lookup_host((name, port)).await.map_err(|_| CimdError::Fetch)?.collect()
        }
        None => Vec::new(),
    };
    // A name that leads to this machine is refused, unless it says so (`localhost`); then it must lead nowhere else.
    let allowed = |address: &SocketAddr| {
        if loopback { address.ip().is_loopback() } else { outbound::is_public(address.ip()) }
    };
    if found.is_empty() || !found.iter().all(allowed) {
        return Err(CimdError::Address);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_not_fetched_at_all() {
        assert!(check("https://example.com/client.json").is_ok());
        assert!(check("http://localhost:9/client.json").is_ok());
        for bad in [
            "http://example.com/client.json",
            "http://10.0.0.1/client.json",
            "https://example.com",
            "https://example.com/",
            "https://example.com/a#b",
            "https://u:p@example.com/a",
            "https://example.com/a/../b",
            "https://EXAMPLE.com/a",
            "ftp://example.com/a",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn addresses_inside_are_not_connected_to() {
        for bad in [
            "https://10.0.0.1/c",
            "https://169.254.169.254/c",
            "https://[fe80::1]/c",
            "https://[::ffff:7f00:1]/c",
        ] {
            assert!(matches!(fetch(bad).await, Err(CimdError::Address)), "{bad}");
        }
    }
}
