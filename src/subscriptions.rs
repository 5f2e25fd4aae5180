//! Following runs: who subscribes to a run hears of every change until it ends.
//!
//! One poller per run, caller and client, however many streams they have open on it. A subscription is authorised when it
//! is opened, by a read with the subscriber's own credential, and again at each event, because every poll is such a
//! read. Nothing is shared between callers, so nobody hears of what another may see; nor between the clients of one, so
//! that a client whose grant is revoked does not go on hearing through the token of another.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::watch, time::Instant};

use crate::{
    api::{
        Api, ApiError, Fault,
        ids::{AgentId, RunId},
        model::{AgentRun, is_finished},
    },
    auth::{Caller, PerCaller},
    clock::Clock,
};

/// Time between two looks at a run. The platform allows a caller 100 requests a minute; [`MAX_FOLLOWED`] runs take 60.
const INTERVAL: Duration = Duration::from_secs(5);
/// Subscriptions of one caller at a time.
pub const MAX_FOLLOWED: usize = 5;
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(20);

type Key = PerCaller<Subject>;

/// What one poller looks at, and for which of the caller's clients.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Subject {
    agent: AgentId,
    run: RunId,
    client: Option<String>,
}

/// All subscriptions of the process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Subscriptions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Arc<Api>,
    clock: Clock,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    followed: HashMap<Key, Weak<Followed>>,
    followers: HashMap<PerCaller<()>, usize>,
}

/// A run that somebody follows with a client. Lives as long as its followers.
#[derive(Debug)]
struct Followed {
    seen: watch::Sender<Seen>,
    /// Whose credential polls: of all followers', which have one client, the one that lasts longest.
    caller: Mutex<Arc<Caller>>,
}

/// How often the run has changed, and whether there is nothing more to come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    changes: u64,
    ended: bool,
}

/// What a change is: the members of a run that say how far it is. Its run time grows at every look and is none.
#[derive(Debug, PartialEq)]
struct State {
    status: Option<i64>,
    counts: [Option<i64>; 3],
    message: Option<String>,
}

impl State {
    fn of(run: AgentRun) -> Self {
        let counts = [run.data_count, run.export_count, run.error_count];
        Self { status: run.status, counts, message: run.message }
    }

    fn is_final(&self) -> bool {
        self.status.is_some_and(is_finished)
    }
}

/// Why a run cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The caller follows as many runs as one may.
    #[error("the caller follows {MAX_FOLLOWED} runs already")]
    TooMany,
    /// The run cannot be read by this caller, or not now.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// One subscription. Dropping it ends it.
#[derive(Debug)]
pub struct Follower {
    updates: watch::Receiver<Seen>,
    heard: u64,
    // Keeps the poller going.
    _run: Arc<Followed>,
    _place: Place,
}

impl Follower {
    /// Waits for the next change; `None` when there is nothing more to come: the run has ended and this was told, or
    /// it cannot be read any more.
    pub async fn changed(&mut self) -> Option<()> {
        let seen = *self.updates.wait_for(|seen| seen.changes > self.heard || seen.ended).await.ok()?;
        let news = seen.changes > self.heard;
        self.heard = seen.changes;
        news.then_some(())
    }
}

/// One of a caller's places; given back when dropped.
#[derive(Debug)]
struct Place {
    inner: Arc<Inner>,
    owner: PerCaller<()>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.inner.lock();
        if let Some(count) = table.followers.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                table.followers.remove(&self.owner);
            }
        }
    }
}

impl Subscriptions {
    /// Without any subscription yet.
    #[must_use]
    pub fn new(api: Arc<Api>, clock: Clock) -> Self {
        Self(Arc::new(Inner { api, clock, table: Mutex::default() }))
    }

    /// Subscribes `caller` to a run.
    ///
    /// # Errors
    ///
    /// See [`FollowError`]. A run that the caller cannot see is [`Fault::NotFound`].
    pub async fn follow(
        &self,
        caller: &Arc<Caller>,
        agent: AgentId,
        run: RunId,
    ) -> Result<Follower, FollowError> {
        let place = self.place(caller)?;
        let now = State::of(self.0.look(caller, agent, run).await?);
        let key = caller.key(Subject { agent, run, client: caller.client_id().map(str::to_owned) });
        let mut table = self.0.lock();
        let known = table.followed.get(&key).and_then(Weak::upgrade).filter(|run| !run.seen.borrow().ended);
        let followed = if let Some(followed) = known {
            let mut poller = followed.caller.lock().unwrap_or_else(PoisonError::into_inner);
            if caller.ends() > poller.ends() {
                *poller = Arc::clone(caller);
            }
            drop(poller);
            followed
        } else {
            let seen = Seen { changes: 0, ended: now.is_final() };
            let followed =
                Followed { seen: watch::Sender::new(seen), caller: Mutex::new(Arc::clone(caller)) };
            let followed = Arc::new(followed);
            if !seen.ended {
                table.followed.insert(key.clone(), Arc::downgrade(&followed));
                let poller = Poller {
                    inner: Arc::clone(&self.0),
                    key,
                    followed: Arc::downgrade(&followed),
                    known: now,
                };
                tokio::spawn(poller.run(self.0.clock.now()));
            }
            followed
        };
        drop(table);
        let updates = followed.seen.subscribe();
        let heard = updates.borrow().changes;
        Ok(Follower { updates, heard, _run: followed, _place: place })
    }

    fn place(&self, caller: &Caller) -> Result<Place, FollowError> {
        let owner = caller.key(());
        let mut table = self.0.lock();
        let count = table.followers.entry(owner.clone()).or_default();
        if *count >= MAX_FOLLOWED {
            return Err(FollowError::TooMany);
        }
        *count += 1;
        Ok(Place { inner: Arc::clone(&self.0), owner })
    }
}

impl Inner {
    async fn look(&self, caller: &Caller, agent: AgentId, run: RunId) -> Result<AgentRun, ApiError> {
        self.api.session(caller.credential(), Instant::now() + PATIENCE).run(agent, run).await
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at one run.
struct Poller {
    inner: Arc<Inner>,
    key: Key,
    followed: Weak<Followed>,
    known: State,
}

impl Poller {
    /// Looks at the run, at a fixed pace from `start`, until it ends, nobody follows it any more, or it cannot be read.
    async fn run(mut self, start: Timestamp) {
        let pace = SignedDuration::try_from(INTERVAL).unwrap_or_default();
        let mut next = start;
        loop {
            // After a pause of the whole machine the pace begins anew.
            next = next.checked_add(pace).unwrap_or(Timestamp::MAX).max(self.inner.clock.now());
            self.inner.clock.sleep_until(next).await;
            let Some(followed) = self.followed.upgrade() else { break };
            if self.look(&followed).await.is_break() {
                break;
            }
        }
        let mut table = self.inner.lock();
        // Unless somebody has begun to follow it anew in the meantime.
        if table.followed.get(&self.key).is_some_and(|entry| entry.ptr_eq(&self.followed)) {
            table.followed.remove(&self.key);
        }
    }

    async fn look(&mut self, followed: &Followed) -> ControlFlow<()> {
        let &Subject { agent, run, .. } = self.key.inner();
        let caller = Arc::clone(&followed.caller.lock().unwrap_or_else(PoisonError::into_inner));
        match self.inner.look(&caller, agent, run).await.map(State::of) {
            Ok(now) => {
                let (changed, ended) = (now != self.known, now.is_final());
                self.known = now;
                followed.seen.send_if_modified(|seen| {
                    seen.changes += u64::from(changed);
                    seen.ended = ended;
                    changed || ended
                });
                if ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
            // The platform has a bad moment. The next look may be better.
            Err(error) if error.fault().is_transient() || matches!(error.fault(), Fault::Server(_)) => {
                tracing::debug!(%error, "a followed run could not be looked at");
                ControlFlow::Continue(())
            }
            Err(error) => {
                tracing::debug!(%error, "a followed run cannot be read any more");
                followed.seen.send_modify(|seen| seen.ended = true);
                ControlFlow::Break(())
            }
        }
    }
}
