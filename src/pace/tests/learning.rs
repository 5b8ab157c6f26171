//! What throttles, successes and earlier turns teach a bucket.

use super::*;
use crate::pace::{Known, Rate, Share};

fn share(per_cent: u32) -> Share {
    Share::of_per_cent(per_cent).unwrap()
}

/// A full bucket with a share of a limit.
fn shared(limit: Limit, per_cent: u32) -> Bucket {
    let mut bucket = Bucket::full(limit);
    bucket.learn(share(per_cent), None, at(0));
    bucket
}

fn throttle(bucket: &mut Bucket, now: Timestamp) {
    bucket.throttled(bucket.epoch(), now);
}

/// How many calls a bucket lets through at once.
fn burst(bucket: &mut Bucket, now: Timestamp) -> u32 {
    let mut calls = 0;
    // Bounded by the capacity.
    while bucket.take_by(now, now).is_some() {
        calls += 1;
    }
    calls
}

#[test]
fn a_throttle_halves_the_rate_down_to_the_slowest() {
    let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
    let mut rates = Vec::new();
    for second in 0..7 {
        throttle(&mut bucket, at(second * 1_000));
        rates.push(bucket.rate().thousandths());
    }
    assert_eq!(rates, [500, 250, 125, 62, 31, 31, 31]);
    let halvings = usize::try_from(Rate::HALVINGS).unwrap();
    assert_eq!(rates.iter().position(|&rate| rate == Rate::SLOWEST.thousandths()), Some(halvings - 1));
}

#[test]
fn calls_that_were_under_way_together_are_throttled_once() {
    let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
    let epoch = bucket.epoch();
    for _ in 0..10 {
        bucket.throttled(epoch, at(0));
    }
    assert_eq!(bucket.rate(), Rate::of_thousandths(500));
    assert_ne!(bucket.epoch(), epoch, "what waits for its start takes another token");
}

#[test]
fn each_success_adds_a_thousandth_until_the_rate_is_whole() {
    let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
    throttle(&mut bucket, at(0));
    for expected in [501, 502, 503] {
        bucket.succeeded(at(0));
        assert_eq!(bucket.rate().thousandths(), expected);
    }
    for _ in 503..1000 {
        bucket.succeeded(at(0));
    }
    assert_eq!(bucket.rate(), Rate::WHOLE);
    bucket.succeeded(at(0));
    assert_eq!(bucket.rate(), Rate::WHOLE, "never more than what is documented");
}

#[test]
fn what_is_missing_stays_missing_when_the_rate_changes() {
    let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
    assert_eq!(burst(&mut bucket, at(0)), 100);
    // Ten of a hundred are there again.
    assert_eq!(bucket.calls_before(at(2_000), at(2_001)), 10);
    let Known { full_at, .. } = bucket.known(at(2_000)).unwrap();
    let slow = Known { full_at, rate: 500 };
    bucket.learn(Share::ALL, Some(slow), at(2_000));
    assert_eq!(bucket.calls_before(at(2_000), at(2_001)), 10);
    assert_eq!(bucket.calls_before(at(2_000), at(4_001)), 15, "five more in two seconds");
}

#[test]
fn a_share_is_one_of_both_numbers() {
    for (per_cent, at_once, in_ten_seconds) in [(100, 100, 150), (50, 50, 75), (10, 10, 15), (1, 1, 1)] {
        let bucket = shared(Api::CreateSnapshot.documented(), per_cent);
        assert_eq!(bucket.calls_before(at(0), at(1)), at_once, "{per_cent} %");
        assert_eq!(bucket.calls_before(at(0), at(10_001)), in_ten_seconds, "{per_cent} %");
    }
    assert_eq!(shared(Limit::of(1, 1), 1).calls_before(at(0), at(1)), 1, "without a token nothing would ever go");
    for nonsense in [0, 101, 256, u32::MAX] {
        assert_eq!(Share::of_per_cent(nonsense), None);
    }
}

#[test]
fn what_was_taken_of_a_larger_share_is_taken_of_a_smaller_one_too() {
    let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
    for _ in 0..30 {
        bucket.take(at(0));
    }
    bucket.learn(share(50), None, at(0));
    assert_eq!(bucket.calls_before(at(0), at(1)), 20);
    bucket.learn(Share::ALL, None, at(0));
    assert_eq!(bucket.calls_before(at(0), at(1)), 70);
}

#[test]
fn a_full_bucket_at_the_whole_rate_is_not_worth_a_word() {
    let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
    assert_eq!(bucket.known(at(0)), None);
    bucket.take(at(0));
    assert_eq!(bucket.known(at(0)), Some(Known { full_at: at(200), rate: 1000 }));
    assert_eq!(bucket.known(at(200)), None);
    throttle(&mut bucket, at(200));
    assert_eq!(bucket.known(at(1_000_000)), Some(Known { full_at: at(1_000_000), rate: 500 }));
}

#[test]
fn a_new_instance_goes_on_where_the_last_one_stopped() {
    let mut last = Bucket::full(Api::CreateSnapshot.documented());
    burst(&mut last, at(0));
    throttle(&mut last, at(0));
    let known = last.known(at(1_000));
    let mut cold = Bucket::full(Api::CreateSnapshot.documented());
    cold.learn(Share::ALL, known, at(1_000));
    assert_eq!((cold.rate(), cold.calls_before(at(1_000), at(3_000))), (last.rate(), 7));
    // The last one itself learns nothing from it.
    let before = last.clone();
    last.learn(Share::ALL, known, at(1_000));
    assert_eq!(last, before);
}

#[test]
fn of_what_two_instances_know_the_emptier_counts() {
    let mut warm = Bucket::full(Api::CreateSnapshot.documented());
    assert_eq!(burst(&mut warm, at(0)), 100);
    warm.learn(Share::ALL, Some(Known { full_at: at(2_000), rate: 500 }), at(0));
    assert_eq!(burst(&mut warm, at(0)), 0, "its own hundred are gone although the other saw five go");
}

#[test]
fn a_lie_about_a_bucket_postpones_by_no_more_than_one_filling() {
    for rate in [0, 31, 500, 1000, u16::MAX] {
        for full_at in [Timestamp::MAX, at(100_000_000), at(-5), Timestamp::MIN] {
            let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
            bucket.learn(Share::ALL, Some(Known { full_at, rate }), at(0));
            assert!((Rate::SLOWEST..=Rate::WHOLE).contains(&bucket.rate()));
            assert!(bucket.take(at(0)) <= Duration::from_millis(6_452), "one token at the slowest rate");
        }
    }
}

/// EC2's own bucket: thousandths of tokens, filled every 200 ms by one token.
struct Real {
    tokens: u32,
}

impl Real {
    fn tick(&mut self) {
        self.tokens = (self.tokens + 1_000).min(100_000);
    }

    fn takes(&mut self, tokens: u32) -> bool {
        let is_there = self.tokens >= tokens;
        self.tokens -= if is_there { tokens } else { 0 };
        is_there
    }
}

/// How many calls of ours succeed and are throttled in two hours, when others take so many thousandths of a token every
/// 200 ms, out of a thousand, and we ask as often as our picture of the bucket lets us.
fn beside_others(others: u32, per_cent: u32) -> (u32, u32) {
    let (mut real, mut bucket) = (Real { tokens: 100_000 }, shared(Api::CreateSnapshot.documented(), per_cent));
    let (mut succeeded, mut throttled) = (0, 0);
    for tick in 0..TICKS {
        let now = at(i64::from(tick) * 200);
        real.tick();
        real.takes(others);
        // Bounded by what is in our bucket.
        while bucket.take_by(now, now).is_some() {
            if real.takes(1_000) {
                succeeded += 1;
                bucket.succeeded(now);
            } else {
                throttled += 1;
                throttle(&mut bucket, now);
            }
        }
    }
    (succeeded, throttled)
}

/// Two hours.
const TICKS: u32 = 36_000;

#[test]
fn alone_we_take_all_and_are_never_throttled() {
    assert_eq!(beside_others(0, 100), (TICKS + 99, 0));
}

#[test]
fn beside_others_we_take_what_they_leave_with_few_throttles() {
    for others in [200, 500, 800, 900] {
        let (succeeded, throttled) = beside_others(others, 100);
        let left = TICKS * (1_000 - others) / 1_000;
        assert!(succeeded * 100 >= left * 95, "others take {others}: {succeeded} of {left}");
        assert!(throttled * 50 <= succeeded, "others take {others}: {throttled} beside {succeeded}");
    }
}

#[test]
fn with_half_as_our_share_and_half_taken_nobody_is_throttled() {
    let (succeeded, throttled) = beside_others(500, 50);
    assert_eq!((succeeded, throttled), (TICKS / 2 + 49, 0));
}

/// What happens to a bucket.
#[derive(Debug, Clone, Copy)]
enum Event {
    Call,
    Success,
    Throttle,
}

fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let event = prop_oneof![12 => Just(Event::Call), 6 => Just(Event::Success), 1 => Just(Event::Throttle)];
    prop::collection::vec((0..150_i64, event), 1..200)
}

proptest! {
    #[test]
    fn no_window_holds_more_calls_than_the_capacity_and_what_was_believed_to_flow_in(
        limit in limits(),
        per_cent in 1..=100_u32,
        events in events(),
    ) {
        let mut bucket = shared(limit, per_cent);
        let capacity = (limit.capacity().get() * per_cent / 100).max(1);
        let mut now = 0;
        // Of each call: its time, and how many thousandths of per cents of token-milliseconds had flowed in.
        let (mut flowed_in, mut calls) = (0_u64, Vec::new());
        for (step, event) in events {
            let per_second = limit.refill_per_second().get() * per_cent * u32::from(bucket.rate().thousandths());
            flowed_in += u64::from(per_second) * u64::try_from(step).unwrap();
            now += step;
            match event {
                Event::Call => calls.extend(bucket.take_by(at(now), at(now)).map(|_| flowed_in)),
                Event::Success => bucket.succeeded(at(now)),
                Event::Throttle => throttle(&mut bucket, at(now)),
            }
        }
        for (first, from) in calls.iter().enumerate() {
            for (last, to) in calls.iter().enumerate().skip(first) {
                // A second has 1000 ms, a whole 100 % and 1000 thousandths.
                let allowed = u64::from(capacity) + (to - from) / 100_000_000;
                prop_assert!(u64::try_from(last - first + 1).unwrap() <= allowed);
            }
        }
    }

    #[test]
    fn enough_successes_bring_the_rate_back(throttles in 1..9_i64) {
        let mut bucket = Bucket::full(Api::CreateSnapshot.documented());
        for number in 0..throttles {
            throttle(&mut bucket, at(number));
        }
        let missing = Rate::WHOLE.thousandths() - bucket.rate().thousandths();
        for _ in 1..missing {
            bucket.succeeded(at(100));
        }
        prop_assert!(bucket.rate() < Rate::WHOLE);
        bucket.succeeded(at(100));
        prop_assert_eq!(bucket.rate(), Rate::WHOLE);
    }

    #[test]
    fn half_a_share_takes_no_more_than_half(milliseconds in 1..100_000_i64) {
        for limit in [Api::CreateSnapshot.documented(), Api::DescribeVolumes.documented()] {
            let calls = shared(limit, 50).calls_before(at(0), at(milliseconds));
            let flows_in = u64::try_from(milliseconds).unwrap() * u64::from(limit.refill_per_second().get()) / 2;
            prop_assert!(calls <= u64::from(limit.capacity().get()) / 2 + flows_in / 1_000);
        }
    }

    #[test]
    fn carrying_what_is_known_through_cold_starts_gives_no_token_twice(events in events(), per_cent in 1..=100_u32) {
        let (mut warm, mut now) = (shared(Api::CreateSnapshot.documented(), per_cent), 0);
        for (step, event) in events {
            now += step;
            match event {
                Event::Call => { warm.take_by(at(now), at(now)); }
                Event::Success => warm.succeeded(at(now)),
                Event::Throttle => throttle(&mut warm, at(now)),
            }
            let mut cold = Bucket::full(Api::CreateSnapshot.documented());
            cold.learn(share(per_cent), warm.known(at(now)), at(now));
            prop_assert_eq!(cold.rate(), warm.rate());
            prop_assert!(cold.calls_before(at(now), at(now + 1)) <= warm.calls_before(at(now), at(now + 1)));
            prop_assert!(warm.clone().take_by(at(now), Timestamp::MAX) <= cold.take_by(at(now), Timestamp::MAX));
        }
    }
}
