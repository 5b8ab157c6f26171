//! The other Regions of a simulated account, in which copies are.

use super::{Account, Simulated, refused};
use crate::action::{CopySnapshot, DeleteSnapshot, Outcome};
use crate::place::Region;
use crate::plan::copies::UNDER_WAY_MAX;
use crate::sim::begun;
use crate::tags::is_copy_of_ours;
use crate::world::{Snapshot, SnapshotId, SnapshotState, Unseen, View};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The Regions beside the home Region.
#[derive(Debug, Clone, Default)]
pub struct Abroad {
    /// The home Region; without one nobody looks at others.
    pub home: Option<Region>,
    regions: BTreeMap<Region, BTreeMap<SnapshotId, Simulated>>,
    /// How long a copy takes.
    pub copy_takes: SignedDuration,
    /// The Regions that do not answer.
    pub dark: BTreeSet<Region>,
    /// The Regions that refuse copies.
    pub refusing: BTreeSet<Region>,
    /// The Regions in which copies fail after a while.
    pub failing: BTreeSet<Region>,
    /// How many copies were begun.
    pub copies: u64,
    last_id: u64,
}

impl Abroad {
    /// A home Region and others, in which a copy takes so long.
    #[must_use]
    pub fn new(home: Region, others: impl IntoIterator<Item = Region>, copy_takes: SignedDuration) -> Self {
        let regions = others.into_iter().map(|region| (region, BTreeMap::new())).collect();
        Self { home: Some(home), regions, copy_takes, ..Self::default() }
    }

    /// The snapshots in a Region, complete or not, as they are at `now`.
    #[must_use]
    pub fn copies_in(&self, region: &Region, now: Timestamp) -> Vec<Snapshot> {
        let in_region = self.regions.get(region).into_iter().flat_map(BTreeMap::values);
        in_region.map(|simulated| self.as_of(region, simulated, now)).collect()
    }

    fn as_of(&self, region: &Region, simulated: &Simulated, now: Timestamp) -> Snapshot {
        let mut snapshot = simulated.snapshot.clone();
        if snapshot.state == SnapshotState::Pending && simulated.completes_at <= now {
            let is_failing = self.failing.contains(region);
            snapshot.state = if is_failing { SnapshotState::Error } else { SnapshotState::Completed };
            snapshot.state_message = is_failing.then(|| "Given key ID is not accessible".into());
        }
        snapshot
    }

    pub(super) fn observe(&self, now: Timestamp, is_first: bool) -> BTreeMap<Region, View> {
        let unseen = |region: &Region| {
            let is_dark = self.dark.contains(region);
            let dark = || Unseen { code: "Timeout".to_owned(), message: "no answer".to_owned(), is_denied: false };
            if is_first { Some(Unseen::not_yet()) } else { is_dark.then(dark) }
        };
        let view = |region: &Region| {
            let unseen = unseen(region);
            let snapshots = if unseen.is_some() { Vec::new() } else { self.copies_in(region, now) };
            View { snapshots, unseen, ..View::default() }
        };
        self.regions.keys().map(|region| (region.clone(), view(region))).collect()
    }

    /// Puts a copy into a Region.
    pub fn add(&mut self, region: &Region, copy: Snapshot) {
        let completes_at = copy.start_time;
        self.regions.entry(region.clone()).or_default().insert(copy.id, Simulated { snapshot: copy, completes_at });
    }
}

impl Account {
    pub(super) fn copy(&mut self, copy: &CopySnapshot, now: Timestamp) -> Outcome {
        let source = self.snapshots.get(&copy.source.id);
        assert!(
            source
                .is_some_and(|source| source.snapshot.state == SnapshotState::Completed || source.completes_at <= now),
            "only what is there and complete is copied"
        );
        if self.abroad.refusing.contains(&copy.region) {
            return refused("AuthFailure", "Not authorized to use key");
        }
        let pending = self.abroad.copies_in(&copy.region, now);
        let pending = pending.iter().filter(|copy| copy.state == SnapshotState::Pending).count();
        assert!(pending < UNDER_WAY_MAX, "EC2 would refuse more than so many at once");
        self.abroad.last_id += 1;
        self.abroad.copies += 1;
        let id = format!("snap-0c{:015x}", self.abroad.last_id);
        let id = SnapshotId::parse(&id).expect("a hexadecimal number is an id");
        let snapshot = begun::copied(id, copy, now);
        let completes_at = crate::plan::due::saturating_add(now, self.abroad.copy_takes);
        self.abroad.regions.entry(copy.region.clone()).or_default().insert(id, Simulated { snapshot, completes_at });
        Outcome::Created(vec![id])
    }

    pub(super) fn delete_copy(&mut self, delete: &DeleteSnapshot, (home, region): &(Region, Region)) -> Outcome {
        let is_ours = is_copy_of_ours(&delete.policy_id, home, region, &delete.snapshot);
        assert!(is_ours, "only copies of ours are deleted");
        let in_region = self.abroad.regions.entry(region.clone()).or_default();
        assert!(
            delete.rests_on.iter().all(|one| one.id != delete.snapshot.id && in_region.contains_key(&one.id)),
            "what a deletion rests on is there"
        );
        in_region.remove(&delete.snapshot.id);
        Outcome::Deleted
    }
}

#[cfg(test)]
mod tests;
