//! How much of the server one client may use: requests over time, and calls and streams at a time.
//!
//! Whoever is signed in is counted by who they are, so that neither a neighbour behind the same address nor another
//! tenant takes anything from them. Unauthenticated requests are counted by address: those refused for their credential,
//! and the pages that need none. `docs/security.md` tells what follows from that.

mod buckets;
mod slots;
mod store;

use std::{num::NonZeroU32, sync::Arc};

use axum::{body::Body, extract::State, middleware::Next, response::Response};
use http::Request;

pub use self::store::StoreError;
pub(super) use self::{buckets::Standing, slots::Slot};
use self::{
    buckets::{Buckets, Quota},
    slots::Slots,
    store::{Name, Store},
};
use super::{
    Edge, access_log,
    client_addr::ClientAddress,
    open_by_address::{OpenByAddress, Opened},
    problem::Problem,
};
use crate::{
    auth::{Caller, PerCaller},
    clock::Clock,
    config,
    metrics::{Charged, Metrics},
};

/// Pages and discovery documents cost little, and all users of a hosted client ask from its few addresses.
const PAGES_FACTOR: u32 = 10;

/// All limits, and what has been used of them.
#[derive(Debug)]
pub struct Limiter {
    callers: Buckets<PerCaller<()>>,
    addresses: Buckets<ClientAddress>,
    pages: Buckets<ClientAddress>,
    /// Credentials that the authorization server or the platform is being asked about. What one is worth is known after the
    /// question only; uncounted until then, any number of made-up ones could be asked about at once.
    questions: OpenByAddress,
    slots: Slots,
    store: Option<Store>,
    metrics: Metrics,
}

impl Limiter {
    /// With nothing used.
    ///
    /// # Errors
    ///
    /// When the address of the shared store cannot be used.
    pub fn new(config: &config::Limits, clock: Clock) -> Result<Self, StoreError> {
        let quota = |max: NonZeroU32, who| Quota::new(max, config.window, who);
        let pages =
            config.requests_per_address.saturating_mul(NonZeroU32::MIN.saturating_add(PAGES_FACTOR - 1));
        let store = config.store.as_ref().map(|url| Store::new(url, config.store_timeout, clock.clone()));
        Ok(Self {
            callers: Buckets::new(quota(config.requests, "This user sent"), clock.clone()),
            addresses: Buckets::new(
                quota(config.requests_per_address, "Without an accepted credential, this address sent"),
                clock.clone(),
            ),
            pages: Buckets::new(quota(pages, "This address sent"), clock),
            questions: OpenByAddress::default(),
            slots: Slots::new(config),
            store: store.transpose()?,
            metrics: Metrics::default(),
        })
    }

    /// The same, counted.
    #[must_use]
    pub fn counted(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Calls and streams that are open.
    pub(super) fn open(&self) -> (usize, usize) {
        self.slots.open()
    }

    /// Whether the shared store answers, or none is needed.
    pub(super) fn is_store_connected(&self) -> bool {
        self.store.as_ref().is_none_or(Store::is_connected)
    }

    /// Keeps the shared store connected, if there is one, for as long as the future is polled.
    pub async fn keep_store(&self) {
        if let Some(store) = &self.store {
            store.keep_connected().await;
        }
    }

    /// Lets an address have one more credential asked about, unless it has sent too much already, counting as bad all that
    /// it has had asked about and that is not known yet. Asks no store: what was learned there is known here.
    pub(super) fn question(&self, address: ClientAddress) -> Result<Opened, Standing> {
        let question = self.questions.begin(address);
        self.addresses.spent(&address, question.others).map_or(Ok(question), Err)
    }

    /// Charges an unauthenticated request to where it came from.
    pub(super) async fn charge_address(&self, address: ClientAddress) -> Standing {
        self.charge(Charged::Address, &self.addresses, &address, || {
            Name::new("address", &[&address.octets()])
        })
        .await
    }

    /// Charges a request to its caller.
    pub(super) async fn charge_caller(&self, caller: &Caller) -> Standing {
        let name = || {
            let principal = caller.principal();
            let organization = caller.organization().unwrap_or_default();
            let parts = [principal.issuer(), principal.subject(), organization];
            Name::new("user", &parts.map(str::as_bytes))
        };
        self.charge(Charged::User, &self.callers, &caller.key(()), name).await
    }

    async fn charge<K>(
        &self,
        limit: Charged,
        own: &Buckets<K>,
        key: &K,
        name: impl FnOnce() -> Name,
    ) -> Standing
    where
        K: Clone + Eq + std::hash::Hash + Send + Sync + 'static,
    {
        let shared = match &self.store {
            Some(store) => store.take(&own.quota, name()).await,
            None => None,
        };
        let standing = if let Some(standing) = shared {
            // Should the store be lost, counting goes on from here.
            own.follow(key, &standing);
            standing
        } else {
            if self.store.is_some() {
                self.metrics.store_fallback();
            }
            own.take(key)
        };
        self.metrics.charged(limit, standing.admitted);
        standing
    }

    /// Room for one more call of this caller, until its answer has ended.
    pub(super) fn call(&self, caller: &Caller) -> Result<Slot, Problem> {
        self.slots.call(caller)
    }

    /// Room for one more event stream of this caller.
    pub(super) fn stream(&self, caller: &Caller) -> Result<Slot, Problem> {
        self.slots.stream(caller)
    }
}

/// The layer of what needs no credential. Neither probes nor the endpoint are below it. Static answers are not worth a
/// round trip to a store, so every process counts them for itself.
pub(super) async fn pages(State(edge): State<Arc<Edge>>, request: Request<Body>, next: Next) -> Response {
    let standing = edge.limits.pages.take(&ClientAddress::of(&request, &edge.trust_proxy));
    edge.metrics.charged(Charged::Page, standing.admitted);
    if standing.admitted {
        return next.run(request).await;
    }
    let mut response = standing.problem().plain(&access_log::id_of(&request));
    standing.tell(response.headers_mut());
    response
}
