//! EC2's side of a fleet's run: its buckets beside others who draw from them, and how many snapshots may be pending.

use crate::pace::{Api, ByApi, Limit};
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

/// EC2's own bucket of one action.
#[derive(Debug, Clone)]
pub(super) struct Real {
    /// In millionths of a token, of which so many flow in each millisecond as thousandths of a token do each second.
    tokens: u64,
    capacity: u64,
    inflow_per_millisecond: u64,
    filled_at: Timestamp,
    /// How many calls came, refused or not.
    pub(super) calls: u64,
    /// How many of them found no token: `RequestLimitExceeded`.
    pub(super) throttled: u64,
}

/// What EC2 has of an account and a Region.
#[derive(Debug, Clone)]
pub(super) struct Ec2 {
    pub(super) buckets: ByApi<Real>,
    pub(super) pending: Pending,
}

/// The snapshots that are pending, and how many may be.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// When they are complete, the first one first.
    until: VecDeque<Timestamp>,
    most: Option<usize>,
}

impl Real {
    /// A full one at `now`, of which others take so many thousandths of all that flows in.
    fn full(limit: Limit, others: u16, now: Timestamp) -> Self {
        let capacity = u64::from(limit.capacity().get()) * MILLIONTHS;
        let left = THOUSANDTHS.saturating_sub(u64::from(others));
        let inflow_per_millisecond = u64::from(limit.refill_per_second().get()) * left;
        Self { tokens: capacity, capacity, inflow_per_millisecond, filled_at: now, calls: 0, throttled: 0 }
    }

    /// A call comes. Whether there is a token for it.
    pub(super) fn takes(&mut self, now: Timestamp) -> bool {
        let passed = u64::try_from(now.duration_since(self.filled_at).as_millis()).unwrap_or(0);
        self.filled_at = self.filled_at.max(now);
        let flown_in = passed.saturating_mul(self.inflow_per_millisecond);
        self.tokens = self.tokens.saturating_add(flown_in).min(self.capacity);
        self.calls += 1;
        let is_there = self.tokens >= MILLIONTHS;
        if is_there {
            self.tokens -= MILLIONTHS;
        } else {
            self.throttled += 1;
        }
        is_there
    }
}

impl Ec2 {
    /// Full buckets, of whose inflow others take so many thousandths, and nothing pending yet.
    pub(super) fn new(others: u16, pending_max: Option<usize>, now: Timestamp) -> Self {
        let full = |limit| Real::full(limit, others, now);
        Self {
            buckets: ByApi::of(|api: Api| full(api.documented())),
            pending: Pending { until: VecDeque::new(), most: pending_max },
        }
    }

    /// How many calls found no token, of any action.
    pub(super) fn throttled(&self) -> u64 {
        self.buckets.iter().map(|(_, real)| real.throttled).sum()
    }
}

impl Pending {
    /// Begins so many snapshots by one call that take so long. Returns when they are complete, or `None` when as many are
    /// pending as may be.
    pub(super) fn begin(&mut self, count: usize, now: Timestamp, takes: SignedDuration) -> Option<Timestamp> {
        // Bounded by the snapshots that are pending.
        while self.until.front().is_some_and(|completes_at| *completes_at <= now) {
            self.until.pop_front();
        }
        if self.most.is_some_and(|most| self.until.len() + count > most) {
            return None;
        }
        let completes_at = now + takes;
        // The lanes of a turn come one after the other, so that what the second begins may be complete earlier.
        let place = self.until.partition_point(|other| *other <= completes_at);
        for _ in 0..count {
            self.until.insert(place, completes_at);
        }
        Some(completes_at)
    }
}

const MILLIONTHS: u64 = 1_000_000;
const THOUSANDTHS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::at;

    #[track_caller]
    fn check(others: u16, seconds: i64, expected: u64) {
        let mut now = at("2026-11-22T17:00:00Z");
        let mut real = Real::full(Api::CreateSnapshot.documented(), others, now);
        let mut given = 0;
        for _ in 0..seconds * 20 {
            given += u64::from(real.takes(now));
            now += SignedDuration::from_millis(50);
        }
        assert_eq!(given, expected);
    }

    #[test]
    fn a_bucket_gives_its_capacity_and_what_flows_in_less_what_others_take() {
        check(0, 1, 20);
        check(0, 100, 100 + 499);
        check(500, 100, 100 + 249);
        check(1_000, 100, 100);
    }

    #[test]
    fn beyond_the_limit_of_pending_snapshots_none_begins_until_one_is_complete() {
        let start = at("2026-11-22T17:00:00Z");
        let mut pending = Ec2::new(0, Some(2), start).pending;
        let seconds = [0, 1, 2, 9, 10, 11, 12];
        let takes = SignedDuration::from_secs(10);
        let begun = seconds.map(|second| pending.begin(1, start + SignedDuration::from_secs(second), takes).is_some());
        assert_eq!(begun, [true, true, false, false, true, true, false]);
    }
}
