//! How a limit that Service Quotas tells enters a bucket that is in use, and how it travels.

use super::*;
use crate::pace::{Known, Rate, Share};

/// The documented limit times two at once and times ten a second.
const RAISED: Limit = Limit::of(200, 50);
const LOWERED: Limit = Limit::of(40, 2);

fn at_once(bucket: &Bucket, now: Timestamp) -> u64 {
    bucket.calls_before(now, later(now, SignedDuration::from_nanos(1)))
}

/// A bucket of which so many tokens were taken.
fn used(limit: Limit, tokens: usize) -> Bucket {
    let mut bucket = Bucket::full(limit);
    for _ in 0..tokens {
        bucket.take(at(0));
    }
    bucket
}

#[test]
fn what_a_raised_limit_has_more_flows_in() {
    for (taken, there) in [(0, 100), (30, 70), (100, 0)] {
        let mut bucket = used(Api::CreateSnapshot.documented(), taken);
        bucket.hold_to(RAISED, at(0));
        assert_eq!(at_once(&bucket, at(0)), there, "nobody has seen more than what was there");
        assert_eq!(at_once(&bucket, at(1_000)), there + 50);
        assert_eq!(at_once(&bucket, at(4_000)), 200);
        assert_eq!(bucket.holds(), 200);
    }
}

#[test]
fn what_waits_for_its_token_still_has_it() {
    let mut bucket = used(Api::CreateSnapshot.documented(), 110);
    bucket.hold_to(RAISED, at(0));
    // Ten tokens are owed, which flow in within a fifth of a second.
    assert_eq!(bucket.take(at(0)), Duration::from_millis(220));
}

#[test]
fn a_lowered_limit_has_what_was_there_as_far_as_it_finds_room() {
    for (taken, there) in [(0, 40), (50, 40), (70, 30), (100, 0)] {
        let mut bucket = used(Api::CreateSnapshot.documented(), taken);
        bucket.hold_to(LOWERED, at(0));
        assert_eq!(at_once(&bucket, at(0)), there);
        assert_eq!(at_once(&bucket, at(1_000)), (there + 2).min(40));
    }
}

#[test]
fn the_same_limit_changes_nothing() {
    for taken in [0, 7, 150] {
        let mut bucket = used(Api::CreateSnapshot.documented(), taken);
        let before = bucket.clone();
        bucket.hold_to(Api::CreateSnapshot.documented(), at(10));
        assert_eq!(bucket, before);
    }
}

#[test]
fn a_share_is_one_of_whatever_limit_holds() {
    for (limit, at_first, in_a_second) in [(RAISED, 50, 75), (LOWERED, 20, 20)] {
        let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
        bucket.learn(Share::of_per_cent(50).unwrap(), None, at(0));
        bucket.hold_to(limit, at(0));
        assert_eq!((at_once(&bucket, at(0)), at_once(&bucket, at(1_000))), (at_first, in_a_second));
        assert_eq!(at_once(&bucket, at(1_000_000)), u64::from(limit.capacity().get()) / 2);
    }
}

#[test]
fn what_throttles_taught_stays_and_new_ones_teach_on() {
    let mut bucket = used(Api::CreateSnapshot.documented(), 100);
    bucket.throttled(bucket.epoch(), at(0));
    bucket.hold_to(RAISED, at(0));
    assert_eq!((bucket.rate(), at_once(&bucket, at(0))), (Rate::of_thousandths(500), 0));
    assert_eq!(at_once(&bucket, at(1_000)), 25);
    bucket.throttled(bucket.epoch(), at(1_000));
    assert_eq!((at_once(&bucket, at(1_000)), at_once(&bucket, at(3_000))), (0, 25));
}

#[test]
fn a_new_instance_that_knows_no_raised_limit_finds_as_much_there_and_no_more() {
    for (taken, there) in [(0, 100), (100, 100), (150, 50), (200, 0), (210, 0)] {
        let mut warm = used(RAISED, taken);
        warm.documented = Api::CreateSnapshot.documented();
        let mut cold = Bucket::full(Api::CreateSnapshot.documented());
        cold.learn(Share::ALL, warm.known(at(0)), at(0));
        assert_eq!(at_once(&cold, at(0)), there, "{taken} of 200 taken");
        // The one that knew learns nothing from it.
        let before = warm.clone();
        warm.learn(Share::ALL, warm.known(at(0)), at(0));
        assert_eq!((warm.rate(), at_once(&warm, at(0))), (before.rate(), at_once(&before, at(0))));
    }
}

#[test]
fn a_lie_in_next_gains_one_filling_of_the_documented_bucket_and_postpones_by_one_of_the_one_that_holds() {
    for rate in [0, 31, 500, 1000, u16::MAX] {
        for full_at in [Timestamp::MAX, at(100_000_000), at(-5), Timestamp::MIN] {
            let lie = Some(Known { full_at, rate });
            let mut cold = Bucket::full(Api::CreateSnapshot.documented());
            cold.learn(Share::ALL, lie, at(0));
            assert!(at_once(&cold, at(0)) <= 100);
            cold.hold_to(RAISED, at(0));
            assert!(at_once(&cold, at(0)) <= 100);
            let mut warm = used(Api::CreateSnapshot.documented(), 100);
            warm.hold_to(RAISED, at(0));
            warm.learn(Share::ALL, lie, at(0));
            assert_eq!(at_once(&warm, at(0)), 0, "what it has seen itself counts");
            assert!(warm.take(at(0)) <= Duration::from_millis(646), "one token at the slowest rate");
        }
    }
}

proptest! {
    #[test]
    fn limits_that_come_and_go_give_no_more_than_what_was_there_and_what_flowed_in(
        steps in prop::collection::vec((limits(), 0..300_i64, 0..8_usize), 1..40),
    ) {
        let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
        let (mut now, mut calls, mut thousandths) = (0, 0, 100_000_u64);
        let mut refill = u64::from(Api::CreateSnapshot.documented().refill_per_second().get());
        for (limit, step, asked) in steps {
            now += step;
            thousandths += refill * u64::try_from(step).unwrap();
            bucket.hold_to(limit, at(now));
            refill = u64::from(limit.refill_per_second().get());
            calls += (0..asked).filter(|_| bucket.take_by(at(now), at(now)).is_some()).count();
            prop_assert!(u64::try_from(calls).unwrap() * 1_000 <= thousandths);
            prop_assert!(at_once(&bucket, at(now)) <= u64::from(limit.capacity().get()));
        }
    }
}
