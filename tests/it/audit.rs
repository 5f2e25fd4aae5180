//! The audit trail: one record for each call, whichever way it ends, with no argument in it.

use sequentum_mcp::demo::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::support::{TestServer, events::Events, leaks, server::call, waiting::hang_up};

/// The records of this server, as soon as there are `count`: one is written when a request is over for the server, which
/// may be after its answer has arrived.
pub async fn records(server: &TestServer, count: usize) -> Vec<String> {
    loop {
        let log = leaks::log();
        let ours = |line: &&str| line.contains("audit: call") && line.contains(server.platform.issuer());
        let records: Vec<_> = log.lines().filter(ours).map(str::to_owned).collect();
        if records.len() >= count {
            return records;
        }
        tokio::task::yield_now().await;
    }
}

/// A record without what changes from run to run.
fn lasting(server: &TestServer, record: &str) -> String {
    let changing = ["request.id=", "duration_ms=", "arguments.digest="];
    let fields =
        record.split_whitespace().filter(|field| !changing.iter().any(|name| field.starts_with(name)));
    fields.collect::<Vec<_>>().join(" ").replace(server.platform.issuer(), "<issuer>")
}

#[tokio::test]
async fn every_call_leaves_one_record() {
    let server = TestServer::start().await;
    let token = server.token();
    let narrow = server.token_for(&TestServer::alice(), "agents:read");
    let message =
        |method: &str, params| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let requests = [
        server.post(Some(&token), &call("get_agent", json!({"agentId": 7301}))),
        server.post(Some(&token), &call("get_agent", json!({"agentId": 999_999}))),
        server.post(Some(&token), &call("no_such_tool", json!({}))),
        server.post_modern(&token, &call("list_spaces", json!({}))),
        server.post(Some(&narrow), &call("get_credits_balance", json!({}))),
        server.post(Some(&token), &message("resources/read", json!({"uri": "sequentum://spaces"}))),
        server.post(Some(&token), &message("prompts/get", json!({"name": "spending-report"}))),
    ];
    let mut lines = Vec::new();
    for (index, request) in requests.into_iter().enumerate() {
        server.send(request).await;
        lines.push(lasting(&server, &records(&server, index + 1).await[index]));
    }
    // A list is no call.
    server.send(server.post(Some(&token), &message("tools/list", json!({})))).await;
    assert_eq!(records(&server, 7).await.len(), 7);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="tools/call" subject="get_agent" outcome="ok"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="tools/call" subject="get_agent" outcome="not_found"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="tools/call" outcome="unknown_tool"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="tools/call" subject="list_spaces" outcome="ok"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="tools/call" subject="get_credits_balance" outcome="insufficient_scope"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="resources/read" subject="Spaces" outcome="ok"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="prompts/get" subject="spending-report" outcome="ok"
    "#);
}

#[tokio::test]
async fn subscriptions_and_tasks_leave_one_each() {
    let server = TestServer::start().await;
    let token = server.token();
    let run = server.ask("start_agent", json!({"agentId": 7302})).await["run"]["id"].clone();
    let message =
        |method: &str, params| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let uri = format!("sequentum://agents/7302/runs/{run}");
    let listen = message("subscriptions/listen", json!({"notifications": {"resourceSubscriptions": [uri]}}));
    let able = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let send = async |message: &Value| server.send(server.post_able(&token, message, &able)).await;

    // Its record comes when it is over: here with the run, and once because its client has gone.
    let mut events = Events::of(server.post_modern(&token, &listen).send().await.unwrap());
    events.next().await.unwrap();
    let begun = send(&call("wait_for_run", json!({"agentId": 7302, "runId": run}))).await.json();
    let task = message("tasks/get", json!({"taskId": begun["result"]["taskId"]}));
    assert_eq!(send(&task).await.json()["result"]["status"], "working");
    assert_eq!(records(&server, 3).await.len(), 3, "the subscription goes on");
    drop(events);
    records(&server, 4).await;
    let to_its_end = server.send(server.post_modern(&token, &listen));
    server.while_time_passes(to_its_end).await;
    let lines: Vec<_> =
        records(&server, 5).await[1..].iter().map(|record| lasting(&server, record)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="tools/call" subject="wait_for_run" outcome="task"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="tasks/get" subject="wait_for_run" outcome="ok"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="subscriptions/listen" outcome="ok"
    INFO audit: call tenant.id="3" caller.id="15" caller.issuer="<issuer>" client.id="demo-client" mcp.method="subscriptions/listen" outcome="ok"
    "#);
}

#[tokio::test]
async fn a_call_that_its_client_gave_up_leaves_one_too() {
    let server = TestServer::start().await;
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/spaces".to_owned(),
        times: 1,
        kind: FaultKind::Hang,
    });
    let request = server.post(Some(&server.token()), &call("list_spaces", json!({})));
    hang_up(request, || server.platform.requests().len() == 1).await;
    assert!(records(&server, 1).await[0].contains("outcome=\"abandoned\""));
}

#[tokio::test]
async fn equal_arguments_are_recognised_and_not_shown() {
    let server = TestServer::start().await;
    for (index, agent) in [7301, 7302, 7301].into_iter().enumerate() {
        server.ask("get_agent", json!({"agentId": agent})).await;
        records(&server, index + 1).await;
    }
    let records = records(&server, 3).await;
    let digest = |record: &str| record.split("arguments.digest=").nth(1).map(|rest| rest[..18].to_owned());
    let digests: Vec<_> = records.iter().map(|record| digest(record)).collect();
    assert!(digests[0] == digests[2] && digests[0] != digests[1] && digests[0].is_some(), "{digests:?}");
}
