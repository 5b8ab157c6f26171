//! EC2's buckets as tables and properties, without throttles.

mod learning;
mod raised;

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
    let bucket = Bucket::full(Api::CreateSnapshot.documented());
    assert_eq!(bucket.calls_before(at(0), at(3_600_001)), 18_100);
    assert_eq!(bucket.calls_before(at(0), at(86_400_001)), 432_100);
    assert_eq!(bucket.calls_before(at(0), at(1)), 100);
    assert_eq!(bucket.calls_before(at(0), at(0)), 0);
}

#[test]
fn the_buckets_are_those_of_the_developer_guide() {
    let sizes = |limit: Limit| (limit.capacity().get(), limit.refill_per_second().get());
    assert_eq!(sizes(Api::CreateSnapshot.documented()), (100, 5));
    assert_eq!(sizes(Api::CreateSnapshots.documented()), (100, 5));
    assert_eq!(sizes(Api::DeleteSnapshot.documented()), (100, 5));
    assert_eq!(sizes(Api::DescribeInstances.documented()), (100, 20));
    assert_eq!(sizes(Api::DescribeSnapshots.documented()), (100, 20));
    assert_eq!(sizes(Api::DescribeVolumes.documented()), (100, 20));
}

#[test]
fn an_endpoint_of_ones_own_may_have_no_limits() {
    let until_then = |text| {
        let limit = Limits::of(text).or_none(Api::CreateSnapshot.documented());
        Bucket::full(limit).calls_before(at(0), at(1_000)) > 1_000_000
    };
    assert_eq!([Some("NONE"), Some("none"), Some(""), None].map(until_then), [true, false, false, false]);
}

#[test]
fn what_is_kept_back_leaves_one_token_at_least() {
    let left = |tokens| Api::CreateSnapshot.documented().keeping_back(tokens).capacity().get();
    assert_eq!((left(0), left(2), left(99), left(100), left(101)), (100, 98, 1, 1, 1));
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
fn an_emptied_bucket_goes_on_at_half_the_rate() {
    let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
    bucket.throttled(bucket.epoch(), at(0));
    assert_eq!(bucket.take(at(0)), Duration::from_millis(400));
    assert_eq!(bucket.take(at(0)), Duration::from_millis(800));
    assert_eq!(bucket.calls_before(at(0), at(2_000)), 2, "at 1200 and 1600");
    assert_eq!(bucket.calls_before_at_best(at(0), at(1_000)), 2, "at 600 and 800");
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let mut bucket = Bucket::full(Limit::of(u32::MAX, 1));
    assert_eq!(bucket.take(Timestamp::MAX), Duration::ZERO);
    assert!(bucket.take(Timestamp::MIN) > Duration::ZERO, "the clock jumped back behind the last call");
    assert!(Bucket::full(Api::CreateSnapshot.documented()).calls_before(Timestamp::MIN, Timestamp::MAX) > 0);
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
                let allowed = i128::from(limit.capacity().get()) + flowed_in / 1_000_000_000;
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
