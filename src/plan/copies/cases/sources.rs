//! Which snapshots stay for their copies.

use super::*;

/// What becomes of the oldest snapshot of five, of which the policy keeps three, where London is seen so.
#[track_caller]
fn check_in(now: &str, view: impl Fn(&Snapshot) -> View, expected: Option<KeepReason<'_>>) {
    let (policy, options) = (policy_with(&[]), Options::default());
    let times = ["2026-11-22T13:00:00Z", "2026-11-22T14:00:00Z", "2026-11-22T15:00:00Z", "2026-11-22T16:00:00Z"];
    let oldest = source(1, 1, "2026-11-22T12:00:00Z", &[RULE]);
    let view = view(&oldest);
    let others = times.iter().zip(2..).map(|(time, number)| snapshot(number, 1, time).stamped(&[3]));
    let mut world = world_with(std::iter::once(oldest).chain(others).collect(), vec![]);
    world.regions.insert(london(), view);
    let plan = planned(&policy, &options, TODAY, now, &world);
    let decision = plan.snapshots.iter().find(|d| d.snapshot.id == world.snapshots[0].id).unwrap();
    let goes = SnapshotVerdict::Delete(DeleteReason::ExceedsCount { rank: 5, count: 3 });
    assert_eq!(decision.verdict, expected.map_or(goes, SnapshotVerdict::Keep));
}

#[track_caller]
fn check_source(now: &str, copies: impl Fn(&Snapshot) -> Vec<Snapshot>, expected: Option<KeepReason<'_>>) {
    check_in(now, |source| View { snapshots: copies(source), ..View::default() }, expected);
}

#[test]
fn e36_a_snapshot_stays_until_its_copy_is_complete_or_a_day_is_over() {
    let london = london();
    let otherwise = DeleteReason::ExceedsCount { rank: 5, count: 3 };
    let open = |until| Some(KeepReason::CopyOpen { region: &london, until: at(until), otherwise });
    // For a day after the run of 13:00 took over.
    check_source(TODAY, |_| vec![], open("2026-11-23T13:17:00Z"));
    check_source("2026-11-23T13:16:59Z", |_| vec![], open("2026-11-23T13:17:00Z"));
    check_source("2026-11-23T13:17:00Z", |_| vec![], None);
    let copy = |source: &Snapshot| copy_of(source, 1, "2026-11-23T12:00:00Z", &super::london());
    check_source("2026-11-23T12:04:00Z", |source| vec![copy(source)], None);
    // While one is under way EC2 still reads from it.
    check_source("2026-11-24T12:05:00Z", |source| vec![copy(source).pending()], open("2026-11-30T12:00:00Z"));
    check_source("2026-11-30T12:00:00Z", |source| vec![copy(source).pending()], None);
    // One whose tags were edited, or that failed, is none.
    check_source(TODAY, |source| vec![copy(source).in_state(SnapshotState::Error)], open("2026-11-23T13:17:00Z"));
    let edited = |source: &Snapshot| vec![copy(source).with_stamp(|stamp| stamp.is_intact = false)];
    check_source(TODAY, edited, open("2026-11-23T13:17:00Z"));
}

#[test]
fn where_a_region_does_not_answer_a_copy_may_be_under_way_and_its_snapshot_stays_as_long() {
    let london = london();
    let otherwise = DeleteReason::ExceedsCount { rank: 5, count: 3 };
    let open = |until| Some(KeepReason::CopyOpen { region: &london, until: at(until), otherwise });
    let unseen = |is_denied| View {
        unseen: Some(Unseen { code: "Timeout".to_owned(), message: "no answer".to_owned(), is_denied }),
        ..View::default()
    };
    let in_part = || View { coverage: Coverage::Partial(CutShort::Unreadable), ..View::default() };
    for view in [unseen(false), in_part()] {
        check_in("2026-11-24T12:05:00Z", |_| view.clone(), open("2026-11-29T12:05:00Z"));
        check_in("2026-11-29T12:05:00Z", |_| view.clone(), None);
    }
    // A role without the right to look has none tomorrow either.
    check_in("2026-11-24T12:05:00Z", |_| unseen(true), None);
}

#[test]
fn the_whole_set_stays_while_a_member_waits_for_its_copy() {
    let mut policy = instance_policy(count(1));
    policy.schedules[0].copies = vec![rule(RULE)];
    let member = |number, volume, time: &str| {
        let member = source(number, volume, time, &[RULE]).of_instance(1);
        member.stamped(&[1]).with_stamp(|stamp| stamp.members = Some(2))
    };
    let [one, two] = [1, 2].map(|n| member(n, n, "2026-11-22T15:00:00Z"));
    let newer = [3, 4].map(|n| member(n, n - 2, "2026-11-22T16:00:00Z"));
    let goes_of = |set: [&Snapshot; 2], copies: Vec<Snapshot>| {
        let sources = set.into_iter().cloned().chain(newer.clone()).collect();
        let world = World { instances: vec![instance(1, 1, [2])], ..world_with(sources, copies) };
        let options = Options::default();
        let plan = planned(&policy, &options, "2026-11-22T16:00:00Z", "2026-11-22T16:10:00Z", &world);
        plan.snapshots.iter().filter(|d| matches!(d.verdict, SnapshotVerdict::Delete(_))).count()
    };
    let goes = |copies| goes_of([&one, &two], copies);
    let copied = |source: &Snapshot, number| copy_of(source, number, "2026-11-22T15:10:00Z", &london());
    assert_eq!(goes(vec![copied(&one, 1), copied(&two, 2)]), 2);
    assert_eq!(goes(vec![copied(&one, 1)]), 0);
    // Whatever keeps that member.
    let held = two.clone().held("yes");
    assert_eq!(goes_of([&one, &held], vec![copied(&one, 1)]), 0);
    assert_eq!(goes_of([&one, &held], vec![copied(&one, 1), copied(&two, 2)]), 1);
}

#[test]
fn a_snapshot_that_goes_without_its_copy_is_told_by_the_run_that_deletes_it() {
    let (policy, options) = (policy_with(&[]), Options::default());
    // The run of yesterday could not look at London, and was overtaken.
    let first = source(1, 1, "2026-11-20T17:00:00Z", &[RULE]);
    let others = [YESTERDAY, "2026-11-21T18:00:00Z", TODAY].into_iter().zip(2..);
    let others = others.map(|(time, number)| snapshot(number, 1, time).stamped(&[3]));
    let of = |now: &str, copies: Vec<Snapshot>| {
        let world = world_with(std::iter::once(first.clone()).chain(others.clone()).collect(), copies);
        let plan = planned(&policy, &options, TODAY, now, &world);
        let goes = matches!(plan.snapshots[0].verdict, SnapshotVerdict::Delete(_));
        (goes, of(&plan, &london()).wanted.iter().map(|wanted| format!("{:?}", wanted.verdict)).collect::<Vec<_>>())
    };
    let waits = format!("{:?}", CopyVerdict::Wait(CopyWait::TakenOver { at: at("2026-11-22T17:17:00Z") }));
    assert_eq!(of("2026-11-22T17:16:59Z", vec![]), (false, vec![waits]));
    let why = GaveUp::WindowOver { at: at("2026-11-22T17:17:00Z") };
    let told = format!("{:?}", CopyVerdict::GivenUp { why, is_news: true });
    assert_eq!(of("2026-11-22T17:17:00Z", vec![]), (true, vec![told]));
    let copy = copy_of(&first, 1, "2026-11-20T17:10:00Z", &london());
    let (goes, verdicts) = of("2026-11-22T17:06:00Z", vec![copy]);
    assert!(goes && verdicts.iter().all(|verdict| verdict.starts_with("Done")), "{verdicts:?}");
}
