//! Token buckets, one number each (the generic cell rate algorithm).
//!
//! A bucket holds as many requests as the limit says and fills evenly over the window, so a client may spend all of them
//! at once and then goes on at the average pace. All there is to store is when the bucket will be full again; and one
//! that was not touched for a window is full, so it need not be stored at all.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    mem,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::super::problem::Problem;
use crate::clock::Clock;

/// Buckets kept at a time. Beyond it those are dropped, and so filled, that were not used for longest.
const KEPT: usize = 100_000;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// So many requests within so much time, and what to tell somebody who had more.
#[derive(Debug)]
pub(super) struct Quota {
    max: u32,
    window: Duration,
    /// How long it takes to get one request back, in nanoseconds.
    pub cost: i64,
    /// How long it takes to fill an empty bucket, in nanoseconds.
    pub capacity: i64,
    who: &'static str,
    policy: HeaderValue,
    limit: HeaderValue,
}

impl Quota {
    /// `who` begins the sentence that a refusal consists of.
    pub(super) fn new(max: NonZeroU32, window: Duration, who: &'static str) -> Self {
        let nanos = i64::try_from(window.as_nanos()).unwrap_or(i64::MAX);
        let cost = (nanos / i64::from(max.get())).max(1);
        let policy = format!("{max};w={}", whole_seconds(window));
        Self {
            max: max.get(),
            window,
            cost,
            capacity: cost.saturating_mul(i64::from(max.get())),
            who,
            policy: HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from(max.get())),
            limit: HeaderValue::from(max.get()),
        }
    }

    /// When a bucket that would be full at `full_at` is full after one more request; `None` if it has none left.
    fn after(&self, full_at: i64, now: i64) -> Option<i64> {
        let after = self.sane(full_at, now).saturating_add(self.cost);
        (after.saturating_sub(now) <= self.capacity).then_some(after)
    }

    /// A clock that was set back must not lock anybody out.
    fn sane(&self, full_at: i64, now: i64) -> i64 {
        full_at.clamp(now, now.saturating_add(self.capacity))
    }
}

/// What a bucket said to a request.
#[derive(Debug)]
pub(in crate::http) struct Standing {
    quota: Arc<Quota>,
    /// Whether the request may go on.
    pub admitted: bool,
    /// How long the bucket takes to be full, in nanoseconds.
    used: i64,
}

impl Standing {
    pub(super) fn new(quota: &Arc<Quota>, admitted: bool, used: i64) -> Self {
        Self { quota: Arc::clone(quota), admitted, used: used.clamp(0, quota.capacity) }
    }

    /// Tells the client how it stands, in the headers of draft-ietf-httpapi-ratelimit-headers-06, which this product
    /// family has always sent. `RateLimit-Reset` is when everything is there again.
    pub(in crate::http) fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(POLICY, self.quota.policy.clone());
        headers.insert(LIMIT, self.quota.limit.clone());
        headers.insert(REMAINING, HeaderValue::from(self.remaining()));
        headers.insert(RESET, HeaderValue::from(whole_seconds(nanos(self.used))));
    }

    /// The refusal.
    pub(in crate::http) fn problem(&self) -> Problem {
        let Quota { max, window, who, .. } = &*self.quota;
        let message = format!(
            "{who} more requests than the {max} within {} s that are allowed.",
            whole_seconds(*window)
        );
        let wait = self.used.saturating_add(self.quota.cost).saturating_sub(self.quota.capacity);
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            message,
            "Wait as long as Retry-After says, then go on at a slower pace.",
        )
        .retry_after(Duration::from_secs(whole_seconds(nanos(wait)).max(1)))
    }

    fn remaining(&self) -> u32 {
        let left = self.quota.capacity.saturating_sub(self.used) / self.quota.cost;
        u32::try_from(left).unwrap_or_default().min(self.quota.max)
    }
}

/// The buckets of this process, one per key.
pub(super) struct Buckets<K> {
    pub quota: Arc<Quota>,
    kept: Mutex<Kept<K>>,
    clock: Clock,
}

/// When buckets will be full, in two generations: what is touched moves to the younger one. When that is a window old,
/// or has its share of the keys, it becomes the older one, and what was left behind there is dropped.
struct Kept<K> {
    young: HashMap<K, i64>,
    old: HashMap<K, i64>,
    /// When the young generation began.
    since: i64,
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    pub(super) fn new(quota: Quota, clock: Clock) -> Self {
        let kept = Mutex::new(Kept { young: HashMap::new(), old: HashMap::new(), since: 0 });
        Self { quota: Arc::new(quota), kept, clock }
    }

    /// Takes one request out of a bucket, if there is one.
    pub(super) fn take(&self, key: &K) -> Standing {
        let now = self.now();
        let (admitted, full_at) = self.change(key, now, |full_at| match self.quota.after(full_at, now) {
            Some(after) => (true, after),
            None => (false, self.quota.sane(full_at, now)),
        });
        Standing::new(&self.quota, admitted, full_at.saturating_sub(now))
    }

    /// The standing of a bucket in which nothing would be left but for `claimed` requests, without taking anything.
    pub(super) fn spent(&self, key: &K, claimed: usize) -> Option<Standing> {
        let now = self.now();
        let kept = self.lock();
        let full_at = kept.young.get(key).or_else(|| kept.old.get(key)).copied();
        drop(kept);
        let claimed = self.quota.cost.saturating_mul(i64::try_from(claimed).unwrap_or(i64::MAX));
        let full_at = self.quota.sane(full_at.unwrap_or(now), now).saturating_add(claimed);
        let empty = self.quota.after(full_at, now).is_none();
        empty.then(|| Standing::new(&self.quota, false, self.quota.sane(full_at, now).saturating_sub(now)))
    }

    /// Brings a bucket to what another store of it said.
    pub(super) fn follow(&self, key: &K, standing: &Standing) {
        let now = self.now();
        self.change(key, now, |_| (true, now.saturating_add(standing.used)));
    }

    /// Moves a bucket to the young generation, with the second part of what `change` makes of it.
    fn change(&self, key: &K, now: i64, change: impl FnOnce(i64) -> (bool, i64)) -> (bool, i64) {
        // Freed after the lock is.
        let mut _dropped = HashMap::new();
        let mut kept = self.lock();
        let age = now.saturating_sub(kept.since);
        if age > self.quota.capacity || age < 0 || kept.young.len() >= KEPT / 2 {
            let young = mem::take(&mut kept.young);
            _dropped = mem::replace(&mut kept.old, young);
            kept.since = now;
        }
        if let Some(full_at) = kept.young.get_mut(key) {
            let changed = change(*full_at);
            *full_at = changed.1;
            return changed;
        }
        let (key, full_at) = kept.old.remove_entry(key).unwrap_or_else(|| (key.clone(), i64::MIN));
        let changed = change(full_at);
        kept.young.insert(key, changed.1);
        changed
    }

    fn lock(&self) -> MutexGuard<'_, Kept<K>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        i64::try_from(self.clock.now().as_nanosecond()).unwrap_or(i64::MAX)
    }
}

impl<K> fmt::Debug for Buckets<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets").field("quota", &self.quota).finish_non_exhaustive()
    }
}

fn nanos(nanos: i64) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or_default())
}

/// Rounded up: whoever waits so long finds what they wait for.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(max: u32, window: Duration) -> (Buckets<u64>, Clock) {
        let clock = Clock::manual("2026-11-21T10:00:00Z".parse().unwrap());
        (
            Buckets::new(Quota::new(NonZeroU32::new(max).unwrap(), window, "Somebody sent"), clock.clone()),
            clock,
        )
    }

    #[test]
    fn all_may_be_spent_at_once_and_come_back_evenly() {
        for max in [1, 3, 7, 300, 700_001] {
            let (buckets, clock) = buckets(max, Duration::from_mins(1));
            for left in (0..max).rev() {
                let standing = buckets.take(&1);
                assert!(standing.admitted && standing.remaining() == left, "{left} of {max}: {standing:?}");
            }
            assert!(!buckets.take(&1).admitted);
            assert!(buckets.spent(&1, 0).is_some() && buckets.spent(&2, 0).is_none());
            let nearly = u64::try_from(buckets.quota.cost - 1).unwrap();
            clock.advance(Duration::from_nanos(nearly));
            assert!(!buckets.take(&1).admitted, "refused ones cost nothing");
            clock.advance(Duration::from_nanos(1));
            assert!(buckets.take(&1).admitted);
            assert!(!buckets.take(&1).admitted);
            clock.advance(Duration::from_hours(1));
            assert_eq!(buckets.take(&1).remaining(), max - 1, "never more than a full bucket");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let (buckets, _) = buckets(10, Duration::from_secs(10));
        buckets.change(&1, buckets.now(), |_| (true, i64::MAX));
        let standing = buckets.take(&1);
        assert!(!standing.admitted);
        assert_eq!(standing.used, 10_000_000_000, "the bucket counts as empty, and fills from now on");
    }

    #[test]
    fn a_million_made_up_clients_take_bounded_memory() {
        let (buckets, clock) = buckets(3, Duration::from_mins(1));
        let kept = || {
            let kept = buckets.lock();
            kept.young.len() + kept.old.len()
        };
        while buckets.take(&u64::MAX).admitted {}
        for key in 0..1_000_000 {
            assert!(buckets.take(&key).admitted);
            if key % 10_000 == 0 {
                assert!(
                    !buckets.take(&u64::MAX).admitted,
                    "who keeps coming is not forgotten for those who come once"
                );
            }
        }
        assert!((KEPT / 2..=KEPT).contains(&kept()), "{}", kept());
        // They are forgotten when their buckets are full, and not before.
        for (wait, admitted) in [(1, false), (18, false), (2, true), (120, true), (120, true)] {
            clock.advance(Duration::from_secs(wait));
            assert_eq!(buckets.take(&u64::MAX).admitted, admitted, "after {wait} s");
        }
        assert_eq!(kept(), 1);
    }
}
