//! Instance policies: E14 to E16, and what terminates, detaches or hibernates.

use super::*;
use crate::action::{Action, CreateSnapshots};
use crate::options::Orphans;
use crate::policy::{RetainRule, Variable, VariableTag};
use crate::world::{Instance, InstanceState};

const START: &str = "2026-11-22T17:00:00Z";

fn excluding(boot: bool, tags: Vec<crate::policy::Tag>) -> Policy {
    let mut policy = instance_policy(count(3));
    if let Targets::Instances { exclude_boot_volume, exclude_data_volume_tags, .. } = &mut policy.targets {
        *exclude_boot_volume = boot;
        *exclude_data_volume_tags = tags;
    }
    policy
}

fn of_instances(instances: impl IntoIterator<Item = Instance>, snapshots: impl IntoIterator<Item = Snapshot>) -> World {
    World { instances: instances.into_iter().collect(), ..world([], snapshots) }
}

fn decided(policy: &Policy, world: &World) -> Vec<&'static str> {
    let options = Options::default();
    let settled = at(START) + options.settling;
    let plan = plan(policy, &options, &start(START), settled, world);
    plan.targets.iter().map(|decision| words::of_target(decision).decision).collect()
}

fn only_call(policy: &Policy, world: &World) -> CreateSnapshots {
    let options = Options::default();
    let plan = plan(policy, &options, &start(START), at(START), world);
    match call::creation(policy, &options, at(START), &plan.targets[0]) {
        Some(Action::CreateSnapshots(create)) => create,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_call_an_instance_names_what_is_left_out() {
    let policy = excluding(true, vec![tag("backup", "no")]);
    let mut instance = instance(1, 10, [11, 12]);
    instance.volumes[1].tags = vec![tag("backup", "no")];
    instance.volumes[0].tags = vec![tag("backup", "no")];
    let call = only_call(&policy, &of_instances([instance], []));
    assert!(call.exclude_boot_volume);
    assert_eq!(call.exclude_data_volume_ids, [volume_id(11)], "the root volume is never named");
    assert_eq!(call.tags.last(), Some(&tag("ss-lifecycle", "true")));
    assert!(call.tags.contains(&tag("opendlm:instance-id", &instance_id(1).to_string())));
}

#[test]
fn variable_tags_are_filled_in() {
    let mut policy = instance_policy(count(3));
    let variable = |key: &str, value| VariableTag { key: key.to_owned(), value };
    policy.schedules[0].variable_tags =
        vec![variable("id", Variable::InstanceId), variable("run", Variable::Timestamp)];
    let call = only_call(&policy, &of_instances([instance(1, 10, [])], []));
    assert!(call.tags.contains(&tag("id", &instance_id(1).to_string())));
    assert!(call.tags.contains(&tag("run", START)));
}

#[test]
fn tags_are_copied_from_the_volumes_where_all_of_them_have_room() {
    let mut policy = instance_policy(count(3));
    policy.schedules[0].copy_tags = true;
    let with_tags = |number: usize| {
        let mut instance = instance(1, 10, [11]);
        instance.volumes[1].tags = (0..number).map(|n| tag(&format!("user-{n}"), "x")).collect();
        only_call(&policy, &of_instances([instance], []))
    };
    let call = with_tags(44);
    assert!(call.copy_tags_from_source && call.tags_left_out.is_empty());
    let call = with_tags(45);
    assert!(!call.copy_tags_from_source);
    assert_eq!(call.tags_left_out, ["all tags of the volumes"]);
}

#[test]
fn e14_an_instance_with_no_volume_left_is_a_failed_creation() {
    let world = of_instances([instance(1, 10, [])], []);
    assert_eq!(decided(&excluding(true, vec![]), &world), ["fail"]);
    let mut account = Account::holding(&world);
    let (calls, _, outcome) = run(&mut account, &excluding(true, vec![]), &Options::default(), START);
    assert_eq!((calls, outcome), (0, RunOutcome::Partial));
}

#[test]
fn more_than_forty_excluded_volumes_are_an_error_that_says_so() {
    let (policy, options) = (excluding(false, vec![tag("backup", "no")]), Options::default());
    let decided = |last| {
        let mut instance = instance(1, 10, 11..=last);
        for volume in &mut instance.volumes {
            volume.tags = vec![tag("backup", "no")];
        }
        let world = of_instances([instance], []);
        let plan = plan(&policy, &options, &start(START), at(START), &world);
        (words::of_target(&plan.targets[0]).decision, words::of_target(&plan.targets[0]).reason)
    };
    assert_eq!(decided(50).0, "create", "forty fit into a call");
    let (decision, reason) = decided(51);
    assert_eq!(decision, "fail");
    assert!(reason.starts_with("ExcludeDataVolumeTags leaves out 41 volumes of the instance, expected at most 40"));
}

#[test]
fn e15_a_set_with_a_failed_member_never_counts_and_never_costs_a_good_set() {
    let policy = instance_policy(count(1));
    let set = |first: u32, time: &str| {
        [snapshot(first, 10, time).of_instance(1), snapshot(first + 1, 11, time).of_instance(1)]
    };
    let mut bad = set(3, "2026-11-22T17:00:00Z");
    bad[0].state = SnapshotState::Error;
    let good = set(1, "2026-11-21T17:00:00Z");
    let world = of_instances([instance(1, 10, [11])], good.into_iter().chain(bad));
    check_fates(&policy, &world, "2026-11-22T20:00:00Z", "1 keep, 2 keep, 3 keep, 4 keep");
    assert_eq!(decided(&policy, &world), ["create"], "and it is tried again");
}

#[test]
fn a_set_is_complete_when_all_its_members_are() {
    let policy = instance_policy(count(1));
    let member = |number, volume| snapshot(number, volume, START).of_instance(1);
    let world = |second: Snapshot| of_instances([instance(1, 10, [11])], [member(1, 10), second]);
    assert_eq!(decided(&policy, &world(member(2, 11).pending())), ["wait"]);
    assert_eq!(decided(&policy, &world(member(2, 11))), ["exists"]);
}

#[test]
fn e16_a_multi_attach_volume_has_a_history_for_each_of_its_instances() {
    let policy = instance_policy(count(1));
    let of = |number, instance, time: &str| snapshot(number, 11, time).of_instance(instance);
    let snapshots = [
        of(1, 1, "2026-11-21T17:00:00Z"),
        of(2, 2, "2026-11-21T17:00:00Z"),
        of(3, 1, "2026-11-22T17:00:00Z"),
        of(4, 2, "2026-11-22T17:00:00Z"),
    ];
    let world = of_instances([instance(1, 10, [11]), instance(2, 20, [11])], snapshots);
    check_fates(&policy, &world, "2026-11-22T20:00:00Z", "1 delete, 2 delete, 3 keep, 4 keep");
}

#[test]
fn a_terminated_instance_keeps_its_snapshots_by_count_and_its_newest_by_age() {
    let set = |schedule: RetainFor| {
        (20..=22).map(move |day| {
            let made = snapshot(day, 10, &format!("2026-11-{day}T17:00:00Z")).of_instance(1);
            match schedule {
                RetainFor::Count => made,
                RetainFor::Age => {
                    let next = made.start_time + DAY;
                    made.expiring(&next.to_string())
                }
            }
        })
    };
    let terminated = || Instance { state: InstanceState::Terminated, ..instance(1, 10, []) };
    let now = "2026-12-24T00:00:00Z";
    let counted = of_instances([terminated()], set(RetainFor::Count));
    check_fates(&instance_policy(count(1)), &counted, now, "20 keep, 21 keep, 22 keep");
    let aged = of_instances([terminated()], set(RetainFor::Age));
    check_fates(&instance_policy(days(1)), &aged, now, "20 delete, 21 delete, 22 keep");
}

/// What becomes of two sets of instance 1, which is gone, of volumes 10 and 11, of which EC2 says that `gone` are, where orphans
/// go after a day. And what the plan asks before anything goes.
#[track_caller]
fn check_outlived(gone: &[SourceId], other: Instance, expected: &str, asks: &[SourceId]) {
    let set = |day: u32| {
        let member = move |number, volume| {
            snapshot(number, volume, &format!("2026-11-{day}T17:00:00Z")).of_instance(1).stamped(&[3])
        };
        [member(2 * day, 10), member(2 * day + 1, 11)].map(|of| of.with_stamp(|stamp| stamp.members = Some(2)))
    };
    let mut there = of_instances([other], [set(20), set(21)].concat());
    there.closer.gone = gone.iter().copied().collect();
    let policy = instance_policy(count(3));
    let RetainRule::Age(age) = days(1) else { panic!("days are an age") };
    let options = Options { orphans: Orphans::Expire(age), ..Options::default() };
    let now = "2026-12-24T00:00:00Z";
    assert_eq!(fates(&policy, &options, now, &there), expected);
    let plan = plan(&policy, &options, &start(now), at(now), &there);
    assert_eq!(plan.asks.sources.iter().copied().collect::<Vec<_>>(), asks);
}

#[test]
fn the_last_backup_of_a_volume_that_outlived_its_instance_stays_until_ec2_says_that_the_volume_is_gone() {
    let instance_of = |number| SourceId::Instance(instance_id(number));
    let volume_of = |number| SourceId::Volume(volume_id(number));
    let (one, ten, eleven) = (instance_of(1), volume_of(10), volume_of(11));
    let other = instance(2, 20, []);
    let all = "40 delete, 41 delete, 42 delete, 43 delete";
    // Nobody has said anything: all is asked for at once.
    check_outlived(&[], other.clone(), "40 keep, 41 keep, 42 keep, 43 keep", &[one, ten, eleven]);
    check_outlived(&[one], other.clone(), "40 delete, 41 delete, 42 keep, 43 keep", &[ten, eleven]);
    check_outlived(&[one, ten], other.clone(), "40 delete, 41 delete, 42 delete, 43 keep", &[eleven]);
    check_outlived(&[one, ten, eleven], other.clone(), all, &[]);
    // The root volume went with the instance, the other one moved to another instance that has no backup of it yet.
    let moved = "40 delete, 41 delete, 42 delete, 43 keep";
    check_outlived(&[one, ten], instance(2, 20, [11]), moved, &[]);
    check_outlived(&[one, ten, eleven], instance(2, 20, [11]), moved, &[]);
}

#[derive(Clone, Copy)]
enum RetainFor {
    Age,
    Count,
}

#[test]
fn a_detached_volume_is_in_no_new_set_and_keeps_what_it_has() {
    let policy = instance_policy(count(2));
    let old = [
        snapshot(1, 11, "2026-11-01T17:00:00Z").of_instance(1),
        snapshot(2, 11, "2026-11-02T17:00:00Z").of_instance(1),
    ];
    let mut account = Account::holding(&of_instances([instance(1, 10, [])], old));
    for day in 20..=22 {
        run(&mut account, &policy, &Options::default(), &format!("2026-11-{day}T17:00:00Z"));
    }
    let now = at("2026-11-22T20:00:00Z");
    let of_detached = account.observe(now).snapshots.into_iter().filter(|s| s.volume_id == volume_id(11));
    assert_eq!(of_detached.count(), 2);
}

#[test]
fn what_a_detached_volume_has_ages_away_but_for_the_newest() {
    let old = [1, 2].map(|day| {
        let made = snapshot(day, 11, &format!("2026-11-0{day}T17:00:00Z")).of_instance(1);
        let expires = made.start_time + DAY;
        made.expiring(&expires.to_string())
    });
    let world = of_instances([instance(1, 10, [])], old);
    check_fates(&instance_policy(days(1)), &world, "2026-11-22T20:00:00Z", "1 delete, 2 keep");
    let orphans = {
        let (policy, options) = (instance_policy(days(1)), Options::default());
        plan(&policy, &options, &start(START), at(START), &world).orphans
    };
    assert_eq!(orphans.of_untargeted_sources, 2, "nobody pays for what nobody sees");
}

#[test]
fn instances_that_ec2_cannot_back_up_are_skipped_with_their_state() {
    let in_state = |number: u32, state| Instance { state, ..instance(number, 10 * number, []) };
    let world = of_instances(
        [
            in_state(1, InstanceState::Hibernated),
            in_state(2, InstanceState::Terminated),
            in_state(3, InstanceState::Pending),
            in_state(4, InstanceState::Stopped),
            in_state(5, InstanceState::Running),
        ],
        [],
    );
    assert_eq!(decided(&instance_policy(count(1)), &world), ["skip", "skip", "skip", "create", "create"]);
}

#[test]
fn a_snapshot_that_lost_its_instance_tag_stays() {
    let world = of_instances(
        [instance(1, 10, [])],
        [snapshot(1, 10, "2026-01-01T17:00:00Z"), snapshot(2, 10, START).of_instance(1)],
    );
    check_fates(&instance_policy(count(1)), &world, "2026-11-22T20:00:00Z", "1 keep, 2 keep");
}

#[test]
fn a_year_of_sets_keeps_three_of_each_volume() {
    let policy = instance_policy(count(3));
    let mut account = Account::new(0, SignedDuration::from_mins(2));
    account.instances = vec![instance(1, 10, [11, 12]), instance(2, 20, [12])];
    for day in 0..365 {
        account.run(&policy, &Options::default(), starting(at("2026-01-01T17:00:00Z") + day * DAY));
    }
    assert_eq!(account.calls.creations, 2 * 365);
    assert_eq!(held(&account, at("2027-01-01T00:00:00Z")).len(), 5 * 3);
}
