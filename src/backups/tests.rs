//! What counts as a backup, and what never does.

use super::*;
use crate::fixtures::*;
use crate::world::Origin;

const NOW: &str = "2026-11-23T12:00:00Z";

fn of_day(number: u32, day: u32) -> Snapshot {
    snapshot(number, 1, &format!("2026-11-{day}T17:00:00Z")).stamped(&[7])
}

/// The ids of what can be restored, the newest first.
#[track_caller]
fn check(snapshots: &[Snapshot], expected: &[&Snapshot], unfit: Unfit) {
    let (backups, found) = restorable(snapshots, |_| true, at(NOW));
    let ids: Vec<String> = backups.iter().map(|backup| backup.snapshot.id.to_string()).collect();
    assert_eq!(ids, expected.iter().map(|snapshot| snapshot.id.to_string()).collect::<Vec<_>>());
    assert_eq!(found, unfit);
}

#[test]
fn the_newest_complete_one_comes_first() {
    let snapshots = [of_day(1, 20), of_day(3, 22), of_day(2, 21)];
    check(&snapshots, &[&snapshots[1], &snapshots[2], &snapshots[0]], Unfit::default());
}

#[test]
fn what_is_under_way_or_failed_is_no_backup() {
    let snapshots = [of_day(1, 20), of_day(2, 21).pending(), of_day(3, 22).in_state(SnapshotState::Error)];
    let odd = of_day(4, 22).in_state(SnapshotState::Unknown("recoverable".to_owned()));
    let all: Vec<Snapshot> = snapshots.iter().cloned().chain([odd]).collect();
    check(&all, &[&snapshots[0]], Unfit { under_way: 2, failed: 1, ..Unfit::default() });
}

#[test]
fn what_is_not_believed_is_no_backup() {
    let edited = of_day(1, 20).with_stamp(|stamp| stamp.is_intact = false);
    let copied = Snapshot { origin: Origin::Copied, ..of_day(2, 20) };
    let forged = Snapshot { description: "by hand".into(), ..of_day(3, 20) };
    let moved = Snapshot { start_time: at("2026-11-22T09:00:00Z"), ..of_day(4, 20) };
    check(&[edited, copied, forged, moved], &[], Unfit { doubted: 4, ..Unfit::default() });
    let mut foreign = of_day(5, 20);
    let mut marks = (*foreign.marks).clone();
    marks.policy_id = None;
    foreign.marks = marks.into();
    check(&[foreign], &[], Unfit::default());
}

#[test]
fn a_set_stands_or_falls_together() {
    let member = |number, volume, day: u32| {
        let snapshot = snapshot(number, volume, &format!("2026-11-{day}T17:00:00Z")).of_instance(1);
        snapshot.stamped(&[7]).with_stamp(|stamp| stamp.members = Some(2))
    };
    let whole = [member(1, 1, 20), member(2, 2, 20)];
    let failed = [member(3, 1, 21), member(4, 2, 21).in_state(SnapshotState::Error)];
    let lacking = [member(5, 1, 22)];
    let all: Vec<Snapshot> = whole.iter().chain(&failed).chain(&lacking).cloned().collect();
    check(&all, &[&whole[0], &whole[1]], Unfit { failed: 1, of_broken_sets: 2, ..Unfit::default() });
}

#[test]
fn the_sibling_of_a_wanted_one_is_looked_at_and_not_shown() {
    let member = |number, volume| {
        let snapshot = snapshot(number, volume, "2026-11-22T17:00:00Z").of_instance(1).stamped(&[7]);
        snapshot.with_stamp(|stamp| stamp.members = Some(2))
    };
    let whole = [member(1, 1), member(2, 2)];
    let of_first = |snapshot: &Snapshot| snapshot.volume_id == volume_id(1);
    assert_eq!(restorable(&whole, of_first, at(NOW)).0.len(), 1);
    let broken = [member(1, 1), member(2, 2).pending()];
    let (backups, unfit) = restorable(&broken, of_first, at(NOW));
    assert_eq!((backups.len(), unfit), (0, Unfit { of_broken_sets: 1, ..Unfit::default() }));
}

#[test]
fn how_long_a_backup_stays_is_what_its_own_tags_say() {
    let until = |snapshot: Snapshot| restorable(&[snapshot], |_| true, at(NOW)).0[0].until;
    assert_eq!(until(of_day(1, 22)), Until::Count(NonZeroU32::new(7).unwrap()));
    assert_eq!(until(of_day(1, 22).expiring("2026-12-22T17:00:00Z")), Until::Expires(at("2026-12-22T17:00:00Z")));
    assert_eq!(until(of_day(1, 22).held("yes")), Until::Held(Hold::Forever));
    assert_eq!(until(of_day(1, 22).held("until=2026-11-22")), Until::Count(NonZeroU32::new(7).unwrap()));
    assert_eq!(until(snapshot(1, 1, "2026-11-22T17:00:00Z")), Until::Unsaid);
}
