//! What a run will delete later: the same rules, applied to the account as it will be once all is complete.

use super::history::{self, Histories};
use super::sets::BrokenSets;
use super::{DeleteReason, Plan, SnapshotVerdict, TargetDecision, TargetVerdict, call, target};
use super::{Target, verdicts};
use crate::action::Action;
use crate::options::Options;
use crate::policy::{Policy, Tag};
use crate::tags::Marks;
use crate::world::{Origin, Snapshot, SnapshotId, SnapshotState, Tier, VolumeId, World};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The snapshots that `plan` keeps now and that go once what it makes or waits for is complete, each with its reason.
pub(super) fn later(
    policy: &Policy,
    options: &Options,
    now: Timestamp,
    world: &World,
    ours: &[&Snapshot],
    plan: &Plan<'_>,
) -> BTreeMap<SnapshotId, DeleteReason> {
    let made: Vec<Snapshot> = plan
        .targets
        .iter()
        .flat_map(|decision| new_snapshots(policy, decision, now))
        .enumerate()
        .map(|(number, snapshot)| Snapshot { id: foreseen_id(number), ..snapshot })
        .collect();
    let awaited = Awaited::of(policy, plan);
    let finished: Vec<Snapshot> = ours
        .iter()
        .filter(|snapshot| awaited.has(snapshot))
        .map(|&snapshot| Snapshot { state: SnapshotState::Completed, ..snapshot.clone() })
        .collect();
    if made.is_empty() && finished.is_empty() && !has_unsettled(plan) {
        return BTreeMap::new();
    }
    let others = ours.iter().copied().filter(|snapshot| !awaited.has(snapshot));
    let ours: Vec<&Snapshot> = others.chain(&finished).chain(&made).collect();
    let options = Options { settling: SignedDuration::ZERO, ..options.clone() };
    let broken = BrokenSets::new(policy, &ours, now, options.settling);
    let histories = Histories::new(policy, &options, now, &ours, &broken);
    let is_kept_now: BTreeMap<&SnapshotId, bool> = plan
        .snapshots
        .iter()
        .map(|decision| (&decision.snapshot.id, !matches!(decision.verdict, SnapshotVerdict::Delete(_))))
        .collect();
    verdicts(policy, &options, now, world, &ours, &broken, &histories)
        .into_iter()
        .filter(|decision| is_kept_now.get(&decision.snapshot.id).copied().unwrap_or(false))
        .filter_map(|decision| match decision.verdict {
            SnapshotVerdict::Delete(reason) => Some((decision.snapshot.id.clone(), reason)),
            SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => None,
        })
        .collect()
}

/// Whether a target is waited for although its snapshot is complete.
fn has_unsettled(plan: &Plan<'_>) -> bool {
    plan.targets.iter().any(|decision| matches!(decision.verdict, TargetVerdict::Settling { .. }))
}

/// The snapshots under way that the run waits for, by what they are of and the scheduled time that they answer.
struct Awaited<'a> {
    policy: &'a Policy,
    keys: BTreeSet<(&'a str, Option<&'a Timestamp>)>,
}

impl<'a> Awaited<'a> {
    fn of(policy: &'a Policy, plan: &'a Plan<'_>) -> Self {
        let key = |decision: &'a TargetDecision<'_>| match decision.verdict {
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
        };
        Self { policy, keys: plan.targets.iter().filter_map(key).collect() }
    }

    fn has(&self, snapshot: &Snapshot) -> bool {
        matches!(snapshot.state, SnapshotState::Pending { .. })
            && history::source(self.policy, snapshot)
                .is_some_and(|source| self.keys.contains(&(source, snapshot.marks.scheduled_time.value())))
    }
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
