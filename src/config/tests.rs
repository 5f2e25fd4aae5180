use super::*;

fn sources(pairs: &[(&str, &str)]) -> Sources {
    Sources::default().with_environment(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
}

fn problems(pairs: &[(&str, &str)]) -> String {
    let problems = Config::load(&sources(pairs)).expect_err("should be refused");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn defaults_are_loopback_with_sign_in() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.http.host.to_string(), "127.0.0.1");
    assert_eq!(config.http.port, 3000);
    assert!(config.auth.required);
    assert_eq!(config.auth.issuers, ["https://dashboard.sequentum.com"]);
    assert_eq!(config.sessions.mode, SessionMode::Sealed);
}

#[test]
fn flags_win_over_environment_over_file() {
    let file = "port = 1\nlog_format = \"json\"\nallowed_hosts = [\"a.example\", \"b.example:8080\"]";
    let sources =
        sources(&[("PORT", "2"), ("SEQUENTUM_API_URL", "http://127.0.0.1:9/")]).with_file(file).unwrap();
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.http.port, 2);
    assert_eq!(config.telemetry.format, LogFormat::Json);
    assert_eq!(config.http.allowed_hosts, ["a.example", "b.example:8080"]);
    assert_eq!(config.auth.issuers, ["http://127.0.0.1:9"]);
    let config = Config::load(&sources.with_flag(&settings::PORT, "3")).unwrap();
    assert_eq!(config.http.port, 3);
}

#[test]
fn metrics_stay_on_this_machine_unless_an_address_is_named() {
    let address = |text: &str| {
        let config = Config::load(&sources(&[("METRICS_ADDR", text)])).unwrap();
        config.telemetry.metrics.map(|address| address.to_string()).unwrap_or_default()
    };
    assert_eq!(["", "off", "9464"].map(address), ["", "", "127.0.0.1:9464"]);
    assert_eq!(["0.0.0.0:9464", "[::1]:0"].map(address), ["0.0.0.0:9464", "[::1]:0"]);
    for bad in ["on", "localhost:9464", "0.0.0.0", "65536", ":9464"] {
        assert!(problems(&[("METRICS_ADDR", bad)]).contains("expected `off`, a port"), "{bad}");
    }
}

#[test]
fn traces_go_to_a_web_address_without_credentials() {
    for bad in ["localhost:4318", "grpc://127.0.0.1:4317", "http://user:password@collector:4318", "on"] {
        let said = problems(&[("OTEL_EXPORTER_OTLP_ENDPOINT", bad)]);
        assert!(said.contains("expected an http or https URL"), "{said}");
    }
    let config = Config::load(&sources(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")])).unwrap();
    assert_eq!(config.telemetry.traces.unwrap().as_str(), "http://collector:4318/");
}

#[test]
fn every_problem_is_reported_at_once_with_key_value_and_remedy() {
    insta::assert_snapshot!(
        problems(&[("PORT", "3,600"), ("REQUIRE_AUTH", "perhaps"), ("SEQUENTUM_API_URL", "http://dashboard.example.com"), ("ALLOWED_ORIGINS", "https://a.example/")]),
        @r#"
    REQUIRE_AUTH="perhaps" (environment) is refused: expected `true` or `false`
    SEQUENTUM_API_URL="http://dashboard.example.com" (environment) is refused: expected an https URL (http on loopback) without query or fragment
    PORT="3,600" (environment) is refused: expected a port number from 0 to 65535 (0 = any free port)
    ALLOWED_ORIGINS="https://a.example/" (environment) is refused: expected a comma-separated list of origins such as https://app.example.com
    "#);
}

#[test]
fn a_public_bind_needs_a_public_url_and_sign_in() {
    insta::assert_snapshot!(problems(&[("HOST", "0.0.0.0"), ("REQUIRE_AUTH", "false")]), @"
    PUBLIC_URL (unset) is needed because HOST=0.0.0.0 is not loopback: set it to an origin such as https://mcp.example.com (https, or http on loopback; no path)
    REQUIRE_AUTH=\"false\" (environment) is refused because HOST=0.0.0.0 is not loopback
    ");
    let config =
        Config::load(&sources(&[("HOST", "0.0.0.0"), ("MCP_CANONICAL_ORIGIN", "https://mcp.example.com/")]))
            .unwrap();
    assert_eq!(config.http.public_url.unwrap().as_str(), "https://mcp.example.com/");
    assert!(!config.http.loopback_origins);
}

#[test]
fn several_issuers_are_kept_in_order_and_each_once() {
    let config =
        Config::load(&sources(&[("SEQUENTUM_OAUTH_ISSUER", "https://b.example/realm/, https://a.example")]))
            .unwrap();
    assert_eq!(config.auth.issuers, ["https://b.example/realm/", "https://a.example"]);
    for bad in ["https://a.example,https://a.example/", "https://a.example,http://b.example", ","] {
        assert!(problems(&[("SEQUENTUM_OAUTH_ISSUER", bad)]).contains("each once"), "{bad}");
    }
}

#[test]
fn settings_of_the_confidential_client_come_together() {
    insta::assert_snapshot!(
        problems(&[
            ("OAUTH_CLIENT_ID", "mcp"),
            ("OAUTH_INTROSPECTION_URL", "https://as.example/introspect"),
            ("UPSTREAM_CREDENTIAL", "exchange"),
            ("SEQUENTUM_OAUTH_ISSUER", "https://a.example,https://b.example"),
            ("ALLOW_API_KEYS", "yes"),
        ]),
        @r#"
    OAUTH_CLIENT_ID="mcp" (environment) needs OAUTH_CLIENT_SECRET beside it
    OAUTH_INTROSPECTION_URL="https://as.example/introspect" (environment) needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET: it is asked as a confidential client
    UPSTREAM_CREDENTIAL="exchange" (environment) needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET: it is asked as a confidential client
    UPSTREAM_CREDENTIAL="exchange" (environment) is allowed with one issuer only, because OAUTH_CLIENT_ID is registered with one: name one in SEQUENTUM_OAUTH_ISSUER
    ALLOW_API_KEYS="yes" (environment) is refused: expected `true` or `false`
    "#);
    insta::assert_snapshot!(
        problems(&[("OAUTH_CLIENT_SECRET", "hush"), ("UPSTREAM_CREDENTIAL", "swap"), ("OAUTH_INTROSPECTION_URL", "http://as.example/")]),
        @r#"
    OAUTH_CLIENT_SECRET=(hidden) (environment) needs OAUTH_CLIENT_ID beside it
    OAUTH_INTROSPECTION_URL="http://as.example/" (environment) is refused: expected an https URL (http on loopback) without query or fragment
    UPSTREAM_CREDENTIAL="swap" (environment) is refused: expected `forward` or `exchange`
    "#);
    let client = [("OAUTH_CLIENT_ID", "mcp"), ("OAUTH_CLIENT_SECRET", "hush")];
    let config =
        Config::load(&sources(&[client[0], client[1], ("UPSTREAM_CREDENTIAL", "exchange")])).unwrap();
    assert!(matches!(&config.auth.upstream, Upstream::Exchange(client) if client.id == "mcp"));
    assert!(config.auth.introspection.is_none() && !config.auth.api_keys);
    assert!(!format!("{config:?}").contains("hush"));
}

#[test]
fn secrets_are_hidden_and_must_have_the_right_length() {
    insta::assert_snapshot!(problems(&[("SESSION_KEY", "c2hvcnQ")]), @"SESSION_KEY=(hidden) (environment) is refused: expected one or more keys of 32 bytes in base64url or hex, separated by commas; the first seals, all open");
    let hex = "00".repeat(32);
    let config = Config::load(&sources(&[("SESSION_KEY", &hex)])).unwrap();
    assert_eq!(config.sessions.keys.len(), 1);
    assert!(!format!("{config:?}").contains("0, 0, 0"));
}

#[test]
fn limits_are_bounded_and_their_store_is_a_secret() {
    insta::assert_snapshot!(problems(&[
        ("MCP_RATE_LIMIT_MAX", "0"),
        ("MCP_RATE_LIMIT_WINDOW_MS", "60s"),
        ("RATE_LIMIT_PER_ADDRESS", "-1"),
        ("MAX_CONCURRENT_CALLS", "0"),
        ("LIMITS_STORE", "redis://:swordfish@host/x"),
    ]), @r#"
    MAX_CONCURRENT_CALLS="0" (environment) is refused: expected a number from 1 to 100000
    MCP_RATE_LIMIT_MAX="0" (environment) is refused: expected a number from 1 to 1000000
    RATE_LIMIT_PER_ADDRESS="-1" (environment) is refused: expected a number from 1 to 1000000
    MCP_RATE_LIMIT_WINDOW_MS="60s" (environment) is refused: expected a number of milliseconds from 1000 to 3600000
    LIMITS_STORE=(hidden) (environment) is refused: expected `memory`, or a URL such as redis://user:password@host:6379/0 (rediss:// for TLS) without query or fragment
    "#);
    for store in [
        "redis://host",
        "redis://host:6379/0",
        "rediss://user:swordfish@host:6380/15",
        "redis://[::1]",
        "memory",
    ] {
        let config = Config::load(&sources(&[("LIMITS_STORE", store)])).unwrap();
        assert_eq!(config.limits.store.is_some(), store != "memory");
        assert!(!format!("{config:?}").contains("swordfish"));
    }
    for store in
        ["http://host", "redis://", "host:6379", "redis://host/0?x=1", "rediss://host/#insecure", "Memory"]
    {
        assert!(Config::load(&sources(&[("LIMITS_STORE", store)])).is_err(), "{store}");
    }
}

#[test]
fn proxies_are_trusted_by_number_or_by_network_and_never_all() {
    let trusted = |text: &str| {
        Config::load(&sources(&[("TRUST_PROXY", text)])).map(|config| config.http.trust_proxy.proxies)
    };
    assert_eq!(trusted("").unwrap(), Proxies::Hops(0));
    assert_eq!(trusted("False").unwrap(), Proxies::Hops(0));
    assert_eq!(trusted("2").unwrap(), Proxies::Hops(2));
    let networks = ["10.1.0.0/16", "192.0.2.7/32", "fd00::/8", "::1/128"].map(|text| text.parse().unwrap());
    assert_eq!(trusted("10.1.2.3/16, 192.0.2.7,fd00::/8,::1").unwrap(), Proxies::Networks(networks.into()));
    for text in ["true", "17", "-1", "+1", "10.0.0.0/33", "proxy.example", ",", "1.5", "10.0.0.0/8,x"] {
        assert!(trusted(text).is_err(), "{text}");
    }
    insta::assert_snapshot!(problems(&[("TRUST_PROXY", "true")]), @r#"TRUST_PROXY="true" (environment) is refused: expected `false`, a number of proxies from 0 to 16, or a comma-separated list of addresses and networks such as 10.0.0.0/8"#);
}

#[test]
fn one_header_of_proxies_is_read() {
    let read = |text: &str| {
        Config::load(&sources(&[("FORWARDED_HEADER", text)])).map(|config| config.http.trust_proxy.header)
    };
    assert_eq!(read("").unwrap(), ForwardedHeader::Common);
    assert_eq!(read("X-Forwarded-For").unwrap(), ForwardedHeader::Common);
    assert_eq!(read("forwarded").unwrap(), ForwardedHeader::Standard);
    for text in ["x-real-ip", "both", "forwarded,x-forwarded-for"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn hosts_are_names_or_addresses_with_or_without_a_port() {
    let good =
        "mcp.example.com, MCP:8080,a_b.internal.,10.0.0.5:9000,[::1],[2001:db8::1]:443,xn--bcher-kva.example";
    for setting in ["ALLOWED_HOSTS", "STORAGE_HOSTS"] {
        let config = Config::load(&sources(&[(setting, good)])).unwrap();
        assert_eq!(config.http.allowed_hosts.len() + config.api.storage_hosts.len(), 7);
        for bad in [
            "[::1]x",
            "[::1]:",
            "[::1",
            "::1",
            "[mcp]",
            "[127.0.0.1]",
            "mcp:",
            "mcp:65536",
            "mcp:+80",
            "mcp:80:80",
            ":80",
            "a..b",
            "*.example.com",
            "https://mcp.example.com",
            "mcp/",
            "a b",
            "me@mcp",
            "bücher.example",
        ] {
            assert!(Config::load(&sources(&[(setting, bad)])).is_err(), "{bad}");
        }
    }
    insta::assert_snapshot!(problems(&[("ALLOWED_HOSTS", "mcp.example.com,[::1]x")]), @r#"ALLOWED_HOSTS="mcp.example.com,[::1]x" (environment) is refused: expected a comma-separated list of host names, each with or without a port"#);
}

#[test]
fn a_file_with_an_unknown_key_is_refused() {
    let problem = Sources::default().with_file("prot = 3000").unwrap_err();
    assert!(
        problem
            .to_string()
            .starts_with("`prot` (configuration file) is not a setting. Known ones: host, port,")
    );
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> =
        settings::ALL.iter().flat_map(|s| std::iter::once(s.name).chain(s.aliases.iter().copied())).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
