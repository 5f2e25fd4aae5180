//! [`RedisServer`]: a Redis of the test's own, on a loopback port.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

pub const PASSWORD: &str = "a-password-of-the-tests";

pub struct RedisServer {
    child: Child,
    folder: PathBuf,
    port: u16,
    /// Where it also answers over TLS, as `localhost`.
    tls: Option<u16>,
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A certificate for `localhost` that vouches for itself, and its key.
async fn make_certificate(folder: &Path, name: &str) {
    let make = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
        .current_dir(folder)
        .output();
    let output = make.await.expect("openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl RedisServer {
    /// `None`, and a line that says so, on a machine without Redis; where `REDIS_SERVER` names one it must start.
    pub async fn start() -> Option<Self> {
        if std::env::var_os("REDIS_SERVER").is_none()
            && Command::new("redis-server").arg("--version").output().await.is_err()
        {
            println!(
                "SKIPPED: there is no redis-server on the PATH; install one, or set REDIS_SERVER to its path"
            );
            return None;
        }
        Some(Self::on(free_port()).await)
    }

    /// One that answers over TLS as well, with a certificate that only [`RedisServer::certificates`] vouches for.
    pub async fn with_tls() -> Option<Self> {
        let plain = Self::start().await?.kill().await;
        Some(Self::launch(plain, Some(free_port())).await)
    }

    /// On a port that was one's before.
    pub async fn on(port: u16) -> Self {
        Self::launch(port, None).await
    }

    async fn launch(port: u16, tls: Option<u16>) -> Self {
        let program = std::env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
        let folder = std::env::temp_dir().join(format!("sequentum-mcp-redis-{port}"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new(program);
        if let Some(tls) = tls {
            for name in ["cert", "other"] {
                make_certificate(&folder, name).await;
            }
            command.args(["--tls-port", &tls.to_string(), "--tls-auth-clients", "no"]);
            command.args([
                "--tls-cert-file",
                "cert.pem",
                "--tls-key-file",
                "cert.key",
                "--tls-ca-cert-file",
                "cert.pem",
            ]);
        }
        let mut child = command
            .current_dir(&folder)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--requirepass", PASSWORD])
            .args([
                "--save",
                "",
                "--appendonly",
                "no",
                "--daemonize",
                "no",
                "--dir",
                folder.to_str().unwrap(),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !lines.next_line().await.unwrap().expect("it starts").contains("Ready to accept connections") {}
        // Read on, or it would be killed by its own next line.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, folder, port, tls }
    }

    /// Its address over TLS.
    pub fn tls_url(&self, password: &str) -> String {
        format!("rediss://:{password}@localhost:{}/1", self.tls.expect("started with TLS"))
    }

    /// Its own certificate, and one that another key made for the same name.
    pub fn certificates(&self) -> [PathBuf; 2] {
        ["cert.pem", "other.pem"].map(|name| self.folder.join(name))
    }

    pub fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}/1", self.port)
    }

    pub async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        command.query_async(&mut connection).await.unwrap()
    }

    /// Ends it without a good-bye; returns its port.
    pub async fn kill(mut self) -> u16 {
        self.child.kill().await.unwrap();
        self.port
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Another one in the same folder may have taken it along.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
