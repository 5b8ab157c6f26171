//! Snapshots that nothing manages any more: no schedule owns them, or what they were made of is gone.

use super::ours::{self, Ours, Place};
use super::retain::{extends_deletion, later_by};
use super::sets::BrokenSets;
use super::{DeleteReason, KeepReason, SnapshotVerdict, history};
use crate::lookup::LookupSet;
use crate::options::Orphans;
use crate::policy::{Policy, RetainRule, Schedule, ScheduleName, Targets};
use crate::tags::Mark;
use crate::world::{
    Instance, InstanceState, Snapshot, SnapshotId, SnapshotState, SourceId, Tier, Volume, VolumeId, VolumeState, World,
};
use jiff::Timestamp;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// What became of the volume or instance that a snapshot was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It does not exist any more: EC2 said so of its id.
    Gone,
    /// No listing shows it. That proves nothing: nothing goes because of it before EC2 says that it is gone.
    Missing,
    /// The policy targets it.
    Targeted,
    /// It exists, but the policy does not target it (any more).
    Untargeted,
}

impl Fate {
    /// Whether no listing shows it, proved to be gone or not.
    pub(super) fn is_gone_or_missing(self) -> bool {
        matches!(self, Self::Gone | Self::Missing)
    }
}

/// The volumes or instances that snapshots can have been made of.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    targeted: LookupSet<SourceId>,
    untargeted: &'a BTreeSet<SourceId>,
    gone: &'a BTreeSet<SourceId>,
    /// The last answer: the snapshots of a volume are asked about one after the other.
    last: Cell<Option<(SourceId, Fate)>>,
}

impl<'a> Sources<'a> {
    /// A volume or instance that is on its way out is as good as gone.
    pub(super) fn new(policy: &Policy, world: &'a World) -> Self {
        let mut targeted = LookupSet::with_room_for(world.volumes.len());
        match &policy.targets {
            Targets::AllVolumes(_) | Targets::Volumes { .. } => {
                let is_there = |volume: &&Volume| !matches!(volume.state, VolumeState::Deleted | VolumeState::Deleting);
                targeted.extend(world.volumes.iter().filter(is_there).map(|volume| SourceId::Volume(volume.id)));
            }
            Targets::Instances { .. } => {
                let is_there = |instance: &&Instance| {
                    !matches!(instance.state, InstanceState::Terminated | InstanceState::ShuttingDown)
                };
                targeted
                    .extend(world.instances.iter().filter(is_there).map(|instance| SourceId::Instance(instance.id)));
            }
        }
        Self { targeted, untargeted: &world.untargeted, gone: &world.closer.gone, last: Cell::new(None) }
    }

    pub(super) fn fate(&self, source: SourceId) -> Fate {
        if let Some((_, fate)) = self.last.get().filter(|(last, _)| *last == source) {
            return fate;
        }
        let fate = self.look_up(source);
        self.last.set(Some((source, fate)));
        fate
    }

    fn look_up(&self, source: SourceId) -> Fate {
        if self.targeted.contains(&source) {
            Fate::Targeted
        } else if self.untargeted.contains(&source) {
            Fate::Untargeted
        } else if self.gone.contains(&source) {
            Fate::Gone
        } else {
            Fate::Missing
        }
    }
}

/// A line of snapshots by what their own tags say: source, volume and schedule name, whether or not a schedule of that
/// name is left.
type Line<'a> = (SourceId, VolumeId, &'a ScheduleName);

/// The newest complete snapshots of each line: the ones that are kept as the last.
#[derive(Debug)]
pub(super) struct Lines {
    newest: BTreeSet<Place>,
}

impl Lines {
    pub(super) fn new(policy: &Policy, now: Timestamp, ours: &Ours<'_>, broken: &BrokenSets) -> Self {
        let mut newest: BTreeMap<Line<'_>, (Timestamp, Timestamp, SnapshotId, Place)> = BTreeMap::new();
        for (place, snapshot) in ours.places() {
            let marks = &snapshot.marks;
            let Some(source) = ours::source(policy, snapshot) else { continue };
            let (Some(name), Some(&time)) = (marks.schedule_name.value(), marks.scheduled_time.value()) else {
                continue;
            };
            let is_complete = snapshot.state == SnapshotState::Completed && snapshot.tier == Tier::Standard;
            let can_be_true = time <= now && history::is_plausible(snapshot, time);
            if is_complete && can_be_true && broken.is_whole(place) {
                let entry = (time, snapshot.start_time, snapshot.id, place);
                let key = (source, snapshot.volume_id, name);
                newest.entry(key).and_modify(|best| *best = (*best).max(entry)).or_insert(entry);
            }
        }
        Self { newest: newest.into_values().map(|(_, _, _, place)| place).collect() }
    }

    pub(super) fn is_newest(&self, place: Place) -> bool {
        self.newest.contains(&place)
    }
}

/// The verdict about a snapshot whose schedule is no more (DLM: it stays, unmanaged).
pub(super) fn without_schedule<'a>(
    orphans: Orphans,
    name: &'a ScheduleName,
    scheduled_time: Timestamp,
    now: Timestamp,
    is_newest: bool,
) -> SnapshotVerdict<'a> {
    by_option(orphans, scheduled_time, now, is_newest).unwrap_or(SnapshotVerdict::Keep(KeepReason::NoSchedule(name)))
}

/// The verdict about a snapshot of a volume or instance that is gone.
///
/// DLM user guide: by count none is deleted any more; by age they expire "up to, but not including, the last one",
/// with `ExtendDeletion` that one too.
pub(super) fn of_gone_source<'a>(
    policy: &Policy,
    orphans: Orphans,
    snapshot: &Snapshot,
    scheduled_time: Timestamp,
    now: Timestamp,
    is_newest: bool,
) -> SnapshotVerdict<'a> {
    if let Some(verdict) = by_option(orphans, scheduled_time, now, is_newest) {
        return verdict;
    }
    match snapshot.marks.expiration_time {
        // The caller has seen that it is over.
        Mark::Read(at) if !is_newest || extends_deletion(policy) => {
            SnapshotVerdict::Delete(DeleteReason::Expired { at })
        }
        Mark::Read(_) | Mark::Absent | Mark::Unreadable(_) => SnapshotVerdict::Keep(KeepReason::SourceGone),
    }
}

/// What `Options.Orphans` says; `None` for `KEEP`.
fn by_option<'a>(
    orphans: Orphans,
    scheduled_time: Timestamp,
    now: Timestamp,
    is_newest: bool,
) -> Option<SnapshotVerdict<'a>> {
    match orphans {
        Orphans::Expire(age) => {
            let at = later_by(scheduled_time, age);
            Some(if at <= now {
                SnapshotVerdict::Delete(DeleteReason::Orphaned { age_over_at: Some(at) })
            } else {
                SnapshotVerdict::Keep(KeepReason::OrphanNotExpired { until: at })
            })
        }
        Orphans::Keep => None,
        Orphans::KeepLast if is_newest => Some(SnapshotVerdict::Keep(KeepReason::LastOrphan)),
        Orphans::KeepLast => Some(SnapshotVerdict::Delete(DeleteReason::Orphaned { age_over_at: None })),
    }
}

/// Snapshots of ours that nothing manages any more, and the room that they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrphanCount {
    /// No schedule of the policy has, or had, their schedule's name.
    pub without_schedule: usize,
    /// Their volume or instance is gone.
    pub of_gone_sources: usize,
    /// Their volume or instance is there but not targeted, or the volume is no part of its instance any more.
    pub of_untargeted_sources: usize,
    /// Their schedule keeps by age and they carry no expiry, since it kept by count when they were made.
    pub without_expiration: usize,
    /// The full size of all of them, in bytes: what they cost at most.
    pub full_size_bytes: u64,
}

impl OrphanCount {
    /// Adds those of a part.
    pub(super) fn add(&mut self, part: Self) {
        self.without_schedule += part.without_schedule;
        self.of_gone_sources += part.of_gone_sources;
        self.of_untargeted_sources += part.of_untargeted_sources;
        self.without_expiration += part.without_expiration;
        self.full_size_bytes = self.full_size_bytes.saturating_add(part.full_size_bytes);
    }
}

pub(super) fn count(policy: &Policy, world: &World, sources: &Sources<'_>, ours: &Ours<'_>) -> OrphanCount {
    let by_instance = matches!(policy.targets, Targets::Instances { .. });
    let instances = if by_instance { &world.instances[..] } else { &[] };
    let attached: BTreeSet<(SourceId, VolumeId)> = instances
        .iter()
        .flat_map(|instance| instance.volumes.iter().map(|volume| (SourceId::Instance(instance.id), volume.id)))
        .collect();
    let is_detached = |source: Option<SourceId>, snapshot: &Snapshot| {
        by_instance && source.is_some_and(|source| !attached.contains(&(source, snapshot.volume_id)))
    };
    let mut count = OrphanCount::default();
    for (place, snapshot) in ours.places() {
        let schedule = ours.schedule(place);
        let has_name = snapshot.marks.schedule_name.value().is_some();
        let source = ours::source(policy, snapshot);
        let fate = source.map(|source| sources.fate(source));
        if has_name && schedule.is_none() {
            count.without_schedule += 1;
        } else if matches!(fate, Some(Fate::Gone | Fate::Missing)) {
            count.of_gone_sources += 1;
        } else if fate == Some(Fate::Untargeted) || is_detached(source, snapshot) {
            count.of_untargeted_sources += 1;
        } else if schedule.is_some_and(|schedule| has_lost_its_rule(schedule, snapshot)) {
            count.without_expiration += 1;
        } else {
            continue;
        }
        count.full_size_bytes = count.full_size_bytes.saturating_add(snapshot.full_size_bytes);
    }
    count
}

/// Whether the schedule keeps by age and nobody promised when the snapshot may go.
fn has_lost_its_rule(schedule: &Schedule, snapshot: &Snapshot) -> bool {
    matches!(schedule.retain, RetainRule::Age(_)) && snapshot.marks.expiration_time == Mark::Absent
}
