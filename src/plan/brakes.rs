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
/// there are enough. Members of sets that are not whole make up the number only where there are no better ones: each
/// can be restored by itself all the same. What `is_exempt` says is left to the rules that decided about it.
pub(super) fn keep_minimum(
    decisions: &mut [SnapshotDecision<'_>],
    minimum: usize,
    broken: &BrokenSets<'_>,
    is_exempt: impl Fn(&SnapshotDecision<'_>) -> bool,
) {
    let is_restorable = |decision: &SnapshotDecision<'_>| {
        decision.snapshot.state == SnapshotState::Completed && decision.snapshot.tier == Tier::Standard
    };
    let is_whole = |decision: &SnapshotDecision<'_>| is_restorable(decision) && broken.is_whole(decision.snapshot);
    keep_minimum_of(decisions, minimum, is_whole, &is_exempt);
    keep_minimum_of(decisions, minimum, is_restorable, &is_exempt);
}

fn keep_minimum_of(
    decisions: &mut [SnapshotDecision<'_>],
    minimum: usize,
    counts: impl Fn(&SnapshotDecision<'_>) -> bool,
    is_exempt: &impl Fn(&SnapshotDecision<'_>) -> bool,
) {
    let mut kept: BTreeMap<Box<str>, usize> = BTreeMap::new();
    for decision in decisions.iter().filter(|decision| counts(decision)) {
        let kept = kept.entry(decision.snapshot.volume_id.as_str().into()).or_default();
        *kept += usize::from(!matches!(decision.verdict, SnapshotVerdict::Delete(_)));
    }
    // Decisions are sorted by volume and scheduled time: from the end, the newest come first.
    for decision in decisions.iter_mut().rev() {
        let SnapshotVerdict::Delete(otherwise) = decision.verdict else { continue };
        if !counts(decision) || is_exempt(decision) {
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
