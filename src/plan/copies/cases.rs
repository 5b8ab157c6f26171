//! Copies in other Regions, case by case.

use super::super::{DeleteReason, KeepReason, Plan, SnapshotVerdict, StandsBack, plan};
use super::{CopyVerdict, CopyWait, GaveUp, LeftTo, RegionPlan, begin};
use crate::action::{Action, CopySnapshot};
use crate::fixtures::*;
use crate::options::Options;
use crate::place::Region;
use crate::policy::{CopyRule, Policy};
use crate::tags::{self, CopiedFrom, Mark, Marks};
use crate::world::{Coverage, CutShort, Origin, Snapshot, SnapshotId, SnapshotState, Unseen, View, VolumeId, World};
use jiff::{SignedDuration, Timestamp};

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
fn what_a_run_made_is_copied_as_soon_as_it_is_complete() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, TODAY, &[RULE]);
    check_wanted(&policy, (TODAY, "2026-11-22T17:05:01Z"), &world_with(vec![made.clone()], vec![]), &BEGIN);
    let pending = CopyVerdict::Wait(CopyWait::SourceNotComplete);
    check_wanted(&policy, (TODAY, "2026-11-22T17:00:01Z"), &world_with(vec![made.pending()], vec![]), &pending);
}

#[test]
fn what_is_copied_or_under_way_is_not_copied_again() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, TODAY, &[RULE]);
    let done = copy_of(&made, 1, "2026-11-22T17:06:00Z", &london());
    let now = (TODAY, "2026-11-22T17:07:00Z");
    check_wanted(&policy, now, &world_with(vec![made.clone()], vec![done.clone()]), &CopyVerdict::Done(&done));
    let under_way = done.pending();
    let world = world_with(vec![made.clone()], vec![under_way.clone()]);
    check_wanted(&policy, now, &world, &CopyVerdict::UnderWay { copy: &under_way, is_awaited: true });
    // A later run waits for it then.
    let later = snapshot(2, 1, "2026-11-22T17:06:30Z").stamped(&[3]);
    let world = world_with(vec![made, later], vec![under_way.clone()]);
    check_wanted(&policy, now, &world, &CopyVerdict::UnderWay { copy: &under_way, is_awaited: false });
}

#[test]
fn a_later_edit_neither_adds_nor_takes_a_copy() {
    let made = source(1, 1, TODAY, &[RULE]);
    let now = (TODAY, "2026-11-22T17:05:01Z");
    check_wanted(&policy_with(&[]), now, &world_with(vec![made], vec![]), &BEGIN);
    let unpromised = snapshot(1, 1, TODAY).stamped(&[3]);
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let world = world_with(vec![unpromised], vec![]);
    assert_eq!(of(&planned(&policy, &options, now.0, now.1, &world), &london()).wanted, []);
}

#[test]
fn what_another_run_left_is_taken_over_when_that_one_must_have_seen_it() {
    let policy = policy_with(&[RULE]);
    let left = source(1, 1, "2026-11-22T16:00:00Z", &[RULE]);
    let own = snapshot(2, 1, TODAY).stamped(&[3]);
    let world = world_with(vec![left.clone(), own], vec![]);
    let takes_over = CopyVerdict::Wait(CopyWait::TakenOver { at: at("2026-11-22T17:17:00Z") });
    check_wanted(&policy, (TODAY, "2026-11-22T17:16:59Z"), &world, &takes_over);
    check_wanted(&policy, (TODAY, "2026-11-22T17:17:00Z"), &world, &BEGIN);
    // A run that has made nothing may stand beside the one that has.
    let others = CopyVerdict::Wait(CopyWait::LeftTo(LeftTo::Others));
    check_wanted(&policy, (TODAY, "2026-11-22T17:40:00Z"), &world_with(vec![left], vec![]), &others);
}

#[test]
fn a_run_that_sees_a_later_one_begins_no_more_copies() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, YESTERDAY, &[RULE]);
    let later = snapshot(2, 1, TODAY).stamped(&[3]);
    let left = CopyVerdict::Wait(CopyWait::LeftTo(LeftTo::LaterRun { scheduled_time: at(TODAY) }));
    let world = world_with(vec![made.clone(), later.clone()], vec![]);
    check_wanted(&policy, (YESTERDAY, "2026-11-22T17:00:30Z"), &world, &left);
    // But not because of one that failed: that run may never make another.
    let failed = later.in_state(SnapshotState::Error);
    let world = world_with(vec![made], vec![]);
    let world = World { snapshots: [&world.snapshots[..], &[failed]].concat(), ..world };
    check_wanted(&policy, (YESTERDAY, "2026-11-22T17:00:30Z"), &world, &BEGIN);
}

#[test]
fn one_that_was_started_twice_leaves_the_copies_to_the_run_that_made_the_snapshots() {
    let policy = policy_with(&[RULE]);
    let mut made = source(1, 1, TODAY, &[RULE]);
    made.start_time = at("2026-11-22T16:59:59Z");
    let takes_over = |time| CopyVerdict::Wait(CopyWait::TakenOver { at: at(time) });
    let alone = world_with(vec![made.clone()], vec![]);
    check_wanted(&policy, (TODAY, "2026-11-22T17:06:00Z"), &alone, &takes_over("2026-11-22T17:17:00Z"));
    check_wanted(&policy, (TODAY, "2026-11-22T17:17:00Z"), &alone, &BEGIN);
    // As long as copies begin that one is at work.
    let mut other = source(2, 2, TODAY, &[RULE]);
    other.start_time = made.start_time;
    let copy = copy_of(&other, 1, "2026-11-22T17:10:00Z", &london());
    let at_work = world_with(vec![made.clone(), other.clone()], vec![copy.clone()]);
    check_wanted(&policy, (TODAY, "2026-11-22T17:20:00Z"), &at_work, &takes_over("2026-11-22T17:27:00Z"));
    let under_way = world_with(vec![made, other], vec![copy.pending()]);
    check_wanted(&policy, (TODAY, "2026-11-22T17:40:00Z"), &under_way, &takes_over("2026-11-22T17:57:00Z"));
}

#[test]
fn after_a_day_a_copy_is_given_up_and_told_for_three() {
    let policy = policy_with(&["eu-west-2:30d:-"]);
    let made = source(1, 1, YESTERDAY, &["eu-west-2:30d:-"]);
    let gave_up = |over, is_news| CopyVerdict::GivenUp { why: GaveUp::WindowOver { at: at(over) }, is_news };
    let alone = world_with(vec![made.clone()], vec![]);
    check_wanted(&policy, (YESTERDAY, "2026-11-22T17:05:00Z"), &alone, &BEGIN);
    check_wanted(&policy, (YESTERDAY, "2026-11-22T17:05:01Z"), &alone, &gave_up("2026-11-22T17:05:00Z", true));
    // The next run has as long after it took over, and whoever comes then tells, overtaken or not.
    let own = |number: u32| snapshot(number, 1, &format!("2026-11-{}T17:00:00Z", number + 20)).stamped(&[3]);
    let told = |is_news| gave_up("2026-11-23T17:17:00Z", is_news);
    let world = |numbers: std::ops::RangeInclusive<u32>| {
        world_with(std::iter::once(made.clone()).chain(numbers.map(own)).collect(), vec![])
    };
    check_wanted(&policy, ("2026-11-23T17:00:00Z", "2026-11-23T17:17:00Z"), &world(2..=3), &BEGIN);
    check_wanted(&policy, ("2026-11-23T17:00:00Z", "2026-11-23T17:17:01Z"), &world(2..=3), &told(true));
    check_wanted(&policy, ("2026-11-23T17:00:00Z", "2026-11-24T17:01:00Z"), &world(2..=4), &told(true));
    check_wanted(&policy, ("2026-11-26T17:00:00Z", "2026-11-26T17:17:00Z"), &world(2..=6), &told(true));
    check_wanted(&policy, ("2026-11-26T17:00:00Z", "2026-11-26T17:17:01Z"), &world(2..=6), &told(false));
}

#[test]
fn the_next_run_tries_what_a_run_left_that_died() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, YESTERDAY, &[RULE]);
    let own = snapshot(2, 1, TODAY).stamped(&[3]);
    // By then the day is over by twelve minutes.
    check_wanted(&policy, (TODAY, "2026-11-22T17:17:00Z"), &world_with(vec![made, own], vec![]), &BEGIN);
}

#[test]
fn a_copy_whose_time_would_be_over_by_now_is_missed_only_where_there_is_no_newer_one() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let [old, new] =
        [(1, "2026-11-01T17:00:00Z"), (2, "2026-11-02T17:00:00Z")].map(|(n, time)| source(n, 1, time, &[RULE]));
    let newer = copy_of(&new, 2, "2026-11-02T17:10:00Z", &london());
    let verdicts = |copies: Vec<Snapshot>| {
        let world = world_with(vec![old.clone()], copies);
        let plan = planned(&policy, &options, TODAY, TODAY, &world);
        of(&plan, &london()).wanted.iter().map(|wanted| wanted.is_open()).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(vec![newer.clone()]), Vec::<bool>::new());
    assert_eq!(verdicts(vec![newer.pending()]), [false]);
    assert_eq!(verdicts(vec![]), [false]);
}

#[test]
fn a_copy_that_fails_is_tried_three_times_and_told_with_what_ec2_says() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, TODAY, &[RULE]);
    let failed = |number, began| {
        let mut copy = copy_of(&made, number, began, &london()).in_state(SnapshotState::Error);
        copy.state_message = Some("Given key ID is not accessible".into());
        copy
    };
    let [one, two, three] = [(1, "2026-11-22T17:06:00Z"), (2, "2026-11-22T17:21:00Z"), (3, "2026-11-22T17:51:00Z")]
        .map(|(n, t)| failed(n, t));
    let world =
        |copies: &[&Snapshot]| world_with(vec![made.clone()], copies.iter().map(|&copy| copy.clone()).collect());
    let wait = |until| CopyVerdict::Wait(CopyWait::AfterFailure { until: at(until) });
    check_wanted(&policy, (TODAY, "2026-11-22T17:20:59Z"), &world(&[&one]), &wait("2026-11-22T17:21:00Z"));
    let again = CopyVerdict::Begin { last_failed: Some(&one) };
    check_wanted(&policy, (TODAY, "2026-11-22T17:21:00Z"), &world(&[&one]), &again);
    check_wanted(&policy, (TODAY, "2026-11-22T17:21:01Z"), &world(&[&one, &two]), &wait("2026-11-22T17:51:00Z"));
    let gave_up = CopyVerdict::GivenUp { why: GaveUp::Failed { last: &three, tries: 3 }, is_news: true };
    check_wanted(&policy, (TODAY, "2026-11-22T17:52:00Z"), &world(&[&one, &two, &three]), &gave_up);
}

#[test]
fn where_ten_copies_in_a_row_failed_no_other_one_is_tried() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, TODAY, &[RULE]);
    let other = |number| source(number + 10, 2, YESTERDAY, &[RULE]);
    let failed =
        |number: u32| copy_of(&other(number), number, "2026-11-22T17:06:00Z", &london()).in_state(SnapshotState::Error);
    let copies: Vec<Snapshot> = (1..=10).map(failed).collect();
    let last = copies[9].clone();
    let gave_up = CopyVerdict::GivenUp { why: GaveUp::RegionFails { last: &last, in_a_row: 10 }, is_news: true };
    let now = (TODAY, "2026-11-22T17:07:00Z");
    check_wanted(&policy, now, &world_with(vec![made.clone()], copies.clone()), &gave_up);
    check_wanted(&policy, now, &world_with(vec![made], copies[1..].to_vec()), &BEGIN);
}

#[test]
fn beside_two_copies_whose_tags_were_edited_no_third_one_is_made() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, TODAY, &[RULE]);
    let edited =
        |number| copy_of(&made, number, "2026-11-22T17:06:00Z", &london()).with_stamp(|stamp| stamp.is_intact = false);
    let now = (TODAY, "2026-11-22T17:07:00Z");
    check_wanted(&policy, now, &world_with(vec![made.clone()], vec![edited(1)]), &BEGIN);
    let gave_up = CopyVerdict::GivenUp { why: GaveUp::Doubted { copies: 2 }, is_news: true };
    check_wanted(&policy, now, &world_with(vec![made.clone()], vec![edited(1), edited(2)]), &gave_up);
}

#[test]
fn a_region_that_cannot_be_seen_gets_no_copy_and_keeps_nobody_from_the_others() {
    let both = [RULE, "eu-west-1:2d:-"];
    let policy = policy_with(&both);
    let made = source(1, 1, TODAY, &both);
    let mut world = world_with(vec![made], vec![]);
    let dark = Unseen { code: "Timeout".to_owned(), message: "no answer".to_owned(), is_denied: false };
    world.regions.insert(london(), View { unseen: Some(dark), ..View::default() });
    world.regions.insert(region("eu-west-1"), View::default());
    let now = (TODAY, "2026-11-22T17:06:00Z");
    check_wanted(&policy, now, &world, &CopyVerdict::Wait(CopyWait::Unseen));
    let options = Options::default();
    let plan = planned(&policy, &options, now.0, now.1, &world);
    assert_eq!(of(&plan, &region("eu-west-1")).wanted[0].verdict, BEGIN);
    // Nor one that was seen in part only: what is not shown may be there.
    let coverage = Coverage::Partial(CutShort::Unreadable);
    world.regions.insert(london(), View { coverage, ..View::default() });
    check_wanted(&policy, now, &world, &CopyVerdict::Wait(CopyWait::Unseen));
}

/// What becomes of the oldest snapshot of five, of which the policy keeps three.
#[track_caller]
fn check_source(now: &str, copies: impl Fn(&Snapshot) -> Vec<Snapshot>, expected: Option<KeepReason<'_>>) {
    let (policy, options) = (policy_with(&[]), Options::default());
    let times = ["2026-11-22T13:00:00Z", "2026-11-22T14:00:00Z", "2026-11-22T15:00:00Z", "2026-11-22T16:00:00Z"];
    let oldest = source(1, 1, "2026-11-22T12:00:00Z", &[RULE]);
    let copies = copies(&oldest);
    let others = times.iter().zip(2..).map(|(time, number)| snapshot(number, 1, time).stamped(&[3]));
    let world = world_with(std::iter::once(oldest).chain(others).collect(), copies);
    let plan = planned(&policy, &options, TODAY, now, &world);
    let decision = plan.snapshots.iter().find(|d| d.snapshot.id == world.snapshots[0].id).unwrap();
    let goes = SnapshotVerdict::Delete(DeleteReason::ExceedsCount { rank: 5, count: 3 });
    assert_eq!(decision.verdict, expected.map_or(goes, SnapshotVerdict::Keep));
}

#[test]
fn e36_a_snapshot_stays_until_its_copy_is_complete_or_a_day_is_over() {
    let london = london();
    let otherwise = DeleteReason::ExceedsCount { rank: 5, count: 3 };
    let open = |until| Some(KeepReason::CopyOpen { region: &london, until: at(until), otherwise });
    // The run of 13:00 took over an hour and more before: a day is longer.
    check_source(TODAY, |_| vec![], open("2026-11-23T12:05:00Z"));
    check_source("2026-11-23T12:04:59Z", |_| vec![], open("2026-11-23T12:05:00Z"));
    check_source("2026-11-23T12:05:00Z", |_| vec![], None);
    let copy = |source: &Snapshot| copy_of(source, 1, "2026-11-23T12:00:00Z", &super::cases::london());
    check_source("2026-11-23T12:04:00Z", |source| vec![copy(source)], None);
    // While one is under way EC2 still reads from it.
    check_source("2026-11-24T12:05:00Z", |source| vec![copy(source).pending()], open("2026-11-30T12:00:00Z"));
    check_source("2026-11-30T12:00:00Z", |source| vec![copy(source).pending()], None);
    // One whose tags were edited, or that failed, is none.
    check_source(TODAY, |source| vec![copy(source).in_state(SnapshotState::Error)], open("2026-11-23T12:05:00Z"));
    let edited = |source: &Snapshot| vec![copy(source).with_stamp(|stamp| stamp.is_intact = false)];
    check_source(TODAY, edited, open("2026-11-23T12:05:00Z"));
}

/// Copies of so many days ago, the oldest first, with the verdict about the oldest.
#[track_caller]
fn check_fate(
    policy: &Policy,
    options: &Options,
    change: impl Fn(&mut World),
    expected: Result<DeleteReason, &KeepReason<'_>>,
) {
    let days = ["2026-11-15T17:00:00Z", "2026-11-20T17:00:00Z", YESTERDAY];
    let sources = days.iter().zip(1..).map(|(day, number)| source(number, 1, day, &[RULE]));
    let sources: Vec<Snapshot> = sources.collect();
    let copies = sources.iter().zip(1..).map(|(source, number)| {
        let began = source.start_time + SignedDuration::from_mins(10);
        copy_of(source, number, &began.to_string(), &london())
    });
    let copies = copies.collect();
    let mut world = world_with(sources, copies);
    change(&mut world);
    let plan = planned(policy, options, TODAY, "2026-11-22T17:30:00Z", &world);
    let oldest = SnapshotId::parse("snap-0c000000000000001").unwrap();
    let decision = of(&plan, &london()).copies.iter().find(|d| d.snapshot.id == oldest).unwrap();
    match expected {
        Ok(reason) => assert_eq!(decision.verdict, SnapshotVerdict::Delete(reason)),
        Err(reason) => assert_eq!(decision.verdict, SnapshotVerdict::Keep(reason.clone())),
    }
}

const EXPIRED: DeleteReason = DeleteReason::Expired { at: Timestamp::UNIX_EPOCH };

fn expired() -> DeleteReason {
    let DeleteReason::Expired { .. } = EXPIRED else { panic!("it is") };
    DeleteReason::Expired { at: at("2026-11-20T17:10:00Z") }
}

fn london_of(world: &mut World) -> &mut View {
    world.regions.get_mut(&london()).unwrap()
}

#[test]
fn a_copy_goes_by_its_own_age_counted_from_its_own_start() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    check_fate(&policy, &options, |_| {}, Ok(expired()));
    let later = |world: &mut World| london_of(world).snapshots[0].start_time += SignedDuration::from_mins(20);
    check_fate(&policy, &options, later, Ok(DeleteReason::Expired { at: at("2026-11-20T17:30:00Z") }));
}

#[test]
fn the_newest_complete_copy_stays_while_no_newer_one_is_complete() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let alone = |world: &mut World| london_of(world).snapshots.truncate(1);
    check_fate(&policy, &options, alone, Err(&KeepReason::NewestCompleted));
    let pending = |world: &mut World| {
        let snapshots = &mut london_of(world).snapshots;
        snapshots[1].state = SnapshotState::Pending;
        snapshots[2].state = SnapshotState::Error;
    };
    check_fate(&policy, &options, pending, Err(&KeepReason::NewestCompleted));
    // The newest is the one of the newest data, whenever its copy began.
    let late = |world: &mut World| {
        let policy = sample();
        let monday = source(9, 1, "2026-11-10T17:00:00Z", &[RULE]);
        assert_eq!(policy.schedules.len(), 1);
        let view = london_of(world);
        view.snapshots.truncate(1);
        view.snapshots.push(copy_of(&monday, 9, "2026-11-22T17:00:00Z", &london()));
    };
    check_fate(&policy, &options, late, Err(&KeepReason::NewestCompleted));
}

#[test]
fn the_newest_whole_set_stays_where_a_member_of_newer_ones_failed() {
    let mut policy = instance_policy(count(3));
    policy.schedules[0].copies = vec![rule(RULE)];
    let days = ["2026-11-15T17:00:00Z", "2026-11-20T17:00:00Z", YESTERDAY];
    let member = |number: u32, volume: u32, day: &str| {
        source(number, volume, day, &[RULE]).of_instance(1).with_stamp(|stamp| stamp.members = Some(2))
    };
    let sets =
        days.iter().zip(0..).map(|(day, set): (_, u32)| [member(1 + 2 * set, 1, day), member(2 + 2 * set, 2, day)]);
    let sources: Vec<Snapshot> = sets.flatten().collect();
    let copies = sources.iter().zip(1..).map(|(source, number)| {
        let began = (source.start_time + SignedDuration::from_mins(10)).to_string();
        let copy = copy_of(source, number, &began, &london());
        // Of the newer sets the second member failed.
        if number > 2 && number % 2 == 0 { copy.in_state(SnapshotState::Error) } else { copy }
    });
    let copies: Vec<Snapshot> = copies.collect();
    let mut world = world_with(sources, copies);
    (world.volumes, world.instances) = (vec![], vec![instance(1, 1, [2])]);
    let options = Options::default();
    let plan = planned(&policy, &options, TODAY, "2026-11-22T17:30:00Z", &world);
    let verdicts: Vec<&SnapshotVerdict<'_>> = of(&plan, &london())
        .copies
        .iter()
        .filter(|d| d.snapshot.marks.scheduled_time == Mark::Read(at(days[0])))
        .map(|d| &d.verdict)
        .collect();
    assert_eq!(verdicts, [&SnapshotVerdict::Keep(KeepReason::NewestCompleted); 2]);
}

#[test]
fn minimum_kept_and_stopped_backups_hold_in_each_region() {
    let policy = policy_with(&[RULE]);
    let three = Options { minimum_kept: 3, ..Options::default() };
    check_fate(&policy, &three, |_| {}, Err(&KeepReason::MinimumKept { minimum: 3, otherwise: expired() }));
    let stopped = |world: &mut World| {
        london_of(world).snapshots.pop();
        let view = london_of(world);
        let older = source(8, 1, "2026-11-16T17:00:00Z", &[RULE]);
        view.snapshots[1] = copy_of(&older, 8, "2026-11-16T17:10:00Z", &london());
    };
    let newest = at("2026-11-16T17:00:00Z");
    check_fate(&policy, &Options::default(), stopped, Err(&KeepReason::BackupsStopped { newest }));
    let all_the_same = Options { age_without_new_backups: true, ..Options::default() };
    check_fate(&policy, &all_the_same, stopped, Ok(expired()));
}

#[test]
fn what_two_schedules_share_goes_when_each_of_them_has_a_newer_copy() {
    let mut policy = policy_with(&[RULE]);
    let first = policy.schedules[0].clone();
    policy.schedules.push(crate::policy::Schedule { name: name("Other"), ..first });
    let options = Options::default();
    let later = "2026-11-20T17:00:00Z";
    let shared = |number, day| {
        let mut shared = source(number, 1, day, &[RULE]);
        shared.marks.also = Mark::Read(vec![name("Other")]);
        shared
    };
    let mut of_other = source(3, 1, YESTERDAY, &[RULE]);
    of_other.marks.schedule_name = Mark::Read(name("Other"));
    let sources = vec![shared(1, "2026-11-15T17:00:00Z"), source(2, 1, later, &[RULE]), of_other];
    let copies = sources.iter().zip(1..).map(|(source, number)| {
        let began = source.start_time + SignedDuration::from_mins(10);
        copy_of(source, number, &began.to_string(), &london())
    });
    let world = world_with(sources.clone(), copies.collect());
    let now = "2026-11-22T17:30:00Z";
    let plan = planned(&policy, &options, TODAY, now, &world);
    let goes = |decision: &&crate::plan::SnapshotDecision<'_>| matches!(decision.verdict, SnapshotVerdict::Delete(_));
    assert_eq!(of(&plan, &london()).copies.iter().filter(goes).count(), 1);
    assert_eq!(crate::plan::check::check(&policy, &options, at(now), &world, &plan), vec![]);
}

#[test]
fn a_hold_and_an_edited_tag_keep_a_copy() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let held = |world: &mut World| london_of(world).snapshots[0].marks.hold = Some(tags::Hold::Forever);
    check_fate(&policy, &options, held, Err(&KeepReason::Held(tags::Hold::Forever)));
    let edited = |world: &mut World| {
        let copy = london_of(world).snapshots.remove(0).with_stamp(|stamp| stamp.is_intact = false);
        london_of(world).snapshots.insert(0, copy);
    };
    check_fate(&policy, &options, edited, Err(&KeepReason::Doubted(crate::plan::Doubt::Edited)));
    let unstamped = |world: &mut World| london_of(world).snapshots[0].marks.stamp = Mark::Absent;
    check_fate(&policy, &options, unstamped, Err(&KeepReason::Doubted(crate::plan::Doubt::UnreadableStamp)));
}

#[test]
fn what_no_rule_copies_any_more_stays_and_is_counted() {
    check_fate(&policy_with(&[]), &Options::default(), |_| {}, Err(&KeepReason::NoCopyRule));
    check_fate(&policy_with(&["eu-west-1:5d:-"]), &Options::default(), |_| {}, Err(&KeepReason::NoCopyRule));
}

#[test]
fn nothing_goes_in_a_region_when_the_home_region_was_not_seen_whole() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let cut = CutShort::TooManyPages;
    let partial = |world: &mut World| world.coverage = Coverage::Partial(cut);
    check_fate(&policy, &options, partial, Err(&KeepReason::ObservationCutShort { cut, otherwise: expired() }));
    let there = |world: &mut World| london_of(world).coverage = Coverage::Partial(cut);
    check_fate(&policy, &options, there, Err(&KeepReason::ObservationCutShort { cut, otherwise: expired() }));
    let empty = |world: &mut World| world.snapshots.clear();
    check_fate(&policy, &options, empty, Err(&KeepReason::HomeShowsNone { otherwise: expired() }));
    // What the run made itself it asks for by its id: an empty list shows nothing all the same.
    let by_id = |world: &mut World| {
        world.snapshots.truncate(1);
        world.by_id.shown = world.snapshots.iter().map(|snapshot| snapshot.id).collect();
    };
    check_fate(&policy, &options, by_id, Err(&KeepReason::HomeShowsNone { otherwise: expired() }));
    let failed = |world: &mut World| {
        world.snapshots.clear();
        london_of(world).snapshots.iter_mut().for_each(|copy| copy.state = SnapshotState::Error);
    };
    let since = at("2026-11-15T17:10:00Z");
    let otherwise = DeleteReason::Failed { since };
    check_fate(&policy, &options, failed, Err(&KeepReason::HomeShowsNone { otherwise }));
}

#[test]
fn r1_a_run_that_sees_a_later_one_deletes_nothing_in_any_region() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let scheduled_time = at("2026-11-22T17:20:00Z");
    let why = StandsBack::LaterRun { scheduled_time };
    let keeps = KeepReason::RunStandsBack { why, otherwise: expired() };
    let at_home = |world: &mut World| {
        world.snapshots.push(snapshot(30, 1, "2026-11-22T17:20:00Z").stamped(&[3]));
    };
    check_fate(&policy, &options, at_home, Err(&keeps));
    // Also where only its copies show it.
    let abroad = |world: &mut World| {
        let later = source(30, 2, "2026-11-22T17:20:00Z", &[RULE]);
        london_of(world).snapshots.push(copy_of(&later, 30, "2026-11-22T17:25:00Z", &london()));
    };
    check_fate(&policy, &options, abroad, Err(&keeps));
}

#[test]
fn of_two_equal_copies_the_one_that_stays_longer_remains() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let second = |began: &'static str| {
        move |world: &mut World| {
            let twice = source(1, 1, "2026-11-15T17:00:00Z", &[RULE]);
            london_of(world).snapshots.push(copy_of(&twice, 9, began, &london()));
        }
    };
    let beside = at("2026-11-15T17:11:00Z");
    check_fate(&policy, &options, second("2026-11-15T17:11:00Z"), Ok(DeleteReason::Duplicate { beside }));
    // Two snapshots for one time may be copied in one turn, at one instant.
    let twin = |world: &mut World| {
        let of_twin = source(7, 1, "2026-11-15T17:00:00Z", &[RULE]);
        let view = london_of(world);
        view.snapshots.push(copy_of(&of_twin, 0, "2026-11-15T17:10:00Z", &london()));
    };
    let beside = at("2026-11-15T17:10:00Z");
    check_fate(&policy, &options, twin, Ok(DeleteReason::Duplicate { beside }));
    // Somebody's copy of a copy, with its tags, is for a purpose of its own.
    let cloned = |world: &mut World| {
        let mut clone = london_of(world).snapshots[0].clone();
        clone.id = SnapshotId::parse("snap-0c0000000000000ff").unwrap();
        clone.start_time += SignedDuration::from_mins(1);
        let view = london_of(world);
        view.snapshots.push(clone);
        view.snapshots.retain(|copy| copy.marks.scheduled_time == Mark::Read(at("2026-11-15T17:00:00Z")));
    };
    check_fate(&policy, &options, cloned, Err(&KeepReason::NewestCompleted));
}

#[test]
fn of_two_snapshots_for_one_time_the_copy_of_either_is_enough_if_it_stays_as_long() {
    let policy = policy_with(&[RULE]);
    let (kept, gone) = (source(1, 1, TODAY, &[RULE]), source(2, 1, TODAY, &[RULE]));
    let now = (TODAY, "2026-11-22T17:07:00Z");
    let copy = copy_of(&gone, 1, "2026-11-22T17:06:00Z", &london());
    let world = |copy: &Snapshot| world_with(vec![kept.clone()], vec![copy.clone()]);
    check_wanted(&policy, now, &world(&copy), &CopyVerdict::Done(&copy));
    let under_way = copy.clone().pending();
    check_wanted(&policy, now, &world(&under_way), &CopyVerdict::UnderWay { copy: &under_way, is_awaited: true });
    let shorter = copy_of(&source(2, 1, TODAY, &["eu-west-2:4d:-"]), 1, "2026-11-22T17:06:00Z", &london());
    check_wanted(&policy, now, &world(&shorter), &BEGIN);
    let edited = Snapshot { start_time: at("2026-11-22T18:06:00Z"), ..copy };
    check_wanted(&policy, now, &world(&edited), &BEGIN);
}

#[test]
fn what_somebody_copied_on_to_another_region_is_not_ours() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let made = source(1, 1, YESTERDAY, &["eu-west-1:5d:-"]);
    let copied_on = copy_of(&made, 1, "2026-11-21T17:10:00Z", &region("eu-west-1"));
    let mut of_another_home = copy_of(&made, 2, "2026-11-21T17:10:00Z", &region("eu-west-1"));
    let from = CopiedFrom { region: region("ap-south-1"), snapshot: made.id };
    of_another_home.marks.copied_from = Mark::Read(from);
    let mut world = world_with(vec![made], vec![copied_on, of_another_home]);
    world.home = Some(home());
    let plan = planned(&policy, &options, TODAY, TODAY, &world);
    let london = of(&plan, &london());
    assert_eq!((london.copies.len(), london.foreign), (0, 1));
}

#[test]
fn copies_answer_nothing_and_count_for_nothing_at_home() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let elsewhere = source(1, 1, TODAY, &["us-east-1:5d:-"]);
    let copy = copy_of(&elsewhere, 1, TODAY, &home());
    let world = world([volume(1)], [copy]);
    let plan = planned(&policy, &options, TODAY, TODAY, &world);
    assert!(plan.snapshots.is_empty() && plan.foreign == 1);
    assert!(matches!(plan.targets[0].verdict, crate::plan::TargetVerdict::Create { .. }));
}

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
    assert!(copy.marks.stamp.value().is_some_and(|stamp| stamp.is_run_now));
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
    let takes_over = CopyVerdict::Wait(CopyWait::TakenOver { at: at("2026-11-22T17:17:00Z") });
    assert_eq!(verdict("2026-11-22T17:06:00Z"), format!("{takes_over:?}"));
    assert_eq!(verdict("2026-11-22T17:17:00Z"), format!("{BEGIN:?}"));
}
