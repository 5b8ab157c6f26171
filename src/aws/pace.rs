//! Waiting for EC2's tokens: the bucket arithmetic of [`crate::pace`] with a clock and a timer.
//!
//! Promise: a call that is admitted has a token, and no more than [`CALLS_IN_FLIGHT_MAX`] calls of its lane are open.

use super::clock::now;
use crate::pace::{self, Bucket, Limit};
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many calls of one action may be open at once. A call takes about 0.25 s, so 10 make 40 calls a second: that
/// empties a full bucket of 100 in 2.5 s, and its refill of 5 or 20 a second needs 2 or 5. Not more, because each call
/// in flight has a connection with a TLS handshake of its own, up to 0.7 s of CPU at 128 MB.
pub(super) const CALLS_IN_FLIGHT_MAX: usize = 10;

/// A lane for each action: EC2's buckets know nothing of each other, so no action waits for another one's tokens.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) create_snapshot: Lane,
    pub(super) create_snapshots: Lane,
    pub(super) delete_snapshot: Lane,
    pub(super) describe_instances: Lane,
    pub(super) describe_snapshots: Lane,
    pub(super) describe_volumes: Lane,
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

impl Lanes {
    /// Lanes with full buckets.
    pub(super) fn full() -> Self {
        Self {
            create_snapshot: Lane::full(pace::CREATE_SNAPSHOT),
            create_snapshots: Lane::full(pace::CREATE_SNAPSHOTS),
            delete_snapshot: Lane::full(pace::DELETE_SNAPSHOT),
            describe_instances: Lane::full(pace::DESCRIBE_INSTANCES),
            describe_snapshots: Lane::full(pace::DESCRIBE_SNAPSHOTS),
            describe_volumes: Lane::full(pace::DESCRIBE_VOLUMES),
        }
    }
}

impl Lane {
    fn full(limit: Limit) -> Self {
        Self { bucket: Mutex::new(Bucket::full(limit)), in_flight: Semaphore::new(CALLS_IN_FLIGHT_MAX) }
    }

    /// A use of the lane in which no call starts after `latest_start`.
    pub(super) fn until(&self, latest_start: Timestamp) -> Passage<'_> {
        Passage { lane: self, latest_start, is_closed: AtomicBool::new(false) }
    }

    /// Waits for a token and a free place, however long that takes.
    pub(super) async fn admit(&self) -> Option<SemaphorePermit<'_>> {
        self.until(Timestamp::MAX).admit().await
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        // A bucket is one instant: whoever panicked while holding it left a whole one.
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Passage<'a> {
    /// Waits until a call may start; `None` when it may not start in this turn any more. The call is in flight as long
    /// as the permit lives.
    ///
    /// The place comes before the token: a token that waits for a place would be spent later than the bucket believes.
    pub(super) async fn admit(&self) -> Option<SemaphorePermit<'a>> {
        let permit = self.lane.in_flight.acquire().await.expect("nothing closes the semaphore");
        if self.is_closed() {
            return None;
        }
        let wait = self.lane.bucket().take_by(now(), self.latest_start)?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        (!self.is_closed() && now() <= self.latest_start).then_some(permit)
    }

    /// EC2 refused a call because its bucket is empty: no more calls in this turn, and the next turn begins with an
    /// empty bucket. Trying on would only take the tokens that flow in, from us and from everybody else.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        let mut bucket = self.lane.bucket();
        let epoch = bucket.epoch();
        bucket.throttled(epoch, now());
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }
}
