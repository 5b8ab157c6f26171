//! Snapshots that nothing manages any more: no schedule owns them, or what they were made of is gone.

use crate::lookup::LookupSet;
use crate::options::Options;
use crate::plan::due::saturating_add;
use crate::plan::ours::{self, Ours, Place};
use crate::plan::sets::BrokenSets;
use crate::plan::{
    DeleteReason, KeepReason, SkipReason, SnapshotDecision, SnapshotVerdict, Target, belief, owning_schedule, target,
};
use crate::policy::{Policy, RetainRule, Schedule, ScheduleName, Targets};
use crate::tags::Mark;
use crate::world::{
    Instance, InstanceState, Snapshot, SnapshotId, SnapshotState, SourceId, Volume, VolumeId, VolumeState, World,
};
use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// What became of the volume or instance that a snapshot was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Fate {
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
    pub(in crate::plan) fn is_gone_or_missing(self) -> bool {
        matches!(self, Self::Gone | Self::Missing)
    }
}

/// Why nothing manages a snapshot any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrphanOf {
    /// Its volume is there, and the policy leaves it out now.
    Excluded,
    /// Its volume or instance is gone.
    GoneSource,
    /// Its schedule keeps by age, and it carries no expiry, since it kept by count when it was made.
    LostRule,
    /// The policy is for instances now, and it was made of a volume by itself.
    OtherKind,
    /// No schedule has, or had, its schedule's name.
    Schedule,
}

/// Until when the names that no schedule has may be those of another policy with the same id, which still uses them.
#[derive(Debug, Default)]
pub(in crate::plan) struct Silence {
    /// For each name until when.
    names: BTreeMap<ScheduleName, Timestamp>,
}

/// How long where too few snapshots tell a gap: a yearly schedule would have come again, be it a month late. Our own.
const SILENT_AFTER_FEW: SignedDuration = SignedDuration::from_hours(24 * (366 + 31));

/// So many snapshots for different times, made by one version of the policy, tell how often a schedule comes. Two do where they are
/// [`FAR_APART`]; closer together they may be somebody's who tried its time of the day.
const TELL_A_GAP: usize = 3;

const FAR_APART: SignedDuration = SignedDuration::from_hours(24);

/// The snapshots of a name.
#[derive(Debug, Default)]
struct Uses {
    /// The times that its schedule came for, each with the revision of the policy then.
    scheduled: BTreeMap<Timestamp, Option<Timestamp>>,
    /// The last time at which somebody pressed the button: its policy is alive, but that is no time of its schedule.
    run_now: Option<Timestamp>,
}

impl Uses {
    fn note(&mut self, snapshot: &Snapshot, time: Timestamp) {
        let stamp = snapshot.marks.stamp.value();
        if stamp.is_some_and(|stamp| stamp.is_run_now) {
            self.run_now = self.run_now.max(Some(time));
        } else {
            let revision = self.scheduled.entry(time).or_default();
            *revision = stamp.and_then(|stamp| stamp.revision).max(*revision);
        }
    }

    /// Until when the name may still be in use.
    fn until(&self) -> Option<Timestamp> {
        let newest = self.scheduled.last_key_value();
        let revision = newest.and_then(|(_, revision)| *revision);
        let of_version: Vec<Timestamp> =
            self.scheduled.iter().filter(|&(_, &of)| of == revision).map(|(&time, _)| time).collect();
        let tells = match of_version[..] {
            [one, next] => next.duration_since(one) >= FAR_APART,
            ref times => times.len() >= TELL_A_GAP,
        };
        let times = || self.scheduled.keys();
        let gaps = times().zip(times().skip(1)).map(|(one, next)| next.duration_since(*one));
        let twice = gaps.max().unwrap_or_default().saturating_mul(2);
        let silent = if tells { twice } else { twice.max(SILENT_AFTER_FEW) };
        let last = newest.map(|(&time, _)| time).max(self.run_now)?;
        Some(saturating_add(last, silent))
    }
}

impl Silence {
    /// Looks through all of a policy's snapshots, whatever they were made of.
    pub(in crate::plan) fn new<'w>(
        policy: &Policy,
        options: &Options,
        ours: impl Iterator<Item = &'w Snapshot>,
    ) -> Self {
        let mut uses: BTreeMap<ScheduleName, Uses> = BTreeMap::new();
        let mut last: Option<(&ScheduleName, bool)> = None;
        // What failed goes by itself, and must not change what is known of the others.
        let tells = |snapshot: &&Snapshot| snapshot.state != SnapshotState::Error && belief::doubt(snapshot).is_none();
        for snapshot in ours.filter(tells) {
            for name in ours::names(snapshot) {
                let is_unknown = match last {
                    Some((known, is_unknown)) if known.is_same(name) => is_unknown,
                    Some(_) | None => owning_schedule(policy, options, name).is_none(),
                };
                last = Some((name, is_unknown));
                if let (true, Some(&time)) = (is_unknown, snapshot.marks.scheduled_time.value()) {
                    uses.entry(name.clone()).or_default().note(snapshot, time);
                }
            }
        }
        Self { names: uses.into_iter().filter_map(|(name, uses)| Some((name, uses.until()?))).collect() }
    }

    /// Whether a name has been silent for so long that nobody uses it any more.
    pub(in crate::plan) fn is_over(&self, name: &ScheduleName, now: Timestamp) -> bool {
        self.names.get(name).is_none_or(|&until| until <= now)
    }
}

/// The volumes or instances that snapshots can have been made of.
#[derive(Debug)]
pub(in crate::plan) struct Sources<'a> {
    targeted: LookupSet<SourceId>,
    untargeted: &'a BTreeSet<SourceId>,
    gone: &'a BTreeSet<SourceId>,
    /// The volumes of the instances that were seen.
    attached: LookupSet<VolumeId>,
    /// What is there of a targeted source and left out by the policy.
    excluded: LookupSet<(SourceId, VolumeId)>,
    /// The last answer: the snapshots of a volume are asked about one after the other.
    last: Cell<Option<(SourceId, Fate)>>,
}

impl<'a> Sources<'a> {
    /// A volume or instance that is on its way out is as good as gone.
    pub(in crate::plan) fn new(policy: &Policy, world: &'a World) -> Self {
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
        let excluded = excluded(policy, world);
        let attached = world.instances.iter().flat_map(|instance| &instance.volumes).map(|volume| volume.id).collect();
        let (untargeted, gone) = (&world.untargeted, &world.closer.gone);
        Self { targeted, untargeted, gone, attached, excluded, last: Cell::new(None) }
    }

    pub(in crate::plan) fn fate(&self, source: SourceId) -> Fate {
        if let Some((_, fate)) = self.last.get().filter(|(last, _)| *last == source) {
            return fate;
        }
        let fate = self.look_up(source);
        self.last.set(Some((source, fate)));
        fate
    }

    /// What became of a volume itself, where the policy may target the instance that it was part of: it can outlive that one.
    pub(in crate::plan) fn fate_of_volume(&self, volume: VolumeId) -> Fate {
        if self.attached.contains(&volume) { Fate::Untargeted } else { self.look_up(SourceId::Volume(volume)) }
    }

    /// Whether a volume was seen, and the policy leaves it out.
    pub(in crate::plan) fn is_excluded(&self, source: SourceId, volume: VolumeId) -> bool {
        self.excluded.contains(&(source, volume))
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

fn excluded(policy: &Policy, world: &World) -> LookupSet<(SourceId, VolumeId)> {
    let mut excluded = LookupSet::default();
    for target in target::all(policy, world) {
        match target {
            Target::Instance(instance) => {
                let included: BTreeSet<VolumeId> =
                    target::included_volumes(policy, instance).into_iter().map(|volume| volume.id).collect();
                let left_out = instance.volumes.iter().filter(|volume| !included.contains(&volume.id));
                excluded.extend(left_out.map(|volume| (target.id(), volume.id)));
            }
            Target::Volume(volume) => {
                if let Some(SkipReason::Excluded(_)) = target::skip_reason(policy, target) {
                    excluded.insert((target.id(), volume.id));
                }
            }
        }
    }
    excluded
}

/// A line of snapshots by what their own tags say: source, volume and the name of a schedule that they are for, whether or not
/// a schedule of that name is left.
type Line<'a> = (SourceId, VolumeId, &'a ScheduleName);

/// The newest complete snapshots of each line: the ones that are kept as the last.
#[derive(Debug)]
pub(in crate::plan) struct Lines {
    newest: BTreeSet<Place>,
}

impl Lines {
    /// A duplicate is never the last one: it goes for the sake of another one.
    pub(in crate::plan) fn new(
        policy: &Policy,
        now: Timestamp,
        ours: &Ours<'_>,
        broken: &BrokenSets,
        is_duplicate: impl Fn(Place) -> bool,
    ) -> Self {
        let mut newest: BTreeMap<Line<'_>, (Timestamp, Timestamp, SnapshotId, Place)> = BTreeMap::new();
        for (place, snapshot) in ours.places() {
            let marks = &snapshot.marks;
            // What was made of a volume by itself, before the policy was for instances, has a line of its volume.
            let source = ours::source(policy, snapshot).unwrap_or(SourceId::Volume(snapshot.volume_id));
            let (Some(_), Some(&time)) = (marks.schedule_name.value(), marks.scheduled_time.value()) else { continue };
            let is_complete = snapshot.is_restorable();
            let can_be_true = time <= now && !ours.is_doubted(place) && !ours.is_run_now(place);
            if !(is_complete && can_be_true && broken.is_whole(place)) || is_duplicate(place) {
                continue;
            }
            // What several schedules share may be the last one of any of them.
            for name in ours::names(snapshot) {
                let entry = (time, snapshot.start_time, snapshot.id, place);
                let key = (source, snapshot.volume_id, name);
                newest.entry(key).and_modify(|best| *best = (*best).max(entry)).or_insert(entry);
            }
        }
        let mut newest: BTreeSet<Place> = newest.into_values().map(|(_, _, _, place)| place).collect();
        // A set stays as a whole: without one member the others were none, and the last one of nothing.
        if let Targets::Instances { .. } = policy.targets {
            let set_of = |place: Place| {
                let snapshot = ours[place];
                (ours::source(policy, snapshot), snapshot.marks.scheduled_time.value(), snapshot.start_time)
            };
            let sets: BTreeSet<_> = newest.iter().map(|&place| set_of(place)).collect();
            newest.extend((0..ours.len()).filter(|&place| sets.contains(&set_of(place))));
        }
        Self { newest }
    }

    pub(in crate::plan) fn is_newest(&self, place: Place) -> bool {
        self.newest.contains(&place)
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
    /// The policy leaves their volume out now.
    pub of_excluded_volumes: usize,
    /// The policy is for instances now, and they were made of volumes by themselves.
    pub of_other_kind: usize,
    /// Their tags are not believed, or cannot be read.
    pub doubted: usize,
    /// Their schedule keeps by age and they carry no expiry, since it kept by count when they were made.
    pub without_expiration: usize,
    /// The full size of all of them, in bytes: what they cost at most.
    pub full_size_bytes: u64,
}

impl OrphanCount {
    /// Adds those of a part.
    pub(in crate::plan) fn add(&mut self, part: Self) {
        self.without_schedule += part.without_schedule;
        self.of_gone_sources += part.of_gone_sources;
        self.of_untargeted_sources += part.of_untargeted_sources;
        self.of_excluded_volumes += part.of_excluded_volumes;
        self.of_other_kind += part.of_other_kind;
        self.doubted += part.doubted;
        self.without_expiration += part.without_expiration;
        self.full_size_bytes = self.full_size_bytes.saturating_add(part.full_size_bytes);
    }
}

/// Counts the orphans among `ours`, about which `decisions` are, in their order. Every snapshot of ours is in a series, or was
/// made by a RunNow, or is counted here.
pub(in crate::plan) fn count(
    policy: &Policy,
    world: &World,
    sources: &Sources<'_>,
    ours: &Ours<'_>,
    decisions: &[SnapshotDecision<'_>],
) -> OrphanCount {
    let by_instance = matches!(policy.targets, Targets::Instances { .. });
    let instances = if by_instance { &world.instances[..] } else { &[] };
    let attached: BTreeSet<(SourceId, VolumeId)> = instances
        .iter()
        .flat_map(|instance| instance.volumes.iter().map(|volume| (SourceId::Instance(instance.id), volume.id)))
        .collect();
    let is_detached = |source: SourceId, volume: VolumeId| by_instance && !attached.contains(&(source, volume));
    let mut count = OrphanCount::default();
    for ((place, snapshot), decision) in ours.places().zip(decisions) {
        let marks = &snapshot.marks;
        let is_damaged = marks.schedule_name.value().is_none() || marks.scheduled_time.value().is_none();
        let counter = match ours::source(policy, snapshot) {
            _ if ours.is_doubted(place) || is_damaged => &mut count.doubted,
            None => &mut count.of_other_kind,
            Some(source) => match sources.fate(source) {
                Fate::Gone | Fate::Missing => &mut count.of_gone_sources,
                Fate::Untargeted => &mut count.of_untargeted_sources,
                Fate::Targeted if !ours.is_run_now(place) && stays_for_no_schedule(ours, place, decision) => {
                    &mut count.without_schedule
                }
                Fate::Targeted if sources.is_excluded(source, snapshot.volume_id) => &mut count.of_excluded_volumes,
                Fate::Targeted if is_detached(source, snapshot.volume_id) => &mut count.of_untargeted_sources,
                // It goes by its age, unless it is the last one of its volume.
                Fate::Targeted if ours.is_run_now(place) => continue,
                Fate::Targeted if ours.schedules(place).all(|(_, schedule)| has_lost_its_rule(schedule, snapshot)) => {
                    &mut count.without_expiration
                }
                Fate::Targeted => continue,
            },
        };
        *counter += 1;
        count.full_size_bytes = count.full_size_bytes.saturating_add(snapshot.full_size_bytes);
    }
    count
}

/// Whether no schedule wants it: none has a name that it carries, or what is left of it is the part of one that is no more.
fn stays_for_no_schedule(ours: &Ours<'_>, place: Place, decision: &SnapshotDecision<'_>) -> bool {
    let is_of_none = ours.schedules(place).next().is_none();
    let stays_for_it = matches!(
        decision.verdict,
        SnapshotVerdict::Keep(
            KeepReason::NoSchedule(_)
                | KeepReason::PerhapsOfAnotherPolicy(_)
                | KeepReason::LastOrphan(OrphanOf::Schedule)
                | KeepReason::OrphanNotExpired { of: OrphanOf::Schedule, .. }
        ) | SnapshotVerdict::Delete(DeleteReason::Orphaned { of: OrphanOf::Schedule, .. })
    );
    is_of_none || stays_for_it
}

/// Whether the schedule keeps by age and nobody promised when the snapshot may go.
fn has_lost_its_rule(schedule: &Schedule, snapshot: &Snapshot) -> bool {
    matches!(schedule.retain, RetainRule::Age(_)) && snapshot.marks.expiration_time == Mark::Absent
}
