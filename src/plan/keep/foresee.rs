//! What a run will delete later: the same rules, applied to the account as it will be once all is complete.

use super::verdicts::{Rules, verdicts};
use crate::action::Action;
use crate::lookup::LookupSet;
use crate::options::Options;
use crate::plan::Target;
use crate::plan::history::Histories;
use crate::plan::ours::{self, Ours, Place};
use crate::plan::sets::{self, BrokenSets};
use crate::plan::{DeleteReason, SnapshotDecision, SnapshotVerdict, TargetDecision, TargetVerdict, call, target};
use crate::policy::{Policy, Tag};
use crate::tags::Marks;
use crate::world::{Asks, Origin, Snapshot, SnapshotId, SnapshotState, SourceId, Tier, VolumeId};
use jiff::{SignedDuration, Timestamp};

/// Which snapshots of a part this run deletes later, once what it makes or waits for is complete, and why: in the order of the plan. And
/// whether the run makes something there or waits for it.
pub(in crate::plan) fn later(
    rules: &Rules<'_, '_>,
    ours: &Ours<'_>,
    targets: &[TargetDecision<'_>],
) -> (Vec<(SnapshotId, DeleteReason)>, bool) {
    let &Rules { policy, options, now, .. } = rules;
    let made = made(policy, options, targets, now);
    let awaited = Awaited::of(policy, targets);
    let finished: Vec<(Place, Snapshot)> = ours
        .places()
        .filter(|(_, snapshot)| awaited.has(snapshot))
        .map(|(place, snapshot)| (place, Snapshot { state: SnapshotState::Completed, ..snapshot.clone() }))
        .collect();
    let changes = !made.is_empty() || !finished.is_empty() || has_unsettled(targets);
    // What settles can go once the run has waited for something elsewhere.
    if !changes && sets::settles_at(ours.iter(), now, rules.options.settling).is_none() {
        return (Vec::new(), false);
    }
    let ours = ours.with(policy, rules.options, &finished, &made);
    let options = Options { settling: SignedDuration::ZERO, ..rules.options.clone() };
    let rules = Rules { options: &options, ..*rules };
    let broken = BrokenSets::new(policy, &ours, now, options.settling);
    let histories = Histories::new(policy, now, &ours, &broken);
    let is_there_now = |snapshot: &Snapshot| !made.as_ptr_range().contains(&std::ptr::from_ref(snapshot));
    let later = verdicts(&rules, &ours, &broken, &histories, &mut Asks::default())
        .into_iter()
        .filter(|decision| is_there_now(decision.snapshot))
        .filter_map(|decision| match decision.verdict {
            SnapshotVerdict::Delete(reason) => Some((decision.snapshot.id, reason)),
            SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => None,
        })
        .collect();
    (later, changes)
}

/// Nothing goes later in a run that makes nothing and waits for nothing.
pub(in crate::plan) fn forget(decisions: &mut [SnapshotDecision<'_>]) {
    for decision in decisions {
        decision.goes_later = None;
    }
}

/// Carries what goes `later` over to the decisions of now, which are in the same order.
pub(in crate::plan) fn note(later: Vec<(SnapshotId, DeleteReason)>, now: &mut [SnapshotDecision<'_>]) {
    let mut later = later.into_iter().peekable();
    for decision in now {
        if let Some((_, reason)) = later.next_if(|(id, _)| *id == decision.snapshot.id) {
            let goes_now = matches!(decision.verdict, SnapshotVerdict::Delete(_));
            decision.goes_later = (!goes_now).then_some(reason);
        }
    }
}

/// Whether a target is waited for although its snapshot is complete.
fn has_unsettled(targets: &[TargetDecision<'_>]) -> bool {
    targets.iter().any(|decision| matches!(decision.verdict, TargetVerdict::Settling { .. }))
}

/// The snapshots under way that the run waits for, by what they are of and the scheduled time that they answer.
struct Awaited<'a> {
    policy: &'a Policy,
    keys: LookupSet<(SourceId, Option<Timestamp>)>,
}

impl<'a> Awaited<'a> {
    fn of(policy: &'a Policy, targets: &[TargetDecision<'_>]) -> Self {
        let key = |decision: &TargetDecision<'_>| match decision.verdict {
            TargetVerdict::Wait(snapshot) => {
                Some((decision.target.id(), snapshot.marks.scheduled_time.value().copied()))
            }
            TargetVerdict::Coincides { .. }
            | TargetVerdict::Create { .. }
            | TargetVerdict::Exists(_)
            | TargetVerdict::Fail(_)
            | TargetVerdict::GiveUp { .. }
            | TargetVerdict::HasRecent { .. }
            | TargetVerdict::Missed(_)
            | TargetVerdict::Settling { .. }
            | TargetVerdict::Skip(_) => None,
        };
        Self { policy, keys: targets.iter().filter_map(key).collect() }
    }

    fn has(&self, snapshot: &Snapshot) -> bool {
        matches!(snapshot.state, SnapshotState::Pending)
            && ours::source(self.policy, snapshot)
                .is_some_and(|source| self.keys.contains(&(source, snapshot.marks.scheduled_time.value().copied())))
    }
}

/// What the run makes, complete and each with an id of its own.
fn made(policy: &Policy, options: &Options, targets: &[TargetDecision<'_>], now: Timestamp) -> Vec<Snapshot> {
    let mut made: Vec<Snapshot> = Vec::new();
    let mut last: Option<&TargetDecision<'_>> = None;
    for decision in targets.iter().filter(|decision| matches!(decision.verdict, TargetVerdict::Create { .. })) {
        let first = made.len();
        match (decision.target, made.last(), last.replace(decision)) {
            (Target::Volume(volume), Some(like), Some(last)) if are_alike(decision, last) => {
                made.push(Snapshot { volume_id: volume.id, ..like.clone() });
            }
            _ => made.extend(new_snapshots(policy, options, decision, now)),
        }
        for (number, snapshot) in made.iter_mut().enumerate().skip(first) {
            snapshot.id = foreseen_id(number);
        }
    }
    made
}

/// Whether the snapshots of two volumes differ in their volumes only, as far as any rule looks at them.
fn are_alike(one: &TargetDecision<'_>, other: &TargetDecision<'_>) -> bool {
    let are_of_volumes = matches!((one.target, other.target), (Target::Volume(_), Target::Volume(_)));
    are_of_volumes
        && std::ptr::eq(one.schedule, other.schedule)
        && one.scheduled_time == other.scheduled_time
        && one.verdict == other.verdict
}

fn new_snapshots(policy: &Policy, options: &Options, decision: &TargetDecision<'_>, now: Timestamp) -> Vec<Snapshot> {
    let (description, tags) = match call::creation(policy, options, now, decision) {
        Some(Action::CreateSnapshot(create)) => (create.description, create.tags),
        Some(Action::CreateSnapshots(create)) => (create.description, create.tags),
        Some(Action::CopySnapshot(_) | Action::DeleteSnapshot(_)) | None => return Vec::new(),
    };
    let of_volume = |volume: VolumeId| new_snapshot(volume, &description, &tags, now);
    match decision.target {
        Target::Instance(instance) => {
            target::included_volumes(policy, instance).into_iter().map(|volume| of_volume(volume.id)).collect()
        }
        Target::Volume(volume) => vec![of_volume(volume.id)],
    }
}

fn new_snapshot(volume_id: VolumeId, description: &str, tags: &[Tag], now: Timestamp) -> Snapshot {
    Snapshot {
        id: foreseen_id(0),
        volume_id,
        description: description.into(),
        state: SnapshotState::Completed,
        state_message: None,
        start_time: now,
        completed_at: None,
        origin: Origin::Created,
        marks: Marks::read(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))).into(),
        tier: Tier::Standard,
        full_size_bytes: 0,
    }
}

/// An id that EC2 has not given out: nearly twice as long as its own, and it begins with an f.
fn foreseen_id(number: usize) -> SnapshotId {
    SnapshotId::unassigned(u32::try_from(number).expect("an observation is bounded by a million"))
}
