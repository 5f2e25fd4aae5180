//! Progress notices of the protocol.

use std::pin::Pin;

use rmcp::{
    Peer, RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
};

use crate::tools::ProgressSink;

/// Sends notices for one request that carried a progress token.
pub(super) struct PeerSink {
    pub peer: Peer<RoleServer>,
    pub token: ProgressToken,
}

impl ProgressSink for PeerSink {
    fn send(&self, done: f64, total: f64, message: String) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut notice = ProgressNotificationParam::new(self.token.clone(), done);
        notice.total = Some(total);
        notice.message = Some(message);
        Box::pin(async move {
            // A client that cannot be told is about to be noticed as gone anyway.
            let _ = self.peer.notify_progress(notice).await;
        })
    }
}
