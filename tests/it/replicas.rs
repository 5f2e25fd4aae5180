//! Two replicas behind a balancer, one of which is restarted between any two requests: no client notices.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use rmcp::{
    ServiceExt,
    model::{CallToolRequestParams, ClientConfig, ProtocolVersion},
    service::{ClientLifecycleMode, ClientServiceExt},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use sequentum_mcp::tools::Catalog;
use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::support::{ALL_SCOPES, TestServer, leaks};

/// Hands each connection to the next replica.
struct Balancer {
    origin: String,
    replicas: Arc<Mutex<Vec<SocketAddr>>>,
    used: Arc<[AtomicUsize; 2]>,
}

impl Balancer {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let replicas: Arc<Mutex<Vec<SocketAddr>>> = Arc::default();
        let used: Arc<[AtomicUsize; 2]> = Arc::default();
        let (known, counts) = (Arc::clone(&replicas), Arc::clone(&used));
        tokio::spawn(async move {
            for turn in 0.. {
                let Ok((mut client, _)) = listener.accept().await else { break };
                let replica = known.lock().unwrap()[turn % 2];
                counts[turn % 2].fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(replica).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { origin, replicas, used }
    }
}

/// The replicas, and what they are started with.
struct Deployment {
    balancer: Balancer,
    servers: Vec<TestServer>,
    turn: usize,
}

impl Deployment {
    async fn start() -> Self {
        let balancer = Balancer::start().await;
        let first = TestServer::start().await;
        let mut deployment = Self { balancer, servers: vec![first], turn: 0 };
        for _ in 0..2 {
            let replica = deployment.replica().await;
            deployment.balancer.replicas.lock().unwrap().push(replica.address);
            deployment.servers.push(replica);
        }
        deployment
    }

    /// A new replica with the settings of the deployment.
    async fn replica(&self) -> TestServer {
        let key = "5a".repeat(32);
        let settings = [("PUBLIC_URL", &*self.balancer.origin), ("SESSION_KEY", &*key)];
        let first = &self.servers[0];
        TestServer::before(first.platform.clone(), first.clock.clone(), &settings, Catalog::new()).await
    }

    /// Replaces one of the replicas, each in turn.
    async fn restart_one(&mut self) {
        let index = self.turn % 2;
        self.turn += 1;
        let fresh = self.replica().await;
        self.balancer.replicas.lock().unwrap()[index] = fresh.address;
        let old = std::mem::replace(&mut self.servers[index + 1], fresh);
        old.stop().await;
    }
}

async fn a_client_goes_on(lifecycle: ClientLifecycleMode) {
    let mut deployment = Deployment::start().await;
    let endpoint = format!("{}/mcp", deployment.balancer.origin);
    let platform = deployment.servers[0].platform.clone();
    let token = platform.access_token(&TestServer::alice(), &endpoint, ALL_SCOPES).unwrap();
    leaks::secret(&token);
    // A connection for each request, so that each goes to another replica. Lists come from the client's memory at times.
    let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    let config = StreamableHttpClientTransportConfig::with_uri(endpoint).auth_header(token);
    let transport = StreamableHttpClientTransport::with_client(http, config);
    let client = ClientConfig::default().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    for _ in 0..6 {
        deployment.restart_one().await;
        assert!(client.list_all_tools().await.unwrap().len() > 40);
        deployment.restart_one().await;
        let Value::Object(arguments) = json!({"agentId": 7301}) else { unreachable!() };
        let call = CallToolRequestParams::new("get_agent").with_arguments(arguments);
        assert_eq!(client.call_tool(call).await.unwrap().structured_content.unwrap()["id"], 7301);
        deployment.restart_one().await;
        assert_eq!(client.list_all_prompts().await.unwrap().len(), 11);
    }
    let used = &deployment.balancer.used;
    assert!(used.iter().all(|count| count.load(Ordering::Relaxed) >= 4), "{used:?}");
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn a_2025_client_with_a_session_notices_no_restart() {
    a_client_goes_on(ClientLifecycleMode::Initialize).await;
}

#[tokio::test]
async fn a_2026_client_notices_no_restart() {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    a_client_goes_on(ClientLifecycleMode::Discover { preferred_versions }).await;
}

#[tokio::test]
async fn the_simple_way_to_connect_works_through_a_balancer_too() {
    let deployment = Deployment::start().await;
    let endpoint = format!("{}/mcp", deployment.balancer.origin);
    let token =
        deployment.servers[0].platform.access_token(&TestServer::alice(), &endpoint, ALL_SCOPES).unwrap();
    let config = StreamableHttpClientTransportConfig::with_uri(endpoint).auth_header(token);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let client = ClientConfig::default()
        .serve(StreamableHttpClientTransport::with_client(http, config))
        .await
        .unwrap();
    assert!(client.list_all_resources().await.unwrap().len() == 7);
    client.cancel().await.unwrap();
}
