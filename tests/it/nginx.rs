//! Three replicas behind the nginx configuration that is shipped, restarted one after the other under load: no call is
//! lost, in either era.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rmcp::{
    model::{CallToolRequestParams, ClientConfig, ProtocolVersion},
    service::{ClientLifecycleMode, ClientServiceExt},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use sequentum_mcp::clock::Clock;
use serde_json::{Value, json};
use tokio::{net::TcpListener, process::Child, process::Command, sync::watch, task::JoinSet};

use crate::support::{ALL_SCOPES, TestServer, leaks};

/// What the test changes in the shipped file: its ports and waiting times, and there is no TLS.
const SHIPPED: [&str; 8] = [
    "10.0.0.11:3000",
    "10.0.0.12:3000",
    "10.0.0.13:3000",
    "keepalive_timeout 4s;",
    "listen 443 ssl http2;",
    "server_name mcp.example.com;",
    "ssl_certificate /etc/ssl/mcp.example.com.pem;",
    "ssl_certificate_key /etc/ssl/private/mcp.example.com.key;",
];

struct Nginx {
    child: Child,
    folder: PathBuf,
}

impl Nginx {
    /// `None`, and a line that says so, on a machine without nginx; where `NGINX` names one it must start.
    async fn start(port: u16, replicas: &[SocketAddr]) -> Option<Self> {
        let named = std::env::var_os("NGINX").map(PathBuf::from);
        let usual = PathBuf::from("/usr/sbin/nginx");
        let Some(program) = named.or_else(|| usual.exists().then_some(usual)) else {
            println!("SKIPPED: there is no /usr/sbin/nginx; install it, or set NGINX to its path");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("sequentum-mcp-nginx-{port}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("site.conf"), site(port, replicas)).unwrap();
        let main = main_file(&folder);
        fs::write(folder.join("nginx.conf"), main).unwrap();
        let child = Command::new(program)
            .arg("-p")
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::task::yield_now().await;
        }
        Some(Self { child, folder })
    }

    /// Ends it and returns what it logged: for each request the status, and the replicas that were tried.
    async fn stop(mut self) -> Vec<(String, Vec<String>)> {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-QUIT", &pid]).status().await.unwrap().success());
        self.child.wait().await.unwrap();
        let log = fs::read_to_string(self.folder.join("access.log")).unwrap();
        let _ = fs::remove_dir_all(&self.folder);
        log.lines()
            .map(|line| {
                let (status, tried) = line.split_once(' ').unwrap();
                (status.to_owned(), tried.split(", ").map(str::to_owned).collect())
            })
            .collect()
    }
}

/// The shipped file, on these ports.
fn site(port: u16, replicas: &[SocketAddr]) -> String {
    let mut text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/deploy/nginx.conf")).unwrap();
    let mut ours: Vec<String> = replicas.iter().map(ToString::to_string).collect();
    ours.extend([
        "keepalive_timeout 1s;".to_owned(),
        format!("listen 127.0.0.1:{port};"),
        "server_name localhost;".to_owned(),
        String::new(),
        String::new(),
    ]);
    for (shipped, ours) in SHIPPED.iter().zip(ours) {
        assert_eq!(text.matches(shipped).count(), 1, "docs/deploy/nginx.conf has {shipped}");
        text = text.replace(shipped, &ours);
    }
    text
}

/// What Debian's nginx.conf has around such a file, as far as it matters, for a user who is not root.
fn main_file(folder: &Path) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {};\n", folder.join(kind).display()))
        .concat();
    let user = if std::env::var_os("USER").is_some_and(|user| user == "root") { "user root;\n" } else { "" };
    format!(
        "{user}daemon off;\npid nginx.pid;\nerror_log error.log;\nworker_processes 2;\n\
         events {{ worker_connections 512; }}\n\
         http {{\n{temporary}    log_format replicas '$status $upstream_addr';\n    access_log access.log replicas;\n    \
         include site.conf;\n}}\n"
    )
}

/// Calls one tool after another until it is told to stop; every call must succeed.
async fn keep_calling(
    endpoint: String,
    token: String,
    lifecycle: ClientLifecycleMode,
    stop: Arc<AtomicBool>,
    calls: watch::Sender<usize>,
    clock: Clock,
) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let config = StreamableHttpClientTransportConfig::with_uri(endpoint).auth_header(token);
    let transport = StreamableHttpClientTransport::with_client(http, config);
    let client = ClientConfig::default().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    // A steady load that leaves room for other tests; nothing is waited for by this.
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        let Value::Object(arguments) = json!({"agentId": 7301}) else { unreachable!() };
        let call = CallToolRequestParams::new("get_agent").with_arguments(arguments);
        let result = client.call_tool(call).await.unwrap_or_else(|error| panic!("a call is lost: {error:?}"));
        let content = result.structured_content.as_ref().unwrap_or_else(|| panic!("{result:?}"));
        assert_eq!(content["id"], 7301);
        calls.send_modify(|calls| *calls += 1);
        // The platform, too, has a limit within a window.
        clock.advance(Duration::from_millis(100));
    }
    client.cancel().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_behind_nginx_loses_no_call() {
    let front = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = front.local_addr().unwrap().port();
    let origin = format!("http://127.0.0.1:{port}");
    let key = "5a".repeat(32);
    let settings = [("PUBLIC_URL", &*origin), ("SESSION_KEY", &*key), ("SHUTDOWN_DELAY_SECONDS", "2")];
    let (platform, clock) = TestServer::platform().await;
    let replica = async |address: Option<SocketAddr>| {
        let address = address.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = TcpListener::bind(address).await.unwrap();
        TestServer::on(listener, platform.clone(), clock.clone(), &settings)
    };
    let mut replicas = vec![replica(None).await, replica(None).await, replica(None).await];
    let addresses: Vec<_> = replicas.iter().map(|replica| replica.address).collect();
    drop(front);
    let Some(nginx) = Nginx::start(port, &addresses).await else { return };

    let endpoint = format!("{origin}/mcp");
    let token = platform.access_token(&TestServer::alice(), &endpoint, ALL_SCOPES).unwrap();
    leaks::secret(&token);
    let stop = Arc::new(AtomicBool::new(false));
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let eras = [ClientLifecycleMode::Initialize, ClientLifecycleMode::Discover { preferred_versions }];
    let mut clients = JoinSet::new();
    let mut counts = Vec::new();
    for lifecycle in eras {
        let (calls, count) = watch::channel(0);
        for _ in 0..3 {
            let (stop, calls) = (Arc::clone(&stop), calls.clone());
            let (endpoint, token) = (endpoint.clone(), token.clone());
            clients.spawn(keep_calling(endpoint, token, lifecycle.clone(), stop, calls, clock.clone()));
        }
        counts.push(count);
    }
    // Both eras are at it before a replica goes, while it goes, and after it has come back.
    let mut progress = async |by: usize| {
        let further = counts.iter_mut().map(|count| {
            let wanted = *count.borrow() + by;
            async move { count.wait_for(|now| *now >= wanted).await.map(|_| ()) }
        });
        tokio::select! {
            gone = clients.join_next() => panic!("a client gave up: {gone:?}"),
            made = futures_util::future::try_join_all(further) => made.expect("clients go on"),
        };
    };
    progress(20).await;
    for (index, address) in addresses.iter().enumerate() {
        let old = replicas.remove(index);
        old.stop().await;
        progress(20).await;
        replicas.insert(index, replica(Some(*address)).await);
        progress(20).await;
    }
    let total: usize = counts.iter().map(|count| *count.borrow()).sum();
    stop.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.expect("every call was answered");
    }
    let log = nginx.stop().await;
    let refused: Vec<_> = log.iter().filter(|(status, _)| !status.starts_with('2')).collect();
    // A 2025 client looks for a stream of events that these sessions do not have.
    assert!(refused.iter().all(|(status, _)| status == "405"), "{refused:?}");
    let used: BTreeSet<_> = log.iter().filter_map(|(_, tried)| tried.last()).collect();
    assert_eq!(used.len(), addresses.len(), "every replica answered: {used:?}");
    let moved = log.iter().filter(|(_, tried)| tried.len() > 1).count();
    assert!(moved > 0, "nginx found a replica gone");
    println!("{total} calls, {moved} of them sent to another replica because one was gone");
}
