//! Which copies stay in a Region.
//!
//! Promise: nothing goes there unless the home Region was seen whole and shows snapshots of ours, no evidence of a later run or policy
//! stands against it, and what must be left is complete there.

use super::super::due::saturating_add;
use super::super::orphan::{self, Sources};
use super::super::retain::FAILED_SNAPSHOT_GRACE;
use super::super::stopped::Stopped;
use super::super::{
    DeleteReason, KeepReason, SnapshotDecision, SnapshotVerdict, StandsBack, brakes, ours, owning_schedule,
};
use super::seen::{self, OfRegion, Place};
use super::whole::WholeSets;
use crate::options::Options;
use crate::place::Region;
use crate::policy::{Policy, Schedule, ScheduleName, Targets};
use crate::tags::{self, Mark};
use crate::world::{Coverage, InstanceId, Snapshot, SnapshotId, SnapshotState, SourceId, Tier, VolumeId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What the fates of a Region's copies depend on besides the copies.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Home<'r> {
    pub(in crate::plan) policy: &'r Policy,
    pub(in crate::plan) options: &'r Options,
    pub(in crate::plan) now: Timestamp,
    /// The start of the run.
    pub(in crate::plan) start: Timestamp,
    pub(in crate::plan) coverage: Coverage,
    pub(in crate::plan) stands_back: Option<StandsBack>,
    pub(in crate::plan) stopped: &'r Stopped<'r>,
    pub(in crate::plan) sources: &'r Sources<'r>,
    /// Whether it shows any snapshot of ours: where it shows none the list may be empty by mistake.
    pub(in crate::plan) shows_ours: bool,
}

/// One decision for each copy of ours in a Region, sorted by volume, scheduled time and id.
pub(super) fn decide<'a>(
    home: Home<'_>,
    region: &Region,
    of: &OfRegion<'a>,
    whole: &WholeSets<'_>,
) -> Vec<SnapshotDecision<'a>> {
    let mut copies = of.ours.clone();
    copies.sort_by_key(|copy| (copy.marks.volume_id.value(), time_of(copy), copy.id));
    copies.dedup_by_key(|copy| copy.id);
    let duplicates = duplicates(&copies, |copy| whole.instead_of(region, copy).map(|instead| instead.start_time));
    let judge = Judge { home, region, newest: Newest::of(home, &copies, &duplicates, of), duplicates };
    let decision =
        |copy: &&'a Snapshot| SnapshotDecision { snapshot: copy, verdict: judge.verdict(copy), goes_later: None };
    let mut decisions: Vec<SnapshotDecision<'a>> = copies.iter().map(decision).collect();
    let stands_back = home.stands_back.or_else(|| evidence(home, &copies));
    if let Some(why) = stands_back {
        brakes::stand_back(&mut decisions, why);
    }
    for cut in [home.coverage, of.view.coverage] {
        if let Coverage::Partial(cut) = cut {
            brakes::keep_all(&mut decisions, cut);
        }
    }
    decisions
}

/// The copies that have expired and stay although nobody will take them away: the newest ones of a volume or a schedule that is gone, and all
/// where the home Region shows no snapshot any more.
pub(in crate::plan) fn left_behind(home: Home<'_>, decisions: &[SnapshotDecision<'_>]) -> BTreeSet<SnapshotId> {
    let mut newest: BTreeMap<VolumeId, Timestamp> = BTreeMap::new();
    for copy in decisions.iter().map(|decision| decision.snapshot).filter(|copy| is_good(copy)) {
        if let (Some(&volume), Some(time)) = (copy.marks.volume_id.value(), time_of(copy)) {
            newest.entry(volume).and_modify(|newest| *newest = time.max(*newest)).or_insert(time);
        }
    }
    let is_left_behind = |decision: &&SnapshotDecision<'_>| {
        let copy = decision.snapshot;
        let is_of_gone_source = || {
            let source = source_of(home.policy, copy);
            source.is_none_or(|source| !matches!(home.sources.fate(source), orphan::Fate::Targeted))
        };
        let has_newer = || copy.marks.volume_id.value().and_then(|volume| newest.get(volume)) > time_of(copy).as_ref();
        let is_of_gone_schedule =
            || ours::names(copy).any(|name| owning_schedule(home.policy, home.options, name).is_none()) && has_newer();
        match decision.verdict {
            SnapshotVerdict::Keep(KeepReason::HomeShowsNone { .. }) => true,
            SnapshotVerdict::Keep(KeepReason::NewestCompleted) => is_of_gone_source() || is_of_gone_schedule(),
            _ => false,
        }
    };
    decisions.iter().filter(is_left_behind).map(|decision| decision.snapshot.id).collect()
}

/// What the copies show of later runs and newer policies, as the snapshots of the home Region do.
fn evidence(home: Home<'_>, copies: &[&Snapshot]) -> Option<StandsBack> {
    let Home { options, now, start, .. } = home;
    let believed = || copies.iter().filter(|copy| seen::doubt(copy).is_none() && !copy.marks.is_run_now());
    let later = believed().filter_map(|copy| time_of(copy)).filter(|&time| start < time && time <= now).max();
    // As at home the newest one tells, and what this run began by its own version tells nothing.
    let revision = |copy: &Snapshot| copy.marks.stamp.value().and_then(|stamp| stamp.revision);
    let is_of_others = |copy: &&&Snapshot| {
        let is_own = copy.start_time >= start || time_of(copy) == Some(start);
        !is_own || options.revision < revision(copy)
    };
    let newest = believed().filter(is_of_others).max_by_key(|copy| (copy.start_time, copy.id));
    let newest =
        newest.and_then(|copy| revision(copy)).filter(|&newest| newest <= now && options.revision < Some(newest));
    let by_policy = newest.map(|newest| StandsBack::NewerPolicy { own: options.revision, newest, is_stale: false });
    later.map(|scheduled_time| StandsBack::LaterRun { scheduled_time }).or(by_policy)
}

fn time_of(copy: &Snapshot) -> Option<Timestamp> {
    copy.marks.scheduled_time.value().copied()
}

/// Whether a copy is a backup that counts.
fn is_good(copy: &Snapshot) -> bool {
    copy.is_restorable() && seen::doubt(copy).is_none() && !copy.marks.is_run_now()
}

/// The volume or instance whose backups a copy is one of.
fn source_of(policy: &Policy, copy: &Snapshot) -> Option<SourceId> {
    match &policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => copy.marks.volume_id.value().copied().map(SourceId::Volume),
        Targets::Instances { .. } => copy.marks.instance_id.value().copied().map(SourceId::Instance),
    }
}

/// When a copy expires: as long after EC2 began it as its stamp says after the call. Of that time the tag has the whole seconds.
pub(crate) fn expires_at(copy: &Snapshot) -> Option<Timestamp> {
    let at = *copy.marks.expiration_time.value()?;
    let called = copy.marks.stamp.value().map_or(copy.start_time, |stamp| stamp.called);
    Some(saturating_add(at, copy.start_time.duration_since(tags::to_the_second(called))).max(at))
}

/// The names of the series that a copy is in: what a schedule was called before is one with what it is called now.
fn series<'s>(home: Home<'s>, copy: &'s Snapshot) -> impl Iterator<Item = &'s ScheduleName> {
    ours::names(copy)
        .map(move |name| owning_schedule(home.policy, home.options, name).map_or(name, |owner| &owner.name))
}

/// What must be left in the Region: the newest copies of each volume, and of each set.
struct Newest {
    /// By volume and a schedule's name: the newest scheduled time that has a good copy.
    of_series: BTreeMap<(VolumeId, ScheduleName), Timestamp>,
    /// By instance and schedule's name: the newest scheduled time all of whose members have one; and the newest one where they are of one
    /// set, as far as the home Region tells. Of two sets for one time the copies together are none.
    of_sets: BTreeMap<(InstanceId, ScheduleName), BTreeSet<Timestamp>>,
    /// The newest good copies of each volume, as many as `MinimumKept`.
    minimum: BTreeSet<SnapshotId>,
}

/// What is copied of the sets of an instance for one scheduled time.
#[derive(Default)]
struct SetsOfTime {
    /// The volumes, by the call that made the set where the home Region tells it.
    by_call: BTreeMap<Option<Timestamp>, BTreeSet<VolumeId>>,
    members: usize,
}

impl SetsOfTime {
    fn is_whole_together(&self) -> bool {
        self.by_call.values().flatten().collect::<BTreeSet<_>>().len() >= self.members
    }

    /// Whether one set is whole. What nobody knows the set of may be of each.
    fn has_whole(&self) -> bool {
        let unknown = || self.by_call.get(&None).into_iter().flatten();
        self.by_call
            .values()
            .any(|of_call| of_call.iter().chain(unknown()).collect::<BTreeSet<_>>().len() >= self.members)
    }
}

impl Newest {
    fn of(
        home: Home<'_>,
        copies: &[&Snapshot],
        duplicates: &BTreeMap<SnapshotId, Timestamp>,
        of_region: &OfRegion<'_>,
    ) -> Self {
        let minimum = home.options.minimum_kept;
        let mut newest = Self { of_series: BTreeMap::new(), of_sets: BTreeMap::new(), minimum: BTreeSet::new() };
        let mut by_volume: BTreeMap<VolumeId, Vec<(Timestamp, SnapshotId)>> = BTreeMap::new();
        let mut sets: BTreeMap<(InstanceId, ScheduleName, Timestamp), SetsOfTime> = BTreeMap::new();
        for copy in copies.iter().filter(|copy| is_good(copy) && !duplicates.contains_key(&copy.id)) {
            let (Some(&volume), Some(time)) = (copy.marks.volume_id.value(), time_of(copy)) else { continue };
            by_volume.entry(volume).or_default().push((time, copy.id));
            let members = copy.marks.stamp.value().and_then(|stamp| stamp.members);
            for name in series(home, copy) {
                let of = newest.of_series.entry((volume, name.clone())).or_insert(time);
                *of = time.max(*of);
                if let (Some(&instance), Some(members)) = (copy.marks.instance_id.value(), members) {
                    let of_time = sets.entry((instance, name.clone(), time)).or_default();
                    of_time.by_call.entry(of_region.call_of_set(copy)).or_default().insert(volume);
                    of_time.members = usize::try_from(members).unwrap_or(usize::MAX);
                }
            }
        }
        let mut by_series: BTreeMap<(InstanceId, ScheduleName), (Option<Timestamp>, Option<Timestamp>)> =
            BTreeMap::new();
        for ((instance, name, time), of_time) in sets {
            let (together, of_one) = by_series.entry((instance, name)).or_default();
            if of_time.is_whole_together() {
                *together = (*together).max(Some(time));
            }
            if of_time.has_whole() {
                *of_one = (*of_one).max(Some(time));
            }
        }
        let both = |(together, of_one): (Option<_>, Option<_>)| together.into_iter().chain(of_one).collect();
        newest.of_sets = by_series.into_iter().map(|(series, times)| (series, both(times))).collect();
        for mut of_volume in by_volume.into_values() {
            of_volume.sort_unstable();
            newest.minimum.extend(of_volume.into_iter().rev().take(minimum).map(|(_, id)| id));
        }
        newest
    }

    /// Whether a copy is the newest of its volume for one of its schedules, or in the newest whole set.
    fn has(&self, home: Home<'_>, copy: &Snapshot) -> bool {
        let (volume, instance, time) = (copy.marks.volume_id.value(), copy.marks.instance_id.value(), time_of(copy));
        series(home, copy).any(|name| {
            let of_series = volume.and_then(|&volume| self.of_series.get(&(volume, name.clone())));
            let of_set = instance.and_then(|&instance| self.of_sets.get(&(instance, name.clone())));
            time.is_some_and(|time| of_series == Some(&time) || of_set.is_some_and(|times| times.contains(&time)))
        })
    }

    /// The newest scheduled time with a good copy of this volume and schedule.
    fn time_of(&self, volume: VolumeId, schedule: &ScheduleName) -> Option<Timestamp> {
        self.of_series.get(&(volume, schedule.clone())).copied()
    }
}

/// The copies beside which another one of the same stays that expires no sooner, each with when that one began.
///
/// The same by [`Place`], as what keeps a promise is: else of two that count as one here and as two there one would be made again for ever.
/// So a volume that went from one instance to another has a copy in the set of each.
///
/// Two that one call's stamp describes are no duplicates: somebody has copied a copy together with its tags, for a purpose of his own.
fn duplicates(
    copies: &[&Snapshot],
    of_another_set: impl Fn(&Snapshot) -> Option<Timestamp>,
) -> BTreeMap<SnapshotId, Timestamp> {
    // One turn copies several snapshots in one instant, and none twice.
    let called =
        |copy: &Snapshot| (copy.marks.stamp.value().map(|stamp| stamp.called), copy.marks.copied_from.value().cloned());
    let is_own = |copy: &Snapshot, among: &[&Snapshot]| {
        among.iter().filter(|other| called(other) == called(copy)).count() == 1 && copy.marks.hold.is_none()
    };
    let mut same: BTreeMap<Place<'_>, Vec<&Snapshot>> = BTreeMap::new();
    let mut duplicates = BTreeMap::new();
    for copy in copies.iter().filter(|copy| copy.is_restorable() && seen::doubt(copy).is_none()) {
        if let Some(beside) = of_another_set(copy).filter(|_| is_own(copy, copies)) {
            duplicates.insert(copy.id, beside);
        } else if let Some(place) = copy.marks.volume_id.value().and_then(|&volume| seen::place(volume, copy)) {
            same.entry(place).or_default().push(copy);
        }
    }
    let rank =
        |copy: &Snapshot| (std::cmp::Reverse(expires_at(copy).unwrap_or(Timestamp::MAX)), copy.start_time, copy.id);
    for mut of_one in same.into_values().filter(|of_one| of_one.len() > 1) {
        of_one.sort_by_key(|copy| rank(copy));
        let [first, others @ ..] = of_one.as_slice() else { continue };
        let is_own = |copy: &&&Snapshot| is_own(copy, &of_one);
        duplicates.extend(others.iter().filter(is_own).map(|copy| (copy.id, first.start_time)));
    }
    duplicates
}

struct Judge<'r> {
    home: Home<'r>,
    region: &'r Region,
    newest: Newest,
    duplicates: BTreeMap<SnapshotId, Timestamp>,
}

impl Judge<'_> {
    fn verdict<'a>(&self, copy: &'a Snapshot) -> SnapshotVerdict<'a> {
        let keep = SnapshotVerdict::Keep;
        let Home { policy, now, .. } = self.home;
        if let SnapshotState::Pending = copy.state {
            return SnapshotVerdict::Wait { since: copy.start_time };
        }
        if let Some(hold) = copy.marks.hold.filter(|hold| hold.holds_at(now)) {
            return keep(KeepReason::Held(hold));
        }
        if let Some(doubt) = seen::doubt(copy) {
            return keep(KeepReason::Doubted(doubt));
        }
        match (&copy.state, copy.tier) {
            (_, Tier::Archive) => return keep(KeepReason::Archived),
            (_, Tier::Restored { until }) => return keep(KeepReason::Restored { until }),
            (SnapshotState::Completed, Tier::Standard) => {}
            (SnapshotState::Error, Tier::Standard) => {
                let until = saturating_add(copy.start_time, FAILED_SNAPSHOT_GRACE);
                let since = copy.start_time;
                return if until > now {
                    keep(KeepReason::Errored { until })
                } else if self.home.shows_ours {
                    SnapshotVerdict::Delete(DeleteReason::Failed { since })
                } else {
                    keep(KeepReason::HomeShowsNone { otherwise: DeleteReason::Failed { since } })
                };
            }
            (SnapshotState::Pending | SnapshotState::Unknown(_), _) => return keep(KeepReason::UnknownState),
        }
        let (Some(&volume), Some(source)) = (copy.marks.volume_id.value(), source_of(policy, copy)) else {
            return keep(KeepReason::UnreadableTag(tags::VOLUME_ID));
        };
        if let Some(otherwise) = self.goes(copy) {
            return self.unless_needed(copy, volume, source, otherwise);
        }
        match copy.marks.expiration_time {
            Mark::Unreadable(_) => keep(KeepReason::UnreadableTag(tags::EXPIRATION_TIME)),
            Mark::Absent | Mark::Read(_) if self.rules(copy).next().is_none() => keep(KeepReason::NoCopyRule),
            Mark::Absent | Mark::Read(_) => match expires_at(copy) {
                Some(until) => keep(KeepReason::NotExpired { until }),
                None => keep(KeepReason::KeptForEver),
            },
        }
    }

    /// Why a complete copy goes, if nothing needs it.
    fn goes(&self, copy: &Snapshot) -> Option<DeleteReason> {
        if let Some(&beside) = self.duplicates.get(&copy.id) {
            return Some(DeleteReason::Duplicate { beside });
        }
        let at = expires_at(copy).filter(|&at| at <= self.home.now)?;
        // What no rule asks for any more nobody has promised to take away: it is counted instead.
        self.rules(copy).next().map(|_| DeleteReason::Expired { at })
    }

    /// The schedules that the copy is for and that have a rule for the Region today.
    fn rules<'s>(&'s self, copy: &'s Snapshot) -> impl Iterator<Item = &'s Schedule> {
        let Home { policy, options, .. } = self.home;
        let owners = ours::names(copy).filter_map(move |name| owning_schedule(policy, options, name));
        owners.filter(|schedule| schedule.copies.iter().any(|rule| rule.region == *self.region))
    }

    fn unless_needed<'a>(
        &self,
        copy: &'a Snapshot,
        volume: VolumeId,
        source: SourceId,
        otherwise: DeleteReason,
    ) -> SnapshotVerdict<'a> {
        let keep = SnapshotVerdict::Keep;
        let Home { options, .. } = self.home;
        let minimum = options.minimum_kept;
        if !self.home.shows_ours {
            return keep(KeepReason::HomeShowsNone { otherwise });
        }
        if matches!(otherwise, DeleteReason::Duplicate { .. }) || copy.marks.is_run_now() {
            return SnapshotVerdict::Delete(otherwise);
        }
        if self.newest.has(self.home, copy) {
            return keep(KeepReason::NewestCompleted);
        }
        if self.newest.minimum.contains(&copy.id) {
            return keep(KeepReason::MinimumKept { minimum, otherwise });
        }
        let stopped = self.rules(copy).find_map(|schedule| {
            let newest = self.newest.time_of(volume, &schedule.name)?;
            self.home.stopped.copies_since(schedule, source, volume, newest)
        });
        match stopped {
            Some(newest) if !options.age_without_new_backups => keep(KeepReason::BackupsStopped { newest }),
            Some(_) | None => SnapshotVerdict::Delete(otherwise),
        }
    }
}
