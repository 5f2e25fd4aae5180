//! [`Events`]: an event stream, read message by message.

use std::collections::VecDeque;

use reqwest::Response;
use serde_json::Value;

pub struct Events {
    response: Response,
    text: String,
    messages: VecDeque<Value>,
}

impl Events {
    /// The stream in an answer, whose status must be 200.
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new(), messages: VecDeque::new() }
    }

    /// The next message; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Some(message);
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().filter_map(|line| line.strip_prefix("data:"));
                // Comments keep the connection alive; an event without data primes a reconnection.
                let data: String = data.map(str::trim).collect();
                if !data.is_empty() {
                    self.messages.push_back(serde_json::from_str(&data).unwrap());
                }
                let end = self.text.len() - rest.len();
                self.text.drain(..end);
            }
        }
    }
}
