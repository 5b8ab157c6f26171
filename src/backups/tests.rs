//! What counts as a backup, and what never does.

use super::*;
use crate::fixtures::*;
use crate::tags::CopiedFrom;
use crate::world::Origin;

const NOW: &str = "2026-11-23T12:00:00Z";

fn of_day(number: u32, day: u32) -> Snapshot {
    snapshot(number, 1, &format!("2026-11-{day}T17:00:00Z")).stamped(&[7])
}

/// The ids of what can be restored, the newest first.
#[track_caller]
fn check(snapshots: &[Snapshot], expected: &[&Snapshot], unfit: Unfit) {
    let (backups, found) = restorable(snapshots, Some(&london()), |_| true, at(NOW));
    let ids: Vec<String> = backups.iter().map(|backup| backup.snapshot.id.to_string()).collect();
    assert_eq!(ids, expected.iter().map(|snapshot| snapshot.id.to_string()).collect::<Vec<_>>());
    assert_eq!(found, unfit);
}

fn london() -> Region {
    Region::parse("eu-west-2").unwrap()
}

/// The copy in London of a snapshot, begun ten minutes later.
fn copy_of(source: &Snapshot, number: u32) -> Snapshot {
    let from = CopiedFrom { region: Region::parse("us-east-1").unwrap(), snapshot: source.id };
    let description = tags::copy_description(&sample().id, &name("Default Schedule"), &from, &london());
    let mut copy = Snapshot {
        id: snapshot(number, 1, NOW).id,
        volume_id: VolumeId::parse("vol-ffffffff").unwrap(),
        origin: Origin::Copied,
        start_time: source.start_time + jiff::SignedDuration::from_mins(10),
        description: description.into(),
        ..source.clone()
    };
    copy.marks.volume_id = Mark::Read(source.volume_id);
    copy.marks.copied_from = Mark::Read(from);
    let members = source.marks.stamp.value().and_then(|stamp| stamp.members);
    copy.stamped(&[3]).with_stamp(|stamp| {
        stamp.counts = vec![None];
        stamp.members = members;
    })
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
    assert_eq!(restorable(&whole, None, of_first, at(NOW)).0.len(), 1);
    let broken = [member(1, 1), member(2, 2).pending()];
    let (backups, unfit) = restorable(&broken, None, of_first, at(NOW));
    assert_eq!((backups.len(), unfit), (0, Unfit { of_broken_sets: 1, ..Unfit::default() }));
}

#[test]
fn how_long_a_backup_stays_is_what_its_own_tags_say() {
    let until = |snapshot: Snapshot| restorable(&[snapshot], None, |_| true, at(NOW)).0[0].until;
    assert_eq!(until(of_day(1, 22)), Until::Count(NonZeroU32::new(7).unwrap()));
    assert_eq!(until(of_day(1, 22).expiring("2026-12-22T17:00:00Z")), Until::Expires(at("2026-12-22T17:00:00Z")));
    assert_eq!(until(of_day(1, 22).held("yes")), Until::Held(Hold::Forever));
    assert_eq!(until(of_day(1, 22).held("until=2026-11-22")), Until::Count(NonZeroU32::new(7).unwrap()));
    assert_eq!(until(snapshot(1, 1, "2026-11-22T17:00:00Z")), Until::Unsaid);
}

#[test]
fn a_copy_is_a_backup_of_its_snapshots_volume_and_time() {
    let copies = [copy_of(&of_day(1, 20), 11), copy_of(&of_day(2, 21), 12).expiring("2026-12-01T17:00:00Z")];
    check(&copies, &[&copies[1], &copies[0]], Unfit::default());
    let (backups, _) = restorable(&copies, Some(&london()), |_| true, at(NOW));
    let told = |backup: &Backup<'_>| (backup.volume, backup.made, backup.until);
    let expected = (volume_id(1), at("2026-11-21T17:00:00Z"), Until::Expires(at("2026-12-01T17:00:00Z")));
    assert_eq!((told(&backups[0]), backups[1].until), (expected, Until::Unsaid));
}

#[test]
fn a_copy_that_is_not_ours_as_it_stands_is_no_backup() {
    let copy = || copy_of(&of_day(1, 20), 11);
    // Somebody copied our copy on to another Region, with its tags.
    let elsewhere = restorable(&[copy()], Region::parse("eu-central-1").as_ref(), |_| true, at(NOW)).1;
    assert_eq!(elsewhere, Unfit { doubted: 1, ..Unfit::default() });
    let mut unstamped = copy();
    unstamped.marks.stamp = Mark::Absent;
    let edited = copy().with_stamp(|stamp| stamp.is_intact = false);
    check(&[unstamped, edited], &[], Unfit { doubted: 2, ..Unfit::default() });
    check(&[copy().pending()], &[], Unfit { under_way: 1, ..Unfit::default() });
}

#[test]
fn the_copies_of_a_set_are_whole_when_every_volume_has_a_complete_one() {
    let member = |number, volume, day: u32| {
        let snapshot = snapshot(number, volume, &format!("2026-11-{day}T17:00:00Z")).of_instance(1).stamped(&[7]);
        copy_of(&snapshot.with_stamp(|stamp| stamp.members = Some(2)), number)
    };
    let failed = |number, volume, day| member(number, volume, day).in_state(SnapshotState::Error);
    let whole = [member(1, 1, 20), failed(2, 2, 20), member(3, 2, 20)];
    check(&whole, &[&whole[0], &whole[2]], Unfit { failed: 1, ..Unfit::default() });
    check(
        &[member(4, 1, 21), member(5, 2, 21).pending()],
        &[],
        Unfit { of_broken_sets: 1, under_way: 1, ..Unfit::default() },
    );
    check(&[member(6, 1, 22)], &[], Unfit { of_broken_sets: 1, ..Unfit::default() });
}
