//! What would have lost a backup, and the promise that ends it: R1 to R6 of docs/promises.md. Each test is named after what it says.

mod consent;

use super::*;
use crate::options::Orphans;
use crate::policy::{Age, AgeUnit, RetainRule};
use crate::tags::Mark;
use crate::world::{Closer, ImageId, Tier};
use std::collections::BTreeSet;
use std::num::NonZeroU32;

const NOW: &str = "2026-11-22T18:00:00Z";

/// The run of 2026-11-22, which goes on at [`NOW`].
const OWN: &str = "2026-11-22T17:00:00Z";

fn keeping(rule: u32) -> Policy {
    policy(vec![daily("Default Schedule", count(rule))])
}

/// The snapshots of so many days up to 2026-11-22, the newest last, numbered from 1: with a stamp that promised `then`.
fn of_days(days: u32, then: u32) -> Vec<Snapshot> {
    let newest = at(OWN);
    let of_day = |number: u32| snapshot(number, 1, &(newest - DAY * i32::try_from(days - number).unwrap()).to_string());
    (1..=days).map(|number| of_day(number).stamped(&[then])).collect()
}

/// The numbers of those that go, now or later, of a run that began with `start` and is at [`NOW`].
fn gone(policy: &Policy, options: &Options, start: &Start, world: &World) -> Vec<u32> {
    let plan = plan(policy, options, start, at(NOW), world);
    assert_eq!(check::check(policy, options, at(NOW), world, &plan), vec![], "a plan keeps every promise");
    let goes = plan.snapshots.iter().filter(|decision| brakes::goes(decision).is_some());
    let mut gone: Vec<u32> = goes.map(|decision| number_of(decision.snapshot.id)).collect();
    gone.sort_unstable();
    gone
}

/// The kinds of the reasons for which snapshots are kept.
fn kept(policy: &Policy, options: &Options, start: &Start, world: &World) -> BTreeSet<String> {
    let plan = plan(policy, options, start, at(NOW), world);
    plan.snapshots.iter().map(|decision| words::of_snapshot(decision).kind.to_owned()).collect()
}

#[track_caller]
fn check_gone(policy: &Policy, options: &Options, snapshots: Vec<Snapshot>, expected: impl IntoIterator<Item = u32>) {
    let world = world([volume(1)], snapshots);
    assert_eq!(gone(policy, options, &start(OWN), &world), expected.into_iter().collect::<Vec<_>>());
}

fn oldest_of(all: u32, kept: u32) -> std::ops::RangeInclusive<u32> {
    1..=all - kept
}

fn accepting(schedule: &str, keeps: u32) -> Options {
    let accept_count = [(name(schedule), NonZeroU32::new(keeps).unwrap())].into();
    Options { accept_count, ..Options::default() }
}

// R1. Only the newest run deletes.

#[test]
fn r1_a_run_that_waited_for_a_hung_snapshot_deletes_nothing_of_later_runs() {
    let there = world([volume(1)], of_days(4, 1));
    let waited = start("2026-11-20T17:00:00Z");
    assert_eq!(gone(&keeping(1), &Options::default(), &waited, &there), [0_u32; 0]);
    assert_eq!(
        kept(&keeping(1), &Options::default(), &waited, &there),
        BTreeSet::from(["RunStandsBack".to_owned(), "NewestOf".to_owned()])
    );
    // The newest run cleans up for all times before it.
    assert_eq!(gone(&keeping(1), &Options::default(), &start(OWN), &there), [1, 2, 3]);
}

#[test]
fn r1_of_two_schedules_the_later_run_cleans_up_for_both() {
    let policy = policy(vec![daily("Default Schedule", count(1)), every(1, "Hourly", count(1))]);
    let hourly = snapshot(9, 1, NOW).of_schedule("Hourly").stamped(&[1]);
    let mut snapshots = of_days(3, 1);
    snapshots.push(hourly);
    let there = world([volume(1)], snapshots);
    assert_eq!(gone(&policy, &Options::default(), &start(OWN), &there), [0_u32; 0]);
    assert_eq!(gone(&policy, &Options::default(), &start(NOW), &there), [1, 2]);
}

#[test]
fn r1_a_start_from_a_dead_letter_queue_deletes_nothing() {
    let late = Start { at: at("2026-11-17T17:00:00Z"), ..start(NOW) };
    // Nothing later is there that would say so.
    let older: Vec<Snapshot> = of_days(30, 30).into_iter().take(20).collect();
    let there = world([volume(1)], older);
    assert_eq!(gone(&keeping(3), &Options::default(), &late, &there), [0_u32; 0]);
    let (policy, options) = (keeping(3), Options::default());
    let plan = plan(&policy, &options, &late, at(NOW), &there);
    assert_eq!(plan.stands_back, Some(StandsBack::TooLate));
    assert!(!plan.targets.iter().any(|target| matches!(target.verdict, TargetVerdict::Create { .. })));
}

#[test]
fn r1_a_next_that_comes_back_days_later_makes_and_deletes_nothing() {
    // As `Progress` hands it on: what came back begins anew.
    let old = Start { at: at("2026-11-17T17:00:00Z"), came_back: true, ..start(NOW) };
    let (policy, options) = (keeping(3), Options::default());
    let there = world([volume(1)], of_days(30, 3).into_iter().take(20));
    let plan = plan(&policy, &options, &old, at(NOW), &there);
    assert_eq!(plan.stands_back, Some(StandsBack::CameBack));
    assert!(!plan.targets.iter().any(|target| matches!(target.verdict, TargetVerdict::Create { .. })));
    assert_eq!(gone(&policy, &options, &old, &there), [0_u32; 0]);
}

// R1b. The newest policy decides.

#[test]
fn r1b_a_schedule_that_still_carries_yesterdays_policy_deletes_nothing_and_fails() {
    let (yesterday, today) = ("2026-11-21T09:00:00Z", "2026-11-22T09:00:00Z");
    let revised = |revision: &str| Options { revision: Some(at(revision)), ..Options::default() };
    let mut snapshots: Vec<Snapshot> = of_days(30, 3);
    snapshots.push(
        snapshot(31, 1, "2026-11-22T16:00:00Z").stamped(&[30]).with_stamp(|stamp| stamp.revision = Some(at(today))),
    );
    // The one of this run itself is not there yet.
    snapshots.retain(|snapshot| snapshot.start_time < at(OWN));
    let there = world([volume(1)], snapshots);
    let failing = |options: &Options, own: &Start| {
        let policy = keeping(3);
        let plan = plan(&policy, options, own, at(NOW), &there);
        plan.stands_back.map(|why| (matches!(why, StandsBack::NewerPolicy { .. }), why.is_failure()))
    };
    for options in [revised(yesterday), Options::default()] {
        assert_eq!(gone(&keeping(3), &options, &start(OWN), &there), [0_u32; 0]);
        assert_eq!(failing(&options, &start(OWN)), Some((true, true)));
    }
    // It began before the newer version was written: nobody has to do anything.
    let before = Start { begun: at("2026-11-22T08:59:00Z"), ..start("2026-11-22T08:59:00Z") };
    assert_eq!(failing(&revised(yesterday), &before).map(|(_, fails)| fails), Some(false));
    // The newest version deletes as ever.
    assert_eq!(gone(&keeping(3), &revised(today), &start(OWN), &there).last(), Some(&28));
    assert_eq!(failing(&revised(today), &start(OWN)), None);
}

#[test]
fn r1b_a_revision_from_the_future_says_nothing() {
    let mut snapshots = of_days(4, 1);
    snapshots[2] = snapshots[2].clone().with_stamp(|stamp| stamp.revision = Some(at("2099-01-01T00:00:00Z")));
    check_gone(&keeping(1), &Options::default(), snapshots, [1, 2, 3]);
}

// R2. A snapshot's tags are believed whole or not at all.

#[test]
fn r2_one_scheduled_time_edited_to_2099_is_doubted_and_retention_goes_on() {
    for is_stamped in [false, true] {
        let mut snapshots = of_days(5, 2);
        snapshots[0].marks.scheduled_time = Mark::Read(at("2099-01-01T00:00:00Z"));
        match is_stamped {
            true => snapshots[0] = snapshots[0].clone().with_stamp(|stamp| stamp.is_intact = false),
            false => snapshots[0].marks.stamp = Mark::Absent,
        }
        check_gone(&keeping(2), &Options::default(), snapshots, [2, 3]);
    }
}

#[test]
fn r2_one_scheduled_time_on_ten_days_snapshots_costs_none_of_them() {
    for is_stamped in [false, true] {
        let edited = of_days(10, 10).into_iter().map(|mut snapshot| {
            snapshot.marks.scheduled_time = Mark::Read(at("2026-11-15T17:00:00Z"));
            match is_stamped {
                true => snapshot.with_stamp(|stamp| stamp.is_intact = false),
                false => {
                    snapshot.marks.stamp = Mark::Absent;
                    snapshot
                }
            }
        });
        check_gone(&keeping(10), &Options::default(), edited.collect(), []);
    }
}

#[test]
fn r2_all_tags_of_one_snapshot_copied_onto_nine_others_cost_none_of_the_nine() {
    let all = of_days(10, 1);
    let copied = all[4].marks.clone();
    let copies = all.into_iter().map(|snapshot| Snapshot { marks: copied.clone(), ..snapshot });
    // The one that the tags belong to makes room for the new one that this run makes.
    check_gone(&keeping(1), &Options::default(), copies.collect(), [5]);
}

// R3. Whoever shares a snapshot, keeps it.

#[test]
fn r3_a_smaller_count_of_one_schedule_leaves_the_days_of_the_other() {
    let weekly = |keeps| by_cron("Weekly", "cron(0 17 ? * SUN *)", count(keeps));
    let shared =
        |number, time| snapshot(number, 1, time).of_schedule("Weekly").also_of(&["Default Schedule"]).stamped(&[10, 7]);
    let mut snapshots: Vec<Snapshot> = of_days(22, 7);
    snapshots.retain(|snapshot| {
        snapshot.start_time.to_zoned(jiff::tz::TimeZone::UTC).weekday() != jiff::civil::Weekday::Sunday
    });
    for (number, time) in
        [(31, "2026-11-01T17:00:00Z"), (32, "2026-11-08T17:00:00Z"), (33, "2026-11-15T17:00:00Z"), (34, OWN)]
    {
        snapshots.push(shared(number, time));
    }
    let policy = policy(vec![daily("Default Schedule", count(7)), weekly(2)]);
    let options = accepting("Weekly", 2);
    let there = world([volume(1)], snapshots);
    let gone = gone(&policy, &options, &start(OWN), &there);
    assert!(gone.contains(&31) && gone.contains(&32), "neither wants them: {gone:?}");
    assert!(!gone.contains(&33) && !gone.contains(&34), "Weekly has two: {gone:?}");
    // Daily has its seven days: the 16th to the 22nd.
    assert!(gone.iter().all(|&number| number <= 15 || number > 30), "{gone:?}");
}

#[test]
fn r3_a_snapshot_that_one_of_its_schedules_still_keeps_stays() {
    let policy = policy(vec![daily("Default Schedule", count(7)), by_cron("Weekly", "cron(0 17 ? * SUN *)", count(1))]);
    let shared =
        |number, time| snapshot(number, 1, time).of_schedule("Weekly").also_of(&["Default Schedule"]).stamped(&[1, 7]);
    check_gone(&policy, &Options::default(), vec![shared(1, "2026-11-15T17:00:00Z"), shared(2, OWN)], []);
}

#[test]
fn r3_the_snapshots_of_another_policy_with_the_same_id_are_left_alone_until_it_is_silent() {
    let options = Options { orphans: Orphans::KeepLast, ..Options::default() };
    let others = |until: &str| {
        let newest = at(until);
        (41..=46).map(move |number: u32| {
            let time = newest - DAY * i32::try_from(46 - number).unwrap();
            snapshot(number, 1, &time.to_string()).of_schedule("Of another").stamped(&[6])
        })
    };
    let with = |until: &str| of_days(3, 3).into_iter().chain(others(until)).collect::<Vec<_>>();
    check_gone(&keeping(3), &options, with("2026-11-22T12:00:00Z"), []);
    check_gone(&keeping(3), &options, with("2026-11-20T19:00:00Z"), []);
    check_gone(&keeping(3), &options, with("2026-11-20T17:00:00Z"), 41..=45);
}

// R4. Absence is proved, not assumed.

fn orphan_options() -> [Options; 2] {
    let expire = Orphans::Expire(Age { interval: NonZeroU32::MIN, unit: AgeUnit::Days });
    [Orphans::KeepLast, expire].map(|orphans| Options { orphans, ..Options::default() })
}

#[test]
fn r4_a_volume_that_lost_its_target_tag_loses_nothing_else() {
    let renamed = policy(vec![daily("New name", count(3))]);
    for options in orphan_options() {
        let mut there = world([], of_days(30, 3));
        there.closer.gone.clear();
        there.untargeted.insert(SourceId::Volume(volume_id(1)));
        assert_eq!(gone(&renamed, &options, &start(OWN), &there), [0_u32; 0]);
        assert_eq!(gone(&keeping(3), &options, &start(OWN), &there), [0_u32; 0]);
    }
}

#[test]
fn r4_an_empty_listing_of_volumes_costs_nothing() {
    for options in orphan_options() {
        let there = World { closer: Closer::default(), ..world([], of_days(24, 3)) };
        assert_eq!(gone(&keeping(3), &options, &start(OWN), &there), [0_u32; 0]);
    }
}

// R5. What an AMI uses and what is restored for a while stays.

#[test]
fn r5_what_an_ami_uses_stays_without_a_call_and_the_rest_rotates() {
    let mut there = world([volume(1)], of_days(5, 2));
    let image = ImageId::parse("ami-0123456789abcdef0").unwrap();
    there.closer.used_by.insert(there.snapshots[1].id, image);
    assert_eq!(gone(&keeping(2), &Options::default(), &start(OWN), &there), [1, 3]);
    assert!(kept(&keeping(2), &Options::default(), &start(OWN), &there).contains("UsedByImage"));
}

#[test]
fn r5_an_archived_snapshot_that_is_restored_for_a_while_stays() {
    let mut snapshots = of_days(5, 2);
    snapshots[0].tier = Tier::Restored { until: at("2026-12-01T00:00:00Z") };
    check_gone(&keeping(2), &Options::default(), snapshots, [2, 3]);
}

// A set is what its stamp says.

#[test]
fn a_set_that_lacks_a_planned_member_takes_no_place_and_costs_no_whole_one() {
    let member = |number, of, time: &str| {
        snapshot(number, of, time).of_instance(1).stamped(&[1]).with_stamp(|stamp| stamp.members = Some(2))
    };
    let whole = [member(1, 1, "2026-11-21T17:00:00Z"), member(2, 2, "2026-11-21T17:00:00Z")];
    let lacking = [member(3, 2, OWN)];
    let there = World { instances: vec![instance(1, 1, [2])], ..world([], whole.into_iter().chain(lacking)) };
    // The window is over: the set is not made again.
    let options = Options { start_window: SignedDuration::from_mins(5), ..Options::default() };
    assert_eq!(gone(&instance_policy(count(1)), &options, &start(OWN), &there), [0_u32; 0]);
}

#[test]
fn a_set_that_somebody_deleted_a_member_of_is_made_again_once_in_the_window_and_fails_else() {
    let member = |number, of, second: u32| {
        let mut member =
            snapshot(number, of, OWN).of_instance(1).stamped(&[3]).with_stamp(|stamp| stamp.members = Some(2));
        member.start_time = at(OWN) + SignedDuration::from_secs(i64::from(second));
        member
    };
    let verdict = |now: &str, snapshots: Vec<Snapshot>| {
        let there = World { instances: vec![instance(1, 1, [2])], ..world([], snapshots) };
        let (policy, options) = (instance_policy(count(3)), Options::default());
        let plan = plan(&policy, &options, &start(OWN), at(now), &there);
        assert_eq!(check::check(&policy, &options, at(now), &there, &plan), vec![]);
        words::of_target(&plan.targets[0]).kind
    };
    let whole = || vec![member(1, 1, 5), member(2, 2, 5)];
    assert_eq!(verdict(NOW, whole()), "Exists");
    // The other one may only not be listed yet.
    assert_eq!(verdict("2026-11-22T17:01:00Z", vec![member(2, 2, 5)]), "Settling");
    assert_eq!(verdict("2026-11-22T17:30:00Z", vec![member(2, 2, 5)]), "Due");
    assert_eq!(verdict("2026-11-22T18:30:00Z", vec![member(2, 2, 5)]), "SetIncomplete");
    assert_eq!(verdict("2026-11-22T17:30:00Z", vec![member(2, 2, 5), member(4, 2, 600)]), "SetIncomplete");
    // A volume that was attached later is no part of it.
    let mut attached = whole();
    attached.push(snapshot(9, 3, "2026-11-21T17:00:00Z"));
    assert_eq!(verdict(NOW, attached), "Exists");
}

#[test]
fn r1_the_daily_run_makes_all_of_its_own_although_an_hourly_start_has_begun() {
    let policy = policy(vec![daily("Default Schedule", count(7)), every(1, "Hourly", count(24))]);
    let hourly = (1..=3).map(|of| snapshot(of, of, NOW).of_schedule("Hourly").stamped(&[24]).pending());
    let there = world((1..=200).map(volume), hourly);
    let (options, own) = (Options::default(), start(OWN));
    let plan = plan(&policy, &options, &own, at(NOW), &there);
    let is_daily = |decision: &&TargetDecision<'_>| decision.schedule.name == name("Default Schedule");
    let made = plan.targets.iter().filter(is_daily).filter(|d| matches!(d.verdict, TargetVerdict::Create { .. }));
    assert_eq!(made.count(), 200);
    assert!(matches!(plan.stands_back, Some(StandsBack::LaterRun { .. })));
}

#[test]
fn r1_a_schedule_that_is_added_while_an_old_run_waits_keeps_what_it_makes() {
    let keep_last = Options { orphans: Orphans::KeepLast, ..Options::default() };
    // The old run knows nothing of the hourly schedule.
    let hourly = ["2026-11-22T17:10:00Z", "2026-11-22T17:20:00Z", "2026-11-22T17:30:00Z"];
    let added = (31..).zip(hourly).map(|(number, time)| snapshot(number, 1, time).of_schedule("Added").stamped(&[24]));
    let there = world([volume(1)], of_days(3, 3).into_iter().chain(added));
    assert_eq!(gone(&keeping(3), &keep_last, &start(OWN), &there), [0_u32; 0]);
}

// Every snapshot of ours is in a series or an orphan that the report counts.

#[test]
fn what_nothing_manages_is_counted_with_its_reason() {
    let orphans =
        |policy: &Policy, there: &World| plan(policy, &Options::default(), &start(OWN), at(NOW), there).orphans;
    let by_age = policy(vec![daily(
        "Default Schedule",
        RetainRule::Age(Age { interval: NonZeroU32::MIN, unit: AgeUnit::Weeks }),
    )]);
    assert_eq!(orphans(&by_age, &world([volume(1)], of_days(3, 7))).without_expiration, 3);
    let instances = World { instances: vec![instance(1, 1, [])], ..world([], of_days(3, 7)) };
    assert_eq!(orphans(&instance_policy(count(3)), &instances).of_other_kind, 3);
    let mut damaged = of_days(3, 7);
    damaged[0] = damaged[0].clone().with_stamp(|stamp| stamp.is_intact = false);
    damaged[1].marks.schedule_name = Mark::Absent;
    assert_eq!(orphans(&keeping(7), &world([volume(1)], damaged)).doubted, 2);
}
