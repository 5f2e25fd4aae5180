//! An issuer is compared byte for byte (RFC 8414 section 3.3), and some end with a slash.

use serde_json::{Value, json};

use crate::{
    identity::{again, ping, signed},
    support::TestServer,
};
use sequentum_mcp::demo::{Fault, FaultKind};

/// A server whose issuer calls itself by its address with a slash behind it, and the metadata that it publishes.
async fn with_slash(key_set: Option<&str>) -> (TestServer, String) {
    let platform = TestServer::start().await;
    let plain = platform.platform.issuer().to_owned();
    let issuer = format!("{plain}/");
    let metadata = json!({"issuer": issuer, "jwks_uri": key_set.map(|path| format!("{plain}{path}"))});
    platform.platform.faults().inject(Fault {
        path_contains: "/.well-known/oauth-authorization-server".to_owned(),
        times: 1000,
        kind: FaultKind::Status { status: 200, headers: vec![], body: metadata.to_string() },
    });
    (again(platform, &[("SEQUENTUM_OAUTH_ISSUER", &issuer)]).await, issuer)
}

#[tokio::test]
async fn a_slash_at_the_end_belongs_to_the_issuer() {
    // Without a jwks_uri the keys are looked for beneath the issuer, and there is no second slash on the way.
    for key_set in [Some("/api/oauth/certs"), None] {
        let (server, issuer) = with_slash(key_set).await;
        let token = |iss: &str| signed(&server, |claims| claims["iss"] = json!(iss));
        let answer = server.send(server.post(Some(&token(&issuer)), &ping())).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let plain = token(server.platform.issuer());
        let refused: Value = server.send(server.post(Some(&plain), &ping())).await.json();
        assert_eq!(refused["error"]["data"]["code"], "token_issuer");
        let document = server.get("/.well-known/oauth-protected-resource").await.json();
        assert_eq!(document["authorization_servers"], json!([issuer]));
    }
}
