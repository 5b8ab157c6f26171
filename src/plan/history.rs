//! The snapshots of ours by the resource that they were made of, and what counts among them.

use super::due::saturating_add;
use super::owning_schedule;
use super::sets::BrokenSets;
use crate::options::Options;
use crate::policy::{Policy, Schedule, ScheduleName, Targets};
use crate::world::{Snapshot, SnapshotId, SnapshotState, Tier};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// By how much the function's clock and EC2's may differ before a snapshot that began ahead of the time it answers is
/// taken for one whose tag was changed. AWS refuses signatures that are fifteen minutes off, so no clock is further.
pub(super) const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_mins(15);

/// A snapshot with the schedule that owns it and the scheduled time that it answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dated<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) scheduled_time: Timestamp,
    pub(super) snapshot: &'a Snapshot,
}

/// One line of snapshots that a rule counts: of one volume, for one schedule, and as part of one instance where the
/// policy targets instances, because a Multi-Attach volume has a snapshot in the set of each.
pub(super) type Series<'a> = (&'a str, &'a str, &'a ScheduleName);

/// All snapshots of ours whose tags can be read and that a schedule owns.
#[derive(Debug, Default)]
pub(super) struct Histories<'a> {
    by_source: BTreeMap<&'a str, Vec<Dated<'a>>>,
    places: BTreeMap<&'a SnapshotId, usize>,
    newest: BTreeMap<(&'a str, &'a str), Timestamp>,
}

impl<'a> Histories<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        options: &Options,
        now: Timestamp,
        ours: &[&'a Snapshot],
        broken: &BrokenSets<'_>,
    ) -> Self {
        let mut by_source: BTreeMap<&str, Vec<Dated<'a>>> = BTreeMap::new();
        for &snapshot in ours {
            let Some(source) = source(policy, snapshot) else { continue };
            let Some(name) = snapshot.marks.schedule_name.value() else { continue };
            let Some(&scheduled_time) = snapshot.marks.scheduled_time.value() else { continue };
            let Some(schedule) = owning_schedule(policy, options, name) else { continue };
            by_source.entry(source).or_default().push(Dated { schedule, scheduled_time, snapshot });
        }
        let mut histories = Self { by_source, ..Self::default() };
        histories.number(now, broken);
        histories
    }

    /// The snapshots of a volume or instance, newest scheduled time first.
    pub(super) fn of(&self, source: &str) -> &[Dated<'a>] {
        self.by_source.get(source).map_or(&[], Vec::as_slice)
    }

    /// The place of a snapshot in its series: how many scheduled times not before its own have a good snapshot, itself
    /// taken for one. The newest is 1.
    pub(super) fn place(&self, snapshot: &SnapshotId) -> Option<usize> {
        self.places.get(snapshot).copied()
    }

    /// The newest scheduled time of a volume that has a good snapshot, whichever schedule made it.
    pub(super) fn newest(&self, source: &str, volume: &str) -> Option<Timestamp> {
        self.newest.get(&(source, volume)).copied()
    }

    /// Every volume that has a good snapshot, with the resource as part of which it was made.
    pub(super) fn volumes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.newest.keys().copied()
    }

    /// Two snapshots of one scheduled time share a place, so that a run that was delivered twice does not eat up the
    /// history. What is not good takes no place from others.
    fn number(&mut self, now: Timestamp, broken: &BrokenSets<'_>) {
        let mut series: BTreeMap<Series<'a>, Vec<Dated<'a>>> = BTreeMap::new();
        for (source, history) in &mut self.by_source {
            history.sort_by_key(|d| Reverse((d.scheduled_time, d.snapshot.start_time, &d.snapshot.id)));
            for dated in history {
                series
                    .entry((source, dated.snapshot.volume_id.as_str(), &dated.schedule.name))
                    .or_default()
                    .push(*dated);
            }
        }
        for (key, history) in series {
            let is_good = |dated: &Dated<'a>| is_good(dated, now) && broken.is_whole(dated.snapshot);
            let good: BTreeSet<Timestamp> = history.iter().filter(|d| is_good(d)).map(|d| d.scheduled_time).collect();
            if let Some(&newest) = good.last() {
                let of_volume = self.newest.entry((key.0, key.1)).or_insert(newest);
                *of_volume = newest.max(*of_volume);
            }
            let mut newer = good.iter().rev().copied().peekable();
            let mut count = 0;
            for dated in &history {
                // Bounded by the number of scheduled times.
                while newer.next_if(|&time| time > dated.scheduled_time).is_some() {
                    count += 1;
                }
                self.places.insert(&dated.snapshot.id, count + 1);
            }
        }
    }
}

/// What a snapshot was made of, as its policy targets it: a volume, or an instance.
pub(super) fn source<'a>(policy: &Policy, snapshot: &'a Snapshot) -> Option<&'a str> {
    match &policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => Some(snapshot.volume_id.as_str()),
        Targets::Instances { .. } => snapshot.marks.instance_id.value().map(|id| id.as_str()),
    }
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
    scheduled_time <= saturating_add(snapshot.start_time, CLOCK_SKEW_MAX)
}
