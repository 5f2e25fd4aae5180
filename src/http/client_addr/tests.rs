use http::HeaderValue;
use proptest::{prelude::*, test_runner::Config};

use super::*;

const PROXY: &str = "10.0.0.1:4711";

fn networks(list: &[&str]) -> TrustProxy {
    let networks = list.iter().map(|network| network.parse().unwrap()).collect();
    TrustProxy { proxies: Proxies::Networks(networks), ..TrustProxy::default() }
}

fn hops(hops: usize) -> TrustProxy {
    TrustProxy { proxies: Proxies::Hops(hops), ..TrustProxy::default() }
}

fn standard_hop() -> TrustProxy {
    TrustProxy { proxies: Proxies::Hops(1), header: ForwardedHeader::Standard }
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(line).collect()
}

fn client(socket: &str, lines: &[(&str, &str)], trusted: &TrustProxy) -> String {
    let peer = Peer(socket.parse().unwrap());
    ClientAddress::from_parts(Some(&peer), &headers(lines), trusted).0.to_string()
}

#[test]
fn without_trusted_proxies_headers_say_nothing() {
    let lines = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")];
    for trusted in [TrustProxy::default(), hops(0), networks(&["10.9.0.0/16"])] {
        assert_eq!(client(PROXY, &lines, &trusted), "10.0.0.1");
    }
}

#[test]
fn the_right_most_entry_that_is_no_trusted_proxy_counts() {
    let chain = [("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.2")];
    for (trusted, expected) in [
        (hops(1), "10.0.0.2"),
        (hops(2), "192.0.2.1"),
        (hops(3), "6.6.6.6"),
        (hops(9), "6.6.6.6"),
        (networks(&["10.0.0.0/8"]), "192.0.2.1"),
        (networks(&["10.0.0.1/32"]), "10.0.0.2"),
        (networks(&["10.0.0.0/8", "192.0.2.0/24", "6.0.0.0/8"]), "6.6.6.6"),
    ] {
        assert_eq!(client(PROXY, &chain, &trusted), expected, "{trusted:?}");
    }
    // Several lines are one list, in their order.
    let lines = [("x-forwarded-for", "6.6.6.6, 192.0.2.1"), ("x-forwarded-for", "10.0.0.2")];
    assert_eq!(client(PROXY, &lines, &networks(&["10.0.0.0/8"])), "192.0.2.1");
    // The proxy itself may be reached over IPv6 with an IPv4 address in it.
    assert_eq!(client("[::ffff:10.0.0.1]:1", &chain, &networks(&["10.0.0.0/8"])), "192.0.2.1");
}

#[test]
fn the_standard_header_is_read_where_it_is_named() {
    let one = standard_hop();
    for (line, expected) in [
        ("for=192.0.2.1", "192.0.2.1"),
        ("For=192.0.2.1:80;proto=https;by=10.0.0.1", "192.0.2.1"),
        ("proto=http ; for=\"192.0.2.1:80\"", "192.0.2.1"),
        ("for=6.6.6.6, for=\"[2001:db8::1]:4711\"", "2001:db8::"),
        ("for=\"_a,b;c\", for=192.0.2.1", "192.0.2.1"),
        // Nothing that can be read: the socket's address.
        ("for=unknown", "10.0.0.1"),
        ("for=_hidden", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
        ("for=192.0.2.1;for=192.0.2.2", "10.0.0.1"),
        ("for=\"x, for=192.0.2.1", "10.0.0.1"),
        ("for=\"x, for=\"[2001:db8::1]\"", "10.0.0.1"),
        ("for=6.6.6.6;x=\"\\, for=\"192.0.2.1\"", "10.0.0.1"),
        ("for=192.0.2.1,", "10.0.0.1"),
        ("", "10.0.0.1"),
    ] {
        assert_eq!(client(PROXY, &[("forwarded", line)], &one), expected, "{line}");
    }
}

#[test]
fn the_header_that_the_proxy_does_not_write_is_the_clients_and_says_nothing() {
    for wrote in ["192.0.2.1", "6.6.6.6, 192.0.2.1"] {
        for forged in ["x", "for=6.6.6.6", "for=unknown", "for=192.0.2.1"] {
            let lines = [("forwarded", forged), ("x-forwarded-for", wrote)];
            assert_eq!(client(PROXY, &lines, &hops(1)), "192.0.2.1", "{forged}");
        }
    }
    for forged in ["x", "6.6.6.6", "unknown", "192.0.2.1"] {
        let lines = [("x-forwarded-for", forged), ("forwarded", "for=6.6.6.6, for=192.0.2.1")];
        assert_eq!(client(PROXY, &lines, &standard_hop()), "192.0.2.1", "{forged}");
    }
    assert_eq!(client(PROXY, &[("forwarded", "for=6.6.6.6")], &hops(1)), "10.0.0.1");
    assert_eq!(client(PROXY, &[("x-forwarded-for", "6.6.6.6")], &standard_hop()), "10.0.0.1");
}

#[test]
fn what_cannot_be_read_leaves_the_socket_and_never_reaches_further() {
    let two = hops(2);
    for entries in
        ["garbage", "192.0.2.1, garbage", "192.0.2.1,", "192.0.2.256", "fe80::1%eth0", "[192.0.2.1]"]
    {
        assert_eq!(client(PROXY, &[("x-forwarded-for", entries)], &two), "10.0.0.1", "{entries}");
    }
    // Left of the client stands what the client wrote; it is not even looked at.
    assert_eq!(client(PROXY, &[("x-forwarded-for", "garbage, 192.0.2.1, 10.0.0.2")], &two), "192.0.2.1");
}

#[test]
fn an_ipv6_client_is_its_network_and_a_mapped_one_its_ipv4_address() {
    let none = TrustProxy::default();
    assert_eq!(client("[2001:db8:1:2:3:4:5:6]:1", &[], &none), "2001:db8:1:2::");
    assert_eq!(client("[::ffff:192.0.2.1]:1", &[], &none), "192.0.2.1");
    let same = |text: &str| ClientAddress::keyed(text.parse().unwrap()).octets();
    assert_eq!(same("::ffff:192.0.2.1"), same("192.0.2.1"));
    assert_ne!(same("2001:db8:1:2::1"), same("2001:db8:1:3::1"));
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    /// Whatever a client sends, the address is the one that the trusted proxy in front of us saw and wrote.
    #[test]
    fn a_client_cannot_choose_its_address(
        sent in proptest::collection::vec("[ -~]{0,40}|for=[0-9.]{1,15}|(for=)?\"[ !#-~¡-ÿ]{0,20}", 0..4),
        address in any::<[u8; 4]>(),
        other in "[ -~]{0,40}|(for=)?[0-9.]{1,15}",
        standard in any::<bool>(),
    ) {
        let client_address = IpAddr::from(address);
        let trusted = if standard { standard_hop() } else { hops(1) };
        let unwritten = if standard { X_FORWARDED_FOR } else { header::FORWARDED };
        let name = if standard { header::FORWARDED } else { X_FORWARDED_FOR };
        let wrote = if standard { format!("for={client_address}") } else { client_address.to_string() };
        let peer = Peer(PROXY.parse().unwrap());
        for joined in [false, true] {
            let mut lines = sent.clone();
            if joined {
                let all = lines.iter().chain([&wrote]).map(String::as_str).collect::<Vec<_>>().join(", ");
                lines = vec![all];
            } else {
                lines.push(wrote.clone());
            }
            let values = lines.iter().map(|line| (name.clone(), HeaderValue::from_str(line).unwrap()));
            let values = values.chain([(unwritten.clone(), HeaderValue::from_str(&other).unwrap())]);
            let seen = ClientAddress::from_parts(Some(&peer), &values.collect(), &trusted).0;
            // A proxy that goes on in a broken line of the client's makes a line that nobody can read.
            let unreadable = standard && joined && seen == peer.0.ip();
            prop_assert!(seen == client_address || unreadable, "{seen} of {lines:?}");
        }
    }

    /// Any bytes at all: no panic, and without a proxy the socket's address.
    #[test]
    fn any_bytes_are_survived(line in proptest::collection::vec(any::<u8>(), 0..80), hops in 0usize..4) {
        let Ok(value) = HeaderValue::from_bytes(&line) else { return Ok(()) };
        let peer = Peer("192.0.2.9:1".parse().unwrap());
        let lines: HeaderMap = [(header::FORWARDED, value.clone()), (X_FORWARDED_FOR, value)].into_iter().collect();
        for header in [ForwardedHeader::Common, ForwardedHeader::Standard] {
            let trusted = TrustProxy { proxies: Proxies::Hops(hops), header };
            let seen = ClientAddress::from_parts(Some(&peer), &lines, &trusted).0;
            if hops == 0 {
                prop_assert_eq!(seen, peer.0.ip());
            }
        }
    }
}
