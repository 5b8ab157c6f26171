//! The snapshots of ours in the order of the plan. What the rules find out about each lies in lists of the same order,
//! so that planning costs the same for each snapshot of a small and of a huge account.

use super::{belief, coincide, owning_schedule};
use crate::lookup::Lookup;
use crate::options::Options;
use crate::policy::{Policy, Schedule, ScheduleName, Targets};
use crate::tags::{Mark, SharedMarks};
use crate::world::{Snapshot, SnapshotId, SourceId, VolumeId};
use jiff::Timestamp;
use std::ops::Index;

/// The place of a snapshot among [`Ours`].
pub(super) type Place = usize;

/// The snapshots of ours, each once, sorted by volume, scheduled time and id.
#[derive(Debug)]
pub(super) struct Ours<'a> {
    policy: &'a Policy,
    snapshots: Vec<&'a Snapshot>,
    /// Which series each of them is in.
    series: Vec<Series<'a>>,
}

/// Which series of the policy a snapshot is in: one of each schedule that it is for, by the names on it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Series<'a> {
    /// The schedule that its description and its first name say, as it is called today.
    owner: Option<&'a Schedule>,
    /// The schedules that it is for, a bit for each by its place in the policy.
    members: u8,
    /// A name on it that no schedule has, or had.
    unknown: Option<&'a ScheduleName>,
    is_run_now: bool,
    is_doubted: bool,
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
        let series = all_series(policy, options, &snapshots);
        Self { policy, snapshots, series }
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
        let series = all_series(policy, options, &all);
        Ours { policy, snapshots: all, series }
    }

    /// The schedules that a snapshot is for, each with its place in the policy: none where its tags are doubted, where no
    /// schedule has its names, or where a RunNow made it.
    pub(super) fn schedules(&self, place: Place) -> impl Iterator<Item = (usize, &'a Schedule)> + use<'a> {
        let members = self.believed(place).filter(|series| !series.is_run_now).map_or(0, |series| series.members);
        self.policy.schedules.iter().enumerate().filter(move |(at, _)| members & bit(*at) != 0)
    }

    /// A name on a snapshot that no schedule of the policy has, or had.
    pub(super) fn unknown_name(&self, place: Place) -> Option<&'a ScheduleName> {
        self.believed(place).filter(|series| !series.is_run_now)?.unknown
    }

    /// Whether a RunNow made it.
    pub(super) fn is_run_now(&self, place: Place) -> bool {
        self.believed(place).is_some_and(|series| series.is_run_now)
    }

    /// Whether its tags are not believed.
    pub(super) fn is_doubted(&self, place: Place) -> bool {
        self.believed(place).is_none()
    }

    /// Whether a snapshot for `scheduled_time` answers it for `schedule`, which is due by a start of its own kind.
    pub(super) fn answers(&self, place: Place, schedule: &Schedule, scheduled_time: Timestamp, run_now: bool) -> bool {
        let Some(series) = self.believed(place) else { return false };
        let at = self.policy.schedules.iter().position(|other| std::ptr::eq(other, schedule));
        let is_for = at.is_some_and(|at| series.members & bit(at) != 0);
        // Those of opendlm 0.1 name one schedule only, and a RunNow of then left no mark.
        let is_unstamped = self.snapshots.get(place).is_some_and(|snapshot| snapshot.marks.stamp == Mark::Absent);
        let serves = || series.owner.is_some_and(|owner| coincide::serves(owner, schedule, scheduled_time));
        (is_for || is_unstamped && serves()) && (series.is_run_now == run_now || is_unstamped)
    }

    /// Whether a snapshot whose tags are not believed says that it is for this schedule, by a start of this kind.
    pub(super) fn claims(&self, place: Place, schedule: &Schedule, run_now: bool) -> bool {
        let at = self.policy.schedules.iter().position(|other| std::ptr::eq(other, schedule));
        let series = self.series.get(place).filter(|series| series.is_doubted && series.is_run_now == run_now);
        series.is_some_and(|series| at.is_some_and(|at| series.members & bit(at) != 0))
    }

    fn believed(&self, place: Place) -> Option<&Series<'a>> {
        self.series.get(place).filter(|series| !series.is_doubted)
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

/// The bit of the schedule at a place of the policy, which has four at most.
fn bit(at: usize) -> u8 {
    u32::try_from(at).ok().and_then(|at| 1_u8.checked_shl(at)).unwrap_or(0)
}

/// The series of snapshots; most of them say the same as the one before.
fn all_series<'a>(policy: &'a Policy, options: &Options, snapshots: &[&'a Snapshot]) -> Vec<Series<'a>> {
    let mut last: Option<(&'a SharedMarks, Series<'a>)> = None;
    let of = |snapshot: &&'a Snapshot| {
        let series = match last {
            Some((marks, series)) if marks.is_same(&snapshot.marks) => series,
            Some(_) | None => series(policy, options, snapshot),
        };
        last = Some((&snapshot.marks, series));
        Series { is_doubted: belief::doubt(snapshot).is_some(), ..series }
    };
    snapshots.iter().map(of).collect()
}

fn series<'a>(policy: &'a Policy, options: &Options, snapshot: &'a Snapshot) -> Series<'a> {
    let mut series = Series::default();
    for (number, name) in names(snapshot).enumerate() {
        let owner = owning_schedule(policy, options, name);
        if number == 0 {
            series.owner = owner;
        }
        match owner.and_then(|owner| policy.schedules.iter().position(|schedule| std::ptr::eq(schedule, owner))) {
            Some(at) => series.members |= bit(at),
            None => series.unknown = series.unknown.or(Some(name)),
        }
    }
    series.is_run_now = snapshot.marks.is_run_now();
    series
}

/// The names of the schedules that a snapshot is for, as it carries them, the owner's first.
pub(super) fn names(snapshot: &Snapshot) -> impl Iterator<Item = &ScheduleName> {
    let also = snapshot.marks.also.value().into_iter().flatten();
    snapshot.marks.schedule_name.value().into_iter().chain(also)
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
