//! Copies in other Regions, case by case.

mod equal;
mod fate;
mod lost;
mod sources;
mod starts;
mod wanted;

use super::super::{DeleteReason, KeepReason, Plan, SnapshotVerdict, StandsBack, plan};
use super::{CopyVerdict, CopyWait, GaveUp, LeftTo, RegionPlan, begin};
use crate::action::{Action, CopySnapshot};
use crate::fixtures::*;
use crate::options::Options;
use crate::place::Region;
use crate::policy::{CopyRule, Policy};
use crate::tags::{self, CopiedFrom, Mark, Marks};
use crate::world::{Coverage, CutShort, Origin, Snapshot, SnapshotId, SnapshotState, Unseen, View, VolumeId, World};
use jiff::SignedDuration;

const TODAY: &str = "2026-11-22T17:00:00Z";
const YESTERDAY: &str = "2026-11-21T17:00:00Z";

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn home() -> Region {
    region("us-east-1")
}

fn london() -> Region {
    region("eu-west-2")
}

fn rule(text: &str) -> CopyRule {
    CopyRule::parse(text).unwrap()
}

/// Daily at 17:00, keep 3, with copies.
fn policy_with(rules: &[&str]) -> Policy {
    let mut policy = sample();
    policy.schedules[0].copies = rules.iter().map(|text| rule(text)).collect();
    policy
}

/// A complete snapshot with a stamp, that is promised copies.
fn source(number: u32, volume: u32, scheduled_time: &str, rules: &[&str]) -> Snapshot {
    let mut source = snapshot(number, volume, scheduled_time).stamped(&[3]);
    source.marks.copies = Mark::Read(rules.iter().map(|text| rule(text)).collect());
    source.completed_at = Some(source.start_time + SignedDuration::from_mins(5));
    source
}

/// The copy of a snapshot as EC2 shows it a moment after the call at `began`.
fn copy_of(source: &Snapshot, number: u32, began: &str, to: &Region) -> Snapshot {
    let policy = sample();
    let promise = super::Promise::all_of(source).remove(to).expect("what is promised");
    let wanted = super::Wanted { source, promise, verdict: CopyVerdict::Begin { last_failed: None } };
    let call = begin(&policy, &Options::default(), at(began), (&home(), to), &wanted);
    let Some(Action::CopySnapshot(CopySnapshot { description, tags, .. })) = call else { panic!("no call") };
    Snapshot {
        id: SnapshotId::parse(&format!("snap-0c{number:015x}")).unwrap(),
        volume_id: VolumeId::parse("vol-ffffffff").unwrap(),
        description: description.into(),
        state: SnapshotState::Completed,
        start_time: at(began),
        origin: Origin::Copied,
        marks: Marks::read(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))).into(),
        ..source.clone()
    }
}

fn world_with(sources: Vec<Snapshot>, copies: Vec<Snapshot>) -> World {
    let mut world = world([volume(1), volume(2)], sources);
    world.home = Some(home());
    world.regions.insert(london(), View { snapshots: copies, ..View::default() });
    world
}

fn planned<'a>(policy: &'a Policy, options: &'a Options, start_at: &str, now: &str, world: &'a World) -> Plan<'a> {
    plan(policy, options, &start(start_at), at(now), world)
}

/// The decision about the copy of the first snapshot in London.
#[track_caller]
fn check_wanted(policy: &Policy, (start_at, now): (&str, &str), world: &World, expected: &CopyVerdict<'_>) {
    let options = Options::default();
    let plan = planned(policy, &options, start_at, now, world);
    let wanted = &of(&plan, &london()).wanted;
    let first = wanted.iter().find(|wanted| wanted.source.id == world.snapshots[0].id);
    assert_eq!(first.map(|wanted| &wanted.verdict), Some(expected));
}

fn of<'p, 'a>(plan: &'p Plan<'a>, region: &Region) -> &'p RegionPlan<'a> {
    plan.regions.iter().find(|of| of.region == *region).expect("the Region is planned")
}

const BEGIN: CopyVerdict<'static> = CopyVerdict::Begin { last_failed: None };
const RULE: &str = "eu-west-2:5d:-";

#[test]
fn a_copy_carries_what_tells_whose_it_is() {
    let rules = ["eu-west-2:2d:e:aws/111122223333/a", "eu-west-2:1m:t"];
    let made = source(1, 1, TODAY, &rules).also_of(&["Weekly"]).of_instance(7);
    let copy = copy_of(&made, 1, "2026-11-22T17:10:00Z", &london());
    let marks = &copy.marks;
    assert_eq!(
        &*copy.description,
        "Created for policy: policy-0123456789abcdef0 schedule: Default Schedule (copy of snap-00000000000000001 from us-east-1 to eu-west-2)"
    );
    assert_eq!(marks.also, made.marks.also);
    assert_eq!(marks.instance_id, made.marks.instance_id);
    assert_eq!(marks.volume_id, Mark::Read(volume_id(1)));
    // The rule that keeps it longest.
    assert_eq!(marks.expiration_time, Mark::Read(at("2026-12-22T17:10:00Z")));
    assert_eq!(marks.copied_from, Mark::Read(CopiedFrom { region: home(), snapshot: made.id }));
    assert!(marks.stamp.value().is_some_and(|stamp| stamp.is_intact) && super::seen::doubt(&copy).is_none());
    let promise = super::Promise::all_of(&made).remove(&london()).unwrap();
    assert!(promise.encrypted() && promise.copies_tags() && promise.key().is_some());
}

#[test]
fn what_a_button_made_is_copied_for_as_long_as_it_stays_itself() {
    let mut made = source(1, 1, TODAY, &["eu-west-2:1y:-"]);
    made = made.with_stamp(|stamp| stamp.is_run_now = true);
    let copy = copy_of(&made, 1, TODAY, &london());
    assert_eq!(copy.marks.expiration_time, Mark::Read(at("2026-11-29T17:00:00Z")));
    assert!(copy.marks.is_run_now());
}

#[test]
fn what_a_run_now_made_before_it_crashed_is_copied_when_it_is_taken_up() {
    let policy = policy_with(&[RULE]);
    let options = Options { run_now: true, ..Options::default() };
    let mut made = source(1, 1, TODAY, &[RULE]).with_stamp(|stamp| stamp.is_run_now = true);
    made.start_time = at("2026-11-22T16:59:59Z");
    let world = world_with(vec![made], vec![]);
    let verdict = |now: &str| {
        let plan = planned(&policy, &options, TODAY, now, &world);
        format!("{:?}", of(&plan, &london()).wanted[0].verdict)
    };
    let takes_over = CopyVerdict::Wait(CopyWait::TakenOver { at: at("2026-11-22T17:22:00Z") });
    assert_eq!(verdict("2026-11-22T17:06:00Z"), format!("{takes_over:?}"));
    assert_eq!(verdict("2026-11-22T17:22:00Z"), format!("{BEGIN:?}"));
}
