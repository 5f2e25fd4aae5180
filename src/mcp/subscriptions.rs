//! Subscriptions of both eras: `subscriptions/listen` (2026-07-28) and `resources/subscribe` (2025, live sessions).
//!
//! What can be subscribed to is the status of a run. A stream hears of every change and ends with the run, with the
//! caller's token, or with the process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};
use rmcp::{
    ErrorData, Peer, RoleServer,
    model::{
        ResourceUpdatedNotification, ResourceUpdatedNotificationParam, ServerNotification, SubscriptionFilter,
    },
    service::{SubscriptionContext, SubscriptionSink},
};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use super::{CallScope, Shared, resources, tools};
use crate::{
    api::{
        Fault,
        ids::{AgentId, RunId},
    },
    auth::ScopeSet,
    resources::{Kind, ResourceUri},
    subscriptions::{FollowError, Follower, MAX_FOLLOWED},
    tools::ToolError,
};

/// Why nothing is listened to.
#[derive(Debug)]
pub enum ListenError {
    /// The caller lacks these scopes.
    Scope(ScopeSet),
    /// The caller follows as many runs as one may.
    TooMany,
    /// The platform could not say whether the caller may see the run.
    Failed(ToolError),
}

/// Opens the subscriptions that a `subscriptions/listen` asks for and leaves those out of it that the caller cannot
/// have, so that the library acknowledges what is really honoured.
pub(super) async fn open(shared: &Shared, body: &Bytes, scope: &CallScope) -> Result<Bytes, ListenError> {
    let Ok(mut message) = serde_json::from_slice::<Value>(body) else { return Ok(body.clone()) };
    let wanted = message.pointer_mut("/params/notifications/resourceSubscriptions");
    let Some(Value::Array(uris)) = wanted else { return Ok(body.clone()) };
    if uris.is_empty() {
        return Ok(body.clone());
    }
    let wanted: Vec<_> = uris.iter().filter_map(Value::as_str).collect();
    *uris = follow(shared, &wanted, scope).await?.into_iter().map(Value::String).collect();
    Ok(serde_json::to_vec(&message).map_or_else(|_| body.clone(), Bytes::from))
}

/// Follows those runs that the caller may follow, for the scope to hold, and returns their URIs.
pub(super) async fn follow(
    shared: &Shared,
    uris: &[&str],
    scope: &CallScope,
) -> Result<Vec<String>, ListenError> {
    let mut followers: Vec<(String, Follower)> = Vec::new();
    for text in uris {
        let known = followers.iter().any(|(known, _)| known == text);
        let Some(run) = followable(text).filter(|_| !known) else { continue };
        match run.follow(shared, scope).await {
            Ok(follower) => followers.push(((*text).to_owned(), follower)),
            Err(Unfollowed::Unknown) => {}
            Err(Unfollowed::Scope(needed)) => return Err(ListenError::Scope(needed)),
            Err(Unfollowed::TooMany) => return Err(ListenError::TooMany),
            Err(Unfollowed::Failed(error)) => return Err(ListenError::Failed(error)),
        }
    }
    let accepted = followers.iter().map(|(uri, _)| uri.clone()).collect();
    scope.hold(followers);
    Ok(accepted)
}

/// A run that can be subscribed to.
struct Followable {
    agent: AgentId,
    run: RunId,
    kind: &'static Kind,
}

/// Why a run is not followed.
enum Unfollowed {
    /// There is none that this caller may see here.
    Unknown,
    Scope(ScopeSet),
    TooMany,
    Failed(ToolError),
}

/// The run behind a URI, if it can be followed.
fn followable(uri: &str) -> Option<Followable> {
    let uri: ResourceUri = uri.parse().ok()?;
    match uri {
        ResourceUri::Run { agent, run } => Some(Followable { agent, run, kind: uri.kind() }),
        _ => None,
    }
}

impl Followable {
    /// Begins to follow it, under the rules for reading it.
    async fn follow(&self, shared: &Shared, scope: &CallScope) -> Result<Follower, Unfollowed> {
        let row = resources::offered(shared, self.kind, scope.selection).ok_or(Unfollowed::Unknown)?;
        if !scope.caller.scopes().contains(row.scopes) {
            return Err(Unfollowed::Scope(row.scopes));
        }
        let followed = shared.subscriptions.follow(&scope.caller, self.agent, self.run).await;
        followed.map_err(|error| match error {
            FollowError::TooMany => Unfollowed::TooMany,
            FollowError::Api(error) if matches!(error.fault(), Fault::NotFound | Fault::NoAccess) => {
                Unfollowed::Unknown
            }
            FollowError::Api(error) => {
                let error = ToolError::from(error);
                tools::log_cause(scope, None, &error);
                Unfollowed::Failed(error)
            }
        })
    }
}

/// What of a filter is served at all.
pub(super) fn served(requested: &SubscriptionFilter) -> SubscriptionFilter {
    let uris = requested.resource_subscriptions.iter().flatten().filter(|uri| followable(uri).is_some());
    SubscriptionFilter::builder().resource_subscriptions(uris.cloned()).build()
}

/// Serves one `subscriptions/listen` to its end.
pub(super) async fn serve(shared: &Shared, context: &SubscriptionContext, scope: &CallScope) {
    let mut waiting: FuturesUnordered<_> =
        scope.take_held().into_iter().map(|(uri, follower)| next(uri, follower)).collect();
    let forward = async {
        while let Some(change) = waiting.next().await {
            // Otherwise the run has nothing more to tell.
            let Some((uri, follower)) = change else { continue };
            if tell(context.sink(), &uri).await.is_err() {
                return;
            }
            waiting.push(next(uri, follower));
        }
    };
    // What ends the stream also ends a notice that is being sent: once standard input has ended, the library takes none,
    // and says nothing either.
    tokio::select! {
        biased;
        () = shared.clock.sleep_until(scope.caller.ends()) => {}
        () = shared.stopping.cancelled() => {}
        () = context.cancelled() => {}
        () = forward => {}
    }
}

async fn next(uri: String, mut follower: Follower) -> Option<(String, Follower)> {
    follower.changed().await?;
    Some((uri, follower))
}

async fn tell(sink: &SubscriptionSink, uri: &str) -> Result<(), ()> {
    let update = ResourceUpdatedNotification::new(ResourceUpdatedNotificationParam::new(uri));
    sink.send(ServerNotification::ResourceUpdatedNotification(update)).await.map_err(|_| ())
}

/// What one live session is subscribed to. Dropped with the session, which ends every subscription.
#[derive(Debug, Default)]
pub(crate) struct LiveSubscriptions(Mutex<HashMap<String, AbortOnDropHandle<()>>>);

impl LiveSubscriptions {
    /// `resources/subscribe`. Doing it again starts it anew, with the token of the new request.
    pub(super) async fn subscribe(
        &self,
        shared: &Shared,
        uri: String,
        peer: Peer<RoleServer>,
        scope: &CallScope,
    ) -> Result<(), ErrorData> {
        let Some(run) = followable(&uri) else {
            scope.report("unknown_resource", None);
            return Err(resources::not_found(&uri));
        };
        // The old one gives its place back first.
        self.lock().remove(&uri);
        let mut follower = match run.follow(shared, scope).await {
            Ok(follower) => follower,
            Err(Unfollowed::Unknown) => {
                scope.report("not_found", None);
                return Err(resources::not_found(&uri));
            }
            Err(Unfollowed::Scope(needed)) => {
                scope.report("insufficient_scope", None);
                let message = crate::auth::step_up_message(scope.caller.scopes(), needed);
                return Err(ErrorData::invalid_request(message, None));
            }
            Err(Unfollowed::TooMany) => return Err(too_many_error(scope, Some(&uri))),
            Err(Unfollowed::Failed(error)) => {
                return Err(tools::protocol_error(scope, &error, json!({"uri": uri})));
            }
        };
        let (clock, end) = (shared.clock.clone(), scope.caller.ends());
        let told = uri.clone();
        let forward = async move {
            let expired = clock.sleep_until(end);
            let mut expired = std::pin::pin!(expired);
            loop {
                let change = tokio::select! {
                    biased;
                    () = &mut expired => return,
                    change = follower.changed() => change,
                };
                let update = ResourceUpdatedNotificationParam::new(told.as_str());
                if change.is_none() || peer.notify_resource_updated(update).await.is_err() {
                    return;
                }
            }
        };
        self.lock().insert(uri, AbortOnDropHandle::new(tokio::spawn(forward)));
        scope.report("ok", None);
        Ok(())
    }

    /// `resources/unsubscribe`. What was not subscribed to is not subscribed to afterwards either.
    pub(super) fn unsubscribe(&self, uri: &str) {
        self.lock().remove(uri);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, AbortOnDropHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same as an error of the protocol.
pub(super) fn too_many_error(scope: &CallScope, uri: Option<&str>) -> ErrorData {
    scope.report("too_many_subscriptions", None);
    let mut data = json!({"code": "too_many_subscriptions", "requestId": scope.request_id});
    if let (Some(uri), Some(members)) = (uri, data.as_object_mut()) {
        members.insert("uri".to_owned(), uri.into());
    }
    ErrorData::internal_error(too_many(), Some(data))
}

/// What a caller with too many subscriptions is told.
pub(crate) fn too_many() -> String {
    format!("You follow {MAX_FOLLOWED} runs already, which is the limit: end another subscription first.")
}
