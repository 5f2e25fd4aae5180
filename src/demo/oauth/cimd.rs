//! Client ID metadata documents: a `client_id` that is a URL, and the guarded fetch behind it.
//!
//! Whoever writes a `client_id` decides where this server connects to, so the address is checked before the
//! connection is made and the connection goes to the very address that was checked.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

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
    let mut response = request.send().await.map_err(|_| CimdError::Fetch)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(CimdError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| CimdError::Fetch)? {
        if body.len() + chunk.len() > SIZE {
            return Err(CimdError::Size);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
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
    let allowed =
        |address: &SocketAddr| if loopback { address.ip().is_loopback() } else { is_public(address.ip()) };
    if found.is_empty() || !found.iter().all(allowed) {
        return Err(CimdError::Address);
    }
    Ok(found)
}

/// Whether an address belongs to the public internet (after the IANA special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = matches!(
        address.octets(),
        // "This network", private, loopback, multicast and reserved.
        [0 | 10 | 127 | 224.., ..] | [172, 16..=31, ..] | [192, 168, ..]
            // Carrier-grade NAT (RFC 6598).
            | [100, 64..=127, ..]
            // Link-local, where clouds keep their instance credentials.
            | [169, 254, ..]
            // Protocol assignments, documentation, 6to4 relay, benchmarks.
            | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _]
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // NAT64 and 6to4 lead to the IPv4 address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        // Teredo, benchmarks and other protocol assignments; documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, ..=0xfff, ..] => false,
        // Global unicast is 2000::/3; everything else is local, multicast or unassigned.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses() {
        for public in
            ["1.1.1.1", "172.15.0.1", "100.63.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for local in [
            "0.0.0.0",
            "10.0.0.1",
            "127.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "2001::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(local.parse().unwrap()), "{local}");
        }
    }

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
