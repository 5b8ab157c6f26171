//! What fails in other Regions: calls that EC2 refuses, more of them than a run tells one by one, and copies that fail late.

use super::*;
use crate::action::{Action, Failed, FailedKind, Outcome};
use crate::plan::plan;
use crate::turn::{select, select_copies};
use jiff::SignedDuration;

const TODAY: &str = "2026-11-22T17:00:00Z";

fn home() -> Region {
    Region::parse("us-east-1").unwrap()
}

fn copying() -> Policy {
    let mut policy = sample();
    policy.schedules[0].copies = vec![CopyRule::parse("eu-west-2:5d:-").unwrap()];
    policy
}

fn source(number: u32, volume: u32, time: &str) -> Snapshot {
    let mut source = snapshot(number, volume, time).stamped(&[3]);
    source.marks.copies = Mark::Read(copying().schedules[0].copies.clone());
    source.completed_at = Some(source.start_time + SignedDuration::from_mins(5));
    source
}

fn copy_of(source: &Snapshot, number: u32) -> Snapshot {
    let mut copy = source.clone();
    copy.id = SnapshotId::parse(&format!("snap-0c{number:015x}")).unwrap();
    copy.origin = Origin::Copied;
    copy.start_time += SignedDuration::from_mins(6);
    let from = CopiedFrom { region: home(), snapshot: source.id };
    copy.description = tags::copy_description(&sample().id, &sample().schedules[0].name, &from, &london()).into();
    copy.marks.volume_id = Mark::Read(source.volume_id);
    copy.marks.copied_from = Mark::Read(from);
    copy.marks.copies = Mark::Absent;
    copy.marks.expiration_time = Mark::Read(copy.start_time + SignedDuration::from_hours(5 * 24));
    let called = copy.start_time;
    copy.stamped(&[3]).with_stamp(|stamp| stamp.called = called)
}

/// Turn after turn, a minute apart, in which EC2 answers each call in London as told: how many calls there were in all, how the last turn
/// ended, and what travels then.
fn turns(world: &World, answer: impl Fn(&Action) -> Outcome) -> (usize, Status, Progress) {
    let (policy, options, start) = (copying(), Options::default(), start(TODAY));
    let mut progress = Progress { turns: 20, waits: 9, creations: 1, created: 1, ..Progress::new(&start) };
    progress.copies.begun_in.insert("eu-west-2".to_owned(), 1);
    let mut calls = 0;
    for turn in 0..100 {
        let now = at("2026-11-22T17:30:00Z") + SignedDuration::from_mins(turn);
        let plan = plan(&policy, &options, &start, now, world);
        let mut selection = select(&policy, &options, &plan, &progress, now, Budget::UNBOUNDED);
        selection.actions.clear();
        select_copies(&policy, &options, &plan, &progress, (world.home.as_ref(), now), &mut selection);
        calls += selection.actions.len();
        let outcomes: Vec<Outcome> = selection.actions.iter().map(&answer).collect();
        let concluded = conclude(&options, &plan, progress, selection, outcomes, now);
        progress = concluded.progress;
        if let Status::Done(_) = concluded.status {
            return (calls, concluded.status, progress);
        }
    }
    (calls, Status::Waiting { seconds: 0 }, progress)
}

fn refused(_: &Action) -> Outcome {
    let (code, message) = ("OperationNotPermitted".to_owned(), "the snapshot is locked".to_owned());
    Outcome::Failed(Failed { kind: FailedKind::Refused, code, message })
}

#[test]
fn many_refused_deletions_are_tried_once_and_end_the_run() {
    let of = |time, first| (1..=80).map(move |volume| source(first + volume, volume, time));
    let (old, new) = (of("2026-11-10T17:00:00Z", 0), of(TODAY, 200));
    let sources: Vec<Snapshot> = new.clone().collect();
    let copies = old.chain(new).zip(1..).map(|(source, number)| copy_of(&source, number)).collect();
    let view = View { snapshots: copies, ..View::default() };
    let there = world((1..=80).map(volume), sources);
    let world = World { home: Some(home()), regions: [(london(), view)].into(), ..there };
    let (calls, status, progress) = turns(&world, refused);
    assert_eq!((calls, status), (80, Status::Done(crate::turn::RunOutcome::Partial)));
    assert_eq!((progress.failures.len(), progress.failures_left_out), (30, 50));
}

/// A world with so many snapshots of today whose copies are promised.
fn promised(volumes: u32) -> World {
    let there = world((1..=volumes).map(volume), (1..=volumes).map(|volume| source(200 + volume, volume, TODAY)));
    World { home: Some(home()), regions: [(london(), View::default())].into(), ..there }
}

#[test]
fn many_refused_copies_keep_none_from_the_others() {
    let tried = std::cell::Cell::new(0);
    let answer = |action: &Action| match action {
        Action::CopySnapshot(copy) if copy.source.volume_id == volume_id(100) => {
            tried.set(tried.get() + 1);
            Outcome::Created(vec![SnapshotId::parse("snap-0cffffffff").unwrap()])
        }
        other => refused(other),
    };
    turns(&promised(100), answer);
    assert!(tried.get() > 0);
}

#[test]
fn three_refusals_under_one_key_stop_that_key_only() {
    let mut world = promised(5);
    world.snapshots[4].marks.copies = Mark::Read(vec![CopyRule::parse("eu-west-2:5d:e").unwrap()]);
    let ids: Vec<SnapshotId> = world.snapshots.iter().map(|snapshot| snapshot.id).collect();
    let (policy, options, start) = (copying(), Options::default(), start(TODAY));
    let begun_after = |refusals: usize, begun: u64| {
        let mut progress = Progress { turns: 20, waits: 9, creations: 1, created: 1, ..Progress::new(&start) };
        progress.copies.begun_in.insert("eu-west-2".to_owned(), begun);
        progress.copies.refused.extend(ids[..refusals].iter().map(|id| Subject::of_copy(id, &london()).hash()));
        let now = at("2026-11-22T17:30:00Z");
        let plan = plan(&policy, &options, &start, now, &world);
        let mut selection = select(&policy, &options, &plan, &progress, now, Budget::UNBOUNDED);
        selection.actions.clear();
        select_copies(&policy, &options, &plan, &progress, (world.home.as_ref(), now), &mut selection);
        let copied = |action: &Action| match action {
            Action::CopySnapshot(copy) => ids.iter().position(|id| *id == copy.source.id),
            _ => None,
        };
        let mut begun: Vec<usize> = selection.actions.iter().filter_map(copied).collect();
        begun.sort_unstable();
        begun
    };
    assert_eq!(begun_after(2, 0), [2, 3, 4]);
    assert_eq!(begun_after(3, 0), [4]);
    assert_eq!(begun_after(3, 1), [3, 4], "some of it was allowed");
}

#[test]
fn after_five_hundred_refusals_nothing_is_called_in_other_regions_any_more() {
    let (calls, status, progress) = turns(&promised(900), refused);
    assert_eq!((calls, status), (500, Status::Done(crate::turn::RunOutcome::Partial)));
    let text = serde_json::to_string(&progress).unwrap();
    assert!(text.len() < 40_000, "{} bytes", text.len());
}

#[test]
fn what_fails_in_other_regions_takes_no_place_from_what_fails_at_home() {
    let mut progress = Progress::new(&start(TODAY));
    let failed = Failed { kind: FailedKind::Refused, code: "Code".to_owned(), message: "why".to_owned() };
    for number in 0..100 {
        let subject = Subject::of_copy(&snapshot(number, 1, TODAY).id, &london());
        progress.remember_failure("CopySnapshot", subject, &failed);
    }
    let at_home = Subject::Deletion(snapshot(1, 1, TODAY).id);
    progress.remember_failure("DeleteSnapshot", at_home.clone(), &failed);
    assert!(progress.is_deletion_given_up(&at_home));
}

#[test]
fn a_refusal_that_is_told_no_more_is_forgotten_and_the_copy_tried_again() {
    let (policy, options, start) =
        (copying(), Options::default(), Start { begun: at("2026-11-22T17:00:30Z"), ..start(TODAY) });
    let subject = Subject::of_copy(&source(201, 1, TODAY).id, &london());
    let failed = Failed { kind: FailedKind::Refused, code: "Code".to_owned(), message: "why".to_owned() };
    let after_a_look = |world: &World| {
        let mut progress = Progress { turns: 20, waits: 9, creations: 1, created: 1, ..Progress::new(&start) };
        progress.remember_failure("CopySnapshot", subject.clone(), &failed);
        progress.copies.refused.insert(subject.hash());
        let now = at("2026-11-22T17:30:00Z");
        let plan = plan(&policy, &options, &start, now, world);
        let mut selection = select(&policy, &options, &plan, &progress, now, Budget::UNBOUNDED);
        selection.actions.clear();
        let progress = conclude(&options, &plan, progress, selection, Vec::new(), now).progress;
        (progress.failures.len(), progress.copies.is_refused(&subject))
    };
    assert_eq!(after_a_look(&promised(1)), (1, true));
    let mut pending = promised(1);
    pending.snapshots[0].state = crate::world::SnapshotState::Pending;
    assert_eq!(after_a_look(&pending), (0, false), "another run's, and not complete in this look");
}

#[test]
fn a_copy_that_fails_when_its_time_is_over_was_missed() {
    let (old, new) = (source(1, 1, "2026-11-15T17:00:00Z"), source(2, 1, TODAY));
    let subject = Subject::of_copy(&old.id, &london());
    let after_look = |view: View| {
        let there = world([volume(1)], [old.clone(), new.clone()]);
        let world = World { home: Some(home()), regions: [(london(), view)].into(), ..there };
        let (policy, options) = (copying(), Options::default());
        let now = at("2026-11-22T17:30:00Z");
        let plan = plan(&policy, &options, &start(TODAY), now, &world);
        let mut progress = Progress::new(&start(TODAY));
        progress.copies.awaited.insert(subject.clone());
        left(&options, &plan, &mut progress, &[]);
        (progress.copies.missed.contains(&subject), progress.copies.awaited.contains(&subject))
    };
    let missed = |snapshots| after_look(View { snapshots, ..View::default() }).0;
    let newer = copy_of(&new, 2);
    let failed = copy_of(&old, 1).in_state(crate::world::SnapshotState::Error);
    assert!(missed(vec![failed.clone(), newer.clone()]));
    assert!(!missed(vec![failed, copy_of(&old, 3), newer.clone()]));
    assert!(!missed(vec![newer]), "nobody knows");
    let dark = View { unseen: Some(crate::world::Unseen::not_yet()), ..View::default() };
    assert_eq!(after_look(dark), (false, true), "the next look tells");
}

#[test]
fn what_was_to_be_begun_is_remembered_while_it_seems_not_complete() {
    let subject = Subject::of_copy(&source(201, 1, TODAY).id, &london());
    let mut pending = promised(1);
    pending.snapshots[0].state = crate::world::SnapshotState::Pending;
    let remembered = |to_begin: &[&Subject]| {
        let (policy, options, now) = (copying(), Options::default(), at("2026-11-22T17:30:00Z"));
        let plan = plan(&policy, &options, &start(TODAY), now, &pending);
        let mut progress = Progress::new(&start(TODAY));
        progress.copies.to_begin = to_begin.iter().map(|&subject| subject.clone()).collect();
        left(&options, &plan, &mut progress, &[]);
        progress.copies.to_begin.len()
    };
    assert_eq!((remembered(&[&subject]), remembered(&[])), (1, 0));
}

#[test]
fn a_copy_that_lost_its_tags_fails_the_run_also_when_its_snapshot_is_gone() {
    let begun = BegunCopy { not_ours: true, ..begun("2026-11-22T17:10:00Z") };
    let failed = |world: &World| {
        let (policy, options, now) = (copying(), Options::default(), at("2026-11-22T17:30:00Z"));
        let plan = plan(&policy, &options, &start(TODAY), now, world);
        let mut progress = Progress::new(&start(TODAY));
        progress.copies.begun = vec![begun.clone()];
        left(&options, &plan, &mut progress, &[]).failed
    };
    let source = source(1, 1, TODAY);
    let there = World { snapshots: vec![source.clone()], ..promised(1) };
    assert_eq!(Subject::of_copy(&source.id, &london()), begun.subject);
    assert_eq!((failed(&there), failed(&World { snapshots: vec![], ..promised(1) })), (1, 1));
}

#[test]
fn a_run_waits_for_what_it_made_of_a_volume_that_is_gone_and_copies_it() {
    let mut world = promised(1);
    world.volumes.clear();
    let complete = world.clone();
    world.snapshots = world.snapshots.into_iter().map(Snapshot::pending).collect();
    let (calls, status, _) = turns(&world, refused);
    assert!(matches!((calls, status), (0, Status::Waiting { .. })), "{calls} {status:?}");
    let begun = |_: &Action| Outcome::Created(vec![SnapshotId::parse("snap-0cffffffff").unwrap()]);
    assert_eq!(turns(&complete, begun).0, 1);
}
