//! The snapshots of ours in the order of the plan. What the rules find out about each lies in lists of the same order,
//! so that planning costs the same for each snapshot of a small and of a huge account.

use super::owning_schedule;
use crate::lookup::Lookup;
use crate::options::Options;
use crate::policy::{Policy, Schedule, ScheduleName, Targets};
use crate::world::{Snapshot, SnapshotId, SourceId, VolumeId};
use jiff::Timestamp;
use std::ops::Index;

/// The place of a snapshot among [`Ours`].
pub(super) type Place = usize;

/// The snapshots of ours, each once, sorted by volume, scheduled time and id.
#[derive(Debug)]
pub(super) struct Ours<'a> {
    snapshots: Vec<&'a Snapshot>,
    /// The schedule that owns each of them today.
    schedules: Vec<Option<&'a Schedule>>,
}

impl<'a> Ours<'a> {
    /// Of snapshots that come more than once, as pages may repeat one, the last is taken. They are sorted [`by_volume`].
    pub(super) fn new(policy: &'a Policy, options: &Options, mut snapshots: Vec<&'a Snapshot>) -> Self {
        for of_volume in snapshots.chunk_by_mut(|one, other| one.volume_id == other.volume_id) {
            of_volume.sort_by_key(|snapshot| order_in_volume(snapshot));
        }
        snapshots.dedup_by(|later, earlier| {
            let is_repeated = later.id == earlier.id;
            if is_repeated {
                *earlier = *later;
            }
            is_repeated
        });
        let schedules = schedules(policy, options, &snapshots);
        Self { snapshots, schedules }
    }

    /// The same with others in some places, that have the same ids and scheduled times, and with new ones.
    pub(super) fn with<'b>(
        &self,
        policy: &'b Policy,
        options: &Options,
        others: &'b [(Place, Snapshot)],
        new: &'b [Snapshot],
    ) -> Ours<'b>
    where
        'a: 'b,
    {
        let mut new: Vec<&'b Snapshot> = new.iter().collect();
        new.sort_by_key(|snapshot| order(snapshot));
        let mut new = new.into_iter().peekable();
        let mut others = others.iter().peekable();
        let mut all: Vec<&'b Snapshot> = Vec::with_capacity(self.len() + new.len());
        for (place, snapshot) in self.places() {
            all.extend(std::iter::from_fn(|| new.next_if(|new| order(new) < order(snapshot))));
            all.push(others.next_if(|(other, _)| *other == place).map_or(snapshot, |(_, other)| other));
        }
        all.extend(new);
        let schedules = schedules(policy, options, &all);
        Ours { snapshots: all, schedules }
    }

    /// The schedule that owns a snapshot today; `None` where its tag cannot be read or no schedule has or had that name.
    pub(super) fn schedule(&self, place: Place) -> Option<&'a Schedule> {
        self.schedules.get(place).copied().flatten()
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

/// The order of snapshots within their volume.
fn order_in_volume(snapshot: &Snapshot) -> (Option<&Timestamp>, SnapshotId) {
    (snapshot.marks.scheduled_time.value(), snapshot.id)
}

fn order(snapshot: &Snapshot) -> (VolumeId, (Option<&Timestamp>, SnapshotId)) {
    (snapshot.volume_id, order_in_volume(snapshot))
}

/// Sorted by volume only: a sort of everything at once would cost more for each snapshot the more there are.
pub(super) fn by_volume(snapshots: Vec<&Snapshot>) -> Vec<&Snapshot> {
    let mut numbers: Lookup<VolumeId, u32> = Lookup::default();
    let mut volumes: Vec<OfVolume> = Vec::new();
    let mut number_of = Vec::with_capacity(snapshots.len());
    for snapshot in &snapshots {
        let new = u32::try_from(volumes.len()).expect("an observation is bounded by a million");
        let number = *numbers.get_or_insert(snapshot.volume_id, new);
        match volumes.get_mut(at(number)) {
            Some(volume) => volume.count += 1,
            None => volumes.push(OfVolume { volume: snapshot.volume_id, number, count: 1 }),
        }
        number_of.push(number);
    }
    drop(numbers);
    volumes.sort_unstable_by_key(|of| of.volume);
    // Where the next snapshot of each volume goes.
    let mut next = vec![0; volumes.len()];
    let mut end = 0;
    for of in volumes {
        next[at(of.number)] = end;
        end += of.count;
    }
    let mut sorted = snapshots.clone();
    for (snapshot, number) in snapshots.into_iter().zip(number_of) {
        sorted[at(next[at(number)])] = snapshot;
        next[at(number)] += 1;
    }
    sorted
}

/// How many snapshots a volume has, and as which one of all volumes it was met first.
struct OfVolume {
    volume: VolumeId,
    number: u32,
    count: u32,
}

fn at(number: u32) -> usize {
    usize::try_from(number).expect("a processor of 32 bits or more")
}

/// The owners of snapshots; most of them have the name of the one before.
fn schedules<'a>(policy: &'a Policy, options: &Options, snapshots: &[&'a Snapshot]) -> Vec<Option<&'a Schedule>> {
    let mut last: Option<(&'a ScheduleName, Option<&'a Schedule>)> = None;
    let owner = |snapshot: &&'a Snapshot| {
        let name = snapshot.marks.schedule_name.value()?;
        match last {
            Some((known, owner)) if known.is_same(name) => owner,
            Some(_) | None => {
                let owner = owning_schedule(policy, options, name);
                last = Some((name, owner));
                owner
            }
        }
    };
    snapshots.iter().map(owner).collect()
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
    // What a key is read from lies anywhere in memory.
    items.sort_by_cached_key(&key);
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
