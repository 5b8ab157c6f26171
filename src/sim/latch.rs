//! No brake latches: sixty days after each of them the account holds exactly what the policy says, or the report of every day says
//! what waits (R6).

use super::Account;
use crate::fixtures::*;
use crate::options::{MaximumDeletions, Options, Orphans};
use crate::policy::Policy;
use crate::report;
use crate::tags::Mark;
use crate::turn::{RunOutcome, Status};
use crate::world::{Snapshot, SourceId};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The day on which something happens that brakes.
const BRAKED: &str = "2026-11-22T17:00:00Z";

fn keeping(rule: u32) -> Policy {
    policy(vec![daily("Default Schedule", count(rule))])
}

/// An account of so many volumes that `policy` has worked in for so many days before.
fn of_days(volumes: u32, policy: &Policy, days: i32) -> Account {
    let mut account = Account::new(volumes, SignedDuration::ZERO);
    for day in (1..=days).rev() {
        let ended = account.run(policy, &Options::default(), start(&(at(BRAKED) - DAY * day).to_string()));
        assert_eq!(ended.outcome, RunOutcome::Succeeded);
    }
    account
}

/// What sixty days of runs say: how each ended, and how many snapshots its report keeps for each kind of reason.
fn sixty_days(account: &mut Account, policy: &Policy, options: &Options) -> Vec<(RunOutcome, BTreeMap<String, usize>)> {
    let run = |day: i32| {
        let start = start(&(at(BRAKED) + DAY * day).to_string());
        let ended = account.run(policy, options, start);
        let world = account.observe(ended.at);
        let plan = crate::plan::plan(policy, options, &start, ended.at, &world);
        let report = report::report(policy, options, &plan, &ended.progress, Status::Done(ended.outcome), &[]);
        (ended.outcome, report.snapshots)
    };
    (0..60).map(run).collect()
}

/// How many snapshots each volume holds sixty days later.
fn held(account: &Account) -> Vec<usize> {
    let mut held: BTreeMap<SourceId, usize> = BTreeMap::new();
    for snapshot in account.observe(at(BRAKED) + DAY * 60).snapshots {
        *held.entry(SourceId::Volume(snapshot.volume_id)).or_default() += 1;
    }
    held.into_values().collect()
}

fn all_succeeded(days: &[(RunOutcome, BTreeMap<String, usize>)]) -> bool {
    days.iter().all(|(outcome, _)| *outcome == RunOutcome::Succeeded)
}

#[test]
fn a_lowered_count_waits_and_is_told_every_day_until_somebody_agrees() {
    let mut account = of_days(2, &keeping(10), 20);
    let days = sixty_days(&mut account, &keeping(3), &Options::default());
    assert!(all_succeeded(&days));
    let waiting: Vec<usize> =
        days.iter().map(|(_, kept)| kept.get("keep: AwaitsConsent").copied().unwrap_or(0)).collect();
    assert_eq!(waiting[..5], [14, 14, 14, 12, 12]);
    assert!(waiting[5..].iter().all(|&waiting| waiting == 12), "{waiting:?}");
    assert_eq!(held(&account), [3 + 6, 3 + 6]);
    let accept_count = [(name("Default Schedule"), NonZeroU32::new(3).unwrap())].into();
    let agreed = Options { accept_count, ..Options::default() };
    let ended = account.run(&keeping(3), &agreed, start(&(at(BRAKED) + DAY * 60).to_string()));
    assert_eq!(ended.outcome, RunOutcome::Succeeded);
    assert_eq!(held(&account), [3, 3]);
}

#[test]
fn a_bound_that_somebody_set_is_drained_day_by_day() {
    // Nothing could be deleted for forty days.
    let mut account = of_days(2, &keeping(3), 3);
    let bounded = Options { maximum_deletions: MaximumDeletions::Number(6), ..Options::default() };
    for day in 1..=40 {
        account.add_snapshot(
            snapshot(1000 + day, 1, &(at(BRAKED) - DAY * (3 + i32::try_from(day).unwrap())).to_string()).stamped(&[3]),
        );
    }
    let days = sixty_days(&mut account, &keeping(3), &bounded);
    assert_eq!(days[0].0, RunOutcome::Partial, "the run says that it was stopped");
    assert!(all_succeeded(&days[12..]));
    assert_eq!(held(&account), [3, 3]);
}

#[test]
fn snapshots_without_a_stamp_are_braked_every_day_in_so_many_words_and_all_others_rotate() {
    let mut account = Account::new(2, SignedDuration::ZERO);
    let mut number = 0;
    for day in 1..=100 {
        for volume in 1..=2 {
            number += 1;
            account.add_snapshot(snapshot(number, volume, &(at(BRAKED) - DAY * day).to_string()));
        }
    }
    let days = sixty_days(&mut account, &keeping(3), &Options::default());
    assert!(days.iter().all(|(outcome, _)| *outcome == RunOutcome::Partial), "it is told every day");
    let braked: Vec<usize> = days.iter().map(|(_, kept)| kept.get("keep: Brake").copied().unwrap_or(0)).collect();
    assert!(braked.iter().all(|&braked| braked > 100), "{braked:?}");
    let stamped = |snapshot: &&Snapshot| snapshot.marks.stamp != Mark::Absent;
    assert_eq!(account.observe(at(BRAKED) + DAY * 60).snapshots.iter().filter(stamped).count(), 2 * 3);
    // Who has read the report lets them go.
    let agreed = Options { maximum_deletions: MaximumDeletions::Number(1000), ..Options::default() };
    assert_eq!(
        account.run(&keeping(3), &agreed, start(&(at(BRAKED) + DAY * 60).to_string())).outcome,
        RunOutcome::Succeeded
    );
    assert_eq!(held(&account), [3, 3]);
}

#[test]
fn orphans_beyond_their_bound_go_on_the_next_days() {
    let mut account = Account::new(8, SignedDuration::ZERO);
    // The old name is silent for two months on the tenth day.
    for day in (52..=91).rev() {
        let _ = account.run(&keeping(40), &Options::default(), start(&(at(BRAKED) - DAY * day).to_string()));
    }
    let renamed = policy(vec![daily("Other", count(3))]);
    let options = Options { orphans: Orphans::KeepLast, ..Options::default() };
    let _ = sixty_days(&mut account, &renamed, &options);
    assert_eq!(held(&account), [4; 8], "three of the new name and the last one of the old");
}

#[test]
fn what_could_not_be_deleted_for_ten_days_goes_in_the_first_run_that_may() {
    let mut account = of_days(60, &keeping(3), 3);
    let run = |account: &mut Account, day: i32| {
        let locked = account.observe(at(BRAKED) + DAY * day).snapshots.into_iter().map(|snapshot| snapshot.id);
        account.undeletable = if day < 10 { locked.collect() } else { [].into() };
        account.run(&keeping(3), &Options::default(), start(&(at(BRAKED) + DAY * day).to_string()))
    };
    for day in 0..10 {
        assert_eq!(run(&mut account, day).outcome, RunOutcome::Partial);
    }
    let ended = run(&mut account, 10);
    assert_eq!((ended.outcome, ended.progress.deleted), (RunOutcome::Succeeded, 60 * 11));
    assert_eq!(held(&account), [3; 60]);
}

#[test]
fn runs_of_an_old_version_delete_nothing_for_as_long_as_somebody_starts_them_and_the_newest_one_mends_it() {
    let revised = |time: &str| Options { revision: Some(at(time)), ..Options::default() };
    let (old, new) = ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
    let mut account = of_days(2, &keeping(3), 3);
    let mut run =
        |options: &Options, day: i32| account.run(&keeping(3), options, start(&(at(BRAKED) + DAY * day).to_string()));
    assert_eq!(run(&revised(new), 0).outcome, RunOutcome::Succeeded);
    let outcomes: Vec<RunOutcome> = (1..=20).map(|day| run(&revised(old), day).outcome).collect();
    assert_eq!(outcomes[0], RunOutcome::Partial, "it says that a newer version is there");
    let ended = run(&revised(new), 21);
    assert_eq!(ended.outcome, RunOutcome::Succeeded);
    assert_eq!(held(&account), [3, 3]);
}
