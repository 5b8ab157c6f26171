//! Which creations of a policy for volumes go together, by one call for the volumes of an instance (`Options.Batch`), and
//! which go by a call of their own.
//!
//! EC2 has a bucket for each of the two calls. The largest groups draw from the one, so that a token makes as many snapshots
//! as it can; volumes by themselves draw from the other, and where there is much to do, so do the volumes of the smallest
//! groups: both lanes are busy to the end.

use super::progress::Progress;
use super::{Budget, Selection};
use crate::action::Action;
use crate::lookup::{Lookup, LookupSet};
use crate::options::Options;
use crate::pace;
use crate::plan::joint::{self, Shared};
use crate::plan::{self, Plan, TargetDecision};
use crate::policy::{Policy, Targets};
use crate::world::{Instance, InstanceId, SnapshotState, SourceId};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Up to so many calls for groups, all of them go at once: what a full bucket lets through. Taking groups apart would make
/// nothing faster, and more calls.
const AT_ONCE: usize = pace::CREATE_SNAPSHOTS.capacity().get() as usize;

/// Creations that one call can carry out, as far as their volumes and tags tell.
struct Group<'p, 'a> {
    instance: InstanceId,
    members: Vec<&'p TargetDecision<'a>>,
}

/// Creations as they come: in groups, the largest first, and those that go by themselves.
struct Sorted<'p, 'a> {
    groups: Vec<Group<'p, 'a>>,
    alone: Vec<&'p TargetDecision<'a>>,
}

/// Whether creations may go together in this run. Not for a policy whose targets are more than volumes with tags, and not
/// once EC2 has no room for more pending snapshots: that is what a run waits for then, not its calls, and what finds no room
/// together may find it one by one.
pub(super) fn is_on(policy: &Policy, options: &Options, progress: &Progress) -> bool {
    options.batch && matches!(policy.targets, Targets::Volumes { .. }) && progress.pending_window.is_none()
}

/// The instances of the groups that may go in this turn: what else is attached to them has to be known before a call.
pub(super) fn hosts(
    policy: &Policy,
    plan: &Plan<'_>,
    progress: &Progress,
    ready: Vec<&TargetDecision<'_>>,
    budget: Budget,
) -> Vec<InstanceId> {
    let sorted = Sorted::of(policy, plan, progress, ready);
    let mut hosts: Vec<InstanceId> =
        sorted.groups.iter().take(budget.set_creations_max).map(|group| group.instance).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// Selects what of `ready` goes in this turn, given the `hosts` that were asked for and seen.
pub(super) fn select(
    policy: &Policy,
    plan: &Plan<'_>,
    progress: &Progress,
    (ready, hosts): (Vec<&TargetDecision<'_>>, &[Instance]),
    budget: Budget,
    selection: &mut Selection,
) {
    let mut seen = Lookup::with_room_for(hosts.len());
    for host in hosts {
        seen.insert(host.id, host);
    }
    let Sorted { groups, mut alone } = Sorted::of(policy, plan, progress, ready);
    let mut joint: Vec<(Group<'_, '_>, Option<Action>)> = Vec::new();
    for (place, group) in groups.into_iter().enumerate() {
        let action = seen.get(&group.instance).and_then(|host| joint::creation(policy, &group.members, host));
        // What was to be seen and was not, or cannot be made together, goes by itself; the others are for a later turn.
        if action.is_none() && place < budget.set_creations_max {
            alone.extend(group.members);
        } else {
            joint.push((group, action));
        }
    }
    // Bounded by the groups.
    while joint.last().is_some_and(|(smallest, _)| {
        let calls = smallest.members.len();
        joint.len() > AT_ONCE && is_faster_apart(joint.len(), alone.len() + calls, budget)
    }) {
        alone.extend(joint.pop().into_iter().flat_map(|(smallest, _)| smallest.members));
    }
    selection.left_over += joint.len().saturating_sub(budget.set_creations_max);
    selection.left_over += alone.len().saturating_sub(budget.creations_max);
    selection.actions.extend(joint.into_iter().take(budget.set_creations_max).filter_map(|(_, action)| action));
    let alone = alone.into_iter().take(budget.creations_max);
    selection.actions.extend(alone.filter_map(|decision| plan::call::creation(policy, decision)));
}

/// Whether the calls for volumes end sooner than those for groups, even with one group taken apart: whether more of their
/// bucket is left. Both buckets fill equally fast.
fn is_faster_apart(groups: usize, alone: usize, budget: Budget) -> bool {
    budget.creations_max.saturating_add(groups) > budget.set_creations_max.saturating_add(alone)
}

impl<'p, 'a> Sorted<'p, 'a> {
    fn of(policy: &Policy, plan: &Plan<'_>, progress: &Progress, ready: Vec<&'p TargetDecision<'a>>) -> Self {
        let failed = volumes_with_failed_snapshots(plan);
        let mut by_shared: BTreeMap<Shared<'a>, Vec<&'p TargetDecision<'a>>> = BTreeMap::new();
        let mut alone = Vec::new();
        for decision in ready {
            let may_go_together = |shared: &Shared<'_>| {
                !progress.goes_one_by_one(shared.instance()) && !failed.contains(&decision.target.id())
            };
            match joint::shared(policy, decision).filter(may_go_together) {
                Some(shared) => by_shared.entry(shared).or_default().push(decision),
                None => alone.push(decision),
            }
        }
        let mut groups = Vec::new();
        for (shared, members) in by_shared {
            if members.len() > 1 {
                groups.push(Group { instance: shared.instance(), members });
            } else {
                alone.extend(members);
            }
        }
        alone.sort_by_key(|decision| decision.target.id());
        groups.sort_by_key(|group| Reverse(group.members.len()));
        Self { groups, alone }
    }
}

/// Volumes with a snapshot that failed: of those of one call all fail with one, so whoever is tried again is so alone.
fn volumes_with_failed_snapshots(plan: &Plan<'_>) -> LookupSet<SourceId> {
    let failed = plan.snapshots.iter().filter(|decision| decision.snapshot.state == SnapshotState::Error);
    failed.map(|decision| SourceId::Volume(decision.snapshot.volume_id)).collect()
}

#[cfg(test)]
mod tests;
