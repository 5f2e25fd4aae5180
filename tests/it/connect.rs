//! The main job, with the rmcp client: connect, sign in, list, run, watch it finish.

use std::time::Duration;

use rmcp::{
    RoleClient, ServiceExt,
    model::{
        CallToolRequestParams, ClientConfig, GetPromptRequestParams, ProtocolVersion,
        ReadResourceRequestParams, ResourceContents,
    },
    service::{ClientLifecycleMode, ClientServiceExt, RunningService},
    transport::{
        AuthClient, StreamableHttpClientTransport,
        auth::{AuthorizationRequest, OAuthState},
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};

use crate::support::{TestServer, browser};

const REDIRECT: &str = "http://127.0.0.1:33418/callback";

type Client = RunningService<RoleClient, ClientConfig>;

/// Signs in through discovery, dynamic registration and the pages; returns a connected client.
async fn sign_in(server: &TestServer, lifecycle: ClientLifecycleMode) -> Client {
    let mut state = OAuthState::new(server.endpoint(), None).await.unwrap();
    let request = AuthorizationRequest::new(REDIRECT)
        .with_initial_scope_selection()
        .with_client_name("Integration test");
    state.start_authorization(request).await.unwrap();
    let authorization = state.get_authorization_url().await.unwrap();
    let parameter = |name: &str| {
        let url = url::Url::parse(&authorization).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    assert_eq!(parameter("resource"), Some(server.endpoint()), "the token is asked for this server");
    assert_eq!(parameter("code_challenge_method").as_deref(), Some("S256"));

    let callback = browser::approve(&authorization, REDIRECT, &TestServer::alice()).await;
    state.handle_callback_url(callback.as_str()).await.unwrap();
    let manager = state.into_authorization_manager().expect("signed in");
    let client = AuthClient::new(reqwest::Client::builder().no_proxy().build().unwrap(), manager);
    let config = StreamableHttpClientTransportConfig::with_uri(server.endpoint());
    let transport = StreamableHttpClientTransport::with_client(client, config);
    ClientConfig::default().serve_with_lifecycle(transport, lifecycle).await.unwrap()
}

async fn ask(client: &Client, tool: &'static str, arguments: Value) -> Value {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let result = client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await.unwrap();
    assert_eq!(result.is_error, Some(false), "{result:?}");
    result.structured_content.unwrap()
}

/// Lists everything, reads a resource and gets a prompt.
async fn look_around(client: &Client) {
    assert_eq!(client.list_all_prompts().await.unwrap().len(), 11);
    assert_eq!(client.list_all_resources().await.unwrap().len(), 7);
    assert_eq!(client.list_all_resource_templates().await.unwrap().len(), 12);
    let read = ReadResourceRequestParams::new("sequentum://agents/7304");
    let read = client.read_resource(read).await.unwrap();
    let [ResourceContents::TextResourceContents { text, .. }] = &read.contents[..] else {
        panic!("{read:?}")
    };
    assert!(text.contains("Carrier tariffs"), "{text}");
    let arguments = json!({"agentName": "Carrier tariffs"}).as_object().unwrap().clone();
    let get = GetPromptRequestParams::new("debug-agent").with_arguments(arguments);
    let got = client.get_prompt(get).await.unwrap();
    assert!(format!("{:?}", got.messages).contains("`Carrier tariffs`"), "{got:?}");
}

/// Lists the agents, starts one and follows it to its end, moving the clock.
async fn start_to_completion(server: &TestServer, client: &Client) {
    let tools = client.list_all_tools().await.unwrap();
    assert!(tools.iter().any(|tool| tool.name == "start_agent"));

    let me = ask(client, "whoami", json!({})).await;
    assert_eq!(
        me["scopes"],
        json!(["agents:read", "agents:write", "runs:read", "spaces:read", "billing:read"])
    );

    let agents = ask(client, "list_agents", json!({"status": "Completed"})).await;
    let agent = agents["agents"][0]["id"].as_i64().unwrap();
    let run = ask(client, "start_agent", json!({"agentId": agent})).await["run"]["id"].as_i64().unwrap();
    let mut seen = Vec::new();
    for _ in 0..60 {
        let state = ask(client, "get_run_status", json!({"agentId": agent, "runId": run})).await;
        let name = state["statusName"].as_str().unwrap().to_owned();
        if seen.last() != Some(&name) {
            seen.push(name);
        }
        if state["finished"] == true {
            break;
        }
        server.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(seen, ["Queuing", "Starting", "Running", "Exporting", "Completed"]);

    let files = ask(client, "get_run_files", json!({"agentId": agent, "runId": run})).await;
    let file = files["result"][0]["id"].as_i64().unwrap();
    let link =
        ask(client, "get_file_download_url", json!({"agentId": agent, "runId": run, "fileId": file})).await;
    let content = reqwest::get(link["downloadUrl"].as_str().unwrap()).await.unwrap();
    assert!(content.status().is_success());
    assert!(!content.text().await.unwrap().is_empty());
    assert!(!server.platform.credential_leaked(), "no credential reached the storage host");
}

#[tokio::test]
async fn a_2025_client_signs_in_and_runs_an_agent() {
    let server = TestServer::start().await;
    let client = sign_in(&server, ClientLifecycleMode::Initialize).await;
    assert_eq!(client.peer_info().unwrap().protocol_version, ProtocolVersion::V_2025_11_25);
    look_around(&client).await;
    start_to_completion(&server, &client).await;
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn a_2026_client_signs_in_and_runs_an_agent() {
    let server = TestServer::start().await;
    let lifecycle = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    let client = sign_in(&server, lifecycle).await;
    assert_eq!(client.peer_info().unwrap().protocol_version, ProtocolVersion::V_2026_07_28);
    look_around(&client).await;
    start_to_completion(&server, &client).await;
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn without_a_token_a_client_is_told_to_sign_in() {
    let server = TestServer::start().await;
    let transport = StreamableHttpClientTransport::from_uri(server.endpoint());
    let error = ClientConfig::default().serve(transport).await.unwrap_err();
    assert!(format!("{error:?}").contains("Auth"), "{error:?}");
}
