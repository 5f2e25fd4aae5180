//! Schedules, builds, and the runs tools that take something away: what is refused, what is sent, what is said.

use serde_json::{Value, json};

use crate::support::TestServer;
use sequentum_mcp::demo::{Fault, FaultKind};

impl TestServer {
    /// Answers the next request of this kind (`POST /path`) with a status and a body.
    fn answer_once(&self, request: &str, status: u16, body: &Value) {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.platform.faults().inject(Fault {
            path_contains: request.to_owned(),
            times: 1,
            kind: FaultKind::Status { status, headers, body },
        });
    }

    /// Method and path of everything that reached the platform, with the query if there is one.
    fn seen(&self) -> Vec<String> {
        let line = |seen: &sequentum_mcp::demo::Seen| {
            let query = seen.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", seen.method, seen.path)
        };
        self.platform.requests().iter().map(line).collect()
    }
}
