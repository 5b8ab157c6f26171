//! What no plan may break, whatever the policy and the account look like.
//!
//! Written apart from the planner and as plainly as possible: it reads tags and counts again by itself. Every plan is
//! checked before a single call is made, in the function as well as in every test and simulation; a broken promise
//! stops the turn before the first write.

mod beside;
mod copies;
mod left;

use super::history::CLOCK_SKEW_MAX;
use super::{DeleteReason, OrphanOf, Plan, SnapshotVerdict, TargetVerdict};
use crate::lookup::{Lookup, LookupSet};
use crate::options::{MaximumDeletions, Options, Orphans};
use crate::policy::{Policy, Targets};
use crate::tags::{self, Mark, Owner, Ownership};
use crate::world::{
    Coverage, InstanceState, Snapshot, SnapshotId, SnapshotState, SourceId, VolumeId, VolumeState, World,
};
use beside::Others;
use jiff::{SignedDuration, Timestamp};
use left::Left;
use std::collections::{BTreeMap, BTreeSet};

/// A promise that a plan breaks: a defect of opendlm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A snapshot would be deleted that another promise protects.
    #[error("the plan deletes {snapshot}, which {why}")]
    Deletes {
        /// The snapshot.
        snapshot: String,
        /// What protects it.
        why: &'static str,
    },
    /// A copy would be made although there is one, or twice.
    #[error("the plan copies {copied} to {region} although {snapshot} is there")]
    CopiesTwice {
        /// The snapshot.
        copied: String,
        /// The Region.
        region: String,
        /// The copy that is there.
        snapshot: String,
    },
    /// A snapshot would be made although there is one.
    #[error("the plan creates a snapshot of {volume} for {scheduled_time} although {snapshot} answers it")]
    CreatesTwice {
        /// The volume.
        volume: String,
        /// The scheduled time.
        scheduled_time: Timestamp,
        /// The snapshot that is there.
        snapshot: String,
    },
    /// A snapshot of ours without exactly one decision, or a decision about somebody else's.
    #[error("the plan has {decisions} decisions about {snapshot}, expected {expected}")]
    Decisions {
        /// The snapshot.
        snapshot: String,
        /// How many decisions it has.
        decisions: usize,
        /// How many it must have.
        expected: usize,
    },
    /// More deletions than `Options.MaximumDeletions` allows.
    #[error("the plan deletes {planned} snapshots, expected at most {allowed}")]
    TooManyDeletions {
        /// How many it deletes.
        planned: usize,
        /// How many it may.
        allowed: usize,
    },
    /// A history would be left with fewer complete snapshots than its count.
    #[error("the plan leaves {left} complete snapshots of {volume}, expected at least {expected}")]
    LeavesTooFew {
        /// The volume.
        volume: String,
        /// How many complete snapshots would be left.
        left: usize,
        /// How many there must be.
        expected: usize,
    },
}

/// Every promise that `plan` breaks; empty for every plan that the planner makes.
#[must_use]
pub fn check(policy: &Policy, options: &Options, now: Timestamp, world: &World, plan: &Plan<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let (sources, others) = (Sources::of(policy, world), Others::of(policy, world, plan));
    let (mut met, mut left) = (Lookup::with_room_for(plan.snapshots.len()), Left::default());
    let mut deletions = Vec::new();
    // Everything about a decision at once: a snapshot lies anywhere in memory.
    for of_volume in plan.snapshots.chunk_by(|one, other| one.snapshot.volume_id == other.snapshot.volume_id) {
        for decision in of_volume {
            met.get_or_insert(decision.snapshot.id, Met::default()).decisions += 1;
            if let SnapshotVerdict::Delete(reason) = decision.verdict
                && let Some(why) = protection(&sources, &others, options, now, (world, plan), decision.snapshot, reason)
            {
                deletions.push(Broken::Deletes { snapshot: decision.snapshot.id.to_string(), why });
            }
        }
        left.add(&sources, options, of_volume);
    }
    let (mut snapshots, mut volumes) = (0, 0);
    if !super::is_idle(policy) {
        snapshots = check_conservation(policy, world, plan, met, &mut broken);
        // Those of the decisions are those that were observed, unless conservation is broken.
        volumes = left.volumes();
    }
    broken.append(&mut deletions);
    left.check_floor(&mut broken);
    broken.extend(copies::check((policy, options), now, world, plan));
    check_brake(plan, options, (snapshots, volumes), &mut broken);
    check_creations(policy, options, world, plan, &mut broken);
    broken
}

/// How often an id was met among the decisions, and whether in the world.
#[derive(Clone, Copy, Default)]
struct Met {
    decisions: u32,
    in_world: bool,
}

/// Counts what is there of ours on the way.
fn check_conservation(
    policy: &Policy,
    world: &World,
    plan: &Plan<'_>,
    mut met: Lookup<SnapshotId, Met>,
    broken: &mut Vec<Broken>,
) -> usize {
    let count = |met: Met| usize::try_from(met.decisions).unwrap_or(usize::MAX);
    let (mut snapshots, mut owner) = (0, Owner::new(&policy.id));
    for snapshot in &world.snapshots {
        let is_ours = owner.is_of(snapshot);
        let met = met.get_or_insert(snapshot.id, Met::default());
        if std::mem::replace(&mut met.in_world, true) {
            continue;
        }
        snapshots += usize::from(is_ours);
        let (decisions, expected) = (count(*met), usize::from(is_ours));
        if decisions != expected {
            broken.push(Broken::Decisions { snapshot: snapshot.id.to_string(), decisions, expected });
        }
    }
    if plan.snapshots.len() != snapshots {
        for decision in &plan.snapshots {
            if let Some(&met) = met.get(&decision.snapshot.id).filter(|met| !met.in_world) {
                let snapshot = decision.snapshot.id.to_string();
                broken.push(Broken::Decisions { snapshot, decisions: count(met), expected: 0 });
            }
        }
    }
    snapshots
}

/// What protects a snapshot from deletion, if anything does.
fn protection(
    sources: &Sources<'_>,
    others: &Others<'_>,
    options: &Options,
    now: Timestamp,
    (world, plan): (&World, &Plan<'_>),
    snapshot: &Snapshot,
    reason: DeleteReason,
) -> Option<&'static str> {
    let marks = &snapshot.marks;
    if tags::ownership(&sources.policy.id, snapshot) != Ownership::Ours {
        return Some("is not ours");
    }
    if world.coverage != Coverage::Complete {
        return Some("was seen in an observation that was cut short");
    }
    if marks.hold.is_some_and(|hold| hold.holds_at(now)) {
        return Some("is held");
    }
    if plan.stands_back.is_some() {
        return Some("was not to go, because the run stands back");
    }
    if is_edited(snapshot) {
        return Some("carries tags that somebody edited");
    }
    if world.closer.used_by.contains_key(&snapshot.id) {
        return Some("is used by an AMI");
    }
    if let DeleteReason::Failed { .. } = reason {
        return (snapshot.state != SnapshotState::Error).then_some("has not failed");
    }
    // Of what the policy would not make today nothing says what became of its source, and nothing goes because of that.
    let is_of_other_kind = matches!(reason, DeleteReason::Orphaned { of: OrphanOf::OtherKind, .. })
        && source_of(sources.policy, snapshot).is_none();
    if !sources.is_targeted(snapshot) && !sources.is_gone(snapshot) && !is_of_other_kind {
        return Some("is of a volume or instance that is neither targeted nor proved to be gone");
    }
    if let DeleteReason::Duplicate { .. } = reason {
        return others.protection(sources.policy, snapshot);
    }
    if !snapshot.is_restorable() {
        return Some("is not complete, or archived");
    }
    let is_in_future = |instant: Option<&Timestamp>| instant.is_some_and(|&instant| instant > now);
    if marks.schedule_name.value().is_none() || marks.scheduled_time.value().is_none() {
        Some("carries no readable schedule or scheduled time")
    } else if is_in_future(marks.expiration_time.value()) {
        Some("has not expired")
    } else if is_in_future(marks.scheduled_time.value()) {
        Some("answers a time in the future")
    } else {
        protection_from(sources, options, snapshot, reason)
    }
}

/// Whether the tags of a snapshot contradict its stamp, or EC2's start time either.
fn is_edited(snapshot: &Snapshot) -> bool {
    let late = |other: Timestamp| snapshot.start_time.duration_since(other);
    match &snapshot.marks.stamp {
        Mark::Read(stamp) => !stamp.is_intact || late(stamp.called).abs() > SignedDuration::from_mins(30),
        Mark::Unreadable(_) => true,
        Mark::Absent => snapshot.marks.scheduled_time.value().is_some_and(|&time| {
            late(time) < -SignedDuration::from_mins(15) || late(time) > SignedDuration::from_hours(24)
        }),
    }
}

/// What protects a complete snapshot from this reason to delete it.
fn protection_from(
    sources: &Sources<'_>,
    options: &Options,
    snapshot: &Snapshot,
    reason: DeleteReason,
) -> Option<&'static str> {
    match reason {
        DeleteReason::Duplicate { .. } | DeleteReason::Failed { .. } => None,
        DeleteReason::Orphaned { .. } if options.orphans == Orphans::Keep => Some("is an orphan, and orphans are kept"),
        DeleteReason::Orphaned { .. } => None,
        DeleteReason::Expired { .. } if snapshot.marks.expiration_time.value().is_none() => Some("carries no expiry"),
        DeleteReason::Expired { .. } => None,
        DeleteReason::ExceedsCount { .. } if !sources.is_targeted(snapshot) => Some("is not managed any more"),
        DeleteReason::ExceedsCount { .. } => None,
    }
}

/// What exists of the volumes or instances that snapshots were made of.
struct Sources<'a> {
    policy: &'a Policy,
    targeted: LookupSet<SourceId>,
    attached: LookupSet<VolumeId>,
    gone: &'a BTreeSet<SourceId>,
}

impl<'a> Sources<'a> {
    fn of(policy: &'a Policy, world: &'a World) -> Self {
        let targeted = match policy.targets {
            Targets::AllVolumes(_) | Targets::Volumes { .. } => {
                let is_going = |state: &VolumeState| matches!(state, VolumeState::Deleted | VolumeState::Deleting);
                world.volumes.iter().filter(|v| !is_going(&v.state)).map(|v| SourceId::Volume(v.id)).collect()
            }
            Targets::Instances { .. } => {
                let is_going =
                    |state: &InstanceState| matches!(state, InstanceState::Terminated | InstanceState::ShuttingDown);
                world.instances.iter().filter(|i| !is_going(&i.state)).map(|i| SourceId::Instance(i.id)).collect()
            }
        };
        let attached = world.instances.iter().flat_map(|instance| instance.volumes.iter().map(|volume| volume.id));
        Self { policy, targeted, attached: attached.collect(), gone: &world.closer.gone }
    }

    fn is_targeted(&self, snapshot: &Snapshot) -> bool {
        source_of(self.policy, snapshot).is_some_and(|source| self.targeted.contains(&source))
    }

    /// Whether EC2 said of the volume itself that it does not exist, and no instance shows it.
    fn is_volume_gone(&self, volume: VolumeId) -> bool {
        self.gone.contains(&SourceId::Volume(volume)) && !self.attached.contains(&volume)
    }

    /// Whether EC2 said that it does not exist, and nothing shows it as targeted all the same.
    fn is_gone(&self, snapshot: &Snapshot) -> bool {
        let is_gone = source_of(self.policy, snapshot).is_some_and(|source| self.gone.contains(&source));
        is_gone && !self.is_targeted(snapshot)
    }
}

fn source_of(policy: &Policy, snapshot: &Snapshot) -> Option<SourceId> {
    match policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => Some(SourceId::Volume(snapshot.volume_id)),
        Targets::Instances { .. } => snapshot.marks.instance_id.value().map(|&id| SourceId::Instance(id)),
    }
}

/// Never more deletions than the run may make: of everything where somebody set a bound, else of what has no stamp, and never
/// more orphans.
fn check_brake(plan: &Plan<'_>, options: &Options, (snapshots, volumes): (usize, usize), broken: &mut Vec<Broken>) {
    let reasons = || {
        plan.snapshots.iter().filter_map(|decision| match decision.verdict {
            SnapshotVerdict::Delete(reason) => Some((decision.snapshot, reason)),
            SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => None,
        })
    };
    let mut check = |planned: usize, maximum: MaximumDeletions| {
        let allowed = maximum.allowed(snapshots, volumes);
        if planned > allowed {
            broken.push(Broken::TooManyDeletions { planned, allowed });
        }
    };
    let is_orphan = |reason: DeleteReason| matches!(reason, DeleteReason::Orphaned { .. });
    let is_failed = |reason: DeleteReason| matches!(reason, DeleteReason::Failed { .. });
    let is_unstamped = |(snapshot, reason): &(&Snapshot, DeleteReason)| {
        snapshot.marks.stamp == Mark::Absent && !is_orphan(*reason) && !is_failed(*reason)
    };
    check(reasons().filter(|(_, reason)| is_orphan(*reason)).count(), MaximumDeletions::Default);
    match options.maximum_deletions {
        MaximumDeletions::Default => check(reasons().filter(is_unstamped).count(), MaximumDeletions::Default),
        maximum @ (MaximumDeletions::Number(_) | MaximumDeletions::PerCent(_)) => check(reasons().count(), maximum),
    }
}

/// What answers a creation: target, the schedule's name and the scheduled time.
type Answered<'a> = (SourceId, &'a str, Timestamp);

/// Nothing is made for which there is an answer. Beside a failed member the others of its set are none, what a RunNow made is for
/// nobody but another RunNow, and what is in doubt is none either: beside it one more may be made, and no third.
fn check_creations(policy: &Policy, options: &Options, world: &World, plan: &Plan<'_>, broken: &mut Vec<Broken>) {
    let creations: Vec<Answered<'_>> = plan
        .targets
        .iter()
        .filter(|decision| matches!(decision.verdict, TargetVerdict::Create { .. }))
        .map(|decision| (decision.target.id(), decision.schedule.name.as_str(), decision.scheduled_time))
        .collect();
    let wanted: LookupSet<Answered<'_>> = creations.iter().copied().collect();
    if creations.is_empty() {
        return;
    }
    let mut answers: Lookup<Answered<'_>, SnapshotId> = Lookup::default();
    // Of each call how many members there are, and how many there were to be.
    let mut calls: BTreeMap<(Answered<'_>, Timestamp), (u32, Option<u32>)> = BTreeMap::new();
    let mut failed: LookupSet<Answered<'_>> = LookupSet::default();
    // Of each answer the calls whose snapshots nobody believes.
    let mut doubted: Lookup<Answered<'_>, BTreeMap<Timestamp, SnapshotId>> = Lookup::default();
    let mut owner = Owner::new(&policy.id);
    for snapshot in world.snapshots.iter().filter(|snapshot| owner.is_of(snapshot)) {
        let marks = &snapshot.marks;
        let tags = (source_of(policy, snapshot), marks.schedule_name.value(), marks.scheduled_time.value());
        let (Some(source), Some(name), Some(&time)) = tags else { continue };
        let key = (source, name.as_str(), time);
        let can_be_true = time.duration_since(snapshot.start_time) <= CLOCK_SKEW_MAX;
        let is_of_other_kind =
            marks.stamp.value().is_some_and(|stamp| stamp.is_run_now != options.marks_run_now(policy));
        if !wanted.contains(&key) || is_of_other_kind {
            continue;
        } else if is_edited(snapshot) {
            if can_be_true && marks.stamp.value().is_some() {
                doubted.get_or_insert(key, BTreeMap::new()).insert(snapshot.start_time, snapshot.id);
            }
        } else if snapshot.state == SnapshotState::Error {
            failed.insert(key);
        } else if can_be_true {
            answers.insert(key, snapshot.id);
            let call = calls.entry((key, snapshot.start_time)).or_default();
            *call = (call.0 + 1, marks.stamp.value().and_then(|stamp| stamp.members));
        }
    }
    let is_whole = |key: Answered<'_>| {
        let mut of_key = calls.iter().filter(|((answered, _), _)| *answered == key).map(|(_, call)| call);
        of_key.any(|&(members, planned)| planned.is_none_or(|planned| members >= planned))
    };
    let of_instances = matches!(policy.targets, Targets::Instances { .. });
    for key in creations {
        let answer = answers.get(&key).filter(|_| !(of_instances && (failed.contains(&key) || !is_whole(key))));
        let third = || doubted.get(&key).filter(|calls| calls.len() > 1).and_then(|calls| calls.values().next());
        if let Some(snapshot) = answer.or_else(third) {
            broken.push(Broken::CreatesTwice {
                volume: key.0.to_string(),
                scheduled_time: key.2,
                snapshot: snapshot.to_string(),
            });
        }
    }
}

#[cfg(test)]
mod tests;
