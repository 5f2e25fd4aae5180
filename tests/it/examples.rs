//! The examples of the reference page are what the tools answer: each is replayed, in the order of the list of tools,
//! against a fresh simulated platform whose clock stands still.
//!
//! `UPDATE_EXAMPLES=1 cargo nextest run examples` writes the results anew; then print the page again.

use std::fs;

use serde_json::{Value, json};

use crate::support::TestServer;
use sequentum_mcp::tools::Catalog;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tools/examples.json");
/// How much of a list, and of a text, an example shows.
const ITEMS: usize = 2;
const CHARACTERS: usize = 160;

/// What changes from platform to platform, and what stands for it in the examples.
struct Names(Vec<(String, String)>);

impl Names {
    fn stand_in(&self, value: &Value) -> Value {
        self.each(value, |text, (real, shown)| text.replace(real.as_str(), shown))
    }

    fn real(&self, value: &Value) -> Value {
        self.each(value, |text, (real, shown)| text.replace(shown.as_str(), real))
    }

    fn each(&self, value: &Value, change: impl Fn(&str, &(String, String)) -> String) -> Value {
        let text = self.0.iter().fold(value.to_string(), |text, name| change(&text, name));
        serde_json::from_str(&text).unwrap()
    }
}

/// The first items of lists and the beginnings of texts; a signature is none of anybody's business.
fn shortened(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().take(ITEMS).map(shortened).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, shortened(value))).collect(),
        Value::String(text) => {
            let text =
                text.split_once("&signature=").map_or(text.clone(), |(url, _)| format!("{url}&signature=…"));
            match text.char_indices().nth(CHARACTERS) {
                Some((end, _)) => format!("{}…", &text[..end]).into(),
                None => text.into(),
            }
        }
        other => other,
    }
}

#[tokio::test]
async fn each_is_what_the_tool_answers() {
    let server = TestServer::start().await;
    let mut examples: Value = serde_json::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
    let storage = server.platform.storage_url().as_str().trim_end_matches('/').to_owned();
    let mut names = Names(vec![(storage, "https://storage.example".to_owned())]);
    let catalog = Catalog::new();
    let mut stale = Vec::new();
    for row in catalog.rows() {
        let example =
            examples.get(row.name).unwrap_or_else(|| panic!("{} has no example in {FILE}", row.name));
        let (arguments, shown) = (example["arguments"].clone(), example["result"].clone());
        let result = server.ask(row.name, names.real(&arguments)).await;
        if row.name == "start_agent_build" {
            let session = examples["get_agent_build_status"]["arguments"]["sessionId"].as_str().unwrap();
            names.0.push((result["sessionId"].as_str().unwrap().to_owned(), session.to_owned()));
        }
        let result = shortened(names.stand_in(&result));
        if result != shown {
            stale.push(row.name);
            examples[row.name]["result"] = result;
        }
    }
    let known = |name: &String| catalog.find(name).is_some();
    assert!(examples.as_object().unwrap().keys().all(known), "an example of a tool that is not there");
    if std::env::var("UPDATE_EXAMPLES").is_ok_and(|update| update == "1") {
        fs::write(FILE, serde_json::to_string_pretty(&json!(examples)).unwrap() + "\n").unwrap();
    } else {
        assert!(stale.is_empty(), "stale: {stale:?}; run UPDATE_EXAMPLES=1 cargo nextest run examples");
    }
}
