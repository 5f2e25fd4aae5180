//! A server to send hostile input to, and what must hold for every answer.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Mutex, OnceLock},
    time::Duration,
};

use sequentum_mcp::{
    app::App,
    clock::Clock,
    config::{Config, Sources},
    demo::{Options, Platform},
    tools::Catalog,
};
use tokio::net::TcpListener;

/// Everything a caller can ask for.
pub const ALL_SCOPES: &str = "agents:read agents:write runs:read spaces:read spaces:write billing:read";
/// A request that a good caller is answered with 200.
pub const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// The server under test with its platform, on threads of their own for as long as the process lives.
pub struct Target {
    pub platform: Platform,
    pub clock: Clock,
    pub address: SocketAddr,
    connection: Mutex<Option<TcpStream>>,
}

/// One answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// The one target of this process, but for the following.
pub fn target() -> &'static Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    TARGET.get_or_init(|| start("x-forwarded-for"))
}

/// Another, whose proxy writes `Forwarded`.
pub fn target_of_forwarded() -> &'static Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    TARGET.get_or_init(|| start("forwarded"))
}

fn start(forwarded_header: &str) -> Target {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (platform, clock, address) = runtime.block_on(async {
        let clock = Clock::manual("2026-11-21T10:00:00Z".parse().expect("a time"));
        let options = Options { clock: clock.clone(), ..Options::default() };
        let listen = || TcpListener::bind(("127.0.0.1", 0));
        let platform = Platform::start(listen().await.expect("a port"), options).await.expect("a platform");
        let settings = [
            ("SEQUENTUM_API_URL", platform.url().as_str()),
            ("MCP_RATE_LIMIT_MAX", "1000000"),
            ("RATE_LIMIT_PER_ADDRESS", "1000000"),
            ("MCP_RATE_LIMIT_WINDOW_MS", "1000"),
            ("ALLOW_API_KEYS", "true"),
            ("ALLOWED_ORIGINS", "https://app.example.com"),
            ("TRUST_PROXY", "1"),
            ("FORWARDED_HEADER", forwarded_header),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::load(&Sources::default().with_environment(settings)).expect("settings");
        let app = App::on(listen().await.expect("a port"), &config, clock.clone(), Catalog::new());
        let app = app.expect("a server");
        let address = app.local_addr().expect("an address");
        tokio::spawn(app.run(std::future::pending()));
        (platform, clock, address)
    });
    std::mem::forget(runtime);
    let target = Target { platform, clock, address, connection: Mutex::default() };
    // Without signing keys everything is 503.
    while target.exchange("GET /readyz HTTP/1.1", &[], b"").status != 200 {
        std::thread::yield_now();
    }
    target
}

impl Target {
    /// The endpoint, as it is published.
    pub fn endpoint(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// A good token.
    pub fn token(&self) -> String {
        let [alice, _] = Platform::logins();
        self.platform.access_token(&alice, &self.endpoint(), ALL_SCOPES).expect("a token")
    }

    /// A message to the endpoint.
    pub fn post(&self, headers: &[(&str, &[u8])], body: &[u8]) -> Answer {
        self.send("POST /mcp HTTP/1.1", headers, body)
    }

    /// A request with these headers besides those that every client sends, unless one of them is among them.
    ///
    /// # Panics
    ///
    /// When what must hold for every answer does not.
    pub fn send(&self, line: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Answer {
        let answer = self.exchange(line, headers, body);
        answer.check();
        answer
    }

    fn exchange(&self, line: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Answer {
        // Seconds pass, so that the limits never run out.
        self.clock.advance(Duration::from_secs(1));
        let mut request = format!("{line}\r\n").into_bytes();
        let host = self.address.to_string();
        let usual = [
            ("host", host.as_bytes()),
            ("accept", b"application/json"),
            ("content-type", b"application/json"),
        ];
        let usual = usual.iter().filter(|(name, _)| headers.iter().all(|(other, _)| other != name));
        for (name, value) in usual.chain(headers) {
            request.extend_from_slice(name.as_bytes());
            request.extend_from_slice(b": ");
            // One header is to be hostile, not to become two.
            request.extend(value.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        request.extend_from_slice(body);

        let mut connection = self.connection.lock().expect("no panic before");
        let kept = connection.take().and_then(|stream| exchange(stream, &request));
        // A connection that was kept may have been closed in the meantime.
        let (answer, stream) =
            kept.or_else(|| exchange(self.connect(), &request)).expect("an answer within 10 seconds");
        let closes = answer.headers.get("connection").is_some_and(|value| value == "close");
        *connection = stream.filter(|_| !closes);
        answer
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server still listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
        stream.set_nodelay(true).expect("an option");
        stream
    }
}

/// Sends a request and reads its answer; the stream comes back if it can be used again.
fn exchange(mut stream: TcpStream, request: &[u8]) -> Option<(Answer, Option<TcpStream>)> {
    stream.write_all(request).ok()?;
    let mut read = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let head_end = loop {
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    };
    let head = String::from_utf8_lossy(&read[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: BTreeMap<_, _> = lines.filter_map(header).collect();
    let mut body = read.split_off(head_end + 4);
    let length = headers.get("content-length").and_then(|length| length.parse::<usize>().ok());
    let complete = match length {
        Some(length) => {
            while body.len() < length {
                match stream.read(&mut buffer) {
                    Ok(count) if count > 0 => body.extend_from_slice(&buffer[..count]),
                    _ => return None,
                }
            }
            true
        }
        None => matches!(status, 202 | 204 | 304),
    };
    Some((Answer { status, headers, body }, complete.then_some(stream)))
}

impl Answer {
    fn check(&self) {
        let text = String::from_utf8_lossy(&self.body);
        assert!(self.status < 500, "{} {text}", self.status);
        let json = self.headers.get("content-type").is_some_and(|value| value.starts_with("application/json"));
        if json && self.headers.contains_key("content-length") {
            assert!(serde_json::from_slice::<serde_json::Value>(&self.body).is_ok(), "no JSON: {text}");
        }
    }

    /// `secret` is nowhere in it.
    ///
    /// # Panics
    ///
    /// When it is.
    pub fn does_not_repeat(&self, secret: &[u8]) {
        assert!(!self.body.windows(secret.len()).any(|window| window == secret), "repeated in the body");
        let secret = String::from_utf8_lossy(secret);
        assert!(self.headers.values().all(|value| !value.contains(&*secret)), "repeated in a header");
    }
}
