//! Addresses of the public internet, and a client that connects to no others.
//!
//! Where a URL comes from outside (a download link, a client metadata document), whoever writes it would otherwise
//! decide which machine inside our network is asked. The check is made on the resolved address that is connected to, so
//! a name that answers differently the second time gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// A client that resolves names to public addresses only. Literal addresses are to be checked with
/// [`has_public_literal`] first: they are never resolved.
///
/// It goes through no proxy, whatever the environment says: a proxy would resolve the name itself, and unseen.
///
/// # Errors
///
/// Fails when the TLS back end cannot be set up.
pub fn public_client() -> Result<reqwest::Client, reqwest::Error> {
    super::builder().no_proxy().dns_resolver(std::sync::Arc::new(PublicOnly)).build()
}

/// Whether the URL's host is a name, or a literal address of the public internet.
#[must_use]
pub fn has_public_literal(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_public(address.into()),
        Some(Host::Ipv6(address)) => is_public(address.into()),
        Some(Host::Domain(_)) => true,
        None => false,
    }
}

/// Resolves through the system and keeps what is public.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One private address among public ones is a sign of trouble, not something to skip.
            if found.is_empty() || !found.iter().all(|address| is_public(address.ip())) {
                return Err("the host has no public address".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet (after the IANA special-purpose registries).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
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

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        let error = public_client().unwrap().get("https://localhost/").send().await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
        assert!(!has_public_literal(&Url::parse("https://169.254.169.254/latest").unwrap()));
    }
}
