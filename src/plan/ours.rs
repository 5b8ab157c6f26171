//! The snapshots of ours in the order of the plan. What the rules find out about each lies in lists of the same order,
//! so that planning costs the same for each snapshot of a small and of a huge account.

use crate::policy::{Policy, Targets};
use crate::world::{Snapshot, SourceId, VolumeId};
use rustc_hash::FxHashMap;
use std::ops::Index;

/// The place of a snapshot among [`Ours`].
pub(super) type Place = usize;

/// The snapshots of ours, each once, sorted by volume, scheduled time and id.
#[derive(Debug)]
pub(super) struct Ours<'a> {
    snapshots: Vec<&'a Snapshot>,
}

impl<'a> Ours<'a> {
    /// Of snapshots that come more than once, as pages may repeat one, the last is taken.
    pub(super) fn new(snapshots: impl Iterator<Item = &'a Snapshot>) -> Self {
        let mut of_volumes: Vec<(VolumeId, Vec<&'a Snapshot>)> = Vec::new();
        let mut numbers: FxHashMap<VolumeId, usize> = FxHashMap::default();
        for snapshot in snapshots {
            let number = *numbers.entry(snapshot.volume_id).or_insert(of_volumes.len());
            match of_volumes.get_mut(number) {
                Some((_, of_volume)) => of_volume.push(snapshot),
                None => of_volumes.push((snapshot.volume_id, vec![snapshot])),
            }
        }
        // By volume first: a sort of everything at once would cost more for each snapshot the more there are.
        of_volumes.sort_unstable_by_key(|(volume, _)| *volume);
        let mut ours = Vec::with_capacity(of_volumes.iter().map(|(_, of_volume)| of_volume.len()).sum());
        for (_, mut of_volume) in of_volumes {
            keep_last_by_key(&mut of_volume, |snapshot| snapshot.id);
            of_volume.sort_unstable_by_key(|snapshot| (snapshot.marks.scheduled_time.value(), snapshot.id));
            ours.append(&mut of_volume);
        }
        Self { snapshots: ours }
    }

    pub(super) fn len(&self) -> usize {
        self.snapshots.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a Snapshot> + Clone {
        self.snapshots.iter().copied()
    }

    /// Each snapshot with its place.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, &'a Snapshot)> {
        self.iter().enumerate()
    }
}

impl<'a> Index<Place> for Ours<'a> {
    type Output = &'a Snapshot;

    fn index(&self, place: Place) -> &Self::Output {
        &self.snapshots[place]
    }
}

/// What a snapshot was made of, as its policy targets it: a volume, or an instance.
pub(super) fn source(policy: &Policy, snapshot: &Snapshot) -> Option<SourceId> {
    match &policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => Some(SourceId::Volume(snapshot.volume_id)),
        Targets::Instances { .. } => snapshot.marks.instance_id.value().copied().map(SourceId::Instance),
    }
}

/// Sorts by a key and leaves the last one of each.
pub(super) fn keep_last_by_key<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    items.sort_by_key(&key);
    items.reverse();
    items.dedup_by_key(|item| key(item));
    items.reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_keys_the_last_stays() {
        let mut items = vec![(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd'), (3, 'e')];
        keep_last_by_key(&mut items, |item| item.0);
        assert_eq!(items, [(1, 'd'), (2, 'c'), (3, 'e')]);
    }
}
