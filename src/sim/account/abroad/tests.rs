//! Whole runs with copies in other Regions.

use super::*;
use crate::fixtures::*;
use crate::options::{Options, Start, StartOrigin};
use crate::policy::{CopyRule, Policy};
use crate::sim::account::Ended;
use crate::tags::Mark;
use crate::turn::RunOutcome;

const FIRST_DAY: &str = "2026-11-01T17:00:00Z";

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

/// Every day, keep 3, with copies.
fn policy_with(rules: &[&str]) -> Policy {
    let mut policy = sample();
    policy.schedules[0].copies = rules.iter().map(|text| CopyRule::parse(text).unwrap()).collect();
    policy
}

/// So many volumes, whose snapshots take ten minutes and their copies twenty.
fn account(volumes: u32, regions: &[&str]) -> Account {
    let minutes = SignedDuration::from_mins;
    let mut account = Account::new(volumes, minutes(10));
    account.abroad = Abroad::new(region("us-east-1"), regions.iter().map(|name| region(name)), minutes(20));
    account
}

/// The first day, or so many days later.
fn day(number: i64) -> Timestamp {
    at(FIRST_DAY) + SignedDuration::from_hours(24 * number)
}

fn by_event(at: Timestamp) -> Start {
    Start { at, origin: StartOrigin::Event, begun: at, came_back: false }
}

/// One run a day.
fn run(account: &mut Account, policy: &Policy, days: i64) -> Vec<Ended> {
    let run = |number| account.run(policy, &Options::default(), by_event(day(number)));
    (0..days).map(run).collect()
}

/// For how many days there are copies in a Region, each once for each volume.
#[track_caller]
fn check_days(account: &Account, name: &str, expected: &[&str]) {
    let copies = account.abroad.copies_in(&region(name), Timestamp::MAX);
    let mut days: Vec<String> =
        copies.iter().map(|copy| copy.marks.scheduled_time.value().unwrap().to_string()[8..10].to_owned()).collect();
    days.sort_unstable();
    assert_eq!(days, expected, "{name}");
}

#[test]
fn ten_days_with_copies_for_two_and_five_days_leave_exactly_those() {
    let policy = policy_with(&["eu-west-2:2d:-", "eu-central-1:5d:-"]);
    let mut account = account(1, &["eu-west-2", "eu-central-1"]);
    let ended = run(&mut account, &policy, 10);
    assert!(ended.iter().all(|ended| ended.outcome == RunOutcome::Succeeded));
    assert_eq!(account.abroad.copies, 20);
    assert_eq!(account.observe(Timestamp::MAX).snapshots.len(), 3);
    // A copy begins minutes after its snapshot, so that the one of two days ago is there still when the run ends.
    check_days(&account, "eu-west-2", &["09", "10"]);
    check_days(&account, "eu-central-1", &["06", "07", "08", "09", "10"]);
}

#[test]
fn a_hundred_copies_are_made_twenty_at_a_time() {
    let policy = policy_with(&["eu-west-2:5d:-"]);
    let mut account = account(100, &["eu-west-2"]);
    let ended = run(&mut account, &policy, 1);
    assert_eq!((ended[0].outcome, account.abroad.copies), (RunOutcome::Succeeded, 100));
    let took = ended[0].at.duration_since(at(FIRST_DAY)).as_secs();
    // Ten minutes for the snapshots, and five times twenty for the copies.
    assert!((6_600..6_600 * 21 / 20).contains(&took), "{took}");
}

#[test]
fn a_dark_region_costs_nobody_else_anything_and_is_told_when_the_day_is_over() {
    let policy = policy_with(&["eu-west-2:5d:-", "eu-central-1:5d:-"]);
    let mut account = account(1, &["eu-west-2", "eu-central-1"]);
    account.abroad.dark.insert(region("eu-west-2"));
    let ended = run(&mut account, &policy, 1);
    assert_eq!(ended[0].outcome, RunOutcome::Partial);
    assert!(ended[0].at > at("2026-11-02T17:10:00Z"));
    check_days(&account, "eu-west-2", &[]);
    check_days(&account, "eu-central-1", &["01"]);
}

#[test]
fn a_region_that_refuses_copies_fails_the_run_at_once_and_keeps_what_is_there() {
    let policy = policy_with(&["eu-west-2:2d:-"]);
    let mut account = account(5, &["eu-west-2"]);
    let fine = run(&mut account, &policy, 1);
    assert_eq!(fine[0].outcome, RunOutcome::Succeeded);
    account.abroad.refusing.insert(region("eu-west-2"));
    for number in 1..6 {
        let ended = account.run(&policy, &Options::default(), by_event(day(number)));
        assert_eq!(ended.outcome, RunOutcome::Partial, "{:?}", ended.progress);
        assert!(ended.at < day(number) + SignedDuration::from_mins(30), "it does not wait for a person");
        assert!(ended.progress.failures.iter().any(|failure| failure.code == "AuthFailure"), "{:?}", ended.progress);
    }
    check_days(&account, "eu-west-2", &["01"; 5]);
    account.abroad.refusing.clear();
    // What was missed is told as long as its snapshots are there.
    let after = (6..9).map(|number| account.run(&policy, &Options::default(), by_event(day(number))).outcome);
    assert_eq!(after.last(), Some(RunOutcome::Succeeded));
}

#[test]
fn copies_that_fail_are_told_within_the_hour_and_go_after_a_day() {
    let policy = policy_with(&["eu-west-2:5d:-"]);
    let mut account = account(1, &["eu-west-2"]);
    account.abroad.copy_takes = SignedDuration::from_secs(3);
    account.abroad.failing.insert(region("eu-west-2"));
    let ended = run(&mut account, &policy, 1);
    assert_eq!((ended[0].outcome, account.abroad.copies), (RunOutcome::Partial, 3));
    assert!(ended[0].at < at(FIRST_DAY) + SignedDuration::from_mins(70));
    account.abroad.regions.values_mut().flat_map(BTreeMap::values_mut).for_each(|copy| {
        copy.snapshot.state = SnapshotState::Error;
    });
    account.abroad.failing.clear();
    for number in 1..3 {
        let ended = account.run(&policy, &Options::default(), by_event(day(number)));
        assert_eq!(ended.outcome, RunOutcome::Succeeded);
    }
    // The failed ones are gone by then, and the next run tries what is still in time.
    check_days(&account, "eu-west-2", &["01", "02", "03"]);
}

#[test]
fn a_run_that_died_leaves_its_copies_to_the_next_one() {
    let policy = policy_with(&["eu-west-2:5d:-"]);
    let mut account = account(2, &["eu-west-2"]);
    let options = Options::default();
    let first = at(FIRST_DAY);
    // It dies after its first turn.
    let _ = account.turn(&policy, &options, crate::turn::Progress::new(&by_event(first)), first);
    let ended = account.run(&policy, &options, by_event(first + SignedDuration::from_hours(24)));
    assert_eq!((ended.outcome, account.abroad.copies), (RunOutcome::Succeeded, 4));
    check_days(&account, "eu-west-2", &["01", "01", "02", "02"]);
}

#[test]
fn what_a_removed_rule_left_in_a_region_stays() {
    let policy = policy_with(&["eu-west-2:2d:-"]);
    let mut account = account(1, &["eu-west-2"]);
    run(&mut account, &policy, 1);
    let without = policy_with(&[]);
    for number in 1..3 {
        let ended = account.run(&without, &Options::default(), by_event(day(number)));
        assert_eq!(ended.outcome, RunOutcome::Succeeded);
    }
    check_days(&account, "eu-west-2", &["01"]);
    let promised = account.observe(day(3)).snapshots.iter().filter(|s| s.marks.copies != Mark::Absent).count();
    assert_eq!(promised, 1);
}
