//! What can be restored: which of the snapshots that opendlm made of a volume or an instance hold a whole backup.
//!
//! Promise: nothing is called a backup that is not complete, whose tags are not believed (R2 of docs/promises.md), that is
//! a copy or of another making, or that belongs to a set of which a member failed, is under way or is missing.

use crate::plan::{doubt, sets};
use crate::policy::{PolicyId, ScheduleName};
use crate::tags::{self, Hold, Mark, Ownership};
use crate::world::{InstanceId, Snapshot, SnapshotState, Tier};
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
    /// Its tags do not say.
    Unsaid,
}

/// What opendlm made and cannot be restored, by why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unfit {
    /// Tags that somebody changed, or a copy: nobody knows what of.
    pub doubted: usize,
    /// Went to error.
    pub failed: usize,
    /// In a set of an instance that is not whole.
    pub of_broken_sets: usize,
    /// Not complete yet.
    pub under_way: usize,
}

/// Which of the wanted snapshots can be restored at `now`, the newest first, and how many cannot. Of a set all members have to
/// be among `snapshots`, wanted or not.
#[must_use]
pub fn restorable(
    snapshots: &[Snapshot],
    is_wanted: impl Fn(&Snapshot) -> bool,
    now: Timestamp,
) -> (Vec<Backup<'_>>, Unfit) {
    let (believed, doubted): (Vec<&Snapshot>, Vec<&Snapshot>) =
        snapshots.iter().filter(|snapshot| snapshot.marks.policy_id.is_some()).partition(|s| is_believed(s));
    let broken = broken_sets(&believed);
    let doubted = doubted.into_iter().filter(|snapshot| is_wanted(snapshot)).count();
    let mut unfit = Unfit { doubted, ..Unfit::default() };
    let mut backups = Vec::new();
    for snapshot in believed.into_iter().filter(|snapshot| is_wanted(snapshot)) {
        match snapshot.state {
            SnapshotState::Completed if broken.contains(&snapshot.id) => unfit.of_broken_sets += 1,
            SnapshotState::Completed => backups.push(Backup { snapshot, until: until(snapshot, now) }),
            SnapshotState::Error => unfit.failed += 1,
            SnapshotState::Pending | SnapshotState::Unknown(_) => unfit.under_way += 1,
        }
    }
    backups.sort_by_key(|backup| (std::cmp::Reverse(backup.snapshot.start_time), backup.snapshot.volume_id));
    (backups, unfit)
}

/// Whether opendlm made it, of the volume that it names, and nobody has edited its tags.
fn is_believed(snapshot: &Snapshot) -> bool {
    let policy = snapshot.marks.policy_id.as_deref().and_then(|text| PolicyId::parse(text).ok());
    let is_ours = policy.is_some_and(|policy| tags::ownership(&policy, snapshot) == Ownership::Ours);
    is_ours && doubt(snapshot).is_none()
}

/// What the members of a set share in their tags.
type Shared<'a> = (&'a str, InstanceId, &'a ScheduleName, Timestamp);

/// The members of sets that are not whole.
fn broken_sets(believed: &[&Snapshot]) -> BTreeSet<crate::world::SnapshotId> {
    let mut by_tags: BTreeMap<Shared<'_>, Vec<usize>> = BTreeMap::new();
    for (place, snapshot) in believed.iter().enumerate() {
        let marks = &snapshot.marks;
        let shared = (
            marks.policy_id.as_deref(),
            marks.instance_id.value(),
            marks.schedule_name.value(),
            marks.scheduled_time.value(),
        );
        if let (Some(policy), Some(&instance), Some(name), Some(&time)) = shared {
            by_tags.entry((policy, instance, name, time)).or_default().push(place);
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
