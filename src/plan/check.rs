//! What no plan may break, whatever the policy and the account look like.
//!
//! Written apart from the planner and as plainly as possible: it reads tags and counts again by itself. Every plan is
//! checked before a single call is made, in the function as well as in every test and simulation; a broken promise
//! stops the turn before the first write.

use super::history::CLOCK_SKEW_MAX;
use super::{DeleteReason, Plan, SnapshotVerdict, TargetVerdict};
use crate::options::{Options, Orphans};
use crate::policy::{Policy, Targets};
use crate::tags::{self, Ownership};
use crate::world::{
    Coverage, InstanceState, Snapshot, SnapshotId, SnapshotState, SourceId, Tier, VolumeId, VolumeState, World,
};
use jiff::Timestamp;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
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
    if !super::is_idle(policy) {
        check_conservation(policy, world, plan, &mut broken);
    }
    let sources = Sources::of(policy, world);
    for decision in &plan.snapshots {
        if let SnapshotVerdict::Delete(reason) = decision.verdict
            && let Some(why) = protection(&sources, options, now, world, decision.snapshot, reason)
        {
            broken.push(Broken::Deletes { snapshot: decision.snapshot.id.to_string(), why });
        }
    }
    check_floor(&sources, options, plan, &mut broken);
    check_brake(policy, options, world, plan, &mut broken);
    check_creations(policy, world, plan, &mut broken);
    broken
}

fn check_conservation(policy: &Policy, world: &World, plan: &Plan<'_>, broken: &mut Vec<Broken>) {
    let mut decisions: FxHashMap<SnapshotId, usize> = with_room_for(plan.snapshots.len());
    for decision in &plan.snapshots {
        *decisions.entry(decision.snapshot.id).or_default() += 1;
    }
    let mut seen = FxHashSet::with_capacity_and_hasher(world.snapshots.len(), FxBuildHasher);
    for snapshot in world.snapshots.iter().filter(|snapshot| seen.insert(snapshot.id)) {
        let expected = usize::from(tags::ownership(&policy.id, snapshot) == Ownership::Ours);
        let actual = decisions.get(&snapshot.id).copied().unwrap_or(0);
        if actual != expected {
            broken.push(Broken::Decisions { snapshot: snapshot.id.to_string(), decisions: actual, expected });
        }
    }
}

fn with_room_for<V>(count: usize) -> FxHashMap<SnapshotId, V> {
    FxHashMap::with_capacity_and_hasher(count, FxBuildHasher)
}

/// What protects a snapshot from deletion, if anything does.
fn protection(
    sources: &Sources<'_>,
    options: &Options,
    now: Timestamp,
    world: &World,
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
    if let DeleteReason::Failed { .. } = reason {
        return (snapshot.state != SnapshotState::Error).then_some("has not failed");
    }
    if let DeleteReason::Duplicate { .. } = reason {
        return protection_of_duplicate(sources.policy, world, snapshot);
    }
    if snapshot.state != SnapshotState::Completed || snapshot.tier != Tier::Standard {
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
        DeleteReason::Expired { .. } if sources.is_untargeted(snapshot) => Some("is not managed any more"),
        DeleteReason::Expired { .. } => None,
        DeleteReason::ExceedsCount { .. } if !sources.is_targeted(snapshot) => Some("is not managed any more"),
        DeleteReason::ExceedsCount { .. } => None,
    }
}

/// A duplicate goes only beside a complete snapshot of the same volume, schedule and scheduled time that began earlier.
fn protection_of_duplicate(policy: &Policy, world: &World, snapshot: &Snapshot) -> Option<&'static str> {
    let is_the_same = |other: &&Snapshot| {
        other.id != snapshot.id
            && other.volume_id == snapshot.volume_id
            && other.marks.schedule_name == snapshot.marks.schedule_name
            && other.marks.scheduled_time == snapshot.marks.scheduled_time
            && source_of(policy, other) == source_of(policy, snapshot)
            && (other.start_time, &other.id) < (snapshot.start_time, &snapshot.id)
            && other.state == SnapshotState::Completed
            && other.tier == Tier::Standard
            && tags::ownership(&policy.id, other) == Ownership::Ours
    };
    if snapshot.state != SnapshotState::Completed || snapshot.tier != Tier::Standard {
        Some("is not complete, or archived")
    } else if !world.snapshots.iter().any(|other| is_the_same(&other)) {
        Some("is no duplicate of an earlier one")
    } else {
        None
    }
}

/// What exists of the volumes or instances that snapshots were made of.
struct Sources<'a> {
    policy: &'a Policy,
    targeted: FxHashSet<SourceId>,
    untargeted: &'a BTreeSet<SourceId>,
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
        Self { policy, targeted, untargeted: &world.untargeted }
    }

    fn is_targeted(&self, snapshot: &Snapshot) -> bool {
        source_of(self.policy, snapshot).is_some_and(|source| self.targeted.contains(&source))
    }

    fn is_untargeted(&self, snapshot: &Snapshot) -> bool {
        let is_there = source_of(self.policy, snapshot).is_some_and(|source| self.untargeted.contains(&source));
        is_there && !self.is_targeted(snapshot)
    }
}

fn source_of(policy: &Policy, snapshot: &Snapshot) -> Option<SourceId> {
    match policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => Some(SourceId::Volume(snapshot.volume_id)),
        Targets::Instances { .. } => snapshot.marks.instance_id.value().map(|&id| SourceId::Instance(id)),
    }
}

/// What stays of each volume where something goes: as many complete snapshots as the floor and every count rule promise.
fn check_floor(sources: &Sources<'_>, options: &Options, plan: &Plan<'_>, broken: &mut Vec<Broken>) {
    let mut left: FxHashMap<VolumeId, usize> = FxHashMap::default();
    let mut promised: BTreeMap<VolumeId, usize> = BTreeMap::new();
    let is_complete = |s: &Snapshot| s.state == SnapshotState::Completed && s.tier == Tier::Standard;
    for decision in plan.snapshots.iter().filter(|decision| is_complete(decision.snapshot)) {
        let snapshot = decision.snapshot;
        let volume = snapshot.volume_id;
        match decision.verdict {
            SnapshotVerdict::Delete(reason) => {
                let is_gone = !sources.is_targeted(snapshot) && !sources.is_untargeted(snapshot);
                let by_rule = match reason {
                    DeleteReason::ExceedsCount { count, .. } => count,
                    DeleteReason::Duplicate { .. } => 1,
                    DeleteReason::Expired { .. } | DeleteReason::Failed { .. } | DeleteReason::Orphaned { .. } => 0,
                };
                let floor = if is_gone { 0 } else { options.minimum_kept };
                let promised = promised.entry(volume).or_default();
                *promised = (*promised).max(by_rule).max(floor);
            }
            SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => *left.entry(volume).or_default() += 1,
        }
    }
    for (volume, expected) in promised {
        let left = left.get(&volume).copied().unwrap_or(0);
        if left < expected {
            broken.push(Broken::LeavesTooFew { volume: volume.to_string(), left, expected });
        }
    }
}

/// Never more deletions than the run may make.
fn check_brake(policy: &Policy, options: &Options, world: &World, plan: &Plan<'_>, broken: &mut Vec<Broken>) {
    let is_ours = |snapshot: &&Snapshot| tags::ownership(&policy.id, snapshot) == Ownership::Ours;
    let mut ours: FxHashMap<SnapshotId, VolumeId> = with_room_for(world.snapshots.len());
    ours.extend(world.snapshots.iter().filter(is_ours).map(|snapshot| (snapshot.id, snapshot.volume_id)));
    let volumes: FxHashSet<VolumeId> = ours.values().copied().collect();
    let allowed = options.maximum_deletions.allowed(ours.len(), volumes.len());
    let planned = plan.snapshots.iter().filter(|d| matches!(d.verdict, SnapshotVerdict::Delete(_))).count();
    if planned > allowed {
        broken.push(Broken::TooManyDeletions { planned, allowed });
    }
}

fn check_creations(policy: &Policy, world: &World, plan: &Plan<'_>, broken: &mut Vec<Broken>) {
    let creations: Vec<_> =
        plan.targets.iter().filter(|decision| matches!(decision.verdict, TargetVerdict::Create { .. })).collect();
    if creations.is_empty() {
        return;
    }
    let mut answers: FxHashMap<(SourceId, &str, Timestamp), SnapshotId> = FxHashMap::default();
    let mut failed: FxHashSet<(SourceId, &str, Timestamp)> = FxHashSet::default();
    for snapshot in world.snapshots.iter().filter(|s| tags::ownership(&policy.id, s) == Ownership::Ours) {
        let marks = &snapshot.marks;
        let tags = (source_of(policy, snapshot), marks.schedule_name.value(), marks.scheduled_time.value());
        let (Some(source), Some(name), Some(&time)) = tags else { continue };
        let key = (source, name.as_str(), time);
        let can_be_true = time.duration_since(snapshot.start_time) <= CLOCK_SKEW_MAX;
        if snapshot.state == SnapshotState::Error {
            failed.insert(key);
        } else if can_be_true {
            answers.insert(key, snapshot.id);
        }
    }
    // Beside a failed member the others are no answer either.
    let of_instances = matches!(policy.targets, Targets::Instances { .. });
    answers.retain(|key, _| !(of_instances && failed.contains(key)));
    for decision in creations {
        let key = (decision.target.id(), decision.schedule.name.as_str(), decision.scheduled_time);
        if let Some(snapshot) = answers.get(&key) {
            broken.push(Broken::CreatesTwice {
                volume: key.0.to_string(),
                scheduled_time: decision.scheduled_time,
                snapshot: snapshot.to_string(),
            });
        }
    }
}
