//! The entry for the public registry (`docs/registry/server.json`).

use std::fs;

use serde_json::{Value, json};

fn document(name: &str) -> Value {
    let path = format!("{}/docs/registry/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn it_is_what_the_registry_accepts() {
    let schema = jsonschema::validator_for(&document("server.schema.json")).unwrap();
    let entry = document("server.json");
    let wrong: Vec<_> = schema.iter_errors(&entry).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");

    for (member, refused) in [
        ("name", json!("sequentum")),
        ("name", json!("com.sequentum/mcp/x")),
        ("description", json!("x".repeat(101))),
        ("version", json!("^1.2.3")),
        ("websiteUrl", json!("www.sequentum.com")),
        ("remotes", json!([{"type": "http", "url": "https://mcp.sequentum.com/mcp"}])),
        ("remotes", json!([{"type": "streamable-http"}])),
        ("remote", json!([])),
    ] {
        let mut altered = entry.clone();
        altered[member] = refused;
        assert!(!schema.is_valid(&altered), "{altered}");
    }
}

#[test]
fn it_says_what_this_version_is() {
    let entry = document("server.json");
    assert_eq!(entry["name"], "com.sequentum/mcp");
    assert_eq!(entry["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        entry["remotes"],
        json!([{"type": "streamable-http", "url": "https://mcp.sequentum.com/mcp"}])
    );
}
