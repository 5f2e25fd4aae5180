//! A server that talks over standard input and output: the command, started as a client starts it, and its messages.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::waiting::PATIENCE;

/// A started command and the two ends of its conversation.
pub struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Server {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, output }
    }

    pub async fn send(&mut self, message: &Value) {
        self.write(format!("{message}\n").as_bytes()).await;
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).await.unwrap();
    }

    /// Closes its standard input.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// The next line, which must be a message of the protocol.
    pub async fn next(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await.unwrap().unwrap()?;
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        Some(message)
    }

    /// The answer to a request.
    pub async fn ask(&mut self, message: &Value) -> Value {
        self.send(message).await;
        let answer = self.next().await.unwrap();
        assert_eq!(answer["id"], message["id"], "{answer}");
        answer
    }

    /// Sends something whose outcome is the answer to an earlier request.
    pub async fn ask_with(&mut self, message: &Value, id: u32) -> Value {
        self.send(message).await;
        let answer = self.next().await.unwrap();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Begins as a client of 2025-11-25.
    pub async fn initialize(&mut self) -> Value {
        self.initialize_able(&json!({})).await
    }

    /// The same as a client with these capabilities.
    pub async fn initialize_able(&mut self, capabilities: &Value) -> Value {
        let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"}}});
        let answer = self.ask(&hello).await;
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        answer["result"].clone()
    }

    /// Closes its standard input and returns the exit code and the log.
    pub async fn end(mut self) -> (Option<i32>, String) {
        self.close();
        while self.next().await.is_some() {}
        ended(&mut self.child).await
    }
}

/// The exit code and the log, once it has ended.
pub async fn ended(child: &mut Child) -> (Option<i32>, String) {
    let mut log = String::new();
    let status = tokio::time::timeout(PATIENCE, async {
        child.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
        child.wait().await.unwrap()
    });
    (status.await.unwrap().code(), log)
}

/// A call of a tool.
pub fn call(id: u32, tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

/// The same message as a client of the newer era sends it.
pub fn modern(message: Value) -> Value {
    able(message, &json!({}))
}

/// The same of a client with these capabilities.
pub fn able(mut message: Value, capabilities: &Value) -> Value {
    message["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    });
    message
}
