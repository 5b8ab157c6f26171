//! What stops deletions beside the rules: a partial observation, the floor of each volume, the brake of the run.

use super::sets::BrokenSets;
use super::{DeleteReason, KeepReason, SnapshotDecision, SnapshotVerdict};
use crate::world::{CutShort, SnapshotId, SnapshotState, Tier};
use std::collections::{BTreeMap, BTreeSet};

/// Nothing is deleted on the strength of an observation that was cut short.
pub(super) fn keep_all(decisions: &mut [SnapshotDecision<'_>], cut: CutShort) {
    for (verdict, otherwise) in deletions(decisions) {
        *verdict = SnapshotVerdict::Keep(KeepReason::ObservationCutShort { cut, otherwise });
    }
}

/// So many complete snapshots of each volume stay beside every rule: the newest of those that would go are kept until
/// there are enough. What `is_exempt` says is left to the rules that decided about it.
pub(super) fn keep_minimum(
    decisions: &mut [SnapshotDecision<'_>],
    minimum: usize,
    broken: &BrokenSets<'_>,
    is_exempt: impl Fn(&SnapshotDecision<'_>) -> bool,
) {
    let is_restorable = |decision: &SnapshotDecision<'_>| {
        let snapshot = decision.snapshot;
        snapshot.state == SnapshotState::Completed && snapshot.tier == Tier::Standard && broken.is_whole(snapshot)
    };
    let mut kept: BTreeMap<Box<str>, usize> = BTreeMap::new();
    for decision in decisions.iter().filter(|decision| is_restorable(decision)) {
        let kept = kept.entry(decision.snapshot.volume_id.as_str().into()).or_default();
        *kept += usize::from(!matches!(decision.verdict, SnapshotVerdict::Delete(_)));
    }
    // Decisions are sorted by volume and scheduled time: from the end, the newest come first.
    for decision in decisions.iter_mut().rev() {
        let SnapshotVerdict::Delete(otherwise) = decision.verdict else { continue };
        if !is_restorable(decision) || is_exempt(decision) {
            continue;
        }
        let Some(kept) = kept.get_mut(decision.snapshot.volume_id.as_str()) else { continue };
        if *kept < minimum {
            *kept += 1;
            decision.verdict = SnapshotVerdict::Keep(KeepReason::MinimumKept { minimum, otherwise });
        }
    }
}

/// A run that would delete more than is allowed deletes nothing, now or later.
pub(super) fn brake(decisions: &mut [SnapshotDecision<'_>], planned: usize, allowed: usize) {
    for decision in decisions {
        let otherwise = match decision.verdict {
            SnapshotVerdict::Delete(reason) => Some(reason),
            SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => decision.goes_later.take(),
        };
        if let Some(otherwise) = otherwise {
            decision.verdict = SnapshotVerdict::Keep(KeepReason::Brake { planned, allowed, otherwise });
        }
    }
}

/// The ids of the snapshots that are to go.
pub(super) fn to_go(decisions: &[SnapshotDecision<'_>]) -> BTreeSet<SnapshotId> {
    let is_to_go = |decision: &&SnapshotDecision<'_>| matches!(decision.verdict, SnapshotVerdict::Delete(_));
    decisions.iter().filter(is_to_go).map(|decision| decision.snapshot.id.clone()).collect()
}

fn deletions<'d, 'a>(
    decisions: &'d mut [SnapshotDecision<'a>],
) -> impl Iterator<Item = (&'d mut SnapshotVerdict<'a>, DeleteReason)> {
    decisions.iter_mut().filter_map(|decision| match decision.verdict {
        SnapshotVerdict::Delete(reason) => Some((&mut decision.verdict, reason)),
        SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => None,
    })
}
