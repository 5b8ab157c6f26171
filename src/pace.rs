//! How fast EC2 may be called: EC2's token buckets as arithmetic on times passed in.
//!
//! EC2 keeps one bucket for each action, account and Region: a call takes a token, and a call that finds none fails
//! with `RequestLimitExceeded`. A [`Bucket`] is our picture of one of them. It reads no clock and never waits, so the
//! shell, a simulated account and a property test drive the same arithmetic.
//!
//! Promise: between any two of the starts that [`Bucket::take`] gives out there are never more calls than the capacity
//! plus what flows in meanwhile, however the times that are passed in jump.

use jiff::{SignedDuration, Timestamp};
use std::num::NonZeroU32;
use std::time::Duration;

/// CreateSnapshot: 100 tokens, 5 a second (EC2 developer guide, "Request throttling for the Amazon EC2 API", the table
/// of request rate limits: CreateSnapshot has a row of its own).
pub const CREATE_SNAPSHOT: Limit = Limit::of(100, 5);
/// CreateSnapshots: 100 tokens, 5 a second (same table, a row of its own); one token for all volumes of an instance.
pub const CREATE_SNAPSHOTS: Limit = Limit::of(100, 5);
/// DeleteSnapshot: 100 tokens, 5 a second (same table, a row of its own).
pub const DELETE_SNAPSHOT: Limit = Limit::of(100, 5);
/// DescribeInstances: 100 tokens, 20 a second (same table, "Non-mutating actions": it holds for calls with a filter or a
/// page size, and all of ours have a page size; without either it would be 50 and 10).
pub const DESCRIBE_INSTANCES: Limit = Limit::of(100, 20);
/// DescribeSnapshots: 100 tokens, 20 a second (same table and condition as [`DESCRIBE_INSTANCES`]).
pub const DESCRIBE_SNAPSHOTS: Limit = Limit::of(100, 20);
/// DescribeVolumes: 100 tokens, 20 a second (same table and condition as [`DESCRIBE_INSTANCES`]).
pub const DESCRIBE_VOLUMES: Limit = Limit::of(100, 20);

/// The size of one of EC2's buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    capacity: NonZeroU32,
    refill_per_second: NonZeroU32,
}

/// One of EC2's buckets as we believe it to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    limit: Limit,
    /// When the bucket is full again if nothing more is taken; in the past when it is full already. One instant says
    /// all: each call moves it by the time that one token takes to flow in.
    full_at: Timestamp,
}

impl Limit {
    /// A bucket of `capacity` tokens into which `refill_per_second` flow.
    #[must_use]
    pub const fn new(capacity: NonZeroU32, refill_per_second: NonZeroU32) -> Self {
        Self { capacity, refill_per_second }
    }

    const fn of(capacity: u32, refill_per_second: u32) -> Self {
        let capacity = NonZeroU32::new(capacity).expect("the table above holds no zero");
        Self::new(capacity, NonZeroU32::new(refill_per_second).expect("the table above holds no zero"))
    }

    /// How many calls a full bucket lets through at once.
    #[must_use]
    pub const fn capacity(self) -> NonZeroU32 {
        self.capacity
    }

    /// How many calls a second it lets through for ever.
    #[must_use]
    pub const fn refill_per_second(self) -> NonZeroU32 {
        self.refill_per_second
    }

    /// How long one token takes to flow in, rounded up so that we are never faster than EC2.
    fn token(self) -> SignedDuration {
        self.tokens(1)
    }

    /// How long so many tokens take to flow in: at most 2^32 seconds, which 64 bits of nanoseconds hold.
    fn tokens(self, count: u32) -> SignedDuration {
        let token = NANOS_PER_SECOND.div_ceil(self.refill_per_second.get());
        SignedDuration::from_nanos(i64::from(token) * i64::from(count))
    }

    /// How far ahead of the steady rate calls may run: all tokens but the one that a call takes itself.
    fn tolerance(self) -> SignedDuration {
        self.tokens(self.capacity.get() - 1)
    }
}

impl Bucket {
    /// A full bucket: what a new function instance believes. Others may have drawn from the real one.
    #[must_use]
    pub fn full(limit: Limit) -> Self {
        Self { limit, full_at: Timestamp::MIN }
    }

    /// Takes a token, and says how long after `now` the call that it is for may start. Zero while there are tokens.
    pub fn take(&mut self, now: Timestamp) -> Duration {
        self.take_by(now, Timestamp::MAX).unwrap_or(Duration::MAX)
    }

    /// Takes a token like [`Self::take`] unless the call could not start by `latest`; then nothing is taken.
    pub fn take_by(&mut self, now: Timestamp, latest: Timestamp) -> Option<Duration> {
        let full_at = self.full_at.max(now);
        let start = earlier(full_at, self.limit.tolerance()).max(now);
        if start > latest {
            return None;
        }
        self.full_at = later(full_at, self.limit.token());
        Some(start.duration_since(now).unsigned_abs())
    }

    /// How many calls, all asked for at `now`, may start before `until`.
    #[must_use]
    pub fn calls_before(&self, now: Timestamp, until: Timestamp) -> u64 {
        if until <= now {
            return 0;
        }
        // The call number k, from 0, may start at full_at + k tokens - tolerance, or at once where that is over.
        let room = until.duration_since(self.full_at.max(now)) + self.limit.tolerance();
        let token = self.limit.token().as_nanos().unsigned_abs();
        let calls = u128::try_from(room.as_nanos()).map_or(0, |room| room.div_ceil(token));
        u64::try_from(calls).unwrap_or(u64::MAX)
    }

    /// Corrects the picture: EC2 has just said that the real bucket is empty, because others draw from it too.
    pub fn empty(&mut self, now: Timestamp) {
        self.full_at = self.full_at.max(later(now, self.limit.tokens(self.limit.capacity.get())));
    }
}

/// The instant so much later, or the last one that there is.
fn later(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The instant so much earlier, or the first one that there is.
fn earlier(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.checked_sub(by).unwrap_or(Timestamp::MIN)
}

const NANOS_PER_SECOND: u32 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    /// The waits, in milliseconds, of calls that are asked for at these times.
    #[track_caller]
    fn check(limit: Limit, asked: &[i64], expected: &[u128]) {
        let mut bucket = Bucket::full(limit);
        let waits: Vec<u128> = asked.iter().map(|&asked| bucket.take(at(asked)).as_millis()).collect();
        assert_eq!(waits, expected);
    }

    #[test]
    fn calls_start_at_once_while_there_are_tokens_and_then_at_the_refill_rate() {
        let small = Limit::of(2, 5);
        check(small, &[0, 0, 0, 0], &[0, 0, 200, 400]);
        check(small, &[0, 0, 200, 400], &[0, 0, 0, 0]);
        check(small, &[0, 0, 100, 100], &[0, 0, 100, 300]);
        check(small, &[0, 0, 10_000, 10_000, 10_000], &[0, 0, 0, 0, 200]);
        check(small, &[0, 0, -1_000], &[0, 0, 1_200]);
        check(Limit::of(1, 1), &[0, 0, 0], &[0, 1_000, 2_000]);
    }

    #[test]
    fn a_full_bucket_of_creates_gives_18_100_calls_an_hour_and_432_100_a_day() {
        let bucket = Bucket::full(CREATE_SNAPSHOT);
        assert_eq!(bucket.calls_before(at(0), at(3_600_001)), 18_100);
        assert_eq!(bucket.calls_before(at(0), at(86_400_001)), 432_100);
        assert_eq!(bucket.calls_before(at(0), at(1)), 100);
        assert_eq!(bucket.calls_before(at(0), at(0)), 0);
    }

    #[test]
    fn the_buckets_are_those_of_the_developer_guide() {
        let sizes = |limit: Limit| (limit.capacity().get(), limit.refill_per_second().get());
        assert_eq!(sizes(CREATE_SNAPSHOT), (100, 5));
        assert_eq!(sizes(CREATE_SNAPSHOTS), (100, 5));
        assert_eq!(sizes(DELETE_SNAPSHOT), (100, 5));
        assert_eq!(sizes(DESCRIBE_INSTANCES), (100, 20));
        assert_eq!(sizes(DESCRIBE_SNAPSHOTS), (100, 20));
        assert_eq!(sizes(DESCRIBE_VOLUMES), (100, 20));
    }

    #[test]
    fn a_token_that_comes_too_late_is_not_taken() {
        let mut bucket = Bucket::full(Limit::of(1, 1));
        assert_eq!(bucket.take_by(at(0), at(0)), Some(Duration::ZERO));
        assert_eq!(bucket.take_by(at(0), at(999)), None);
        assert_eq!(bucket.take_by(at(0), at(1_000)), Some(Duration::from_secs(1)));
        assert_eq!(bucket.take_by(at(5_000), at(4_999)), None, "the latest start is over");
    }

    #[test]
    fn an_emptied_bucket_goes_on_at_the_refill_rate() {
        let mut bucket = Bucket::full(CREATE_SNAPSHOT);
        bucket.empty(at(0));
        assert_eq!(bucket.take(at(0)), Duration::from_millis(200));
        assert_eq!(bucket.take(at(0)), Duration::from_millis(400));
        assert_eq!(bucket.calls_before(at(0), at(1_000)), 2, "at 600 and 800");
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let mut bucket = Bucket::full(Limit::of(u32::MAX, 1));
        assert_eq!(bucket.take(Timestamp::MAX), Duration::ZERO);
        assert!(bucket.take(Timestamp::MIN) > Duration::ZERO, "the clock jumped back behind the last call");
        assert!(Bucket::full(CREATE_SNAPSHOT).calls_before(Timestamp::MIN, Timestamp::MAX) > 0);
    }

    prop_compose! {
        fn limits()(capacity in 1..20_u32, refill in 1..40_u32) -> Limit {
            Limit::of(capacity, refill)
        }
    }

    proptest! {
        #[test]
        fn no_window_holds_more_calls_than_the_capacity_and_what_flowed_in(
            limit in limits(),
            steps in prop::collection::vec(-200..400_i64, 1..120),
        ) {
            let mut bucket = Bucket::full(limit);
            let mut now = 0;
            let mut starts: Vec<Timestamp> = Vec::new();
            for step in steps {
                now += step;
                starts.push(later(at(now), SignedDuration::try_from(bucket.take(at(now))).unwrap()));
            }
            starts.sort();
            for (first, from) in starts.iter().enumerate() {
                for (last, to) in starts.iter().enumerate().skip(first) {
                    let flowed_in = to.duration_since(*from).as_nanos() * i128::from(limit.refill_per_second().get());
                    let allowed = i128::from(limit.capacity().get()) + flowed_in / i128::from(NANOS_PER_SECOND);
                    prop_assert!(i128::try_from(last - first + 1).unwrap() <= allowed);
                }
            }
        }

        #[test]
        fn the_calls_before_an_instant_are_those_that_taking_one_by_one_gives(
            limit in limits(),
            taken in 0..30_usize,
            until in -100..4_000_i64,
        ) {
            let mut bucket = Bucket::full(limit);
            for _ in 0..taken {
                bucket.take(at(0));
            }
            let counted = bucket.calls_before(at(50), at(until));
            let until_wait = u128::try_from(at(until).duration_since(at(50)).as_nanos()).unwrap_or(0);
            let mut one_by_one = 0;
            while bucket.take(at(50)).as_nanos() < until_wait {
                one_by_one += 1;
            }
            prop_assert_eq!(counted, one_by_one);
        }

        #[test]
        fn a_refused_token_changes_nothing(limit in limits(), taken in 20..40_usize) {
            let mut bucket = Bucket::full(limit);
            for _ in 0..taken {
                bucket.take(at(0));
            }
            let before = bucket.clone();
            prop_assert_eq!(bucket.take_by(at(0), at(-1)), None);
            prop_assert_eq!(bucket, before);
        }
    }
}
