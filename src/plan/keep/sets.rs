//! Multi-volume sets: the snapshots of one CreateSnapshots call stand or fall together.
//!
//! EC2 user guide: "if any one snapshot for the multi-volume snapshot set fails, all other snapshots display an error
//! status". A member that is complete beside one that failed is no crash-consistent backup of its instance: it never
//! counts, and never costs a good set.

use crate::plan::due::saturating_add;
use crate::plan::history::CLOCK_SKEW_MAX;
use crate::plan::ours::{Ours, Place};
use crate::policy::{Policy, ScheduleName, Targets};
use crate::world::{InstanceId, Snapshot, SnapshotState};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::rc::Rc;

/// By how much the start times of one set's members may differ. EC2 gives all of them the same one; a compatible
/// endpoint may not. A second set of the same instance and time is begun no sooner than EC2's 15 s between two
/// snapshots of a volume.
const START_SPREAD_MAX: SignedDuration = SignedDuration::from_secs(5);

/// What the members of one set share in their tags: instance, schedule name and scheduled time.
type Shared<'a> = (InstanceId, &'a ScheduleName, Timestamp);

/// The members of sets that are not whole.
#[derive(Debug, Default)]
pub(in crate::plan) struct BrokenSets {
    /// For each place whether its set is not whole; empty where the policy makes no sets.
    not_whole: Vec<bool>,
    failed_beside: BTreeMap<Place, Rc<[Place]>>,
}

impl BrokenSets {
    /// Looks through all of `ours`, whether or not a schedule owns them.
    pub(in crate::plan) fn new(policy: &Policy, ours: &Ours<'_>, now: Timestamp, settling: SignedDuration) -> Self {
        let mut broken = Self::default();
        if !matches!(policy.targets, Targets::Instances { .. }) {
            return broken;
        }
        broken.not_whole = vec![false; ours.len()];
        let mut by_tags: BTreeMap<Shared<'_>, Vec<Place>> = BTreeMap::new();
        for (place, snapshot) in ours.places() {
            if ours.is_doubted(place) {
                continue;
            }
            let marks = &snapshot.marks;
            let shared = (marks.instance_id.value(), marks.schedule_name.value(), marks.scheduled_time.value());
            if let (Some(&instance), Some(name), Some(&time)) = shared {
                by_tags.entry((instance, name, time)).or_default().push(place);
            }
        }
        for members in by_tags.into_values() {
            for set in split(members, |place| ours[place]) {
                // EC2 may not list the last member yet, and that one may still fail.
                let is_settled = settles_at(set.iter().map(|&place| ours[place]), now, settling).is_none();
                broken.note(ours, &set, is_settled);
            }
        }
        broken
    }

    fn note(&mut self, ours: &Ours<'_>, set: &[Place], is_settled: bool) {
        let lacks_members = lacks_members(set.iter().map(|&place| ours[place]));
        if !is_settled || lacks_members || set.iter().any(|&place| ours[place].state != SnapshotState::Completed) {
            for &place in set {
                self.not_whole[place] = true;
            }
        }
        let (failed, others): (Vec<Place>, Vec<Place>) =
            set.iter().partition(|&&place| ours[place].state == SnapshotState::Error);
        if !others.is_empty() {
            let others: Rc<[Place]> = others.into();
            self.failed_beside.extend(failed.into_iter().map(|place| (place, others.clone())));
        }
    }

    /// Whether a snapshot is whole: no member of its set, if it has one, failed, is under way, is missing or may not be listed yet.
    pub(in crate::plan) fn is_whole(&self, place: Place) -> bool {
        !self.not_whole.get(place).copied().unwrap_or(false)
    }

    /// Whether no set has a member that failed beside others that did not.
    pub(in crate::plan) fn have_no_failed(&self) -> bool {
        self.failed_beside.is_empty()
    }

    /// The members of its set that did not fail where this one did: it is what tells that they do not count.
    pub(in crate::plan) fn others_beside(&self, place: Place) -> &[Place] {
        self.failed_beside.get(&place).map_or(&[], |others| others)
    }
}

/// Whether a set has fewer members than it was planned with: one of them was deleted, or never came to be. A volume that was
/// attached later changes nothing about it.
pub(crate) fn lacks_members<'a>(set: impl Iterator<Item = &'a Snapshot> + Clone) -> bool {
    let planned = set.clone().find_map(|member| member.marks.stamp.value()?.members);
    planned.is_some_and(|planned| u32::try_from(set.count()).unwrap_or(u32::MAX) < planned)
}

/// Until when EC2's lists may not show all that was begun together with these snapshots; `None` when that is over. A
/// beginning further in the future than clocks differ says nothing, and nobody waits for it.
pub(in crate::plan) fn settles_at<'a>(
    snapshots: impl Iterator<Item = &'a Snapshot>,
    now: Timestamp,
    settling: SignedDuration,
) -> Option<Timestamp> {
    let known = snapshots.map(|snapshot| snapshot.start_time);
    let latest = known.filter(|&began| began <= saturating_add(now, CLOCK_SKEW_MAX)).max()?;
    let until = saturating_add(latest, settling);
    (now < until).then_some(until)
}

/// Splits what shares its tags into the sets of single calls, by start time, the earliest first.
///
/// The members of a call begin at one instant. Where nothing else began at a member's instant, the endpoint may give
/// each member its own: such ones belong together when they are of different volumes, began at about the same time and carry one
/// stamp. What is left of two calls, one member of each, is no set.
pub(crate) fn split<'a, T: Copy>(members: Vec<T>, snapshot_of: impl Fn(T) -> &'a Snapshot) -> Vec<Vec<T>> {
    let mut by_instant: BTreeMap<Timestamp, Vec<T>> = BTreeMap::new();
    for member in members {
        by_instant.entry(snapshot_of(member).start_time).or_default().push(member);
    }
    let mut sets: Vec<(Timestamp, bool, Vec<T>)> = Vec::new();
    for (began, mut members) in by_instant {
        members.sort_by_key(|&member| &snapshot_of(member).id);
        let is_alone = members.len() == 1;
        let lacks = |set: &[T]| {
            members
                .iter()
                .all(|&one| set.iter().all(|&other| snapshot_of(other).volume_id != snapshot_of(one).volume_id))
        };
        let is_of_one_call = |set: &[T]| {
            let stamp = |&member: &T| &snapshot_of(member).marks.stamp;
            members.iter().chain(set).map(stamp).all(|one| members.first().map(stamp) == Some(one))
        };
        let belongs = |(first, of_single_ones, set): &(Timestamp, bool, Vec<T>)| {
            let is_near = began.duration_since(*first) <= START_SPREAD_MAX;
            is_alone && *of_single_ones && is_near && lacks(set) && is_of_one_call(set)
        };
        match sets.iter().rposition(belongs).and_then(|position| sets.get_mut(position)) {
            Some((_, _, set)) => set.append(&mut members),
            None => sets.push((began, is_alone, members)),
        }
    }
    sets.into_iter().map(|(_, _, set)| set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;

    /// The sets of snapshots that are given as volume and second of their beginning, as their numbers.
    #[track_caller]
    fn check(members: &[(u32, i64)], expected: &[&[usize]]) {
        let begun = at("2026-11-22T17:00:00Z");
        let snapshot_of = |(number, &(volume, second)): (u32, &(u32, i64))| Snapshot {
            start_time: begun + SignedDuration::from_secs(second),
            ..snapshot(number, volume, "2026-11-22T17:00:00Z")
        };
        let snapshots: Vec<Snapshot> = (0..).zip(members).map(snapshot_of).collect();
        let sets = split((0..snapshots.len()).collect(), |place| &snapshots[place]);
        assert_eq!(sets, expected);
    }

    #[test]
    fn what_began_at_one_instant_is_one_set() {
        check(&[(1, 0), (2, 0), (1, 20), (2, 20)], &[&[0, 1], &[2, 3]]);
    }

    #[test]
    fn what_began_by_itself_joins_others_that_did_of_other_volumes_and_within_five_seconds() {
        check(&[(1, 0), (2, 5)], &[&[0, 1]]);
        check(&[(1, 0), (2, 6)], &[&[0], &[1]]);
        check(&[(1, 0), (1, 3)], &[&[0], &[1]]);
        check(&[(1, 0), (2, 0), (3, 3)], &[&[0, 1], &[2]]);
        check(&[(1, 0), (2, 3), (3, 3)], &[&[0], &[1, 2]]);
    }
}
