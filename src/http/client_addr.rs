//! Whose address a request comes from: that of the socket, or what trusted proxies say.
//!
//! Anybody can write `X-Forwarded-For` and `Forwarded` (RFC 7239), so one of them is read only when the operator named
//! proxies (`TRUST_PROXY`), and only as far as those proxies wrote it: from the right, up to the first address that is not
//! a trusted proxy's. The other one is not read at all: a proxy that writes one passes the other on as the client sent it,
//! and nothing in a request tells which is which (`FORWARDED_HEADER`). What cannot be read leaves the address of the
//! socket. An address is a key for limits and never an identity.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::Request;
use http::{HeaderMap, HeaderName, header};

use crate::config::{ForwardedHeader, Proxies, TrustProxy};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The part of an IPv6 address that one subscriber gets at least; what comes after it is theirs to choose.
const IPV6_PREFIX: u32 = 64;

/// The other end of the connection, put into every request by the accept loop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub SocketAddr);

/// Who counts as one client: an IPv4 address, or an IPv6 network of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ClientAddress(IpAddr);

impl ClientAddress {
    /// Of a request as it came in.
    pub(super) fn of<B>(request: &Request<B>, trusted: &TrustProxy) -> Self {
        Self::from_parts(request.extensions().get::<Peer>(), request.headers(), trusted)
    }

    /// The same from its parts. Without a peer, which the accept loop never leaves out, everybody is one client.
    pub(super) fn from_parts(peer: Option<&Peer>, headers: &HeaderMap, trusted: &TrustProxy) -> Self {
        let socket = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.0.ip().to_canonical());
        Self::keyed(forwarded(socket, headers, trusted).unwrap_or(socket))
    }

    /// Of an address.
    pub(super) fn keyed(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let mask = u128::MAX << (u128::BITS - IPV6_PREFIX);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
            address @ IpAddr::V4(_) => address,
        })
    }

    /// As bytes, for a key outside this process.
    pub(super) fn octets(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        }
        .octets()
    }
}

/// What the trusted proxies say, if there are any and they say it clearly.
fn forwarded(socket: IpAddr, headers: &HeaderMap, trusted: &TrustProxy) -> Option<IpAddr> {
    let proxies = &trusted.proxies;
    if !trusts(proxies, socket, 0) {
        return None;
    }
    match trusted.header {
        ForwardedHeader::Common => walk(common(headers), proxies),
        ForwardedHeader::Standard => walk(standard(headers), proxies),
    }
}

/// From the entry that the nearest proxy wrote to the first that is no trusted proxy, or to the last there is.
fn walk(entries: impl Iterator<Item = Option<IpAddr>>, proxies: &Proxies) -> Option<IpAddr> {
    let mut last = None;
    for (passed, entry) in entries.enumerate() {
        let address = entry?.to_canonical();
        if !trusts(proxies, address, passed.saturating_add(1)) {
            return Some(address);
        }
        last = Some(address);
    }
    last
}

/// Whether the one at `address`, with so many proxies between it and us, is a trusted proxy.
fn trusts(proxies: &Proxies, address: IpAddr, passed: usize) -> bool {
    match proxies {
        Proxies::Hops(hops) => passed < *hops,
        Proxies::Networks(networks) => networks.iter().any(|network| network.contains(&address)),
    }
}

/// The entries of all `X-Forwarded-For` lines, the nearest first; `None` for one that cannot be read.
fn common(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    // As bytes: what a client wrote at the left must not make the rest unreadable.
    let entries =
        headers.get_all(X_FORWARDED_FOR).iter().rev().flat_map(|line| line.as_bytes().rsplit(|b| *b == b','));
    entries.map(|entry| node(std::str::from_utf8(entry).ok()?.trim()))
}

/// The `for` parameters of all `Forwarded` lines, the nearest first; `None` for one that cannot be read. Quoted texts
/// are read from the left, so a line with one that is not closed cannot be read at all.
fn standard(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    headers.get_all(header::FORWARDED).iter().rev().flat_map(|line| {
        let elements = elements(&String::from_utf8_lossy(line.as_bytes())).unwrap_or_else(|| vec![None]);
        elements.into_iter().rev()
    })
}

/// RFC 7239 section 4: elements separated by commas, of pairs separated by semicolons.
fn elements(mut line: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut elements = Vec::new();
    let mut named = None;
    loop {
        let (name, rest) = line.split_once('=')?;
        let name = name.trim();
        if name.is_empty() || name.bytes().any(|byte| !byte.is_ascii_alphanumeric() && byte != b'-') {
            return None;
        }
        let (value, rest) = value(rest)?;
        if name.eq_ignore_ascii_case("for") && named.replace(value).is_some() {
            return None;
        }
        let rest = rest.trim_start();
        let ends = rest.is_empty() || rest.starts_with(',');
        if ends {
            elements.push(named.take().and_then(node));
        } else if !rest.starts_with(';') {
            return None;
        }
        match rest.get(1..) {
            Some(rest) => line = rest,
            None => return Some(elements),
        }
    }
}

/// A token or a quoted text, and what follows. An address needs no escapes, so a text with one is not understood.
fn value(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        quoted.split_once('"').filter(|(value, _)| !value.contains('\\'))
    } else {
        let end = text.find([',', ';', ' ', '\t']).unwrap_or(text.len());
        text.split_at_checked(end).filter(|(value, _)| !value.is_empty() && !value.contains('"'))
    }
}

/// An address, with or without port, IPv6 with or without brackets. A name that hides one (`unknown`, `_hidden`) is
/// nobody's address.
fn node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(socket.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

#[cfg(test)]
mod tests;
