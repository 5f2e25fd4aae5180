//! Ways round a check: each was open once, and is tried here as it was found.

use data_encoding::BASE64;
use reqwest::{RequestBuilder, StatusCode, header::HeaderValue};
use serde_json::{Value, json};

use crate::support::{TestServer, server::call};

fn replaced(request: RequestBuilder, name: &'static str, value: &str) -> RequestBuilder {
    let (client, request) = request.build_split();
    let mut request = request.unwrap();
    request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    RequestBuilder::from_parts(client, request)
}

#[tokio::test]
async fn a_name_in_base64_is_a_name() {
    let server = TestServer::start().await;
    let coded = |name: &str| format!("=?base64?{}?=", BASE64.encode(name.as_bytes()));
    let start = call("start_agent", json!({"agentId": 7302}));
    let weak = server.token_for(&TestServer::alice(), "agents:read");
    let ask = |token: &str, name: &str| replaced(server.post_modern(token, &start), "mcp-name", name);
    let answer = server.send(ask(&weak, &coded("start_agent"))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    assert!(answer.header("www-authenticate").contains("insufficient_scope"));
    assert_eq!(answer.text, {
        let plain = server.send(ask(&weak, "start_agent")).await;
        plain.text.replace(plain.header("x-request-id"), answer.header("x-request-id"))
    });
    let uri = "sequentum://agents/7302/runs/1";
    let read = json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}});
    let request = server.post_modern(&weak, &read);
    let answer = server.send(replaced(request, "mcp-name", &coded(uri))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    // Another name, and what is no name in this form, are the library's to refuse.
    for other in [coded("list_agents"), "=?base64?!?=".to_owned(), coded("start_agent").replace("?=", "=?=")] {
        let answer = server.send(ask(&weak, &other)).await;
        assert_eq!(answer.json()["error"]["code"], -32020, "{other}: {}", answer.text);
    }
    let list = call("list_agents", json!({}));
    let good = replaced(server.post_modern(&server.token(), &list), "mcp-name", &coded("list_agents"));
    let answer: Value = server.send(good).await.json();
    assert_eq!(answer["result"]["isError"], false, "{answer}");
}
