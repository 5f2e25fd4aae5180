//! Reading a run's file from the storage host behind its signed link.
//!
//! The link comes from the platform's redirect, so it is treated as foreign: https to a public address, or a host that
//! the operator named. No credential is ever sent; a redirect is an error; no more than a cap is read.

use std::{io::Read, sync::OnceLock, time::Duration};

use http::header::{CONTENT_RANGE, CONTENT_TYPE, RANGE};
use tokio::time::Instant;
use url::Url;

use super::{ApiError, Fault};
use crate::outbound;

/// Most bytes read of a file, before and after unpacking.
pub const MAX_READ: usize = 256 * 1024;
/// Longest wait for a storage host.
const TIMEOUT: Duration = Duration::from_secs(20);
/// What reading is called in logs and counts; it is no operation of the platform's contract.
pub(super) const OPERATION: &str = "readStoredFile";

/// Which end of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its beginning.
    Head,
    /// Its end; needs a storage host that serves ranges.
    Tail,
}

/// A piece of a file.
#[derive(Debug)]
pub struct Piece {
    /// At most [`MAX_READ`] bytes, unpacked.
    pub bytes: Vec<u8>,
    /// As the storage host says.
    pub content_type: Option<String>,
    /// Which end this is: a host without ranges gives the beginning.
    pub end: End,
    /// Whether this is the whole file.
    pub complete: bool,
}

/// The storage hosts.
#[derive(Debug)]
pub(super) struct Storage {
    /// Connects to public addresses only. Built on first use: its root certificates cost start-up time that most
    /// processes never need.
    public: OnceLock<Option<reqwest::Client>>,
    /// For hosts that the operator named, and for this machine if the platform itself is on it.
    named: reqwest::Client,
    hosts: Vec<String>,
    loopback: bool,
}

impl Storage {
    pub fn new(named: reqwest::Client, hosts: Vec<String>, loopback: bool) -> Self {
        Self { public: OnceLock::new(), named, hosts, loopback }
    }

    /// One end of the file at `url`.
    pub async fn read(&self, url: &Url, end: End, deadline: Instant) -> Result<Piece, ApiError> {
        let Some(client) = self.client_for(url) else {
            return Err(fail(
                Fault::Malformed,
                "the storage host is neither public nor named in STORAGE_HOSTS",
            ));
        };
        let left = deadline.saturating_duration_since(Instant::now()).min(TIMEOUT);
        let fetched = tokio::time::timeout(left, fetch(client, url, end)).await;
        fetched.unwrap_or_else(|_| Err(fail(Fault::Timeout, "the storage host did not answer in time")))
    }

    fn client_for(&self, url: &Url) -> Option<&reqwest::Client> {
        let host = url.host_str()?.to_ascii_lowercase();
        let with_port = url.port().map(|port| format!("{host}:{port}"));
        let named = self.hosts.iter().any(|allowed| *allowed == host || Some(allowed) == with_port.as_ref());
        if named || (self.loopback && outbound::is_loopback(url)) {
            return Some(&self.named);
        }
        let public = url.scheme() == "https" && outbound::has_public_literal(url);
        public.then(|| self.public.get_or_init(|| outbound::public_client().ok()).as_ref()).flatten()
    }
}

async fn fetch(client: &reqwest::Client, url: &Url, end: End) -> Result<Piece, ApiError> {
    let range = match end {
        End::Head => format!("bytes=0-{}", MAX_READ - 1),
        End::Tail => format!("bytes=-{MAX_READ}"),
    };
    let sent = client.get(url.clone()).header(RANGE, range).send().await;
    // The link is as good as a credential, so its text stays out of the log.
    let mut response =
        sent.map_err(|error| ApiError::new(OPERATION, Fault::Unreachable).caused_by(error.without_url()))?;
    let status = response.status();
    // RFC 9110 section 14.1.2: no range of an empty file can be had.
    if status == http::StatusCode::RANGE_NOT_SATISFIABLE {
        return Ok(Piece { bytes: Vec::new(), content_type: None, end, complete: true });
    }
    if !status.is_success() {
        let fault = if status.is_server_error() { Fault::Server(status.as_u16()) } else { Fault::NotFound };
        return Err(fail(fault, "the storage host refused the link"));
    }
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let partial = status == http::StatusCode::PARTIAL_CONTENT;
    let covers = header(CONTENT_RANGE).is_some_and(|range| covers_all(&range));
    let content_type = header(CONTENT_TYPE);
    let mut bytes = Vec::new();
    let mut cut = false;
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| ApiError::new(OPERATION, Fault::Unreachable).caused_by(error.without_url()))?
    {
        let room = MAX_READ - bytes.len();
        bytes.extend(chunk.iter().take(room));
        if chunk.len() > room {
            // The connection is dropped with the response: the rest is not fetched.
            cut = true;
            break;
        }
    }
    let end = if partial { end } else { End::Head };
    let (bytes, unpacked_all) = unpack(bytes);
    Ok(Piece { bytes, content_type, end, complete: !cut && unpacked_all && (!partial || covers) })
}

/// `Content-Range: bytes 0-99/100` (RFC 9110 section 14.4): whether it is everything.
fn covers_all(range: &str) -> bool {
    let parse = || {
        let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let (first, last, total): (u64, u64, u64) =
            (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
        Some(first == 0 && last + 1 == total)
    };
    parse().unwrap_or(false)
}

/// Unpacks gzip, up to the cap; a beginning of an archive gives a beginning of its content.
fn unpack(bytes: Vec<u8>) -> (Vec<u8>, bool) {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return (bytes, true);
    }
    let mut content = Vec::new();
    let limit = u64::try_from(MAX_READ + 1).unwrap_or(u64::MAX);
    let whole =
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(limit).read_to_end(&mut content).is_ok();
    let fits = content.len() <= MAX_READ;
    content.truncate(MAX_READ);
    (content, whole && fits)
}

fn fail(fault: Fault, cause: &'static str) -> ApiError {
    ApiError::new(OPERATION, fault).caused_by(cause)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn storage(hosts: &[&str], loopback: bool) -> Storage {
        let client = outbound::builder().build().unwrap();
        Storage::new(client, hosts.iter().map(|host| (*host).to_owned()).collect(), loopback)
    }

    #[test]
    fn only_public_or_named_hosts_are_asked() {
        let admits = |storage: &Storage, url: &str| storage.client_for(&Url::parse(url).unwrap()).is_some();
        let strict = storage(&["files.internal", "10.0.0.5:9000"], false);
        for good in ["https://bucket.example.com/x", "http://files.internal/x", "http://10.0.0.5:9000/x"] {
            assert!(admits(&strict, good), "{good}");
        }
        for bad in [
            "http://bucket.example.com/x",
            "https://10.0.0.5/x",
            "https://127.0.0.1/x",
            "http://localhost/x",
            "https://[::1]/x",
            "https://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
        ] {
            assert!(!admits(&strict, bad), "{bad}");
        }
        assert!(admits(&storage(&[], true), "http://127.0.0.1:4000/x"));
    }

    #[test]
    fn archives_are_unpacked_up_to_the_cap() {
        let pack = |content: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(unpack(pack(b"a,b\n")), (b"a,b\n".to_vec(), true));
        let (bomb, whole) = unpack(pack(&vec![b'x'; 50_000_000]));
        assert_eq!((bomb.len(), whole), (MAX_READ, false));
        let mut cut = pack(&(0..=255).cycle().take(100_000).collect::<Vec<u8>>());
        cut.truncate(cut.len() / 2);
        assert!(!unpack(cut).1);
        assert_eq!(unpack(b"plain".to_vec()), (b"plain".to_vec(), true));
    }

    #[test]
    fn ranges_tell_whether_they_are_everything() {
        for (range, all) in [
            ("bytes 0-99/100", true),
            ("bytes 0-98/100", false),
            ("bytes 1-99/100", false),
            ("bytes 0-99/*", false),
            ("x", false),
        ] {
            assert_eq!(covers_all(range), all, "{range}");
        }
    }
}
