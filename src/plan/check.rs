//! What no plan may break, whatever the policy and the account look like.
//!
//! Written apart from the planner and as plainly as possible: it reads tags and counts again by itself. Every plan is
//! checked before a single call is made, in the function as well as in every test and simulation; a broken promise
//! stops the turn before the first write.

use super::{DeleteReason, Plan, SnapshotVerdict, TargetVerdict};
use crate::policy::{Policy, RetainRule};
use crate::tags::{self, Ownership};
use crate::world::{Coverage, Snapshot, SnapshotState, VolumeId, World};
use jiff::Timestamp;
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
pub fn check(policy: &Policy, now: Timestamp, world: &World, plan: &Plan<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    if !plan.is_disabled {
        check_conservation(policy, world, plan, &mut broken);
    }
    let targeted: BTreeSet<&VolumeId> = world.volumes.iter().map(|volume| &volume.id).collect();
    for decision in &plan.snapshots {
        if let SnapshotVerdict::Delete(reason) = &decision.verdict
            && let Some(why) = protection(policy, now, world.coverage, &targeted, decision.snapshot, *reason)
        {
            broken.push(Broken::Deletes { snapshot: decision.snapshot.id.to_string(), why });
        }
    }
    check_floor(policy, plan, &mut broken);
    check_creations(policy, world, plan, &mut broken);
    broken
}

fn check_conservation(policy: &Policy, world: &World, plan: &Plan<'_>, broken: &mut Vec<Broken>) {
    let mut decisions: BTreeMap<&str, usize> = BTreeMap::new();
    for decision in &plan.snapshots {
        *decisions.entry(decision.snapshot.id.as_str()).or_default() += 1;
    }
    let mut seen = BTreeSet::new();
    for snapshot in world.snapshots.iter().filter(|snapshot| seen.insert(&snapshot.id)) {
        let expected = usize::from(tags::ownership(&policy.id, snapshot) == Ownership::Ours);
        let actual = decisions.get(snapshot.id.as_str()).copied().unwrap_or(0);
        if actual != expected {
            broken.push(Broken::Decisions { snapshot: snapshot.id.to_string(), decisions: actual, expected });
        }
    }
}

/// What protects a snapshot from deletion, if anything does.
fn protection(
    policy: &Policy,
    now: Timestamp,
    coverage: Coverage,
    targeted: &BTreeSet<&VolumeId>,
    snapshot: &Snapshot,
    reason: DeleteReason,
) -> Option<&'static str> {
    let is_in_future = |instant: Option<&Timestamp>| instant.is_some_and(|&instant| instant > now);
    if tags::ownership(&policy.id, snapshot) != Ownership::Ours {
        Some("is not ours")
    } else if coverage != Coverage::Complete {
        Some("was seen in an observation that was cut short")
    } else if snapshot.state != SnapshotState::Completed {
        Some("is not complete")
    } else if snapshot.marks.schedule_name.value().is_none() || snapshot.marks.scheduled_time.value().is_none() {
        Some("carries no readable schedule or scheduled time")
    } else if is_in_future(snapshot.marks.expiration_time.value()) {
        Some("has not expired")
    } else if is_in_future(snapshot.marks.scheduled_time.value()) {
        Some("answers a time in the future")
    } else if !targeted.contains(&snapshot.volume_id) {
        Some("is of a volume that the policy does not target")
    } else if matches!(reason, DeleteReason::Expired { .. }) && snapshot.marks.expiration_time.value().is_none() {
        Some("carries no expiry")
    } else {
        None
    }
}

/// What stays of each volume: at least one complete snapshot where one goes, and as many as every count rule promises.
fn check_floor(policy: &Policy, plan: &Plan<'_>, broken: &mut Vec<Broken>) {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut is_touched: BTreeSet<&str> = BTreeSet::new();
    for decision in plan.snapshots.iter().filter(|decision| decision.snapshot.state == SnapshotState::Completed) {
        let volume = decision.snapshot.volume_id.as_str();
        match decision.verdict {
            SnapshotVerdict::Delete(_) => {
                is_touched.insert(volume);
            }
            SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => *left.entry(volume).or_default() += 1,
        }
    }
    let smallest_rule = policy.schedules.iter().map(|schedule| match schedule.retain {
        RetainRule::Age(_) => 1,
        RetainRule::Count(count) => usize::try_from(count.get()).unwrap_or(usize::MAX),
    });
    let expected = smallest_rule.min().unwrap_or(usize::MAX);
    for volume in is_touched {
        let left = left.get(volume).copied().unwrap_or(0);
        if left < expected {
            broken.push(Broken::LeavesTooFew { volume: volume.to_owned(), left, expected });
        }
    }
}

fn check_creations(policy: &Policy, world: &World, plan: &Plan<'_>, broken: &mut Vec<Broken>) {
    let creations: Vec<_> =
        plan.targets.iter().filter(|decision| matches!(decision.verdict, TargetVerdict::Create { .. })).collect();
    if creations.is_empty() {
        return;
    }
    let mut answers: BTreeMap<(&str, &str, Timestamp), &str> = BTreeMap::new();
    for snapshot in world.snapshots.iter().filter(|snapshot| snapshot.state != SnapshotState::Error) {
        let (Some(name), Some(&time)) = (snapshot.marks.schedule_name.value(), snapshot.marks.scheduled_time.value())
        else {
            continue;
        };
        if tags::ownership(&policy.id, snapshot) == Ownership::Ours {
            answers.insert((snapshot.volume_id.as_str(), name.as_str(), time), snapshot.id.as_str());
        }
    }
    for decision in creations {
        let key = (decision.volume.id.as_str(), decision.schedule.name.as_str(), decision.scheduled_time);
        if let Some(&snapshot) = answers.get(&key) {
            broken.push(Broken::CreatesTwice {
                volume: key.0.to_owned(),
                scheduled_time: decision.scheduled_time,
                snapshot: snapshot.to_owned(),
            });
        }
    }
}
