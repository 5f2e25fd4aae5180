//! What one organisation may take of the server.

use std::time::Duration;

use reqwest::StatusCode;
use sequentum_mcp::{
    demo::{Fault, FaultKind},
    tools::Catalog,
};
use serde_json::json;

use crate::{
    identity::{ping, signed},
    support::{TestServer, server::call},
};

#[tokio::test]
async fn an_organisation_has_so_many_calls_at_a_time_whoever_makes_them() {
    let settings = [("MAX_CONCURRENT_CALLS_PER_ORGANIZATION", "2"), ("MAX_CONCURRENT_CALLS", "3")];
    let server = TestServer::with(&settings, Catalog::new()).await;
    let of = |user: &str, organization: &str| {
        let (user, organization) = (user.to_owned(), organization.to_owned());
        signed(&server, move |claims| {
            claims["sub"] = json!(user);
            claims["organization_id"] = json!(organization);
        })
    };
    server.platform.faults().inject(Fault {
        path_contains: "/api/v1/".to_owned(),
        times: 2,
        kind: FaultKind::Delay(Duration::from_mins(1)),
    });
    let list = call("list_spaces", json!({}));
    let mut held = Vec::new();
    for user in ["1", "2"] {
        let request = server.post(Some(&of(user, "big")), &list);
        held.push(tokio::spawn(async move { request.send().await.unwrap() }));
    }
    while server.platform.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
    let third = server.send(server.post(Some(&of("3", "big")), &list)).await;
    insta::assert_snapshot!(third.pinned(&server), @r#"
    429
    retry-after: 1
    {"jsonrpc":"2.0","id":null,"error":{"code":429,"message":"This organisation has as many calls running as one may have: 2.","data":{"code":"too_many_calls","remedy":"Wait until one of them has ended.","retryable":true,"retryAfterSeconds":1,"requestId":"<request-id>"}}}
    "#);
    let other = server.send(server.post(Some(&of("4", "small")), &ping())).await;
    assert_eq!(other.status, StatusCode::OK, "there is room for others");
    server.clock.advance(Duration::from_mins(2));
    for call in held {
        // The platform does not know these users, which is not what this is about.
        call.await.unwrap().text().await.unwrap();
    }
    for _ in 0..5 {
        let again = server.send(server.post(Some(&of("3", "big")), &ping())).await;
        assert_eq!(again.status, StatusCode::OK, "all were given back");
    }
}
