//! Plans that no planner makes: each breaks one promise, and the check names it.

use super::*;
use crate::fixtures::*;
use crate::options::MaximumDeletions;
use crate::plan::{OrphanOf, SnapshotDecision, TargetDecision, plan};
use crate::policy::PolicyState;
use crate::tags::Mark;
use crate::world::{CutShort, Tier};

const NOW: &str = "2026-11-22T12:00:00Z";

/// The days of November at 17:00 as snapshots of volume 1, numbered by their day.
fn of_days(days: std::ops::RangeInclusive<u32>) -> Vec<Snapshot> {
    days.map(|day| snapshot(day, 1, &format!("2026-11-{day:02}T17:00:00Z"))).collect()
}

/// What the check says of a plan that deletes the snapshot of this place, and nothing else, for this reason.
fn broken(policy: &Policy, options: &Options, world: &World, place: usize, reason: DeleteReason) -> Vec<Broken> {
    let start = start(NOW);
    let mut plan = plan(policy, options, &start, at(NOW), world);
    for (at, decision) in plan.snapshots.iter_mut().enumerate() {
        let kept = SnapshotVerdict::Wait { since: decision.snapshot.start_time };
        decision.verdict = if at == place { SnapshotVerdict::Delete(reason) } else { kept };
    }
    check(policy, options, at(NOW), world, &plan)
}

/// Why the oldest of the snapshots of volume 1 may not go for a reason; nothing where it may.
#[track_caller]
fn check_protection(policy: &Policy, options: &Options, world: &World, reason: DeleteReason, expected: Option<&str>) {
    let whys: Vec<&str> = broken(policy, options, world, 0, reason)
        .iter()
        .filter_map(|broken| match broken {
            Broken::Deletes { snapshot, why } => {
                assert_eq!(*snapshot, world.snapshots[0].id.to_string());
                Some(*why)
            }
            // What may not go is often missed as well.
            Broken::LeavesTooFew { .. } => None,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(whys, expected.into_iter().collect::<Vec<_>>());
}

fn surplus() -> DeleteReason {
    DeleteReason::ExceedsCount { rank: 2, count: 1 }
}

fn expired() -> DeleteReason {
    DeleteReason::Expired { at: at(NOW) }
}

/// The oldest of three, changed.
#[track_caller]
fn check_oldest(change: impl FnOnce(&mut Snapshot), reason: DeleteReason, expected: Option<&str>) {
    let mut snapshots = of_days(19..=21);
    change(&mut snapshots[0]);
    check_protection(&sample(), &Options::default(), &world([volume(1)], snapshots), reason, expected);
}

#[test]
fn what_a_rule_lets_go_is_no_broken_promise() {
    check_oldest(|_| {}, surplus(), None);
    check_oldest(|oldest| oldest.marks.expiration_time = Mark::Read(at(NOW)), expired(), None);
    check_oldest(|oldest| *oldest = oldest.clone().held("until=2026-11-21"), surplus(), None);
    let failed = DeleteReason::Failed { since: at(NOW) };
    check_oldest(|oldest| oldest.state = SnapshotState::Error, failed, None);
}

#[test]
fn what_is_held_under_way_or_archived_may_not_go() {
    let incomplete = Some("is not complete, or archived");
    check_oldest(|oldest| *oldest = oldest.clone().held("yes"), surplus(), Some("is held"));
    check_oldest(|oldest| *oldest = oldest.clone().pending(), surplus(), incomplete);
    check_oldest(|oldest| oldest.state = SnapshotState::Error, surplus(), incomplete);
    check_oldest(|oldest| oldest.tier = Tier::Archive, surplus(), incomplete);
    check_oldest(|_| {}, DeleteReason::Failed { since: at(NOW) }, Some("has not failed"));
}

#[test]
fn what_carries_no_readable_tags_may_not_go() {
    let unreadable = Some("carries no readable schedule or scheduled time");
    check_oldest(|oldest| oldest.marks.schedule_name = Mark::Absent, surplus(), unreadable);
    // Without its time it stands first all the same.
    check_oldest(|oldest| oldest.marks.scheduled_time = Mark::Unreadable("x".into()), surplus(), unreadable);
}

#[test]
fn what_is_promised_until_later_may_not_go() {
    let expires = |oldest: &mut Snapshot, time: &str| oldest.marks.expiration_time = Mark::Read(at(time));
    check_oldest(|oldest| expires(oldest, "2026-11-22T12:00:01Z"), surplus(), Some("has not expired"));
    check_oldest(|_| {}, expired(), Some("carries no expiry"));
    let future = vec![snapshot(1, 1, "2026-11-22T12:00:01Z")];
    let only = world([volume(1)], future);
    let options = Options { minimum_kept: 0, ..Options::default() };
    let whys =
        broken(&sample(), &options, &only, 0, DeleteReason::Orphaned { of: OrphanOf::Schedule, age_over_at: None });
    assert!(whys.iter().any(|why| why.to_string().ends_with("answers a time in the future")), "{whys:?}");
}

#[test]
fn orphans_stay_unless_the_option_lets_them_go() {
    let world = world([volume(1)], of_days(19..=21));
    let orphaned = DeleteReason::Orphaned { of: OrphanOf::Schedule, age_over_at: None };
    let kept = Some("is an orphan, and orphans are kept");
    check_protection(&sample(), &Options::default(), &world, orphaned, kept);
    let keep_last = Options { orphans: Orphans::KeepLast, ..Options::default() };
    check_protection(&sample(), &keep_last, &world, orphaned, None);
}

#[test]
fn what_is_not_managed_any_more_may_not_go_by_a_rule() {
    let unmanaged = Some("is not managed any more");
    let gone = world([], of_days(19..=21).into_iter().map(|s| s.expiring(NOW)));
    let unproved = World { closer: crate::world::Closer::default(), ..gone.clone() };
    let deleting = crate::world::Volume { state: VolumeState::Deleting, ..volume(1) };
    let going = World { volumes: vec![deleting], ..gone.clone() };
    let options = Options::default();
    for world in [&gone, &going] {
        check_protection(&sample(), &options, world, surplus(), unmanaged);
    }
    check_protection(&sample(), &options, &gone, expired(), None);
    let why = Some("is of a volume or instance that is neither targeted nor proved to be gone");
    check_protection(&sample(), &options, &unproved, expired(), why);
    let both = World { volumes: vec![volume(1)], ..unproved };
    check_protection(&sample(), &options, &both, expired(), None);
}

#[test]
fn snapshots_of_instances_are_managed_with_their_instance() {
    let snapshots = || of_days(19..=21).into_iter().map(|s| s.of_instance(1));
    let with = |state: InstanceState| {
        let instance = crate::world::Instance { state, ..instance(1, 1, []) };
        World { instances: vec![instance], ..world([], snapshots()) }
    };
    let policy = instance_policy(count(1));
    let options = Options::default();
    check_protection(&policy, &options, &with(InstanceState::Stopped), surplus(), None);
    for state in [InstanceState::Terminated, InstanceState::ShuttingDown] {
        check_protection(&policy, &options, &with(state), surplus(), Some("is not managed any more"));
    }
}

#[test]
fn nothing_goes_on_the_strength_of_half_an_observation() {
    let world = World { coverage: Coverage::Partial(CutShort::TooManyPages), ..world([volume(1)], of_days(19..=21)) };
    let why = Some("was seen in an observation that was cut short");
    check_protection(&sample(), &Options::default(), &world, surplus(), why);
}

#[test]
fn a_duplicate_goes_only_beside_a_complete_one_of_the_same_that_stays_as_long() {
    let duplicate = DeleteReason::Duplicate { beside: at(NOW) };
    let pair = |change: &dyn Fn(&mut Snapshot, &mut Snapshot)| {
        let mut later = snapshot(1, 1, "2026-11-21T17:00:00Z");
        let mut earlier = snapshot(2, 1, "2026-11-21T17:00:00Z");
        later.start_time = at("2026-11-21T17:00:30Z");
        change(&mut later, &mut earlier);
        world([volume(1)], [later, earlier])
    };
    let check = |change: &dyn Fn(&mut Snapshot, &mut Snapshot), expected| {
        let options = Options { revision: Some(at("2026-11-01T00:00:00Z")), ..Options::default() };
        check_protection(&sample(), &options, &pair(change), duplicate, expected);
    };
    let none = Some("is no duplicate of one that stays as long");
    check(&|_, _| {}, None);
    check(&|_, earlier| earlier.volume_id = volume_id(2), none);
    check(&|_, earlier| earlier.start_time = at("2026-11-21T17:00:31Z"), none);
    check(&|_, earlier| *earlier = earlier.clone().pending(), none);
    check(&|_, earlier| earlier.tier = Tier::Archive, none);
    check(&|_, earlier| *earlier = earlier.clone().of_schedule("Other"), none);
    check(&|_, earlier| earlier.origin = crate::world::Origin::Copied, none);
    let (day, year) = ("2026-11-22T11:00:00Z", "2027-11-21T17:00:00Z");
    let stamp = |of: &mut Snapshot, counts: &[u32]| *of = of.clone().stamped(counts);
    let expire = |of: &mut Snapshot, until: &str| *of = of.clone().expiring(until);
    let by_age = |later: &mut Snapshot, earlier: &mut Snapshot, of_later, of_earlier| {
        for (of, until) in [(later, of_later), (earlier, of_earlier)] {
            stamp(of, &[0]);
            expire(of, until);
        }
    };
    check(&|later, earlier| by_age(later, earlier, day, year), None);
    check(&|later, earlier| by_age(later, earlier, day, day), None);
    check(&|later, earlier| by_age(later, earlier, year, day), none);
    let by_count = |later: &mut Snapshot, earlier: &mut Snapshot, of_later: &[u32], of_earlier: &[u32]| {
        for (of, counts) in [(later, of_later), (earlier, of_earlier)] {
            stamp(of, counts);
        }
    };
    check(&|later, earlier| by_count(later, earlier, &[3], &[4]), None);
    check(&|later, earlier| by_count(later, earlier, &[4], &[3]), none);
    check(&|later, _| stamp(later, &[3]), none);
    check(&|_, earlier| stamp(earlier, &[3]), None);
    check(&|later, _| *later = later.clone().also_of(&["Weekly"]), none);
    check(&|_, earlier| *earlier = earlier.clone().also_of(&["Weekly"]), None);
    // Of what stays equally long the one of the newest version stays.
    let revised = |later: &mut Snapshot, earlier: &mut Snapshot, newer: bool| {
        by_count(later, earlier, &[3], &[3]);
        let of = if newer { later } else { earlier };
        *of = of.clone().with_stamp(|stamp| stamp.revision = Some(at("2026-11-01T00:00:00Z")));
    };
    check(&|later, earlier| revised(later, earlier, true), none);
    check(&|later, earlier| revised(later, earlier, false), None);
    check(&|later, _| later.state = SnapshotState::Error, Some("is not complete, or archived"));
    check(&|later, _| later.tier = Tier::Archive, Some("is not complete, or archived"));
}

#[test]
fn a_count_and_the_floor_leave_as_many_as_they_promise() {
    let two = world([volume(1)], of_days(20..=21));
    let options = Options::default();
    let left = |world: &World, options: &Options, reason| broken(&sample(), options, world, 0, reason);
    let too_few = |left, expected| Broken::LeavesTooFew { volume: volume_id(1).to_string(), left, expected };
    let count = |count| DeleteReason::ExceedsCount { rank: 9, count };
    assert_eq!(left(&two, &options, count(1)), []);
    assert_eq!(left(&two, &options, count(2)), [too_few(1, 2)]);
    let floor = Options { minimum_kept: 2, ..options.clone() };
    assert_eq!(left(&two, &floor, count(1)), [too_few(1, 2)]);
    // Of what is gone nothing has to stay; what is under way or archived does not count.
    let gone = world([], of_days(20..=21).into_iter().map(|s| s.expiring(NOW)));
    assert_eq!(left(&gone, &floor, expired()), []);
    let mut half = two.clone();
    half.snapshots[1].tier = Tier::Archive;
    assert_eq!(left(&half, &options, count(1)), [too_few(0, 1)]);
}

#[test]
fn more_than_the_run_may_delete_is_told() {
    let world = world([volume(1)], of_days(19..=21));
    let with = |number| Options { maximum_deletions: MaximumDeletions::Number(number), ..Options::default() };
    assert_eq!(broken(&sample(), &with(1), &world, 0, surplus()), []);
    assert_eq!(
        broken(&sample(), &with(0), &world, 0, surplus()),
        [Broken::TooManyDeletions { planned: 1, allowed: 0 }]
    );
    // A share of what is there: a third of three, and of one volume.
    let share = |per_cent| Options { maximum_deletions: MaximumDeletions::PerCent(per_cent), ..Options::default() };
    assert_eq!(broken(&sample(), &share(34), &world, 0, surplus()), []);
    assert_eq!(broken(&sample(), &share(33), &world, 0, surplus()).len(), 1);
}

#[test]
fn every_snapshot_of_ours_has_one_decision_and_nobody_elses_any() {
    let (policy, options, start) = (sample(), Options::default(), start(NOW));
    let foreign = Snapshot { description: "by hand".into(), ..snapshot(9, 1, "2026-11-21T17:00:00Z") };
    let repeated = snapshot(21, 1, "2026-11-21T17:00:00Z");
    let world = world([volume(1)], of_days(20..=21).into_iter().chain([foreign, repeated]));
    let good = plan(&policy, &options, &start, at(NOW), &world);
    let told = |plan: &Plan<'_>| check(&policy, &options, at(NOW), &world, plan);
    assert_eq!(told(&good), []);
    let decisions = |snapshot: usize, decisions, expected| {
        vec![Broken::Decisions { snapshot: world.snapshots[snapshot].id.to_string(), decisions, expected }]
    };
    let mut forgotten = good.clone();
    forgotten.snapshots.pop();
    assert_eq!(told(&forgotten), decisions(1, 0, 1));
    let mut twice = good.clone();
    twice.snapshots.push(good.snapshots[0].clone());
    assert_eq!(told(&twice), decisions(0, 2, 1));
    let mut of_others = good.clone();
    let verdict = SnapshotVerdict::Wait { since: at(NOW) };
    of_others.snapshots.push(SnapshotDecision {
        snapshot: &world.snapshots[2],
        verdict: verdict.clone(),
        goes_later: None,
    });
    assert_eq!(told(&of_others), decisions(2, 1, 0));
    let (unseen, mut of_unseen) = (snapshot(22, 1, "2026-11-22T17:00:00Z"), good.clone());
    of_unseen.snapshots.push(SnapshotDecision { snapshot: &unseen, verdict, goes_later: None });
    let expected = vec![Broken::Decisions { snapshot: unseen.id.to_string(), decisions: 1, expected: 0 }];
    assert_eq!(told(&of_unseen), expected);
    // A disabled policy decides nothing.
    let disabled = Policy { state: PolicyState::Disabled, ..sample() };
    assert_eq!(check(&disabled, &options, at(NOW), &world, &plan(&disabled, &options, &start, at(NOW), &world)), []);
}

#[test]
fn nothing_is_made_for_which_there_is_an_answer() {
    const DUE: &str = "2026-11-22T17:00:00Z";
    let options = Options::default();
    let twice = |policy: &Policy, world: &World, empty: &World| {
        let good = plan(policy, &options, &start(DUE), at(DUE), empty);
        assert!(matches!(good.targets[..], [TargetDecision { verdict: TargetVerdict::Create { .. }, .. }]));
        let with_theirs =
            Plan { snapshots: plan(policy, &options, &start(DUE), at(DUE), world).snapshots, ..good.clone() };
        check(policy, &options, at(DUE), world, &with_theirs).len()
    };
    let of_volume = |made: Snapshot| twice(&sample(), &world([volume(1)], [made]), &world([volume(1)], []));
    let made = snapshot(1, 1, DUE);
    assert_eq!(of_volume(made.clone()), 1);
    assert_eq!(of_volume(made.clone().pending()), 1);
    assert_eq!(of_volume(made.clone().in_state(SnapshotState::Error)), 0);
    assert_eq!(of_volume(made.clone().of_schedule("Other")), 0);
    assert_eq!(of_volume(Snapshot { volume_id: volume_id(2), ..made.clone() }), 0);
    let began = |time: &str| Snapshot { start_time: at(time), ..made.clone() };
    assert_eq!((of_volume(began("2026-11-22T16:45:00Z")), of_volume(began("2026-11-22T16:44:59Z"))), (1, 0));
    // What is in doubt is no answer, but beside two of them no third is made.
    let doubted = |number, minute: u32| {
        let start_time = at(&format!("2026-11-22T17:{minute}:00Z"));
        Snapshot { start_time, ..snapshot(number, 1, DUE).stamped(&[3]) }
    };
    let of_doubted = |made: [Snapshot; 2]| twice(&sample(), &world([volume(1)], made), &world([volume(1)], []));
    assert_eq!(of_volume(doubted(1, 31)), 0);
    assert_eq!(of_doubted([doubted(1, 31), doubted(2, 32)]), 1);
    assert_eq!(of_doubted([doubted(1, 31), doubted(2, 31)]), 0, "one call");
    let of_instance = |members: Vec<Snapshot>| {
        let with = |snapshots: Vec<Snapshot>| World { instances: vec![instance(1, 1, [2])], ..world([], snapshots) };
        twice(&instance_policy(count(1)), &with(members), &with(vec![]))
    };
    let member = |number, volume| snapshot(number, volume, DUE).of_instance(1);
    assert_eq!(of_instance(vec![member(1, 1), member(2, 2)]), 1);
    assert_eq!(of_instance(vec![member(1, 1), member(2, 2).in_state(SnapshotState::Error)]), 0);
}

#[test]
fn the_check_doubts_what_the_planner_doubts_to_the_second() {
    let of = |is_stamped: bool, began: i64| {
        let made = snapshot(1, 1, "2026-11-21T17:00:00Z");
        let made = if is_stamped { made.stamped(&[1]) } else { made };
        Snapshot { start_time: made.start_time + SignedDuration::from_secs(began), ..made }
    };
    let (half_an_hour, quarter, day) = (1_800, 900, 86_400);
    let stamped = [(-half_an_hour - 1, true), (-half_an_hour, false), (half_an_hour, false), (half_an_hour + 1, true)];
    let unstamped = [(-quarter - 1, true), (-quarter, false), (day, false), (day + 1, true)];
    for (is_stamped, table) in [(true, stamped), (false, unstamped)] {
        for (began, expected) in table {
            let snapshot = of(is_stamped, began);
            let doubts = (is_edited(&snapshot), crate::plan::doubt(&snapshot).is_some());
            assert_eq!(doubts, (expected, expected), "stamped: {is_stamped}, {began} s");
        }
    }
}
