//! The snapshots of ours by the resource that they were made of, and what counts among them.

use super::due::saturating_add;
use super::ours::{self, Ours, Place};
use super::owning_schedule;
use super::sets::BrokenSets;
use crate::options::Options;
use crate::policy::{Policy, Schedule, ScheduleName};
use crate::world::{Snapshot, SnapshotState, SourceId, Tier, VolumeId};
use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// By how much the function's clock and EC2's may differ before a snapshot that began ahead of the time it answers is
/// taken for one whose tag was changed. AWS refuses signatures that are fifteen minutes off, so no clock is further.
pub(super) const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_mins(15);

/// A snapshot with the schedule that owns it and the scheduled time that it answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dated<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) scheduled_time: Timestamp,
    pub(super) snapshot: &'a Snapshot,
    place: Place,
}

impl<'a> Dated<'a> {
    /// What a rule counts by within one source.
    fn series(&self) -> (VolumeId, &'a ScheduleName) {
        (self.snapshot.volume_id, &self.schedule.name)
    }
}

/// The snapshots of one volume or instance.
#[derive(Debug, Default)]
struct History<'a> {
    /// The newest scheduled time first.
    dated: Vec<Dated<'a>>,
    /// For each volume, sorted, the newest scheduled time that has a good snapshot.
    newest: Vec<(VolumeId, Timestamp)>,
}

/// All snapshots of ours whose tags can be read and that a schedule owns.
#[derive(Debug, Default)]
pub(super) struct Histories<'a> {
    sources: Vec<(SourceId, History<'a>)>,
    numbers: FxHashMap<SourceId, usize>,
    /// For each place its rank; 0 where it has none.
    ranks: Vec<usize>,
}

impl<'a> Histories<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        options: &Options,
        now: Timestamp,
        ours: &Ours<'a>,
        broken: &BrokenSets,
    ) -> Self {
        let mut histories = Self { ranks: vec![0; ours.len()], ..Self::default() };
        for (place, snapshot) in ours.places() {
            let Some(source) = ours::source(policy, snapshot) else { continue };
            let Some(name) = snapshot.marks.schedule_name.value() else { continue };
            let Some(&scheduled_time) = snapshot.marks.scheduled_time.value() else { continue };
            let Some(schedule) = owning_schedule(policy, options, name) else { continue };
            histories.add(source, Dated { schedule, scheduled_time, snapshot, place });
        }
        for (_, history) in &mut histories.sources {
            history.number(now, broken, &mut histories.ranks);
        }
        histories
    }

    fn add(&mut self, source: SourceId, dated: Dated<'a>) {
        let number = *self.numbers.entry(source).or_insert(self.sources.len());
        match self.sources.get_mut(number) {
            Some((_, history)) => history.dated.push(dated),
            None => self.sources.push((source, History { dated: vec![dated], newest: Vec::new() })),
        }
    }

    fn get(&self, source: SourceId) -> Option<&History<'a>> {
        self.sources.get(*self.numbers.get(&source)?).map(|(_, history)| history)
    }

    /// The snapshots of a volume or instance, newest scheduled time first.
    pub(super) fn of(&self, source: SourceId) -> &[Dated<'a>] {
        self.get(source).map_or(&[], |history| &history.dated)
    }

    /// The rank of a snapshot in its series: how many scheduled times not before its own have a good snapshot, itself
    /// taken for one. The newest is 1. A series is of one volume, for one schedule, and as part of one instance where
    /// the policy targets instances, because a Multi-Attach volume has a snapshot in the set of each.
    pub(super) fn rank(&self, place: Place) -> Option<usize> {
        self.ranks.get(place).copied().filter(|&rank| rank > 0)
    }

    /// The newest scheduled time of a volume that has a good snapshot, whichever schedule made it.
    pub(super) fn newest(&self, source: SourceId, volume: VolumeId) -> Option<Timestamp> {
        let newest = &self.get(source)?.newest;
        let at = newest.binary_search_by_key(&volume, |(volume, _)| *volume).ok()?;
        newest.get(at).map(|(_, newest)| *newest)
    }

    /// Every volume that has a good snapshot, with the resource as part of which it was made.
    pub(super) fn volumes(&self) -> impl Iterator<Item = (SourceId, VolumeId)> {
        let of_source = |(source, history): &(SourceId, History<'_>)| {
            let source = *source;
            history.newest.iter().map(move |(volume, _)| (source, *volume)).collect::<Vec<_>>()
        };
        self.sources.iter().flat_map(of_source)
    }
}

impl History<'_> {
    /// Two snapshots of one scheduled time share a rank, so that a run that was delivered twice does not eat up the
    /// history. What is not good takes no rank from others.
    fn number(&mut self, now: Timestamp, broken: &BrokenSets, ranks: &mut [usize]) {
        let newest_first =
            |dated: &Dated<'_>| Reverse((dated.scheduled_time, dated.snapshot.start_time, dated.snapshot.id));
        self.dated.sort_unstable_by(|one, other| {
            let order = one.series().cmp(&other.series());
            order.then_with(|| newest_first(one).cmp(&newest_first(other)))
        });
        for series in self.dated.chunk_by(|one, other| one.series() == other.series()) {
            let newest = number_series(series, now, broken, ranks);
            let volume = series.first().map(|dated| dated.snapshot.volume_id);
            if let (Some(newest), Some(volume)) = (newest, volume) {
                match self.newest.last_mut().filter(|(last, _)| *last == volume) {
                    Some((_, of_volume)) => *of_volume = newest.max(*of_volume),
                    None => self.newest.push((volume, newest)),
                }
            }
        }
        self.dated.sort_unstable_by_key(newest_first);
    }
}

/// Gives each of a series, the newest first, its rank. Returns the newest scheduled time that has a good snapshot.
fn number_series(series: &[Dated<'_>], now: Timestamp, broken: &BrokenSets, ranks: &mut [usize]) -> Option<Timestamp> {
    let is_good = |dated: &Dated<'_>| is_good(dated, now) && broken.is_whole(dated.place);
    let mut newest = None;
    let mut newer = 0;
    for of_time in series.chunk_by(|one, other| one.scheduled_time == other.scheduled_time) {
        for dated in of_time {
            if let Some(rank) = ranks.get_mut(dated.place) {
                *rank = newer + 1;
            }
        }
        if let Some(good) = of_time.iter().find(|dated| is_good(dated)) {
            newest = newest.or(Some(good.scheduled_time));
            newer += 1;
        }
    }
    newest
}

/// Whether a snapshot counts: it is complete, in the standard tier, and its tag can be true.
fn is_good(dated: &Dated<'_>, now: Timestamp) -> bool {
    dated.snapshot.state == SnapshotState::Completed
        && dated.snapshot.tier == Tier::Standard
        && dated.scheduled_time <= now
        && is_plausible(dated.snapshot, dated.scheduled_time)
}

/// A snapshot cannot have begun before the time that it answers: then somebody changed the tag, and the snapshot must
/// neither go because of it nor push others out.
pub(super) fn is_plausible(snapshot: &Snapshot, scheduled_time: Timestamp) -> bool {
    // The first comparison is nearly always enough, and cheaper.
    scheduled_time <= snapshot.start_time || scheduled_time <= saturating_add(snapshot.start_time, CLOCK_SKEW_MAX)
}
