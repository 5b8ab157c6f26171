//! Just at the bound, just beside it, and where two volumes, schedules or sets must not be mixed up.

use super::*;
use crate::options::Orphans;
use crate::policy::{Age, AgeUnit};
use crate::world::{Instance, Tier};
use std::num::NonZeroU32;

const START: &str = "2026-11-22T17:00:00Z";
/// When all that began at [`START`] is shown.
const SETTLED: &str = "2026-11-22T17:02:00Z";

/// When nothing is due.
const NOON: &str = "2026-11-22T12:00:00Z";

fn planned<'a>(policy: &'a Policy, options: &'a Options, world: &'a World) -> Plan<'a> {
    plan(policy, options, &start(START), at(SETTLED), world)
}

fn expiring_orphans() -> Options {
    let orphans = Orphans::Expire(Age { interval: NonZeroU32::MIN, unit: AgeUnit::Days });
    Options { orphans, ..Options::default() }
}

#[test]
fn what_is_older_than_the_run_is_counted_with_its_volumes() {
    let begun_with_the_run = snapshot(5, 3, START);
    let older = [
        snapshot(1, 1, "2026-11-20T17:00:00Z"),
        snapshot(2, 1, "2026-11-21T17:00:00Z"),
        snapshot(3, 2, "2026-11-21T17:00:00Z"),
    ];
    let world = world([volume(1), volume(2), volume(3)], older.into_iter().chain([begun_with_the_run]));
    assert_eq!(planned(&sample(), &Options::default(), &world).older, Older { snapshots: 3, volumes: 2 });
}

#[test]
fn what_is_not_ours_is_counted_once() {
    let foreign = |number| Snapshot { description: "by hand".into(), ..snapshot(number, 1, START) };
    let world = world([volume(1)], [foreign(1), foreign(2), foreign(1), snapshot(3, 1, START)]);
    assert_eq!(planned(&sample(), &Options::default(), &world).foreign, 2);
}

#[test]
fn the_floor_is_made_of_whole_sets_of_each_volume_by_itself() {
    // Two scheduled times tell no gap of the name.
    const SILENT: &str = "2027-12-05T12:00:00Z";
    let policy = instance_policy(count(3));
    let old = |number, volume, time| snapshot(number, volume, time).of_instance(1).of_schedule("Gone");
    let (older, newer) = ("2026-11-01T17:00:00Z", "2026-11-02T17:00:00Z");
    let failed = |snapshot: Snapshot| snapshot.in_state(SnapshotState::Error);
    let of_one = |snapshots: Vec<Snapshot>| World { instances: vec![instance(1, 1, [2])], ..world([], snapshots) };
    // The newer set failed by half. Of each volume the older one is the last that can be relied on.
    let first_failed = of_one(vec![failed(old(1, 1, newer)), old(2, 2, older), old(3, 2, newer)]);
    assert_eq!(fates(&policy, &expiring_orphans(), SILENT, &first_failed), "1 delete, 2 keep, 3 delete");
    let second_failed = of_one(vec![old(1, 1, older), old(2, 1, newer), failed(old(3, 2, newer))]);
    assert_eq!(fates(&policy, &expiring_orphans(), SILENT, &second_failed), "1 keep, 2 delete, 3 delete");
}

#[test]
fn what_failed_or_is_archived_is_no_part_of_the_floor() {
    let old = |number, time| snapshot(number, 1, time).of_schedule("Gone");
    let failed = old(1, "2026-11-01T17:00:00Z").in_state(SnapshotState::Error);
    let archived = Snapshot { tier: Tier::Archive, ..old(2, "2026-11-02T17:00:00Z") };
    let only = |snapshots: Vec<Snapshot>| fates(&sample(), &expiring_orphans(), NOON, &world([volume(1)], snapshots));
    assert_eq!(only(vec![failed.clone()]), "1 delete");
    let good = |number| old(number, "2026-10-30T17:00:00Z");
    assert_eq!(only(vec![failed, good(3)]), "1 delete, 3 keep");
    assert_eq!(only(vec![archived, good(3)]), "2 keep, 3 keep");
}

#[test]
fn of_schedules_that_keep_equally_long_the_first_makes_the_snapshot() {
    let policy = policy(vec![daily("First", count(3)), daily("Second", count(3))]);
    let world = world([volume(1)], []);
    let options = Options::default();
    let verdicts: Vec<_> = planned(&policy, &options, &world)
        .targets
        .iter()
        .map(|decision| format!("{} {}", decision.schedule.name, words::of_target(decision).decision))
        .collect();
    assert_eq!(verdicts, ["First create", "Second joins"]);
}

#[test]
fn a_default_policy_begins_when_a_volume_is_a_day_old_and_its_snapshot_an_interval_and_the_window() {
    let (policy, options) = (default_policy(1, 7), Options::default());
    let decided = |volume: Volume| {
        let world = world([volume], []);
        let plan = planned(&policy, &options, &world);
        words::of_target(&plan.targets[0]).decision
    };
    let made = |time: &str| Volume { created: Some(at(time)), ..volume(1) };
    assert_eq!((decided(made("2026-11-21T17:00:01Z")), decided(made("2026-11-21T17:00:00Z"))), ("skip", "create"));
    let backed_up = |time: &str| Volume { last_snapshot: Some(at(time)), ..volume(1) };
    let (recent, old) = (backed_up("2026-11-21T18:00:01Z"), backed_up("2026-11-21T18:00:00Z"));
    assert_eq!((decided(recent), decided(old)), ("skip", "create"));
}

#[test]
fn a_late_start_missed_only_what_has_no_snapshot_or_a_failed_one() {
    let (policy, options) = (sample(), Options::default());
    let late = "2026-11-22T20:00:00Z";
    let decided = |snapshots: Vec<Snapshot>| {
        let world = world([volume(1)], snapshots);
        plan(&policy, &options, &start(late), at(late), &world).targets.len()
    };
    let made = snapshot(1, 1, START);
    let failed = made.clone().in_state(SnapshotState::Error);
    assert_eq!((decided(vec![]), decided(vec![made]), decided(vec![failed])), (1, 0, 1));
}

#[test]
fn each_of_two_new_snapshots_of_a_volume_pushes_out_one_of_its_schedule() {
    let policy = policy(vec![daily("Default Schedule", count(1)), by_cron("Noon", "cron(45 16 * * ? *)", count(1))]);
    let old = [
        snapshot(1, 1, "2026-11-20T17:00:00Z"),
        snapshot(2, 1, "2026-11-21T17:00:00Z"),
        snapshot(3, 1, "2026-11-21T16:45:00Z").of_schedule("Noon"),
    ];
    let (world, options) = (world([volume(1)], old), Options::default());
    let plan = planned(&policy, &options, &world);
    let fate = |decision: &SnapshotDecision<'_>| {
        let goes = matches!(decision.verdict, SnapshotVerdict::Delete(_));
        (number_of(decision.snapshot.id), goes, decision.goes_later.is_some())
    };
    let mut fates: Vec<_> = plan.snapshots.iter().map(fate).collect();
    fates.sort_unstable();
    // What goes at once does not go later as well.
    assert_eq!(fates, [(1, true, false), (2, false, true), (3, false, true)]);
}

#[test]
fn a_volume_with_two_schedules_is_counted_once_and_by_its_newest_snapshot() {
    let policy = policy(vec![daily("Default Schedule", days(2)), by_cron("Noon", "cron(0 12 * * ? *)", days(2))]);
    let of = |number, volume, time: &str, schedule: &str| snapshot(number, volume, time).of_schedule(schedule);
    let world = world(
        [volume(1), volume(2)],
        [
            of(1, 1, "2026-11-01T17:00:00Z", "Default Schedule"),
            of(2, 1, "2026-11-02T12:00:00Z", "Noon"),
            of(3, 2, "2026-11-02T12:00:00Z", "Noon"),
            of(4, 2, "2026-11-21T17:00:00Z", "Default Schedule"),
        ],
    );
    let options = Options::default();
    let stopped = |now: &str| plan(&policy, &options, &start(now), at(now), &world).stopped;
    assert_eq!((stopped("2026-11-22T12:30:00Z"), stopped("2026-11-30T12:30:00Z")), (1, 2));
}

#[test]
fn a_snapshot_that_began_a_little_early_by_ec2s_clock_counts() {
    let early = |seconds: i64| {
        let began = at("2026-11-21T17:00:00Z") - SignedDuration::from_secs(seconds);
        let newest = Snapshot { start_time: began, ..snapshot(2, 1, "2026-11-21T17:00:00Z") };
        let policy = policy(vec![daily("Default Schedule", count(1))]);
        let world = world([volume(1)], [snapshot(1, 1, "2026-11-20T17:00:00Z"), newest]);
        fates(&policy, &Options::default(), "2026-11-22T12:00:00Z", &world)
    };
    assert_eq!((early(15 * 60), early(15 * 60 + 1)), ("1 delete, 2 keep".to_owned(), "1 keep, 2 keep".to_owned()));
}

#[test]
fn each_instance_has_its_own_history_of_a_shared_volume() {
    let policy = instance_policy(count(1));
    let of =
        |number, instance, day: u32| snapshot(number, 9, &format!("2026-11-{day}T17:00:00Z")).of_instance(instance);
    let shared = |number| -> Instance { instance(number, 9, []) };
    let world = World {
        instances: vec![shared(1), shared(2)],
        ..world([], [of(1, 1, 18), of(2, 2, 19), of(3, 1, 20), of(4, 2, 21)])
    };
    let options = Options { minimum_kept: 0, ..Options::default() };
    assert_eq!(fates(&policy, &options, "2026-11-22T12:00:00Z", &world), "1 delete, 2 delete, 3 keep, 4 keep");
}

#[test]
fn a_time_that_is_just_now_is_neither_in_the_future_nor_to_come() {
    let policy = policy(vec![daily("Default Schedule", days(1))]);
    let newer = snapshot(2, 1, START).expiring("2026-11-23T17:00:00Z");
    let older = |expires: &str| snapshot(1, 1, "2026-11-21T17:00:00Z").expiring(expires);
    let at_start =
        |older: Snapshot| fates(&policy, &Options::default(), START, &world([volume(1)], [older, newer.clone()]));
    assert_eq!(at_start(older(START)), "1 delete, 2 keep");
    assert_eq!(at_start(older("2026-11-22T17:00:01Z")), "1 keep, 2 keep");
    let counted = policy_of_one();
    let due_now = fates(&counted, &Options::default(), START, &world([volume(1)], [older(START), newer.clone()]));
    assert_eq!(due_now, "1 delete, 2 keep", "what answers this very instant pushes the older one out");
    let (world, options) = (world([volume(1)], [snapshot(2, 1, START)]), Options::default());
    let plan = plan(&counted, &options, &start(START), at(START), &world);
    let first_of_one = SnapshotVerdict::Keep(KeepReason::NewestOf { rank: 1, count: 1 });
    assert_eq!(plan.snapshots[0].verdict, first_of_one);
}

fn policy_of_one() -> Policy {
    policy(vec![daily("Default Schedule", count(1))])
}

#[test]
fn a_failed_member_stays_as_long_as_what_it_tells_about() {
    let policy = instance_policy(count(1));
    let of = |number, volume, day: u32| snapshot(number, volume, &format!("2026-11-{day}T17:00:00Z")).of_instance(1);
    let failed = of(1, 1, 10).in_state(SnapshotState::Error);
    let fates = |more: Vec<Snapshot>| {
        let snapshots = [failed.clone(), of(2, 2, 10)].into_iter().chain(more);
        let world = World { instances: vec![instance(1, 1, [2])], ..world([], snapshots) };
        fates(&policy, &Options::default(), NOON, &world)
    };
    // Its companion is the only one that volume 2 has; then a good set is there and both go.
    assert_eq!(fates(vec![]), "1 keep, 2 keep");
    assert_eq!(fates(vec![of(3, 1, 20), of(4, 2, 20)]), "1 delete, 2 delete, 3 keep, 4 keep");
}

#[test]
fn the_backups_of_a_default_policy_have_stopped_after_its_days_and_the_window() {
    let policy = default_policy(2, 7);
    let newest = snapshot(1, 1, "2026-11-20T17:00:00Z").of_schedule("Default policy");
    let (world, options) = (world([volume(1)], [newest]), Options::default());
    let stopped = |now: &str| plan(&policy, &options, &start(now), at(now), &world).stopped;
    assert_eq!((stopped("2026-11-22T18:00:00Z"), stopped("2026-11-22T18:00:01Z")), (0, 1));
}

#[test]
fn whether_backups_have_stopped_is_each_volumes_own() {
    let policy = policy(vec![daily("Default Schedule", days(2))]);
    let (old, new) = ("2026-11-01T17:00:00Z", "2026-11-21T17:00:00Z");
    let stopped = |times: [&str; 3]| {
        let snapshots = (1..).zip(times).map(|(number, time)| snapshot(number, number, time));
        let (world, options) = (world((1..=3).map(volume), snapshots), Options::default());
        plan(&policy, &options, &start(NOON), at(NOON), &world).stopped
    };
    assert_eq!((stopped([old, new, old]), stopped([new, old, new]), stopped([new, new, old])), (2, 1, 1));
}
