//! Copies that do not become complete although no snapshot's plan says so: nobody would hear of them.
//!
//! Our own rules: EC2 tells nobody.

use super::super::due::saturating_add;
use super::wanted::UNDER_WAY_FOR_MAX;
use super::{CopyVerdict, Lost, RegionPlan, fate, seen};
use crate::tags::Mark;
use crate::world::{Snapshot, SnapshotId, SnapshotState, VolumeId};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// For so long runs tell that a copy has been under way for too long: as long as they tell of one that was not begun.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(72);

/// What a copy is for: of which volume, and of which scheduled time.
type Place<'a> = (Option<&'a VolumeId>, Option<&'a Timestamp>);

/// The copies in a Region that failed and whose snapshots are gone, and those that have been under way for longer than their snapshots wait
/// for them. Not those of a volume and time that have a complete copy, or whose snapshot tells of its copies itself.
pub(super) fn find<'a>(plan: &RegionPlan<'a>, now: Timestamp) -> Vec<Lost<'a>> {
    let until_slow = |copy: &Snapshot| saturating_add(copy.start_time, UNDER_WAY_FOR_MAX);
    let is_slow = |copy: &Snapshot| {
        let too_long = until_slow(copy);
        copy.state == SnapshotState::Pending && too_long <= now && now < saturating_add(too_long, TOLD_FOR)
    };
    let may_be_lost = |copy: &Snapshot| copy.state == SnapshotState::Error || is_slow(copy);
    let copies = || plan.copies.iter().map(|decision| decision.snapshot);
    if !copies().any(may_be_lost) {
        return Vec::new();
    }
    let is_good = |copy: &&Snapshot| copy.state == SnapshotState::Completed && seen::doubt(copy).is_none();
    let is_under_way = |copy: &&Snapshot| copy.state == SnapshotState::Pending && now < until_slow(copy);
    let tried_again: BTreeSet<Place<'_>> = copies().filter(is_under_way).map(place).collect();
    let complete: BTreeSet<Place<'_>> = copies().filter(is_good).map(place).collect();
    let is_silent = |verdict: &CopyVerdict<'_>| {
        matches!(verdict, CopyVerdict::UnderWay { .. } | CopyVerdict::GivenUp { is_news: false, .. })
    };
    let tells_itself = plan.wanted.iter().filter(|wanted| !is_silent(&wanted.verdict));
    let wanted: BTreeSet<SnapshotId> = tells_itself.clone().map(|wanted| wanted.source.id).collect();
    let of_twins: BTreeSet<Place<'_>> = tells_itself
        .map(|wanted| (Some(&wanted.source.volume_id), wanted.source.marks.scheduled_time.value()))
        .collect();
    // It may have been made anew, and have gone when its time was over: the newest one never goes.
    let is_over = |copy: &Snapshot| {
        let is_newer = |(volume, time): &Place<'_>| *volume == place(copy).0 && *time > place(copy).1;
        fate::expires_at(copy).is_some_and(|at| at <= now) && complete.iter().any(is_newer)
    };
    let is_lost = |copy: &&'a Snapshot| {
        seen::doubt(copy).is_none()
            && !complete.contains(&place(copy))
            && !of_twins.contains(&place(copy))
            && (is_slow(copy)
                || copy.state == SnapshotState::Error && !is_over(copy) && !tried_again.contains(&place(copy)))
    };
    let lost = copies().filter(is_lost).filter_map(|copy| match &copy.marks.copied_from {
        Mark::Read(from) => (!wanted.contains(&from.snapshot)).then_some(Lost { copy, source: from.snapshot }),
        Mark::Absent | Mark::Unreadable(_) => None,
    });
    lost.collect()
}

fn place(copy: &Snapshot) -> Place<'_> {
    (copy.marks.volume_id.value(), copy.marks.scheduled_time.value())
}
