//! Beside what a duplicate goes: one that stays at least as long.

use super::{DeleteReason, Plan, SnapshotVerdict, is_edited, source_of};
use crate::lookup::Lookup;
use crate::policy::Policy;
use crate::tags::{self, Ownership};
use crate::world::{Snapshot, SnapshotId, SourceId, VolumeId, World};
use jiff::Timestamp;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The complete snapshots of ours that no duplicate's reason takes, for each volume, source, schedule and scheduled time.
#[derive(Default)]
pub(super) struct Others<'a>(Lookup<Key<'a>, Vec<&'a Snapshot>>);

/// What duplicates share: volume, source, the schedule's name, the scheduled time, and whether a RunNow made them.
type Key<'a> = (VolumeId, Option<SourceId>, Option<&'a str>, Option<Timestamp>, bool);

impl<'a> Others<'a> {
    /// Only for plans that delete duplicates: nobody else asks.
    pub(super) fn of(policy: &Policy, world: &'a World, plan: &Plan<'_>) -> Self {
        let mut others = Self::default();
        let is_duplicate =
            |verdict: &SnapshotVerdict<'_>| matches!(verdict, SnapshotVerdict::Delete(DeleteReason::Duplicate { .. }));
        let duplicates: BTreeSet<SnapshotId> =
            plan.snapshots.iter().filter(|decision| is_duplicate(&decision.verdict)).map(|d| d.snapshot.id).collect();
        if !duplicates.is_empty() {
            let is_ours = |snapshot: &&Snapshot| tags::ownership(&policy.id, snapshot) == Ownership::Ours;
            let stays = |snapshot: &&Snapshot| {
                snapshot.is_restorable() && !is_edited(snapshot) && !duplicates.contains(&snapshot.id)
            };
            for snapshot in world.snapshots.iter().filter(is_ours).filter(stays) {
                others.0.get_or_insert(Self::key(policy, snapshot), Vec::new()).push(snapshot);
            }
        }
        others
    }

    fn key<'s>(policy: &Policy, snapshot: &'s Snapshot) -> Key<'s> {
        let marks = &snapshot.marks;
        let name = marks.schedule_name.value().map(|name| name.as_str());
        let is_run_now = marks.is_run_now();
        (snapshot.volume_id, source_of(policy, snapshot), name, marks.scheduled_time.value().copied(), is_run_now)
    }

    /// A duplicate goes only beside a complete snapshot of the same that stays, and stays as long: of two that do, beside that of the
    /// newer version, or the earlier one.
    pub(super) fn protection(&self, policy: &Policy, snapshot: &Snapshot) -> Option<&'static str> {
        let revision = |of: &Snapshot| of.marks.stamp.value().and_then(|stamp| stamp.revision);
        let is_before = |other: &Snapshot| match revision(other).cmp(&revision(snapshot)) {
            Ordering::Greater => true,
            Ordering::Equal => (other.start_time, other.id) < (snapshot.start_time, snapshot.id),
            Ordering::Less => false,
        };
        let is_beside = |other: &&Snapshot| {
            let both = stays_as_long(snapshot, other);
            stays_as_long(other, snapshot) && (!both || is_before(other))
        };
        if !snapshot.is_restorable() {
            Some("is not complete, or archived")
        } else if self.0.get(&Self::key(policy, snapshot)).is_some_and(|others| others.iter().any(is_beside)) {
            None
        } else {
            Some("is no duplicate of one that stays as long")
        }
    }
}

/// Whether one is for each schedule that another is for, with no lower count in its stamp, and expires no sooner. What only counts keep
/// is compared by their numbers.
fn stays_as_long(one: &Snapshot, other: &Snapshot) -> bool {
    let names = |of: &'_ Snapshot| -> Vec<String> {
        let also = of.marks.also.value().into_iter().flatten();
        of.marks.schedule_name.value().into_iter().chain(also).map(ToString::to_string).collect()
    };
    let count = |of: &Snapshot, name: &String| {
        let place = names(of).iter().position(|known| known == name)?;
        of.marks.stamp.value()?.counts.get(place).copied().flatten()
    };
    let expiry = |of: &Snapshot| of.marks.expiration_time.value().copied();
    let has_all_names = names(other).iter().all(|name| names(one).contains(name));
    let has_no_less = names(other).iter().all(|name| count(other, name) <= count(one, name));
    let is_by_count_alone = names(other).iter().all(|name| count(other, name).is_some());
    let expires_no_sooner =
        expiry(other) <= expiry(one) && (expiry(one).is_none() || expiry(other).is_some() || is_by_count_alone);
    has_all_names && has_no_less && expires_no_sooner
}
