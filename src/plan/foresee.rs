//! What a run will delete later: the same rules, applied to the account as it will be once all is complete.

use super::history;
use super::{DeleteReason, Plan, SnapshotVerdict, TargetDecision, TargetVerdict, call, target};
use super::{Target, unique_snapshots, verdicts};
use crate::action::Action;
use crate::options::Options;
use crate::policy::{Policy, Tag};
use crate::tags::{self, Marks, Ownership};
use crate::world::{Origin, Snapshot, SnapshotId, SnapshotState, Tier, VolumeId, World};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The snapshots that `plan` keeps now and that go once what it makes or waits for is complete, each with its reason.
pub(super) fn later(
    policy: &Policy,
    options: &Options,
    now: Timestamp,
    world: &World,
    plan: &Plan<'_>,
) -> BTreeMap<SnapshotId, DeleteReason> {
    let Some(completed) = completed(policy, now, world, plan) else { return BTreeMap::new() };
    let ours: Vec<&Snapshot> = unique_snapshots(&completed)
        .into_iter()
        .filter(|snapshot| tags::ownership(&policy.id, snapshot) == Ownership::Ours)
        .collect();
    let is_kept_now: BTreeMap<&SnapshotId, bool> = plan
        .snapshots
        .iter()
        .map(|decision| (&decision.snapshot.id, !matches!(decision.verdict, SnapshotVerdict::Delete(_))))
        .collect();
    let options = Options { settling: SignedDuration::ZERO, ..options.clone() };
    verdicts(policy, &options, now, &completed, &ours)
        .into_iter()
        .filter(|decision| is_kept_now.get(&decision.snapshot.id).copied().unwrap_or(false))
        .filter_map(|decision| match decision.verdict {
            SnapshotVerdict::Delete(reason) => Some((decision.snapshot.id.clone(), reason)),
            SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => None,
        })
        .collect()
}

/// The account once all that the plan makes or waits for is complete; `None` when that is nothing.
fn completed(policy: &Policy, now: Timestamp, world: &World, plan: &Plan<'_>) -> Option<World> {
    let made: Vec<Snapshot> = plan
        .targets
        .iter()
        .flat_map(|decision| new_snapshots(policy, decision, now))
        .enumerate()
        .map(|(number, snapshot)| Snapshot { id: foreseen_id(number), ..snapshot })
        .collect();
    let awaited: BTreeSet<(&str, Option<&Timestamp>)> = plan
        .targets
        .iter()
        .filter_map(|decision| match decision.verdict {
            TargetVerdict::Wait(snapshot) => Some((decision.target.id(), snapshot.marks.scheduled_time.value())),
            TargetVerdict::Coincides { .. }
            | TargetVerdict::Create { .. }
            | TargetVerdict::Exists(_)
            | TargetVerdict::Fail(_)
            | TargetVerdict::GiveUp { .. }
            | TargetVerdict::HasRecent { .. }
            | TargetVerdict::Missed
            | TargetVerdict::Settling { .. }
            | TargetVerdict::Skip(_) => None,
        })
        .collect();
    let is_awaited = |snapshot: &Snapshot| {
        let source = history::source(policy, snapshot);
        matches!(snapshot.state, SnapshotState::Pending { .. })
            && source.is_some_and(|source| awaited.contains(&(source, snapshot.marks.scheduled_time.value())))
    };
    if made.is_empty() && !world.snapshots.iter().any(is_awaited) {
        return None;
    }
    let mut completed = world.clone();
    for snapshot in completed.snapshots.iter_mut().filter(|snapshot| is_awaited(snapshot)) {
        snapshot.state = SnapshotState::Completed;
    }
    completed.snapshots.extend(made);
    Some(completed)
}

fn new_snapshots(policy: &Policy, decision: &TargetDecision<'_>, now: Timestamp) -> Vec<Snapshot> {
    let TargetVerdict::Create { .. } = decision.verdict else { return Vec::new() };
    let (description, tags) = match call::creation(policy, decision) {
        Some(Action::CreateSnapshot(create)) => (create.description, create.tags),
        Some(Action::CreateSnapshots(create)) => (create.description, create.tags),
        Some(Action::DeleteSnapshot(_)) | None => return Vec::new(),
    };
    let of_volume = |volume: &VolumeId| new_snapshot(volume, &description, &tags, now);
    match decision.target {
        Target::Instance(instance) => {
            target::included_volumes(policy, instance).into_iter().map(|volume| of_volume(&volume.id)).collect()
        }
        Target::Volume(volume) => vec![of_volume(&volume.id)],
    }
}

fn new_snapshot(volume: &VolumeId, description: &str, tags: &[Tag], now: Timestamp) -> Snapshot {
    Snapshot {
        id: foreseen_id(0),
        volume_id: volume.clone(),
        description: description.into(),
        state: SnapshotState::Completed,
        start_time: now,
        origin: Origin::Created,
        marks: Marks::read(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))),
        tier: Tier::Standard,
        full_size_bytes: 0,
    }
}

/// An id that EC2 has not given out: twice as long as its own, and it begins with an f.
fn foreseen_id(number: usize) -> SnapshotId {
    SnapshotId::parse(&format!("snap-f{number:033x}")).expect("34 hexadecimal digits are an id")
}
