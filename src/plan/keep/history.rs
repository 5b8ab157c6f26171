//! The snapshots of ours by the resource that they were made of, and what counts among them.

use crate::plan::ours::{self, Ours, Place};
use crate::plan::sets::BrokenSets;
use crate::policy::{Policy, Targets};
use crate::world::{Snapshot, SourceId, VolumeId};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Ordering;
use std::ops::Range;

/// By how much the function's clock and EC2's may differ before a snapshot that began ahead of the time it answers is
/// taken for one whose tag was changed. AWS refuses signatures that are fifteen minutes off, so no clock is further.
pub(in crate::plan) const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_mins(15);

/// A snapshot that is believed, with the scheduled time that it answers.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Dated<'a> {
    pub(in crate::plan) snapshot: &'a Snapshot,
    /// The scheduled time that the snapshot answers.
    pub(in crate::plan) scheduled_time: Timestamp,
    place: u32,
}

impl Dated<'_> {
    /// Where it stands among [`Ours`].
    pub(in crate::plan) fn place(&self) -> Place {
        wide(self.place)
    }
}

/// All snapshots of ours whose tags are believed and that are for a schedule, by what they were made of.
///
/// Places and ranks are kept as short numbers, because an account has hundreds of thousands of them.
#[derive(Debug, Default)]
pub(in crate::plan) struct Histories {
    /// Sorted.
    sources: Vec<History>,
    /// The places of all sources' snapshots, one source after the other, the newest scheduled time of each first.
    places: Vec<u32>,
    /// For each volume of each source the newest scheduled time that has a good snapshot, sorted.
    newest: Vec<(SourceId, VolumeId, Timestamp)>,
    /// For each place its rank in the series of each schedule, one after the other; 0 where it has none.
    ranks: Vec<u32>,
    /// How many schedules there are.
    schedules: usize,
}

/// Where the snapshots of one volume or instance lie.
#[derive(Debug)]
struct History {
    source: SourceId,
    places: Range<usize>,
}

impl Histories {
    pub(in crate::plan) fn new(policy: &Policy, now: Timestamp, ours: &Ours<'_>, broken: &BrokenSets) -> Self {
        let source_of = |place: u32| ours::source(policy, ours[wide(place)]);
        let mut places: Vec<u32> = Vec::with_capacity(ours.len());
        places
            .extend((0..short(ours.len())).filter(|&place| source_of(place).is_some() && dated(ours, place).is_some()));
        // Ours are sorted by volume: there is something to do for instances only.
        if let Targets::Instances { .. } = policy.targets {
            places.sort_by_key(|&place| source_of(place));
        }
        let schedules = policy.schedules.len();
        let mut histories = Self { ranks: vec![0; ours.len() * schedules], schedules, ..Self::default() };
        let mut room = Vec::new();
        for of_source in places.chunk_by_mut(|&one, &other| source_of(one) == source_of(other)) {
            if let Some(source) = of_source.first().and_then(|&place| source_of(place)) {
                room.clear();
                // From the newest on, as they nearly always come out.
                room.extend(of_source.iter().rev().filter_map(|&place| dated(ours, place)));
                histories.add(source, &mut room, ours, now, broken);
                for (place, dated) in of_source.iter_mut().zip(&room) {
                    *place = dated.place;
                }
            }
        }
        histories.places = places;
        histories
    }

    /// Adds the snapshots of one source and puts them in order.
    fn add(&mut self, source: SourceId, dated: &mut [Dated<'_>], ours: &Ours<'_>, now: Timestamp, broken: &BrokenSets) {
        let by_volume = |one: &Dated<'_>, other: &Dated<'_>| one.snapshot.volume_id.cmp(&other.snapshot.volume_id);
        sort(dated, |one, other| by_volume(one, other).then_with(|| newest_first(one, other)));
        let mut volumes = 0;
        for of_volume in dated.chunk_by(|one, other| one.snapshot.volume_id == other.snapshot.volume_id) {
            volumes += 1;
            let newest = (0..self.schedules).filter_map(|at| self.number(at, of_volume, ours, now, broken)).max();
            let volume = of_volume.first().map(|dated| dated.snapshot.volume_id);
            if let (Some(newest), Some(volume)) = (newest, volume) {
                self.newest.push((source, volume, newest));
            }
        }
        if volumes > 1 {
            sort(dated, newest_first);
        }
        let begin = self.sources.last().map_or(0, |last| last.places.end);
        self.sources.push(History { source, places: begin..begin + dated.len() });
    }

    /// Gives each snapshot of a volume, the newest first, its rank in the series of the schedule at this place of the policy.
    /// Returns the newest scheduled time that has a good one there.
    ///
    /// Two snapshots of one scheduled time share a rank, so that a run that was delivered twice does not eat up the history.
    /// What is not good takes no rank from others.
    fn number(
        &mut self,
        schedule: usize,
        of_volume: &[Dated<'_>],
        ours: &Ours<'_>,
        now: Timestamp,
        broken: &BrokenSets,
    ) -> Option<Timestamp> {
        let (mut newest, mut newer) = (None, 0);
        let (mut time, mut has_good) = (None, false);
        for dated in of_volume {
            if !ours.schedules(dated.place()).any(|(at, _)| at == schedule) {
                continue;
            }
            if time != Some(dated.scheduled_time) {
                newer += u32::from(std::mem::take(&mut has_good));
                time = Some(dated.scheduled_time);
            }
            if let Some(rank) = self.ranks.get_mut(dated.place() * self.schedules + schedule) {
                *rank = newer + 1;
            }
            if is_good(dated, now, broken) {
                has_good = true;
                newest = newest.or(Some(dated.scheduled_time));
            }
        }
        newest
    }

    /// The snapshots of a volume or instance, newest scheduled time first.
    pub(in crate::plan) fn of<'a>(&self, ours: &Ours<'a>, source: SourceId) -> impl Iterator<Item = Dated<'a>> + Clone {
        let found = self.sources.binary_search_by_key(&source, |history| history.source).ok();
        let history = found.and_then(|at| self.sources.get(at));
        let places = history.and_then(|history| self.places.get(history.places.clone())).unwrap_or_default();
        places.iter().filter_map(|&place| dated(ours, place))
    }

    /// The rank of a snapshot in the series of the schedule at this place of the policy: how many scheduled times not before its own have a good snapshot, itself
    /// taken for one. The newest is 1. A series is of one volume, for one schedule, and as part of one instance where
    /// the policy targets instances, because a Multi-Attach volume has a snapshot in the set of each.
    pub(in crate::plan) fn rank(&self, place: Place, schedule: usize) -> Option<usize> {
        self.ranks.get(place * self.schedules + schedule).filter(|&&rank| rank > 0).map(|&rank| wide(rank))
    }

    /// The newest scheduled time of a volume that has a good snapshot, whichever schedule made it.
    pub(in crate::plan) fn newest(&self, source: SourceId, volume: VolumeId) -> Option<Timestamp> {
        let at = self.newest.binary_search_by_key(&(source, volume), |&(source, volume, _)| (source, volume)).ok()?;
        self.newest.get(at).map(|&(_, _, newest)| newest)
    }
}

/// The snapshot at a place, if it is for a schedule and its scheduled time can be read.
fn dated<'a>(ours: &Ours<'a>, place: u32) -> Option<Dated<'a>> {
    let is_for_any = ours.is_run_now(wide(place)) || ours.schedules(wide(place)).next().is_some();
    let snapshot = ours[wide(place)];
    let &scheduled_time = snapshot.marks.scheduled_time.value().filter(|_| is_for_any)?;
    Some(Dated { snapshot, scheduled_time, place })
}

/// Sorts what nearly always is in order.
fn sort(dated: &mut [Dated<'_>], compare: impl Fn(&Dated<'_>, &Dated<'_>) -> Ordering) {
    if !dated.is_sorted_by(|one, other| compare(one, other).is_le()) {
        dated.sort_by(compare);
    }
}

/// An observation is bounded by a million snapshots.
fn short(number: usize) -> u32 {
    u32::try_from(number).expect("a million fits")
}

fn wide(number: u32) -> usize {
    usize::try_from(number).expect("a processor of 32 bits or more")
}

fn newest_first(one: &Dated<'_>, other: &Dated<'_>) -> Ordering {
    let by_beginning =
        || (other.snapshot.start_time, other.snapshot.id).cmp(&(one.snapshot.start_time, one.snapshot.id));
    other.scheduled_time.cmp(&one.scheduled_time).then_with(by_beginning)
}

/// Whether a snapshot counts: it is complete, in the standard tier, and no member of a set that is not whole.
pub(in crate::plan) fn is_good(dated: &Dated<'_>, now: Timestamp, broken: &BrokenSets) -> bool {
    dated.snapshot.is_restorable() && dated.scheduled_time <= now && broken.is_whole(dated.place())
}
