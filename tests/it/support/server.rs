//! [`TestServer`]: the product on a loopback port, in front of the simulated platform, on a clock moved by hand.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use sequentum_mcp::{
    app::App,
    clock::Clock,
    config::{Config, Sources},
    demo::{Login, Options, Platform},
    metrics::{CONTENT_TYPE, Metrics, Now},
    outbound,
    tools::Catalog,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use url::Url;

use super::{ALL_SCOPES, leaks, schema::misfit, waiting::PATIENCE};

pub struct TestServer {
    pub platform: Platform,
    pub clock: Clock,
    pub origin: String,
    pub address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    metrics: Metrics,
    catalog: Catalog,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    /// Where the log stood when this server was started.
    log_start: usize,
}

/// One answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The results in it, whether it is one document or a stream of events.
    fn results(&self) -> Vec<Value> {
        let lines = self.text.lines().map(|line| line.strip_prefix("data:").unwrap_or(line));
        let messages = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        messages.filter_map(|mut message| Some(message.get_mut("result")?.take())).collect()
    }

    /// Status, the headers that clients act on, and the body, with what changes from run to run replaced.
    pub fn pinned(&self, server: &TestServer) -> String {
        let mut text = format!("{}\n", self.status.as_u16());
        for name in ["www-authenticate", "allow", "retry-after", "location", "mcp-protocol-version"] {
            for value in self.headers.get_all(name) {
                text.extend([name, ": ", value.to_str().unwrap(), "\n"]);
            }
        }
        text.push_str(&self.text);
        let id = self.header("x-request-id");
        assert!(!id.is_empty(), "every answer has a request id");
        text.replace(id, "<request-id>")
            .replace(&server.origin, "<origin>")
            .replace(server.platform.issuer(), "<issuer>")
    }
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(&[], Catalog::new()).await
    }

    /// With settings as in the environment, and a catalogue of the test's choice.
    pub async fn with(settings: &[(&str, &str)], catalog: Catalog) -> Self {
        let (platform, clock) = Self::platform().await;
        Self::before(platform, clock, settings, catalog).await
    }

    /// A platform on a clock, for a server to be put before.
    pub async fn platform() -> (Platform, Clock) {
        let clock = Clock::manual("2026-11-21T10:00:00Z".parse::<Timestamp>().unwrap());
        let options = Options { clock: clock.clone(), ..Options::default() };
        (Platform::start(listener().await, options).await.unwrap(), clock)
    }

    /// A (further) server in front of a platform.
    pub async fn before(
        platform: Platform,
        clock: Clock,
        settings: &[(&str, &str)],
        catalog: Catalog,
    ) -> Self {
        Self::listening(listener().await, platform, clock, settings, catalog)
    }

    /// A server on an address of the test's choice.
    pub fn on(listener: TcpListener, platform: Platform, clock: Clock, settings: &[(&str, &str)]) -> Self {
        Self::listening(listener, platform, clock, settings, Catalog::new())
    }

    fn listening(
        listener: TcpListener,
        platform: Platform,
        clock: Clock,
        settings: &[(&str, &str)],
        catalog: Catalog,
    ) -> Self {
        leaks::watch();
        let log_start = leaks::position();
        let mut environment = vec![
            ("SEQUENTUM_API_URL".to_owned(), platform.url().to_string()),
            // Time stands still, so nothing would be given back. Tests of the limits set their own.
            ("MCP_RATE_LIMIT_MAX".to_owned(), "1000000".to_owned()),
            ("RATE_LIMIT_PER_ADDRESS".to_owned(), "1000000".to_owned()),
            // So that every test looks for secrets in what is counted.
            ("METRICS_ADDR".to_owned(), "0".to_owned()),
        ];
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut config = Config::load(&Sources::default().with_environment(environment)).unwrap();
        config.api.retry.first_wait = Duration::from_millis(1);
        config.limits.store_timeout = Duration::from_secs(10);
        let app = App::on(listener, &config, clock.clone(), catalog.clone()).unwrap();
        let address = app.local_addr().unwrap();
        let (metrics_address, metrics) = (app.metrics_addr(), app.metrics());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(app.run(async {
            let _ = stopped.await;
        }));
        let origin = format!("http://{address}");
        let http = outbound::client(&Url::parse(&origin).unwrap()).unwrap();
        Self {
            platform,
            clock,
            origin,
            address,
            metrics_address,
            metrics,
            catalog,
            http,
            stop: Some(stop),
            serving,
            log_start,
        }
    }

    pub fn endpoint(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    /// Asks the server to stop; completes when it has drained.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.serving).await.unwrap();
    }

    pub fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    pub fn alice() -> Login {
        Platform::logins()[0]
    }

    pub fn bob() -> Login {
        Platform::logins()[1]
    }

    /// A good token of Alice's with all scopes.
    pub fn token(&self) -> String {
        self.token_for(&Self::alice(), ALL_SCOPES)
    }

    pub fn token_for(&self, login: &Login, scope: &str) -> String {
        let token = self.platform.access_token(login, &self.endpoint(), scope).unwrap();
        leaks::secret(&token);
        token
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin))
    }

    /// Sends a request. If it calls a tool, the result is held against the schemas of the tool, so that no test can
    /// forget to.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        note_secrets(&request);
        let tool = called(&request);
        let response = client.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let answer = Answer { status, headers, text: response.text().await.unwrap() };
        leaks::check_answer(&answer.text);
        leaks::private(answer.header("mcp-session-id"));
        for result in tool.iter().flat_map(|_| answer.results()) {
            self.check(tool.as_deref().unwrap(), &result);
        }
        answer
    }

    /// A result has a structure that fits both schemas of its tool, the published and the complete one, and a text that
    /// says the same; an error has a text only.
    pub fn check(&self, tool: &str, result: &Value) {
        // A task, or a question, is no result yet.
        if matches!(result["resultType"].as_str(), Some("task" | "input_required")) {
            return;
        }
        let text = result["content"][0]["text"].as_str().unwrap();
        let text: Value = serde_json::from_str(text).unwrap();
        if result["isError"] == true {
            assert!(
                result.get("structuredContent").is_none() && text["error"]["code"].is_string(),
                "{result}"
            );
            return;
        }
        let content = &result["structuredContent"];
        assert_eq!(text, *content, "{tool}: text and structure say the same");
        let row = self.catalog.find(tool).unwrap();
        for schema in [row.output_schema.clone(), (row.output_reference)()] {
            let wrong = misfit(&Value::Object((*schema).clone()), content);
            assert_eq!(wrong, None, "{tool}: {content}");
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Where metrics are scraped.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// The page of metrics, as Prometheus gets it.
    pub async fn scrape(&self) -> String {
        let address = self.metrics_address.expect("metrics are switched on");
        let response = self.http.get(format!("http://{address}/metrics")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], CONTENT_TYPE);
        response.text().await.unwrap()
    }

    /// That page as soon as it fits: the end of a call can come after its answer.
    pub async fn scrape_until(&self, fits: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let page = self.scrape().await;
            if fits(&page) {
                return page;
            }
            assert!(begun.elapsed() < PATIENCE, "{page}");
        }
    }

    /// A POST with the headers of a 2025-06-18 client.
    pub fn post(&self, token: Option<&str>, message: &Value) -> RequestBuilder {
        let request = self
            .request(Method::POST, "/mcp")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-06-18")
            .json(message);
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The same message as a 2026-07-28 client sends it.
    pub fn post_modern(&self, token: &str, message: &Value) -> RequestBuilder {
        let given = &message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
        let given = given.as_object().cloned().unwrap_or_default();
        self.post_able(token, message, &Value::Object(given))
    }

    /// The same from a client with these capabilities.
    pub fn post_able(&self, token: &str, message: &Value, capabilities: &Value) -> RequestBuilder {
        let mut message = message.clone();
        if message["params"].is_null() {
            message["params"] = json!({});
        }
        message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
        message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
        let mut request = self
            .request(Method::POST, "/mcp")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", message["method"].as_str().unwrap())
            .bearer_auth(token)
            .json(&message);
        let params = &message["params"];
        let names = ["name", "uri", "taskId"].into_iter().find_map(|member| params[member].as_str());
        if let Some(name) = names {
            request = request.header("mcp-name", name);
        }
        request
    }

    /// Calls a tool as Alice and returns the whole result, error or not.
    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.send(self.post(Some(&self.token()), &call(tool, arguments))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let mut answer = answer.json();
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].take()
    }

    /// Calls a tool that must succeed and returns its structured content.
    pub async fn ask(&self, tool: &str, arguments: Value) -> Value {
        let mut result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], false, "{result}");
        result["structuredContent"].take()
    }

    /// Moves the clock until the call is over.
    pub async fn while_time_passes<T>(&self, call: impl Future<Output = T>) -> T {
        tokio::pin!(call);
        loop {
            tokio::select! {
                biased;
                answer = &mut call => return answer,
                // Each turn lets the request travel, then moves time on.
                () = tokio::task::yield_now() => self.clock.advance(Duration::from_millis(10)),
            }
        }
    }

    /// Calls a tool that must fail and returns the error it shows, without the request id.
    pub async fn refused(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        let mut error: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        let id = error["error"].as_object_mut().unwrap().remove("requestId");
        assert!(id.is_some_and(|id| id.is_string()));
        error["error"].take()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            leaks::check_log(self.log_start);
            let now = Now { calls: 0, streams: 0, live_sessions: 0, ready: true, store_connected: true };
            leaks::check_metrics(&self.metrics.page(&now).unwrap_or_default());
        }
    }
}

/// Remembers what of a request must not be found again: its token anywhere, its session and arguments in the log.
fn note_secrets(request: &reqwest::Request) {
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = header("authorization").rsplit(' ').next().unwrap_or_default();
    if token.len() >= 20 {
        leaks::secret(token);
    }
    leaks::private(header("mcp-session-id"));
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    if let Ok(message) = serde_json::from_slice::<Value>(body) {
        note_texts(&message["params"]["arguments"]);
        note_texts(&message["params"]["uri"]);
        note_texts(&message["params"]["inputResponses"]);
        note_texts(&message["params"]["requestState"]);
        note_texts(&message["result"]);
        note_texts(&message["params"]["taskId"]);
    }
}

fn note_texts(value: &Value) {
    match value {
        Value::String(text) => leaks::private(text),
        Value::Array(items) => items.iter().for_each(note_texts),
        Value::Object(members) => members.values().for_each(note_texts),
        _ => {}
    }
}

/// The tool that a request calls.
fn called(request: &reqwest::Request) -> Option<String> {
    let message: Value = serde_json::from_slice(request.body()?.as_bytes()?).ok()?;
    let tool = message["params"]["name"].as_str().filter(|_| message["method"] == "tools/call")?;
    Some(tool.to_owned())
}

/// A `tools/call` request.
#[expect(clippy::needless_pass_by_value, reason = "callers write json!(...) in place")]
pub fn call(tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

/// A platform on a clock moved by hand.
pub async fn start_platform() -> (Platform, Clock) {
    let clock = Clock::manual("2026-11-21T10:00:00Z".parse::<Timestamp>().unwrap());
    let options = Options { clock: clock.clone(), ..Options::default() };
    (Platform::start(listener().await, options).await.unwrap(), clock)
}

async fn listener() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap()
}
