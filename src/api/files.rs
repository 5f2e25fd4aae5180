//! Files of a run: list, download address.

use http::header::LOCATION;
use url::Url;

use super::{
    ApiError, Fault, Session,
    ids::{AgentId, FileId, RunId},
    model::RunFile,
    network::Call,
    storage::{End, OPERATION, Piece},
};
use crate::outbound::is_loopback;

impl Session<'_> {
    /// `listRunFiles`: what a run produced.
    pub async fn run_files(&self, agent: AgentId, run: RunId) -> Result<Vec<RunFile>, ApiError> {
        self.fetch(Call::get("listRunFiles", format!("/api/v1/agent/{agent}/run/{run}/files"))).await
    }

    /// `downloadRunFile`: the signed, short-lived address of a file.
    ///
    /// The address is read from the redirect and not followed: following it would fetch the file for nothing and show
    /// the credential to the storage host.
    pub async fn download_url(&self, agent: AgentId, run: RunId, file: FileId) -> Result<Url, ApiError> {
        let path = format!("/api/v1/agent/{agent}/run/{run}/file/{file}/download");
        let mut call = Call::get("downloadRunFile", path);
        call.redirects = true;
        let answer = self.send(call).await?;
        let malformed =
            |cause: &'static str| ApiError::new("downloadRunFile", Fault::Malformed).caused_by(cause);
        let location =
            answer.headers.get(LOCATION).ok_or_else(|| malformed("there is no redirect in the answer"))?;
        let url = location.to_str().ok().and_then(|text| Url::parse(text).ok());
        url.filter(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)))
            .ok_or_else(|| malformed("the redirect does not lead to an https address"))
    }

    /// One end of the file behind a signed link, without any credential.
    pub async fn read_stored(&self, url: &Url, end: End) -> Result<Piece, ApiError> {
        let counted = self.api.network.metrics.platform(OPERATION);
        let read = self.api.storage.read(url, end, self.deadline).await;
        counted.ended(read.as_ref().map_or_else(|error| error.fault().name(), |_| "ok"));
        read
    }
}
