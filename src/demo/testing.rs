//! What the module's own tests stand on: a started platform with a clock of their own, and a browser.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

use super::{Login, Options, Platform};
use crate::{clock::Clock, outbound};

pub(crate) const ALL_SCOPES: &str =
    "agents:read agents:write runs:read spaces:read spaces:write billing:read";

pub(crate) struct Fixture {
    pub(crate) platform: Platform,
    pub(crate) clock: Clock,
    pub(crate) http: reqwest::Client,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// With a manual clock, whatever `options` says.
    pub(crate) async fn with(options: Options) -> Self {
        let clock = Clock::manual(Timestamp::from_second(1_780_000_000).unwrap());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let options = Options { clock: clock.clone(), ..options };
        let platform = Platform::start(listener, options).await.unwrap();
        let http = outbound::client(platform.url()).unwrap();
        Self { platform, clock, http }
    }

    pub(crate) fn token(&self, login: &Login, scope: &str) -> String {
        self.platform.access_token(login, "https://mcp.example.com/mcp", scope).unwrap()
    }

    /// A request as Alice, with every scope.
    pub(crate) fn alice(&self, method: Method, path: &str) -> RequestBuilder {
        let [alice, _] = Platform::logins();
        self.request(method, path).bearer_auth(self.token(&alice, ALL_SCOPES))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.platform.url().join(path).unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.alice(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    /// As Alice: the status and the body, null when there is none.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let response = self.alice(method, path).json(body).send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Moves the clock.
    pub(crate) fn later(&self, seconds: u64) {
        self.clock.advance(std::time::Duration::from_secs(seconds));
    }

    pub(crate) async fn form(&self, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let response = self.request(Method::POST, "/api/oauth/token").form(fields).send().await.unwrap();
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        (response.status(), response.json().await.unwrap())
    }

    pub(crate) async fn register(&self, metadata: &Value) -> (StatusCode, Value) {
        let request = self.request(Method::POST, "/api/oauth/register").json(metadata);
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

/// A person's browser: keeps the cookie, fills in forms, and follows redirects only when told to.
pub(crate) struct Browser<'a> {
    fixture: &'a Fixture,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(fixture: &'a Fixture) -> Self {
        Self { fixture, cookie: None }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Response {
        self.send(self.fixture.request(Method::GET, url)).await
    }

    /// Posts the form of `page` with `fields` filled in.
    pub(crate) async fn submit(&mut self, page: &str, fields: &[(&str, &str)]) -> Response {
        let action = attribute(page, "action").expect("a form");
        let mut form: BTreeMap<String, String> = BTreeMap::new();
        for input in page.split("<input").skip(1).filter(|input| input.contains("type=\"hidden\"")) {
            form.insert(attribute(input, "name").unwrap(), attribute(input, "value").unwrap());
        }
        form.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.send(self.fixture.request(Method::POST, &action).form(&form)).await
    }

    /// From the authorization request to the redirect back to the client.
    pub(crate) async fn authorize(&mut self, url: &str, login: &Login, decision: &str) -> Url {
        let mut response = self.get(url).await;
        assert_eq!(response.status(), StatusCode::FOUND);
        if location(&response).contains("/oauth/sign-in") {
            let page = self.get(&location(&response)).await.text().await.unwrap();
            let fields = [("username", login.username), ("password", login.password)];
            response = self.submit(&page, &fields).await;
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
        }
        let page = self.get(&location(&response)).await.text().await.unwrap();
        let response = self.submit(&page, &[("decision", decision)]).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        location(&response).parse().unwrap()
    }

    async fn send(&mut self, request: RequestBuilder) -> Response {
        let request = match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        };
        let response = request.send().await.unwrap();
        if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        response
    }
}

pub(crate) fn location(response: &Response) -> String {
    response.headers()[header::LOCATION].to_str().unwrap().to_owned()
}

pub(crate) fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn attribute(html: &str, name: &str) -> Option<String> {
    let (_, rest) = html.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.replace("&amp;", "&"))
}
