//! Waiting for EC2's tokens: the bucket arithmetic of [`crate::pace`] with a clock and a timer.
//!
//! Promise: a call that is admitted has a token, and no more than [`CALLS_IN_FLIGHT_MAX`] calls of its lane are open.

use super::Account;
use super::clock::now;
use super::quotas::Asked;
use crate::action::{FailedKind, Outcome};
use crate::pace::{Api, Bucket, ByApi, Epoch, Known, Limit, Limits, Pace, Share};
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many calls of one action may be open at once. A call takes about 0.25 s, so 10 make 40 calls a second: that
/// empties a full bucket of 100 in 2.5 s, and its refill of 5 or 20 a second needs 2 or 5. Not more, because each call
/// in flight has a connection with a TLS handshake of its own, up to 0.7 s of CPU at 128 MB: of a limit that was raised
/// beyond 40 a second no more is used.
pub(super) const CALLS_IN_FLIGHT_MAX: usize = 10;

/// How many tokens of each bucket are never used. We count from when a call is sent, EC2 from when it arrives: a call
/// that opens its connection takes some 0.3 s longer than the next one, which then comes too early by as much. Two
/// tokens of creations or deletions are 0.4 s, at the documented limits; at higher ones as many more.
const ON_THE_WAY: u32 = 2;

/// A lane for each call: EC2's buckets know nothing of each other, so no call waits for another one's tokens.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) lanes: ByApi<Lane>,
    /// When Service Quotas was asked about these buckets, and what it said.
    pub(super) asked: Mutex<Asked>,
}

/// The way of one action's calls to EC2.
#[derive(Debug)]
pub(super) struct Lane {
    bucket: Mutex<Bucket>,
    in_flight: Semaphore,
}

/// One turn's use of a lane.
#[derive(Debug)]
pub(super) struct Passage<'a> {
    lane: &'a Lane,
    /// No call starts later.
    latest_start: Timestamp,
    is_closed: AtomicBool,
}

/// A call that may start now. It is in flight as long as this lives.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    _place: SemaphorePermit<'a>,
    taken_in: Epoch,
}

impl Account {
    /// Goes on with `share` of EC2's limits, and with what an earlier turn knew of them, perhaps in another function
    /// instance. What this one has seen itself counts too.
    pub fn learn(&self, share: Share, known: &Pace) {
        self.lanes.lanes.iter().for_each(|(api, lane)| lane.learn(share, known.known(api)));
    }

    /// EC2's buckets as they are believed to be.
    #[must_use]
    pub fn buckets(&self) -> ByApi<Bucket> {
        self.lanes.lanes.map(|_, lane| lane.bucket().clone())
    }
}

impl Lanes {
    /// Lanes with full buckets.
    pub(super) fn full(limits: Limits) -> Self {
        let lane = |api: Api| Lane::full(limits.or_none(api.documented()).keeping_back(ON_THE_WAY));
        Self { lanes: ByApi::of(lane), asked: Mutex::default() }
    }

    /// The lane of a call.
    pub(super) fn of(&self, api: Api) -> &Lane {
        &self.lanes[api]
    }

    /// Goes on with the limits that hold.
    pub(super) fn hold_to(&self, limits: ByApi<Limit>) {
        self.lanes.iter().for_each(|(api, lane)| lane.hold_to(limits[api], api.documented()));
    }
}

impl Lane {
    /// A lane with a full bucket.
    pub(super) fn full(limit: Limit) -> Self {
        Self { bucket: Mutex::new(Bucket::full(limit)), in_flight: Semaphore::new(CALLS_IN_FLIGHT_MAX) }
    }

    /// A use of the lane in which no call starts after `latest_start`.
    pub(super) fn until(&self, latest_start: Timestamp) -> Passage<'_> {
        Passage { lane: self, latest_start, is_closed: AtomicBool::new(false) }
    }

    /// Whether more calls are to be made than a full bucket lets through at once: only then its size matters.
    pub(super) fn is_too_small_for(&self, calls: usize) -> bool {
        u32::try_from(calls).map_or(true, |calls| calls > self.bucket().holds())
    }

    fn hold_to(&self, limit: Limit, documented: Limit) {
        self.bucket().hold_to(limit.keeping_back(on_the_way(limit, documented)), now());
    }

    fn learn(&self, share: Share, known: Option<Known>) {
        self.bucket().learn(share, known, now());
    }

    /// Waits for a token and a free place, however long that takes.
    pub(super) async fn admit(&self) -> Option<Admitted<'_>> {
        self.until(Timestamp::MAX).admit().await
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        // A bucket is a few numbers: whoever panicked while holding it left a whole one.
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Passage<'a> {
    /// Waits until a call may start; `None` when it may not start in this turn any more.
    ///
    /// The place comes before the token: a token that waits for a place would be spent later than the bucket believes.
    pub(super) async fn admit(&self) -> Option<Admitted<'a>> {
        let place = self.lane.in_flight.acquire().await.expect("nothing closes the semaphore");
        // Bounded by the throttles before `latest_start`: only a throttle makes a token void.
        loop {
            if self.is_closed() {
                return None;
            }
            let (taken_in, wait) = self.take()?;
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            if self.is_closed() || now() > self.latest_start {
                return None;
            }
            if self.lane.bucket().epoch() == taken_in {
                return Some(Admitted { _place: place, taken_in });
            }
        }
    }

    /// Takes a token, and says how long the call has to wait for it.
    fn take(&self) -> Option<(Epoch, Duration)> {
        let mut bucket = self.lane.bucket();
        let wait = bucket.take_by(now(), self.latest_start)?;
        Some((bucket.epoch(), wait))
    }

    /// Learns from what came of a call.
    pub(super) fn note(&self, admitted: &Admitted<'_>, outcome: &Outcome) {
        match outcome {
            Outcome::Created(_) | Outcome::Deleted => self.lane.bucket().succeeded(now()),
            Outcome::Failed(failed) => match failed.kind {
                FailedKind::Throttled => self.lane.bucket().throttled(admitted.taken_in, now()),
                // The next creation would fail as well, until one of those that are pending is complete.
                FailedKind::TooManyPending => self.close(),
                // Whoever refuses a call for another reason says nothing about its bucket.
                // Of these apply closes more than this lane.
                FailedKind::AccountFull | FailedKind::Expired => {}
                FailedKind::Denied | FailedKind::Refused | FailedKind::TooSoon | FailedKind::Unclear => {}
            },
            Outcome::Changed(_) | Outcome::NotStarted => {}
        }
    }

    /// No more calls in this turn.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Whether no call starts any more in this turn.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }
}

/// As long on the way as at the documented limit.
fn on_the_way(limit: Limit, documented: Limit) -> u32 {
    let (refill, documented) = (limit.refill_per_second().get(), documented.refill_per_second().get());
    refill.saturating_mul(ON_THE_WAY).div_ceil(documented).max(ON_THE_WAY)
}
