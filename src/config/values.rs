//! From the text of a setting to its value; `None` for what is not allowed.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use ipnet::IpNet;
use secrecy::{SecretSlice, SecretString};
use url::Url;

use super::{ForwardedHeader, LogFormat, Proxies};
use crate::outbound::is_loopback;

/// More proxies in a row than anybody has.
const MAX_HOPS: usize = 16;

pub(super) fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

pub(super) fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

pub(crate) fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

pub(super) fn list<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(parse).collect()
}

/// A URL we may send credentials or trust to: https, or http towards this machine; no user, query or fragment.
pub(crate) fn service_url(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    (secure && plain && url.has_host()).then_some(url)
}

/// The same without a path: scheme, host and port.
pub(super) fn origin(text: &str) -> Option<Url> {
    service_url(text).filter(|url| url.path() == "/")
}

pub(super) fn browser_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let serialized = url.origin().ascii_serialization();
    (serialized == text).then_some(serialized)
}

/// A host name, an IPv4 address, or an IPv6 address in brackets, with or without a port. What else a URL may have in its
/// place would match nothing that is ever sent.
pub(super) fn host_name(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let end = if text.starts_with('[') {
        text.find(']')?.checked_add(1)?
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, port) = text.split_at_checked(end)?;
    let is_host = match host.strip_prefix('[') {
        Some(literal) => literal.strip_suffix(']').is_some_and(|text| text.parse::<Ipv6Addr>().is_ok()),
        None => is_name(host),
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = port.strip_prefix(':').is_some_and(|port| digits(port) && port.parse::<u16>().is_ok());
    (is_host && (port.is_empty() || is_port)).then_some(text)
}

/// Labels, and the dot of a name that is complete.
fn is_name(host: &str) -> bool {
    let label_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut labels = host.strip_suffix('.').unwrap_or(host).split('.');
    labels.all(|label| !label.is_empty() && label.bytes().all(label_byte))
}

/// Where traces are sent to: no credential of anybody's goes there, so plain http inside a network will do.
pub(super) fn collector(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let plain = url.username().is_empty() && url.password().is_none();
    (web && plain && url.query().is_none() && url.fragment().is_none()).then_some(url)
}

/// `None` for `off`.
#[expect(clippy::option_option, reason = "the outer one tells whether the text is understood")]
pub(super) fn metrics_address(text: &str) -> Option<Option<SocketAddr>> {
    if text.eq_ignore_ascii_case("off") {
        return Some(None);
    }
    let on_loopback = || text.parse().ok().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port)));
    text.parse().ok().or_else(on_loopback).map(Some)
}

pub(super) fn trusted_proxies(text: &str) -> Option<Proxies> {
    if text.eq_ignore_ascii_case("false") {
        return Some(Proxies::default());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|hops| *hops <= MAX_HOPS).map(Proxies::Hops);
    }
    let network = |text: &str| match text.parse::<IpNet>() {
        Ok(network) => Some(network.trunc()),
        Err(_) => text.parse::<IpAddr>().ok().map(IpNet::from),
    };
    list(text, network).filter(|networks| !networks.is_empty()).map(Proxies::Networks)
}

pub(super) fn forwarded_header(text: &str) -> Option<ForwardedHeader> {
    match text.to_ascii_lowercase().as_str() {
        "x-forwarded-for" => Some(ForwardedHeader::Common),
        "forwarded" => Some(ForwardedHeader::Standard),
        _ => None,
    }
}

/// Enough to tell a key from a placeholder or an access token, and from what cannot stand in a header.
pub(super) fn api_key(text: &str) -> Option<SecretString> {
    let rest = text.strip_prefix("sk-")?;
    (!rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.into())
}

pub(super) fn session_key(text: &str) -> Option<SecretSlice<u8>> {
    use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
    [&HEXLOWER_PERMISSIVE, &BASE64URL_NOPAD, &BASE64URL, &BASE64_NOPAD, &BASE64]
        .iter()
        .find_map(|encoding| encoding.decode(text.as_bytes()).ok().filter(|key| key.len() == 32))
        .map(SecretSlice::from)
}
