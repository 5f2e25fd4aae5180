//! Signing in through the browser for `stdio`: the real commands, in front of the simulated authorization server, with the
//! test as the user at its pages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::StatusCode;
use sequentum_mcp::{
    demo::{Fault, FaultKind, Login, Platform},
    outbound,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};
use url::Url;

use crate::support::{
    browser::approve,
    child::{Server, call},
    server::start_platform,
    waiting::PATIENCE,
};

fn alice() -> Login {
    Platform::logins()[0]
}

/// A home of its own for the sign-in; gone when the test is over.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sequentum-mcp-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("sequentum-mcp").join("sign-in.json")
    }

    fn read(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file()).unwrap()).unwrap()
    }

    /// Changes a member of what is kept.
    fn set(&self, member: &str, value: Value) {
        let mut kept = self.read();
        kept[member] = value;
        fs::write(self.file(), kept.to_string()).unwrap();
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn command(platform: &str, home: &Home, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"));
    command
        .args(arguments)
        .env("SEQUENTUM_API_URL", platform)
        .env("XDG_STATE_HOME", &home.0)
        .env("DEBUG", "1")
        .env_remove("SEQUENTUM_API_KEY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A started `login`, with the page it asks to open.
struct SigningIn {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
    page: Url,
}

impl SigningIn {
    async fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let page = async {
            loop {
                let line = output.next_line().await.unwrap().expect("the address of a page");
                if let Some(page) = line.trim().strip_prefix("http") {
                    return Url::parse(&format!("http{page}")).unwrap();
                }
            }
        };
        let page = tokio::time::timeout(PATIENCE, page).await.unwrap();
        Self { child, output, page }
    }

    fn parameter(&self, name: &str) -> String {
        self.page.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
    }

    /// Signs in and agrees; returns where the browser is sent then.
    async fn agree(&self) -> Url {
        approve(self.page.as_str(), &self.parameter("redirect_uri"), &alice()).await
    }

    /// Exit code, the rest of standard output, and standard error.
    async fn end(mut self) -> (Option<i32>, String, String) {
        let (mut said, mut complained) = (String::new(), String::new());
        let ended = async {
            while let Some(line) = self.output.next_line().await.unwrap() {
                said.push_str(&line);
                said.push('\n');
            }
            self.child.stderr.take().unwrap().read_to_string(&mut complained).await.unwrap();
            self.child.wait().await.unwrap().code()
        };
        let code = tokio::time::timeout(PATIENCE, ended).await.unwrap();
        (code, said, complained)
    }
}

async fn visit(url: &Url) -> StatusCode {
    outbound::client(url).unwrap().get(url.clone()).send().await.unwrap().status()
}

async fn signed_in(platform: &Platform, home: &Home) {
    let login = SigningIn::start(command(platform.url().as_str(), home, &["login", "--no-browser"])).await;
    let back = login.agree().await;
    assert_eq!(visit(&back).await, StatusCode::OK);
    let (code, said, complained) = login.end().await;
    assert_eq!(code, Some(0), "{said}{complained}");
    let kept = home.read();
    for token in ["access_token", "refresh_token"] {
        let token = kept[token].as_str().unwrap();
        assert!(!said.contains(token) && !complained.contains(token), "a token was printed");
    }
}

async fn serve(platform: &Platform, home: &Home) -> Server {
    let mut server = Server::start(command(platform.url().as_str(), home, &["stdio"]));
    server.initialize().await;
    server
}

/// How often tokens were got, by sign-in or refresh.
fn token_requests(platform: &Platform) -> usize {
    platform.oauth_requests("/api/oauth/token")
}

async fn spaces(server: &mut Server) -> Value {
    server.ask(&call(1, "list_spaces", &json!({}))).await["result"].take()
}

/// Ends the server; its log at debug level has none of the tokens.
async fn end(server: Server, home: &Home) -> String {
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0), "{log}");
    let kept = home.read();
    for token in ["access_token", "refresh_token"] {
        assert!(!log.contains(kept[token].as_str().unwrap()), "a token is in the log: {log}");
    }
    log
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn login_and_stdio_and_logout() {
    let (platform, _) = start_platform().await;
    let home = Home::new("whole");
    signed_in(&platform, &home).await;
    assert_eq!(mode(&home.file()), 0o600);
    assert_eq!(mode(home.file().parent().unwrap()), 0o700);
    let kept = home.read();
    assert_eq!(kept["platform"], platform.url().as_str().trim_end_matches('/'));

    let mut server = serve(&platform, &home).await;
    let me = server.ask(&call(1, "whoami", &json!({}))).await["result"]["structuredContent"].take();
    assert_eq!((&me["subject"], &me["missingScopes"]), (&json!("sign-in"), &json!([])));
    assert_eq!(spaces(&mut server).await["isError"], false);
    let sent = platform.requests().pop().unwrap().authorization.unwrap();
    assert_eq!(sent, format!("Bearer {}", kept["access_token"].as_str().unwrap()));
    end(server, &home).await;
    assert_eq!(token_requests(&platform), 1, "a token that is good is not refreshed");

    let output = command(platform.url().as_str(), &home, &["logout"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("Signed out of "));
    assert!(!home.file().exists());
    let output = command(platform.url().as_str(), &home, &["stdio"]).output().await.unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"
    SEQUENTUM_API_KEY is not set, and you are not signed in: `stdio` needs one of the two.
    Run `sequentum-mcp login` to sign in through the browser, or ask an administrator of your organisation for an API key (Users
    page of the platform; it starts with `sk-` and is shown once) and put it into the environment that your MCP client gives
    to this command.
    ");
}

#[tokio::test]
async fn a_sign_in_that_ends_is_refreshed_and_kept() {
    let (platform, clock) = start_platform().await;
    let home = Home::new("refresh");
    signed_in(&platform, &home).await;
    let first = home.read();

    // By its own clock.
    home.set("expires_at", json!(1));
    let mut server = serve(&platform, &home).await;
    assert_eq!(spaces(&mut server).await["isError"], false);
    assert_eq!(token_requests(&platform), 2);
    let second = home.read();
    assert_ne!(second["refresh_token"], first["refresh_token"], "the server rotates");
    assert_eq!(mode(&home.file()), 0o600);

    // By the platform's: the same process, whose clock still trusts the token.
    clock.advance(Duration::from_hours(2));
    assert_eq!(spaces(&mut server).await["isError"], false);
    assert_eq!(token_requests(&platform), 3);
    end(server, &home).await;

    // What was rotated serves the next process.
    clock.advance(Duration::from_hours(2));
    let mut server = serve(&platform, &home).await;
    assert_eq!(spaces(&mut server).await["isError"], false);
    assert_eq!(token_requests(&platform), 4);
    end(server, &home).await;
}

#[tokio::test]
async fn a_call_that_is_taken_back_during_a_refresh_does_not_end_the_sign_in() {
    let (platform, clock) = start_platform().await;
    let home = Home::new("taken-back");
    signed_in(&platform, &home).await;
    home.set("expires_at", json!(1));
    // A file that somebody left behind, readable for others.
    let beside = home.file().with_extension("new");
    fs::write(&beside, "left").unwrap();
    #[cfg(unix)]
    fs::set_permissions(&beside, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    platform.faults().inject(Fault {
        path_contains: "/api/oauth/token".to_owned(),
        times: 1,
        kind: FaultKind::Delay(Duration::from_secs(2)),
    });
    let mut server = serve(&platform, &home).await;
    server.send(&call(7, "list_spaces", &json!({}))).await;
    while token_requests(&platform) < 2 {
        tokio::task::yield_now().await;
    }
    let cancelled =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    server.send(&cancelled).await;
    // What is answered after it was read after it.
    let pong = server.ask(&json!({"jsonrpc": "2.0", "id": 8, "method": "ping"})).await;
    assert_eq!(pong["id"], 8);
    clock.advance(Duration::from_secs(3));
    assert_eq!(spaces(&mut server).await["isError"], false, "the new refresh token was not lost");
    assert_eq!(token_requests(&platform), 2);
    #[cfg(unix)]
    assert_eq!(mode(&home.file()), 0o600);
    end(server, &home).await;
}

#[tokio::test]
async fn processes_that_refresh_at_once_do_so_once() {
    let (platform, _) = start_platform().await;
    let home = Home::new("at-once");
    signed_in(&platform, &home).await;
    home.set("expires_at", json!(1));
    let mut servers = [serve(&platform, &home).await, serve(&platform, &home).await];
    let [one, two] = &mut servers;
    let (first, second) = tokio::join!(spaces(one), spaces(two));
    assert_eq!((&first["isError"], &second["isError"]), (&json!(false), &json!(false)));
    assert_eq!(token_requests(&platform), 2, "a used refresh token would have ended the sign-in");
    for server in servers {
        end(server, &home).await;
    }
}

#[tokio::test]
async fn a_sign_in_that_is_over_says_what_to_do() {
    let (platform, _) = start_platform().await;
    let home = Home::new("over");
    signed_in(&platform, &home).await;
    let mut server = serve(&platform, &home).await;
    platform.revoke_everything_of(&alice());
    let refused = spaces(&mut server).await;
    assert_eq!(refused["isError"], true);
    let mut error: Value = serde_json::from_str(refused["content"][0]["text"].as_str().unwrap()).unwrap();
    assert!(error["error"].as_object_mut().unwrap().remove("requestId").is_some());
    insta::assert_json_snapshot!(error, @r#"
    {
      "error": {
        "code": "authentication_failed",
        "message": "The sign-in has ended.",
        "remedy": "Run `sequentum-mcp login` in a terminal, then call the tool again.",
        "retryable": false
      }
    }
    "#);
    let log = end(server, &home).await;
    assert!(log.contains("the sign-in could not be refreshed"), "{log}");
}

#[tokio::test]
async fn only_the_answer_to_this_sign_in_counts() {
    let (platform, _) = start_platform().await;
    let home = Home::new("answers");
    let login = SigningIn::start(command(platform.url().as_str(), &home, &["login", "--no-browser"])).await;
    let asked: Vec<_> = ["response_type", "code_challenge_method", "resource", "scope"]
        .map(|name| login.parameter(name))
        .into_iter()
        .collect();
    assert_eq!(asked[..2], ["code", "S256"]);
    assert_eq!(asked[2], platform.url().as_str().trim_end_matches('/'));
    assert_eq!(
        asked[3],
        "agents:read agents:write runs:read spaces:read spaces:write billing:read offline_access"
    );
    let back = login.agree().await;
    // Somebody else's answer is turned away, and the sign-in goes on.
    let mut forged = back.clone();
    forged.query_pairs_mut().clear().append_pair("code", "c").append_pair("state", "of-somebody-else");
    assert_eq!(visit(&forged).await, StatusCode::BAD_REQUEST);
    assert_eq!(visit(&back.join("/favicon.ico").unwrap()).await, StatusCode::NOT_FOUND);
    // With the state but from another server (RFC 9207), or from none that says who it is.
    forged.query_pairs_mut().clear().append_pair("code", "c").append_pair("state", &login.parameter("state"));
    assert_eq!(visit(&forged).await, StatusCode::OK);
    let (code, _, complained) = login.end().await;
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(complained, @"Signing in failed: the answer does not come from the authorization server that was asked. Run `sequentum-mcp login` again; if it happens again, check SEQUENTUM_OAUTH_ISSUER.");
    assert!(!home.file().exists());
    assert_eq!(token_requests(&platform), 0);
}

#[tokio::test]
async fn a_user_who_does_not_agree_is_not_signed_in() {
    let (platform, _) = start_platform().await;
    let home = Home::new("denied");
    let login = SigningIn::start(command(platform.url().as_str(), &home, &["login", "--no-browser"])).await;
    let mut back = Url::parse(&login.parameter("redirect_uri")).unwrap();
    back.query_pairs_mut()
        .append_pair("error", "access_denied")
        .append_pair("state", &login.parameter("state"))
        .append_pair("iss", platform.issuer());
    assert_eq!(visit(&back).await, StatusCode::OK);
    let (code, _, complained) = login.end().await;
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(complained, @"Signing in failed: the authorization server did not sign you in: access was not granted. Run `sequentum-mcp login` again.");
    assert!(!home.file().exists());
}

#[tokio::test]
async fn a_known_client_is_not_registered_and_only_what_is_offered_is_asked_for() {
    let (platform, _) = start_platform().await;
    let home = Home::new("known");
    let mut command = command(platform.url().as_str(), &home, &["login", "--no-browser"]);
    command.env("LOGIN_CLIENT_ID", "https://client.example/oauth.json").env("READ_ONLY", "true");
    let login = SigningIn::start(command).await;
    assert_eq!(login.parameter("client_id"), "https://client.example/oauth.json");
    assert_eq!(platform.oauth_requests("/api/oauth/register"), 0);
    assert_eq!(login.parameter("scope"), "agents:read runs:read spaces:read billing:read offline_access");
}

#[tokio::test]
async fn an_authorization_server_that_cannot_be_used_is_named() {
    let home = Home::new("unusable");
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let document = json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token")});
    let routes = axum::Router::new().route(
        "/.well-known/oauth-authorization-server",
        axum::routing::get(move || async move { axum::Json(document) }),
    );
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let output = command(&issuer, &home, &["login", "--no-browser"]).output().await.unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let complained = String::from_utf8(output.stderr).unwrap().replace(&issuer, "ISSUER");
    insta::assert_snapshot!(complained, @"Signing in failed: the authorization server ISSUER does not offer PKCE with S256, without which signing in is not safe.");
}

#[tokio::test]
async fn logout_gives_tokens_back_where_they_are_taken() {
    let home = Home::new("revoked");
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(String::new()));
    let record = Arc::clone(&taken);
    let routes = axum::Router::new().route(
        "/revoke",
        axum::routing::post(move |form: String| async move { *record.lock().unwrap() = form }),
    );
    tokio::spawn(async move { axum::serve(listener, routes).await });
    fs::create_dir_all(home.file().parent().unwrap()).unwrap();
    let kept = json!({"platform": server, "issuer": server, "client_id": "c-1", "scope": "agents:read",
        "token_endpoint": format!("{server}/token"), "revocation_endpoint": format!("{server}/revoke"),
        "access_token": "access-1", "refresh_token": "refresh-1"});
    fs::write(home.file(), kept.to_string()).unwrap();
    let output = command(&server, &home, &["logout"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap().replace(&server, "PLATFORM");
    insta::assert_snapshot!(said, @"Signed out of PLATFORM. The tokens were given back and are void.");
    assert_eq!(*taken.lock().unwrap(), "token=refresh-1&token_type_hint=refresh_token&client_id=c-1");
    assert!(!home.file().exists());

    // Tokens of one platform are never sent to another.
    fs::write(home.file(), kept.to_string()).unwrap();
    let output = command("https://other.example", &home, &["stdio"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(complained.contains("The sign-in is for ") && complained.contains("https://other.example"));
}
