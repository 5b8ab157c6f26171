//! Which copies stay.

mod evidence;

use super::*;

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

fn expired() -> DeleteReason {
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
fn that_a_schedule_is_no_more_keeps_no_copy_that_it_shared() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let shared = |number, day: &str| {
        let mut shared = source(number, 1, day, &[RULE]);
        (shared.marks.schedule_name, shared.marks.also) =
            (Mark::Read(name("Gone")), Mark::Read(vec![sample().schedules[0].name.clone()]));
        shared
    };
    let days = [shared(1, "2026-11-10T17:00:00Z"), shared(2, "2026-11-11T17:00:00Z"), source(3, 1, YESTERDAY, &[RULE])];
    let copies = days.iter().zip(1..).map(|(source, number)| {
        let began = source.start_time + SignedDuration::from_mins(10);
        copy_of(source, number, &began.to_string(), &london())
    });
    let world = world_with(days.to_vec(), copies.collect());
    let plan = planned(&policy, &options, TODAY, "2026-11-22T17:30:00Z", &world);
    let verdicts = of(&plan, &london()).copies.iter().map(|decision| &decision.verdict);
    let goes: Vec<bool> = verdicts.map(|verdict| matches!(verdict, SnapshotVerdict::Delete(_))).collect();
    // The newest of the schedule that is no more stays, as ever.
    assert_eq!(goes, [true, false, false]);
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
    of_another_home.marks.copied_from = Mark::Read(from.clone());
    // Whatever its tag says, its description says that it was made of another one.
    let edited = of_another_home.clone();
    of_another_home.description =
        tags::copy_description(&policy.id, &policy.schedules[0].name, &from, &london()).into();
    let counts = |copies: Vec<Snapshot>| {
        let world = world_with(vec![made.clone()], copies);
        let plan = planned(&policy, &options, TODAY, TODAY, &world);
        let london = of(&plan, &london());
        (london.copies.len(), london.foreign)
    };
    assert_eq!(counts(vec![copied_on, of_another_home]), (0, 1));
    assert_eq!(counts(vec![edited]), (0, 1));
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
fn a_volume_that_went_to_another_instance_has_a_copy_in_the_set_of_each() {
    let of = |number, instance| {
        let of_set = source(number, 1, YESTERDAY, &[RULE]).of_instance(instance).stamped(&[3]);
        of_set.with_stamp(|stamp| stamp.members = Some(1))
    };
    let [one, other] = [of(1, 1), of(2, 2)];
    let copies = vec![
        copy_of(&one, 1, "2026-11-21T17:10:00Z", &london()),
        copy_of(&other, 2, "2026-11-21T17:20:00Z", &london()),
    ];
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let world = world_with(vec![one, other], copies);
    let plan = planned(&policy, &options, TODAY, "2026-11-22T17:20:00Z", &world);
    let stays =
        |decision: &super::super::super::SnapshotDecision<'_>| matches!(decision.verdict, SnapshotVerdict::Keep(_));
    assert!(of_london(&plan).copies.iter().all(stays), "else the one that went would be made again");
}

fn of_london<'p, 'a>(plan: &'p Plan<'a>) -> &'p RegionPlan<'a> {
    super::of(plan, &london())
}

#[test]
fn what_has_expired_and_is_the_last_of_a_gone_volume_or_schedule_is_left_behind() {
    let options = Options::default();
    let old = "2026-11-10T17:00:00Z";
    let copied = |source: Snapshot, number| {
        let began = (source.start_time + SignedDuration::from_mins(10)).to_string();
        copy_of(&source, number, &began, &london())
    };
    let left = |sources: Vec<Snapshot>, copies: Vec<Snapshot>| {
        let (policy, world) = (policy_with(&[RULE]), world_with(sources, copies));
        let plan = planned(&policy, &options, TODAY, "2026-11-22T17:30:00Z", &world);
        of(&plan, &london()).left_behind.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let today = || source(1, 1, TODAY, &[RULE]);
    let (first, gone) = (copied(source(2, 1, old, &[RULE]), 1), copied(source(3, 9, old, &[RULE]), 9));
    // The next copy of the volume that is there takes its last one away.
    assert_eq!(left(vec![today()], vec![first.clone(), gone.clone()]), [gone.id.to_string()]);
    // Nothing takes away what was for a schedule that is gone as well.
    let shared = copied(source(4, 1, old, &[RULE]).also_of(&["Gone"]), 4);
    assert_eq!(left(vec![today()], vec![shared.clone(), copied(today(), 5)]), [shared.id.to_string()]);
    // Nor anything where the home Region shows nothing.
    assert_eq!(left(vec![], vec![first.clone(), gone.clone()]), [first.id.to_string(), gone.id.to_string()]);
}

#[test]
fn when_the_newest_copy_goes_is_explained_for_volumes_that_are_there_and_for_those_that_are_gone() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let old = |number, volume| {
        let source = source(number, volume, "2026-11-10T17:00:00Z", &[RULE]);
        copy_of(&source, number, "2026-11-10T17:10:00Z", &london())
    };
    let world = world_with(vec![source(3, 1, TODAY, &[RULE])], vec![old(1, 1), old(9, 9)]);
    let now = "2026-11-22T17:30:00Z";
    let plan = planned(&policy, &options, TODAY, now, &world);
    let goes = |number: u32| {
        let id = SnapshotId::parse(&format!("snap-0c{number:015x}")).unwrap();
        crate::report::explain::explain(&policy, &options, at(now), &world, &plan, &id).goes
    };
    assert_eq!(goes(1), "once a newer copy is complete");
    assert_eq!(
        goes(9),
        "never, because its volume or schedule is gone and no newer copy comes: delete it by hand, if nobody needs it"
    );
}
