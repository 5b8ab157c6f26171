//! Which creations are alike, and which calls carry them out.

use super::*;
use crate::fixtures::*;
use crate::options::Options;
use crate::plan::{call, plan};
use crate::world::Volume;

const NOW: &str = "2026-11-22T17:00:00Z";

fn on(instance: u32, number: u32, tags: Vec<Tag>) -> Volume {
    Volume { attached_to: Some(instance_id(instance)), tags, ..volume(number) }
}

fn copying() -> Policy {
    let mut policy = sample();
    policy.schedules[0].copy_tags = true;
    policy
}

/// What the creations of some volumes have in common, and what calls for each of them would write.
fn with_decisions<T>(policy: &Policy, volumes: Vec<Volume>, then: impl FnOnce(&[&TargetDecision<'_>]) -> T) -> T {
    let (options, world) = (Options::default(), world(volumes, []));
    let plan = plan(policy, &options, &start(NOW), at(NOW), &world);
    then(&plan.targets.iter().collect::<Vec<_>>())
}

/// Whether the creations of two volumes, with such tags, can go together.
#[track_caller]
fn check_alike(policy: &Policy, first: Volume, second: Volume, expected: bool) {
    with_decisions(policy, vec![first, second], |decisions| {
        let [first, second] = [decisions[0], decisions[1]].map(|decision| shared(policy, decision));
        assert_eq!(first.is_some() && first == second, expected, "{first:?} and {second:?}");
    });
}

#[test]
fn volumes_of_one_instance_are_alike_whatever_their_tags_where_those_are_not_copied() {
    check_alike(&sample(), on(1, 1, vec![tag("a", "1")]), on(1, 2, vec![]), true);
    check_alike(&sample(), on(1, 1, vec![]), on(2, 2, vec![]), false);
    check_alike(&sample(), on(1, 1, vec![]), volume(2), false);
    check_alike(&sample(), volume(1), volume(2), false);
}

#[test]
fn tags_that_ec2_copies_to_the_letter_may_differ() {
    let alike = |first, second, expected| check_alike(&copying(), on(1, 1, first), on(1, 2, second), expected);
    alike(vec![tag("Name", "root")], vec![tag("Name", "data")], true);
    alike(vec![tag("aws:cloudformation:stack-name", "s")], vec![], true);
    // Given by the schedule as well, and named as opendlm's own are.
    alike(vec![tag("ss-lifecycle", "x")], vec![], false);
    alike(vec![tag("opendlm:hold", "x")], vec![], false);
    alike(vec![tag("dlm:managed", "true")], vec![], false);
    // What is written comes out the same, also for those whose tags cannot be copied.
    alike(vec![tag("opendlm:hold", "x")], vec![tag("opendlm:hold", "y")], true);
    alike(vec![tag("ss-lifecycle", "x"), tag("a", "1")], vec![tag("ss-lifecycle", "y"), tag("a", "1")], true);
    alike(vec![tag("ss-lifecycle", "x"), tag("a", "1")], vec![tag("ss-lifecycle", "y"), tag("a", "2")], false);
}

#[test]
fn tags_for_which_there_is_no_room_are_not_copied_by_ec2() {
    let many = |count: usize| (0..count).map(|number| tag(&format!("key-{number}"), "x")).collect::<Vec<_>>();
    // Four of the call itself: policy, schedule, time and the schedule's own.
    check_alike(&copying(), on(1, 1, many(46)), on(1, 2, vec![]), true);
    check_alike(&copying(), on(1, 1, many(47)), on(1, 2, vec![]), false);
}

/// The call for volumes 1 and 2 of an instance that was seen like this: what it leaves out.
#[track_caller]
fn check_left_out(host: Instance, expected: Option<(bool, &[u32])>) {
    with_decisions(&sample(), vec![on(1, 1, vec![]), on(1, 2, vec![])], |decisions| {
        let left_out = creation(&sample(), decisions, &host).map(|action| match action {
            Action::CreateSnapshots(create) => (create.exclude_boot_volume, create.exclude_data_volume_ids),
            other => panic!("{other:?}"),
        });
        let expected = expected.map(|(boot, data)| (boot, data.iter().map(|&number| volume_id(number)).collect()));
        assert_eq!(left_out, expected);
    });
}

#[test]
fn what_did_not_ask_is_left_out() {
    check_left_out(instance(1, 1, [2]), Some((false, &[])));
    check_left_out(instance(1, 9, [1, 2]), Some((true, &[])));
    check_left_out(instance(1, 9, [8, 1, 7, 2]), Some((true, &[7, 8])));
}

#[test]
fn what_ec2_cannot_do_is_not_asked_for() {
    check_left_out(instance(1, 1, [3]), None);
    check_left_out(instance(1, 1, 2..=42), Some((false, &(3..=42).collect::<Vec<_>>())));
    check_left_out(instance(1, 1, 2..=43), None);
    let in_state = |state| Instance { state, ..instance(1, 1, [2]) };
    check_left_out(in_state(InstanceState::Stopped), Some((false, &[])));
    for state in [InstanceState::Hibernated, InstanceState::Pending, InstanceState::Stopping, InstanceState::Terminated]
    {
        check_left_out(in_state(state), None);
    }
}

#[test]
fn the_call_writes_what_calls_for_each_would_write() {
    for policy in [sample(), copying()] {
        let volumes = vec![on(1, 1, vec![tag("ss-lifecycle", "x")]), on(1, 2, vec![tag("ss-lifecycle", "y")])];
        with_decisions(&policy, volumes, |decisions| {
            let Some(Action::CreateSnapshots(joint)) = creation(&policy, decisions, &instance(1, 1, [2])) else {
                panic!("no call for both");
            };
            assert_eq!(joint.of, SetOf::Volumes(vec![volume_id(1), volume_id(2)]));
            assert!(!joint.copy_tags_from_source);
            for decision in decisions {
                let Some(Action::CreateSnapshot(alone)) = call::creation(&policy, decision) else { panic!() };
                assert_eq!((&joint.tags, &joint.description), (&alone.tags, &alone.description));
                assert_eq!((&joint.schedule, joint.scheduled_time), (&alone.schedule, alone.scheduled_time));
            }
        });
    }
}

#[test]
fn what_ec2_copies_is_not_written_too() {
    let policy = copying();
    let volumes = vec![on(1, 1, vec![tag("Name", "root")]), on(1, 2, vec![tag("Name", "data")])];
    with_decisions(&policy, volumes, |decisions| match creation(&policy, decisions, &instance(1, 1, [2])) {
        Some(Action::CreateSnapshots(joint)) => {
            assert!(joint.copy_tags_from_source && joint.tags.iter().all(|tag| tag.key != "Name"), "{joint:?}");
        }
        other => panic!("{other:?}"),
    });
}
