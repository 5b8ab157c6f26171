//! What a run remembers of its copies.

mod failing;

use super::*;
use crate::fixtures::*;
use crate::options::{Options, Start};
use crate::policy::CopyRule;
use crate::tags::{CopiedFrom, Mark};
use crate::turn::{Budget, Progress, Status, conclude};
use crate::world::{Origin, Snapshot, View};

const NOW: &str = "2026-11-22T17:30:00Z";

fn london() -> Region {
    Region::parse("eu-west-2").unwrap()
}

fn begun(at_text: &str) -> BegunCopy {
    let subject = Subject::of_copy(&snapshot(1, 1, NOW).id, &london());
    let id = Some(snapshot(7, 1, NOW).id.to_string());
    BegunCopy { subject, id, at: at(at_text), not_found: false, not_ours: false }
}

/// What is remembered of a copy after a look that shows this of it.
fn after_look(begun: BegunCopy, view: View) -> Vec<BegunCopy> {
    let home = Some(Region::parse("us-east-1").unwrap());
    let world = World { home, regions: [(london(), view)].into(), ..World::default() };
    let mut copies = Copies { begun: vec![begun], ..Copies::default() };
    copies.note_look(&sample(), &world, at(NOW), Options::SETTLING_DEFAULT);
    copies.begun
}

fn without_tags() -> Snapshot {
    let mut copy = snapshot(7, 1, NOW);
    (copy.origin, copy.marks.policy_id) = (Origin::Copied, None);
    copy
}

#[test]
fn a_copy_whose_tags_somebody_took_off_is_remembered_as_lost_and_not_made_again() {
    let shown = View { snapshots: vec![without_tags()], ..View::default() };
    let remembered = after_look(begun("2026-11-22T17:00:00Z"), shown);
    assert!(matches!(&remembered[..], [begun] if begun.not_ours));
    let copies = Copies { begun: remembered, ..Copies::default() };
    let subject = begun(NOW).subject;
    assert!(copies.has_lost(&subject) && copies.has_begun(&subject));
}

#[test]
fn what_two_looks_do_not_find_by_its_id_is_forgotten_when_the_lists_must_show_it() {
    let not_found = || {
        let mut view = View::default();
        view.by_id.not_found.insert(snapshot(7, 1, NOW).id);
        view
    };
    let once = after_look(begun("2026-11-22T17:00:00Z"), not_found());
    assert!(matches!(&once[..], [begun] if begun.not_found));
    assert_eq!(after_look(once[0].clone(), not_found()), []);
    let young = BegunCopy { not_found: true, ..begun("2026-11-22T17:29:00Z") };
    assert_eq!(after_look(young, not_found()).len(), 1);
}

#[test]
fn a_lost_answer_is_waited_for_until_the_lists_must_show_it_and_longer_where_nobody_can_look() {
    let unanswered = |at_text| BegunCopy { id: None, ..begun(at_text) };
    assert_eq!(after_look(unanswered("2026-11-22T17:28:01Z"), View::default()).len(), 1);
    assert_eq!(after_look(unanswered("2026-11-22T17:28:00Z"), View::default()), []);
    let dark = View { unseen: Some(crate::world::Unseen::not_yet()), ..View::default() };
    assert_eq!(after_look(unanswered("2026-11-22T17:00:00Z"), dark).len(), 1);
}

#[test]
fn what_a_run_has_missed_is_remembered_although_the_snapshot_is_gone() {
    let subject = begun(NOW).subject;
    let mut progress = Progress::new(&Start { begun: at(NOW), ..start(NOW) });
    progress.copies.missed.insert(subject);
    let (policy, options, world) = (sample(), Options::default(), World::default());
    let plan = crate::plan::plan(&policy, &options, &start(NOW), at(NOW), &world);
    assert!(left(&options, &plan, &mut progress, &[]).has_failed());
}

#[test]
fn what_was_to_be_begun_and_is_wanted_no_more_was_missed() {
    let subject = begun(NOW).subject;
    let mut progress = Progress::new(&start(NOW));
    progress.copies.to_begin.insert(subject.clone());
    let (policy, options) = (sample(), Options::default());
    let home = Some(Region::parse("us-east-1").unwrap());
    let there = crate::fixtures::world([volume(1)], [snapshot(1, 1, "2026-11-22T17:00:00Z")]);
    let world = World { home, regions: [(london(), View::default())].into(), ..there };
    let plan = crate::plan::plan(&policy, &options, &start(NOW), at(NOW), &world);
    assert!(left(&options, &plan, &mut progress, &[]).has_failed());
    assert_eq!(progress.copies.missed, [subject].into());
    // Where the snapshot is gone, or the Region was not seen, nobody knows.
    let mut gone = Progress::new(&start(NOW));
    gone.copies.to_begin.insert(begun(NOW).subject);
    let nothing = World { snapshots: vec![], ..world.clone() };
    let plan = crate::plan::plan(&policy, &options, &start(NOW), at(NOW), &nothing);
    assert!(!left(&options, &plan, &mut gone, &[]).has_failed());
}

/// A run that has made a snapshot, whose copy to London is under way, after so many turns in which nothing moved.
fn with_a_copy_under_way(idle_turns: u32) -> (Status, Progress) {
    let mut source = snapshot(1, 1, "2026-11-22T17:00:00Z").stamped(&[3]);
    source.marks.copies = Mark::Read(vec![CopyRule::parse("eu-west-2:5d:-").unwrap()]);
    let home = Region::parse("us-east-1").unwrap();
    let mut copy = source.clone().pending();
    (copy.id, copy.origin, copy.start_time) = (snapshot(7, 1, NOW).id, Origin::Copied, at("2026-11-22T17:05:00Z"));
    let from = CopiedFrom { region: home.clone(), snapshot: source.id };
    copy.description = tags::copy_description(&sample().id, &name("Daily"), &from, &london()).into();
    copy.marks.schedule_name = Mark::Read(name("Daily"));
    copy.marks.volume_id = Mark::Read(source.volume_id);
    copy.marks.copied_from = Mark::Read(from);
    let view = View { snapshots: vec![copy.stamped(&[3])], ..View::default() };
    let there = crate::fixtures::world([volume(1)], [source]);
    let world = World { home: Some(home), regions: [(london(), view)].into(), ..there };
    let (policy, options, start) = (sample(), Options::default(), start("2026-11-22T17:00:00Z"));
    let plan = crate::plan::plan(&policy, &options, &start, at(NOW), &world);
    let progress = Progress { idle_turns, turns: 20, waits: 9, ..Progress::new(&start) };
    let mut selection = crate::turn::select(&policy, &options, &plan, &progress, at(NOW), Budget::UNBOUNDED);
    crate::turn::select_copies(&policy, &options, &plan, &progress, (world.home.as_ref(), at(NOW)), &mut selection);
    assert_eq!(selection.actions, []);
    let concluded = conclude(&options, &plan, progress, selection, vec![], at(NOW));
    (concluded.status, concluded.progress)
}

#[test]
fn slow_copies_are_looked_at_every_five_minutes_which_count_as_five_turns() {
    let seconds = |idle_turns| with_a_copy_under_way(idle_turns).0;
    assert_eq!(seconds(13), Status::Waiting { seconds: 60 });
    assert_eq!(seconds(14), Status::Waiting { seconds: 300 });
    assert_eq!(with_a_copy_under_way(13).1.idle_turns, 14);
    assert_eq!(with_a_copy_under_way(14).1.idle_turns, 19);
}

#[test]
fn the_snapshots_of_open_copies_are_asked_for_by_their_ids() {
    assert_eq!(with_a_copy_under_way(0).1.ids_begun(), [snapshot(1, 1, NOW).id].into());
}
