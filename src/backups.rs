//! What can be restored in a Region: which of the snapshots and copies that opendlm made of a volume or an instance hold a whole backup.
//!
//! Promise: nothing is called a backup that is not complete, whose tags are not believed (R2 of docs/promises.md), that is
//! of another making, or that belongs to a set of which a member failed, is under way or is missing.

use crate::place::Region;
use crate::plan::{doubt, sets};
use crate::policy::{PolicyId, ScheduleName};
use crate::tags::{self, CopiedFrom, Hold, Mark, Ownership};
use crate::world::{InstanceId, Origin, Snapshot, SnapshotId, SnapshotState, Tier, VolumeId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

/// A snapshot that a volume can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// How long it stays.
    pub until: Until,
    /// The volume that it was made of: EC2 shows none of a copy.
    pub volume: VolumeId,
    /// Of when its content is.
    pub made: Timestamp,
    /// The Region and the snapshot that it is a copy of, if it is one.
    pub copied_from: Option<&'a CopiedFrom>,
}

/// How long a backup stays, by what its own tags say. What the policy says today may be another thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Until it is not one of the newest so many any more.
    Count(NonZeroU32),
    /// Until this time has passed and a newer one is complete.
    Expires(Timestamp),
    /// Somebody holds it.
    Held(Hold),
    /// Its tags do not say; a copy of which they do not stays for ever.
    Unsaid,
}

/// What opendlm made and cannot be restored, by why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unfit {
    /// Tags that somebody changed, or a copy that somebody else made: nobody knows what of.
    pub doubted: usize,
    /// Went to error.
    pub failed: usize,
    /// In a set of an instance that is not whole.
    pub of_broken_sets: usize,
    /// Not complete yet.
    pub under_way: usize,
}

/// Which of the wanted snapshots in `region` can be restored at `now`, the newest first, and how many cannot. Of a set all members have
/// to be among `snapshots`, wanted or not.
#[must_use]
pub fn restorable<'a>(
    snapshots: &'a [Snapshot],
    region: Option<&Region>,
    is_wanted: impl Fn(&Snapshot) -> bool,
    now: Timestamp,
) -> (Vec<Backup<'a>>, Unfit) {
    let of_opendlm = snapshots.iter().filter(|snapshot| snapshot.marks.policy_id.is_some());
    let (believed, doubted): (Vec<&Snapshot>, Vec<&Snapshot>) = of_opendlm.partition(|s| is_believed(s, region));
    let (copies, at_home): (Vec<&Snapshot>, Vec<&Snapshot>) =
        believed.iter().partition(|snapshot| snapshot.origin == Origin::Copied);
    let mut broken = broken_sets(&at_home);
    broken.extend(broken_sets_of_copies(&copies));
    let doubted = doubted.into_iter().filter(|snapshot| is_wanted(snapshot)).count();
    let mut unfit = Unfit { doubted, ..Unfit::default() };
    let mut backups = Vec::new();
    for snapshot in believed.into_iter().filter(|snapshot| is_wanted(snapshot)) {
        match snapshot.state {
            SnapshotState::Completed if broken.contains(&snapshot.id) => unfit.of_broken_sets += 1,
            SnapshotState::Completed => backups.push(backup(snapshot, now)),
            SnapshotState::Error => unfit.failed += 1,
            SnapshotState::Pending | SnapshotState::Unknown(_) => unfit.under_way += 1,
        }
    }
    backups.sort_by_key(|backup| (std::cmp::Reverse(backup.made), backup.volume));
    (backups, unfit)
}

/// A copy begins later than what it is a copy of, and that began at its scheduled time or minutes later.
fn backup(snapshot: &Snapshot, now: Timestamp) -> Backup<'_> {
    let copied_from = copied_from(snapshot);
    let scheduled = snapshot.marks.scheduled_time.value().filter(|_| copied_from.is_some());
    Backup {
        snapshot,
        until: until(snapshot, now),
        volume: volume_of(snapshot),
        made: scheduled.copied().unwrap_or(snapshot.start_time),
        copied_from,
    }
}

fn copied_from(snapshot: &Snapshot) -> Option<&CopiedFrom> {
    snapshot.marks.copied_from.value().filter(|_| snapshot.origin == Origin::Copied)
}

/// The volume that a snapshot, or what it is a copy of, was made of.
#[must_use]
pub fn volume_of(snapshot: &Snapshot) -> VolumeId {
    match snapshot.origin {
        Origin::Copied => snapshot.marks.volume_id.value().copied().unwrap_or(snapshot.volume_id),
        Origin::Created => snapshot.volume_id,
    }
}

/// Whether opendlm made it in `region`, of the volume that it names or as a copy, and nobody has edited its tags.
fn is_believed(snapshot: &Snapshot, region: Option<&Region>) -> bool {
    let policy = snapshot.marks.policy_id.as_deref().and_then(|text| PolicyId::parse(text).ok());
    let is_ours = policy.is_some_and(|policy| match (copied_from(snapshot), region) {
        // Every copy of ours has a stamp.
        (Some(from), Some(region)) => {
            snapshot.marks.stamp != Mark::Absent && tags::is_copy_of_ours(&policy, &from.region, region, snapshot)
        }
        (Some(_), None) => false,
        (None, _) => tags::ownership(&policy, snapshot) == Ownership::Ours,
    });
    is_ours && doubt(snapshot).is_none()
}

/// What the members of a set share in their tags.
type Shared<'a> = (&'a str, InstanceId, &'a ScheduleName, Timestamp);

fn shared(snapshot: &Snapshot) -> Option<Shared<'_>> {
    let marks = &snapshot.marks;
    let (policy, &instance) = (marks.policy_id.as_deref()?, marks.instance_id.value()?);
    Some((policy, instance, marks.schedule_name.value()?, *marks.scheduled_time.value()?))
}

/// The members of sets that are not whole.
fn broken_sets(believed: &[&Snapshot]) -> BTreeSet<SnapshotId> {
    let mut by_tags: BTreeMap<Shared<'_>, Vec<usize>> = BTreeMap::new();
    for (place, snapshot) in believed.iter().enumerate() {
        if let Some(shared) = shared(snapshot) {
            by_tags.entry(shared).or_default().push(place);
        }
    }
    let of = |place: usize| believed[place];
    let sets = by_tags.into_values().flat_map(|members| sets::split(members, of));
    let is_broken = |set: &Vec<usize>| {
        sets::lacks_members(set.iter().map(|&place| of(place)))
            || set.iter().any(|&place| of(place).state != SnapshotState::Completed)
    };
    sets.filter(is_broken).flatten().map(|place| of(place).id).collect()
}

/// The copies of sets of which not every volume has a complete one here. Each is copied by a call of its own: one that failed says
/// nothing against the others, nor against another of the same volume.
fn broken_sets_of_copies(believed: &[&Snapshot]) -> BTreeSet<SnapshotId> {
    let mut by_tags: BTreeMap<(Shared<'_>, &Region), Vec<&Snapshot>> = BTreeMap::new();
    for &copy in believed {
        if let (Some(shared), Some(from)) = (shared(copy), copied_from(copy)) {
            by_tags.entry((shared, &from.region)).or_default().push(copy);
        }
    }
    let is_broken = |set: &Vec<&Snapshot>| {
        let complete = set.iter().filter(|copy| copy.state == SnapshotState::Completed);
        let volumes: BTreeSet<VolumeId> = complete.map(|copy| volume_of(copy)).collect();
        let planned = set.iter().filter_map(|copy| copy.marks.stamp.value()?.members).max();
        planned.is_some_and(|planned| u32::try_from(volumes.len()).unwrap_or(u32::MAX) < planned)
    };
    by_tags.into_values().filter(is_broken).flatten().map(|copy| copy.id).collect()
}

fn until(snapshot: &Snapshot, now: Timestamp) -> Until {
    let marks = &snapshot.marks;
    if let Some(hold) = marks.hold.filter(|hold| hold.holds_at(now)) {
        return Until::Held(hold);
    }
    if let Mark::Read(expiration) = marks.expiration_time {
        return Until::Expires(expiration);
    }
    let counts = marks.stamp.value().map(|stamp| stamp.counts.iter().flatten().copied());
    counts.and_then(Iterator::max).map_or(Until::Unsaid, Until::Count)
}

/// Whether a snapshot has to be taken out of the archive before a volume can be made of it.
#[must_use]
pub fn is_archived(snapshot: &Snapshot) -> bool {
    match snapshot.tier {
        Tier::Archive => true,
        Tier::Restored { .. } | Tier::Standard => false,
    }
}

#[cfg(test)]
mod tests;
