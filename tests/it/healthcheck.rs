//! The probe that the container image runs.

use std::process::Output;

use sequentum_mcp::demo::{Fault, FaultKind};
use tokio::process::Command;

use crate::support::TestServer;

async fn probe(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequentum-mcp"));
    command.arg("healthcheck").args(arguments).envs(environment.iter().copied());
    command.output().await.unwrap()
}

#[tokio::test]
async fn a_server_that_lives_is_healthy_and_one_line_says_so() {
    let server = TestServer::start().await;
    let port = server.address.port().to_string();
    let alive = probe(&["--port", &port], &[]).await;
    assert_eq!(alive.status.code(), Some(0));
    let line = format!("ok: http://127.0.0.1:{port}/livez answers\n");
    assert_eq!(String::from_utf8(alive.stdout).unwrap(), line);
    // As in the image: bound to every address, asked on this one.
    let bound = [("HOST", "0.0.0.0"), ("PORT", &*port), ("PUBLIC_URL", "https://mcp.example.com")];
    assert_eq!(probe(&[], &bound).await.status.code(), Some(0));
    assert_eq!(probe(&["--url", &server.origin], &[("PORT", "1")]).await.status.code(), Some(0));
}

#[tokio::test]
async fn a_server_without_keys_lives_and_is_not_ready() {
    let server = TestServer::start().await;
    while server.get("/readyz").await.status != 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(probe(&["--ready", "--url", &server.origin], &[]).await.status.code(), Some(0));
    let keyless = TestServer::start().await;
    // Whatever it has loaded, an hour later it is too old to trust.
    let gone = FaultKind::Status { status: 503, headers: Vec::new(), body: String::new() };
    let fault = Fault { path_contains: "GET /".to_owned(), times: 1000, kind: gone };
    keyless.platform.faults().inject(fault);
    keyless.clock.advance(std::time::Duration::from_hours(2));
    let refused = probe(&["--ready", "--url", &keyless.origin], &[]).await;
    assert_eq!(refused.status.code(), Some(1));
    let line = format!("failed: {}/readyz answers with status 503\n", keyless.origin);
    assert_eq!(String::from_utf8(refused.stderr).unwrap(), line);
    assert_eq!(probe(&["--url", &keyless.origin], &[]).await.status.code(), Some(0));
}

#[tokio::test]
async fn where_nothing_listens_it_fails_and_where_nothing_is_known_it_asks() {
    let server = TestServer::start().await;
    let origin = server.origin.clone();
    server.stop().await;
    let gone = probe(&["--url", &origin], &[]).await;
    assert_eq!(gone.status.code(), Some(1));
    let said = String::from_utf8(gone.stderr).unwrap();
    assert!(said.contains("does not answer") && said.lines().count() == 1, "{said}");
    assert_eq!(probe(&["--port", "0"], &[]).await.status.code(), Some(2));
    for no_address in ["localhost:3000", "mailto:a@b", "3000"] {
        let asked = probe(&["--url", no_address], &[]).await;
        let said = String::from_utf8(asked.stderr).unwrap();
        assert_eq!(asked.status.code(), Some(2), "{said}");
        assert!(said.contains("like http://localhost:3000"), "{said}");
    }
}
