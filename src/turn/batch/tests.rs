//! Which creations go together, in which order, and what comes of calls for several volumes.

use super::*;
use crate::action::{Failed, FailedKind, Outcome};
use crate::fixtures::*;
use crate::turn::{self, Conclusion, RunOutcome, Status};
use crate::world::{SnapshotId, Volume, World};
use jiff::{SignedDuration, Timestamp};

const NOW: &str = "2026-11-22T17:00:00Z";

/// An account of instances, each given by the numbers of its targeted volumes, of which the first is its root.
fn account(instances: &[&[u32]], alone: &[u32]) -> World {
    let mut volumes: Vec<Volume> = alone.iter().map(|&number| volume(number)).collect();
    let mut hosts = Vec::new();
    for (number, of_instance) in (1..).zip(instances) {
        hosts.push(instance(number, of_instance[0], of_instance[1..].iter().copied()));
        let attached_to = Some(instance_id(number));
        volumes.extend(of_instance.iter().map(|&number| Volume { attached_to, ..volume(number) }));
    }
    World { instances: hosts, ..world(volumes, []) }
}

/// So many instances with so many volumes each.
fn fleet(sizes: impl IntoIterator<Item = u32>, alone: u32) -> World {
    let mut next = alone;
    let mut instances = Vec::new();
    for size in sizes {
        instances.push((next + 1..=next + size).collect::<Vec<_>>());
        next += size;
    }
    let instances: Vec<&[u32]> = instances.iter().map(Vec::as_slice).collect();
    account(&instances, &(1..=alone).collect::<Vec<_>>())
}

fn batch() -> Options {
    Options { batch: true, ..Options::default() }
}

/// A turn at `now` of a policy for volumes with `Options.Batch`; the hosts that it asks for are those of the world.
fn turn_at(
    now: Timestamp,
    world: &World,
    progress: Progress,
    budget: Budget,
    outcome: impl FnMut(&Action) -> Outcome,
) -> Conclusion {
    let (policy, options) = (sample(), batch());
    let plan = plan::plan(&policy, &options, &progress.start(), now, world);
    let asked = turn::hosts(&policy, &options, &plan, &progress, now, budget);
    let hosts: Vec<Instance> = world.instances.iter().filter(|host| asked.contains(&host.id)).cloned().collect();
    let selection = turn::select_on(&policy, &options, &plan, &progress, now, budget, &hosts);
    let outcomes = selection.actions.iter().map(outcome).collect();
    turn::conclude(&options, &plan, progress, selection, outcomes, now)
}

fn begin() -> Progress {
    Progress::new(&start(NOW))
}

/// Each snapshot that the call asks for was begun.
fn created(action: &Action) -> Outcome {
    let id = |number| SnapshotId::parse(&format!("snap-{number:017x}")).unwrap();
    match action {
        Action::DeleteSnapshot(_) => Outcome::Deleted,
        other => Outcome::Created((0..volumes_of(other).len()).map(id).collect()),
    }
}

fn failed(kind: FailedKind) -> Outcome {
    Outcome::Failed(Failed { kind, code: "Code".to_owned(), message: "why".to_owned() })
}

/// The volumes that an action makes snapshots of, by their numbers' text.
fn volumes_of(action: &Action) -> Vec<String> {
    turn::progress::Subject::all_of(action).iter().map(|subject| subject.resource().to_owned()).collect()
}

fn numbers(conclusion: &Conclusion) -> Vec<Vec<u64>> {
    let number = |id: &String| u64::from_str_radix(id.trim_start_matches("vol-"), 16).unwrap();
    conclusion.done.iter().map(|(action, _)| volumes_of(action).iter().map(number).collect()).collect()
}

/// The volumes of each call of a first turn.
#[track_caller]
fn check(world: &World, budget: Budget, expected: &[&[u64]], left_over: usize) {
    let (policy, options, progress) = (sample(), batch(), begin());
    assert_eq!(numbers(&turn_at(at(NOW), world, progress.clone(), budget, created)), expected);
    let plan = plan::plan(&policy, &options, &start(NOW), at(NOW), world);
    let selection = turn::select_on(&policy, &options, &plan, &progress, at(NOW), budget, &world.instances);
    assert_eq!(selection.left_over, left_over);
}

fn budget(creations_max: usize, set_creations_max: usize) -> Budget {
    Budget { creations_max, set_creations_max, deletions_max: 0 }
}

#[test]
fn volumes_of_one_instance_go_together_the_largest_groups_first() {
    check(
        &account(&[&[3, 4], &[5, 6, 7], &[8]], &[1, 2]),
        Budget::UNBOUNDED,
        &[&[5, 6, 7], &[3, 4], &[1], &[2], &[8]],
        0,
    );
}

#[test]
fn what_finds_no_room_in_its_lane_waits() {
    let world = account(&[&[3, 4], &[5, 6, 7], &[8, 9]], &[1, 2]);
    check(&world, budget(1, 1), &[&[5, 6, 7], &[1]], 3);
    check(&world, budget(9, 0), &[&[1], &[2]], 3);
    check(&world, budget(0, 9), &[&[5, 6, 7], &[3, 4], &[8, 9]], 2);
}

#[test]
fn without_the_option_and_for_other_policies_nothing_goes_together() {
    let (policy, world, progress) = (sample(), account(&[&[1, 2]], &[]), begin());
    let asked = |policy: &Policy, options: &Options, progress: &Progress| {
        let plan = plan::plan(policy, options, &start(NOW), at(NOW), &world);
        turn::hosts(policy, options, &plan, progress, at(NOW), Budget::UNBOUNDED).len()
    };
    assert_eq!(asked(&policy, &batch(), &progress), 1);
    assert_eq!(asked(&policy, &Options::default(), &progress), 0);
    assert_eq!(asked(&policy, &Options { dry_run: true, ..batch() }, &progress), 0);
    assert_eq!(asked(&default_policy(1, 7), &batch(), &progress), 0);
    assert_eq!(asked(&instance_policy(count(3)), &batch(), &progress), 0);
}

#[test]
fn instances_that_were_not_seen_are_no_obstacle() {
    let seen = account(&[&[1, 2], &[3, 4]], &[]);
    let unseen = World { instances: vec![], ..seen };
    check(&unseen, Budget::UNBOUNDED, &[&[1], &[2], &[3], &[4]], 0);
}

#[test]
fn many_groups_are_taken_apart_until_both_lanes_end_together() {
    // 300 groups of two: x of them apart make 2x calls beside 300 - x, the same number where x is 100.
    let calls = |creations_max, set_creations_max, alone| {
        let done =
            turn_at(at(NOW), &fleet([2; 300], alone), begin(), budget(creations_max, set_creations_max), created);
        let joint = done.done.iter().filter(|(action, _)| action.batched_on().is_some()).count();
        (joint, done.done.len() - joint)
    };
    assert_eq!(calls(1_000, 1_000, 0), (200, 200));
    assert_eq!(calls(1_000, 1_000, 60), (220, 220));
    assert_eq!(calls(1_000, 1_000, 300), (300, 300));
    // One lane has less left than the other.
    assert_eq!(calls(1_000, 700, 0), (100, 400));
    assert_eq!(calls(700, 1_000, 0), (300, 0));
    // More than fits into the turn.
    assert_eq!(calls(50, 50, 0), (50, 50));
}

#[test]
fn few_groups_are_not_taken_apart() {
    let done = turn_at(at(NOW), &fleet([2; 100], 0), begin(), budget(1_000, 1_000), created);
    assert_eq!(done.done.len(), 100);
}

#[test]
fn the_smallest_groups_are_taken_apart() {
    let done = turn_at(at(NOW), &fleet((0..200).map(|number| 2 + number % 2), 0), begin(), budget(500, 500), created);
    let sizes: Vec<usize> = numbers(&done).iter().map(Vec::len).collect();
    assert_eq!(sizes.iter().filter(|&&size| size == 3).count(), 100);
    assert!(sizes.contains(&1) && sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
}

#[test]
fn a_volume_that_cannot_go_with_the_others_goes_alone() {
    let mut world = account(&[&[1, 2, 3]], &[]);
    world.volumes[1].attached_to = None;
    check(&world, Budget::UNBOUNDED, &[&[1, 3], &[2]], 0);
    let mut moved = account(&[&[1, 2, 3]], &[]);
    moved.instances[0].volumes.remove(1);
    check(&moved, Budget::UNBOUNDED, &[&[1], &[2], &[3]], 0);
}

#[test]
fn after_a_snapshot_that_failed_a_volume_goes_alone() {
    let mut world = account(&[&[1, 2, 3]], &[]);
    world.snapshots.push(snapshot(1, 2, NOW).in_state(SnapshotState::Error));
    let later = at(NOW) + SignedDuration::from_mins(5);
    assert_eq!(numbers(&turn_at(later, &world, begin(), Budget::UNBOUNDED, created)), [vec![1, 3], vec![2]]);
}

#[test]
fn each_volume_of_a_call_is_remembered_until_ec2_shows_its_snapshot() {
    let world = account(&[&[1, 2]], &[3]);
    let first = turn_at(at(NOW), &world, begin(), Budget::UNBOUNDED, created);
    assert_eq!((first.progress.created, first.progress.creations), (3, 3));
    // Two volumes of a call with two snapshots, and one with its own.
    assert_eq!(first.progress.unsettled[0].subjects.len(), 5);
    let soon = at(NOW) + SignedDuration::from_secs(60);
    let second = turn_at(soon, &world, first.progress, Budget::UNBOUNDED, created);
    assert_eq!(second.done, vec![]);
    let later = at(NOW) + SignedDuration::from_secs(122);
    assert_eq!(numbers(&turn_at(later, &world, second.progress, Budget::UNBOUNDED, created)).len(), 2);
}

#[test]
fn a_call_that_was_refused_keeps_none_of_its_volumes_from_a_call_of_its_own() {
    for kind in [FailedKind::Denied, FailedKind::Refused] {
        let world = account(&[&[1, 2], &[3, 4]], &[]);
        let refused = |action: &Action| match volumes_of(action).first() {
            Some(first) if *first == volume_id(1).to_string() => failed(kind),
            _ => created(action),
        };
        let first = turn_at(at(NOW), &world, begin(), Budget::UNBOUNDED, refused);
        assert_eq!((first.progress.failures.len(), first.denied), (0, None), "no volume has failed yet");
        // After the start window too: none of them was tried by itself.
        for minutes in [1, 61] {
            let later = at(NOW) + SignedDuration::from_mins(minutes);
            let shown = [3, 4].map(|number| snapshot(number, number, NOW));
            let world = World { snapshots: shown.to_vec(), ..world.clone() };
            let second = turn_at(later, &world, first.progress.clone(), Budget::UNBOUNDED, refused);
            assert_eq!(numbers(&second), [[1], [2]]);
            let named: Vec<&str> = second.progress.failures.iter().map(|failure| failure.subject.resource()).collect();
            assert_eq!(named, [volume_id(1).to_string()]);
        }
    }
}

#[test]
fn a_role_that_may_not_make_sets_makes_snapshots_one_by_one() {
    let world = account(&[&[1, 2]], &[]);
    let first = turn_at(at(NOW), &world, begin(), Budget::UNBOUNDED, |_| failed(FailedKind::Denied));
    assert_eq!((first.denied, first.status), (None, Status::Waiting { seconds: 1 }));
    let soon = at(NOW) + SignedDuration::from_secs(2);
    let second = turn_at(soon, &world, first.progress, Budget::UNBOUNDED, |_| failed(FailedKind::Denied));
    assert!(second.denied.is_some(), "nor alone: it may do nothing");
}

#[test]
fn what_may_have_been_begun_is_looked_for_before_any_of_it_is_tried_again() {
    for (kind, failures, creations) in [(FailedKind::Unclear, 2, 2), (FailedKind::TooSoon, 0, 0)] {
        let world = account(&[&[1, 2]], &[]);
        let first = turn_at(at(NOW), &world, begin(), Budget::UNBOUNDED, |_| failed(kind));
        assert_eq!((first.progress.failures.len(), first.progress.creations), (failures, creations));
        let tried = |seconds| {
            let now = at(NOW) + SignedDuration::from_secs(seconds);
            numbers(&turn_at(now, &world, first.progress.clone(), Budget::UNBOUNDED, created))
        };
        assert_eq!((tried(120), tried(122)), (vec![], vec![vec![1], vec![2]]));
    }
}

#[test]
fn what_ec2_throttles_or_has_no_room_for_stays_together_or_finds_room_alone() {
    let world = account(&[&[1, 2]], &[]);
    for (kind, calls) in [(FailedKind::Throttled, vec![vec![1, 2]]), (FailedKind::TooManyPending, vec![vec![2]])] {
        let first = turn_at(at(NOW), &world, begin(), Budget::UNBOUNDED, |_| failed(kind));
        assert_eq!((first.progress.failures.len(), first.progress.one_by_one.len()), (0, 0));
        let soon = at(NOW) + SignedDuration::from_secs(2);
        assert_eq!(numbers(&turn_at(soon, &world, first.progress, Budget::UNBOUNDED, created)), calls);
    }
}

#[test]
fn a_volume_that_came_off_meanwhile_is_made_by_the_next_look_after_the_window_too() {
    let world = account(&[&[1, 2]], &[]);
    let one = |_: &Action| Outcome::Created(vec![SnapshotId::parse("snap-00000000000000001").unwrap()]);
    let first = turn_at(at(NOW), &world, begin(), Budget::UNBOUNDED, one);
    assert_eq!((first.progress.created, first.progress.creations), (1, 1));
    for minutes in [3, 61] {
        let later = at(NOW) + SignedDuration::from_mins(minutes);
        let mut world = World { snapshots: vec![snapshot(1, 1, NOW)], ..world.clone() };
        world.volumes[1].attached_to = None;
        let second = turn_at(later, &world, first.progress.clone(), Budget::UNBOUNDED, created);
        assert_eq!(numbers(&second), [[2]]);
    }
}

#[test]
fn when_calls_for_several_fail_all_over_the_account_nothing_goes_together_any_more() {
    let world = fleet([2; 150], 0);
    let first = turn_at(at(NOW), &world, begin(), Budget::UNBOUNDED, |_| failed(FailedKind::Refused));
    assert_eq!((first.done.len(), first.progress.one_by_one.len()), (150, 100));
    let soon = at(NOW) + SignedDuration::from_secs(2);
    let second = turn_at(soon, &world, first.progress, Budget::UNBOUNDED, created);
    assert!(numbers(&second).iter().all(|volumes| volumes.len() == 1));
    let shown = World { snapshots: (1..=300).map(|number| snapshot(number, number, NOW)).collect(), ..world };
    let last = turn_at(at(NOW) + SignedDuration::from_mins(5), &shown, second.progress, Budget::UNBOUNDED, created);
    assert_eq!(last.status, Status::Done(RunOutcome::Succeeded));
}
