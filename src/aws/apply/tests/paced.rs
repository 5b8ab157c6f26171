//! At what pace calls go, what throttles teach, and what ends a lane for the turn.

use super::*;
use crate::aws::pace::Lane;
use crate::pace::{Api, Known, Limit, Pace, Rate, Share};
use std::num::NonZeroU32;

/// An account whose bucket of creations fills in thousandths of a second.
fn quick(rules: &[&Rule]) -> Account {
    let number = |number| NonZeroU32::new(number).unwrap();
    let mut account = account(rules);
    let lanes = std::sync::Arc::get_mut(&mut account.lanes).unwrap();
    lanes.lanes[Api::CreateSnapshot] = Lane::full(Limit::new(number(100), number(1_000)));
    account
}

fn is_created(outcome: &&Outcome) -> bool {
    **outcome == snapshot("snap-0a")
}

fn is_not_started(outcome: &&Outcome) -> bool {
    **outcome == Outcome::NotStarted
}

#[tokio::test]
async fn what_the_bucket_does_not_let_through_in_time_is_not_started() {
    let rule = creates_work();
    let until = now() + SignedDuration::from_secs(15) + SignedDuration::from_millis(190);
    let outcomes = account(&[&rule]).apply(&creates(130), until, |_, _| {}).await;
    assert!(rule.num_calls() <= 100, "the 101st token comes after 200 ms");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == snapshot("snap-0a")).count(), rule.num_calls());
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::NotStarted).count(), 130 - rule.num_calls());
}

#[tokio::test]
async fn half_a_share_lets_half_of_the_calls_through() {
    let rule = creates_work();
    let account = account(&[&rule]);
    account.learn(Share::of_per_cent(50).unwrap(), &Pace::default());
    let until = now() + SignedDuration::from_secs(15) + SignedDuration::from_millis(390);
    let outcomes = account.apply(&creates(80), until, |_, _| {}).await;
    assert!(rule.num_calls() <= 50, "the 51st token comes after 400 ms");
    assert_eq!(outcomes.iter().filter(is_created).count(), rule.num_calls());
}

#[tokio::test]
async fn what_is_throttled_is_made_more_slowly_in_the_same_turn() {
    let rule = mock!(Client::create_snapshot)
        .sequence()
        .http_response(|| error_answer(503, "RequestLimitExceeded"))
        .times(3)
        .output(|| made("snap-0a"))
        .times(30)
        .build();
    let account = quick(&[&rule]);
    let outcomes = account.apply(&creates(30), later(), |_, _| {}).await;
    assert_eq!(outcomes.iter().filter(is_created).count(), 30);
    assert_eq!(rule.num_calls(), 33, "each is made once");
    assert!(account.buckets()[Api::CreateSnapshot].rate() < Rate::WHOLE);
}

#[tokio::test]
async fn a_deletion_that_is_throttled_is_paced_by_us_and_not_by_the_sdk() {
    let rule = mock!(Client::delete_snapshot)
        .sequence()
        .http_response(|| error_answer(503, "RequestLimitExceeded"))
        .output(|| DeleteSnapshotOutput::builder().build())
        .build();
    let account = account(&[&rule]);
    assert_eq!(account.apply(&[delete("snap-0a")], later(), |_, _| {}).await, [Outcome::Deleted]);
    assert_eq!(account.buckets()[Api::DeleteSnapshot].rate(), Rate::of_thousandths(501));
}

#[tokio::test]
async fn a_lane_that_is_throttled_at_its_slowest_ends_for_the_turn_and_no_other() {
    let throttled = mock!(Client::create_snapshot).then_http_response(|| error_answer(503, "RequestLimitExceeded"));
    let mut actions = creates(40);
    actions.extend((0..20).map(|number| delete(&format!("snap-{number:x}"))));
    let account = quick(&[&throttled, &deletes_work()]);
    let outcomes = account.apply(&actions, later(), |_, _| {}).await;
    let (creates, deletes) = outcomes.split_at(40);
    assert!(deletes.iter().all(|outcome| *outcome == Outcome::Deleted));
    let tries_max = usize::try_from(THROTTLED_TRIES_MAX).unwrap();
    assert!((tries_max..=CALLS_IN_FLIGHT_MAX * tries_max).contains(&throttled.num_calls()));
    assert!((1..=CALLS_IN_FLIGHT_MAX).contains(&creates.iter().filter(|outcome| !is_not_started(outcome)).count()));
    assert_eq!(account.buckets()[Api::CreateSnapshot].rate(), Rate::SLOWEST);
}

#[tokio::test]
async fn sets_have_a_lane_of_their_own() {
    let throttled = mock!(Client::create_snapshot).then_http_response(|| error_answer(503, "RequestLimitExceeded"));
    let sets = mock!(Client::create_snapshots).then_output(|| made_set(&["snap-0a"]));
    let mut actions = creates(20);
    actions.extend((0..30).map(|number| Action::CreateSnapshots(create_set(&format!("i-{number:x}")))));
    let outcomes = quick(&[&throttled, &sets]).apply(&actions, later(), |_, _| {}).await;
    assert!(outcomes[..20].iter().all(|outcome| !is_created(&outcome)));
    assert!(outcomes[20..].iter().all(|outcome| is_created(&outcome)));
    assert_eq!(sets.num_calls(), 30);
}

#[tokio::test]
async fn the_next_turn_begins_with_what_this_one_learnt_in_this_instance_and_in_another_one() {
    let throttled = mock!(Client::create_snapshot).then_http_response(|| error_answer(503, "RequestLimitExceeded"));
    let warm = account(&[&throttled]);
    let first = warm.apply(&creates(1), once(CREATE_SECONDS_MAX), |_, _| {}).await;
    assert_eq!(failed(&first[0]), (FailedKind::Throttled, "RequestLimitExceeded"));
    let pace = Pace::of(&warm.buckets(), now());
    assert_eq!((pace.known(Api::CreateSnapshots), pace.known(Api::DeleteSnapshot)), (None, None));
    assert!(matches!(pace.known(Api::CreateSnapshot), Some(Known { full_at, rate: 500 }) if full_at > now()));
    let cold = account(&[]);
    cold.learn(Share::ALL, &pace);
    for account in [warm, cold] {
        // The first token comes 0.4 s after the throttle.
        let too_soon = now() + SignedDuration::from_secs(15);
        assert_eq!(account.apply(&creates(1), too_soon, |_, _| {}).await, [Outcome::NotStarted]);
    }
}

#[tokio::test]
async fn creations_end_for_the_turn_when_too_many_snapshots_are_pending() {
    let full = mock!(Client::create_snapshot).then_http_response(|| error_answer(400, "PendingSnapshotLimitExceeded"));
    let mut actions = creates(40);
    actions.extend((0..20).map(|number| delete(&format!("snap-{number:x}"))));
    let account = account(&[&full, &deletes_work()]);
    let outcomes = account.apply(&actions, later(), |_, _| {}).await;
    assert!((1..=CALLS_IN_FLIGHT_MAX).contains(&full.num_calls()), "only what was in flight already");
    assert_eq!(outcomes[..40].iter().filter(|outcome| !is_not_started(outcome)).count(), full.num_calls());
    assert!(outcomes[40..].iter().all(|outcome| *outcome == Outcome::Deleted));
    assert_eq!(account.buckets()[Api::CreateSnapshot].rate(), Rate::WHOLE, "the pace was right");
}
