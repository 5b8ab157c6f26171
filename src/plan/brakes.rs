//! What stops deletions beside the rules: a partial observation, the floor of each volume, the brake of the run.

use super::ours::Place;
use super::sets::BrokenSets;
use super::{DeleteReason, KeepReason, SnapshotDecision, SnapshotVerdict};
use crate::world::{Asks, Closer, CutShort, SnapshotState, SourceId, Tier};

/// Nothing is deleted on the strength of an observation that was cut short.
pub(super) fn keep_all(decisions: &mut [SnapshotDecision<'_>], cut: CutShort) {
    for (verdict, otherwise) in deletions(decisions) {
        *verdict = SnapshotVerdict::Keep(KeepReason::ObservationCutShort { cut, otherwise });
    }
}

/// What an AMI uses stays: EC2 would not delete it.
pub(super) fn keep_used(decisions: &mut [SnapshotDecision<'_>], closer: &Closer) {
    if closer.used_by.is_empty() {
        return;
    }
    for decision in decisions {
        if let SnapshotVerdict::Delete(otherwise) = decision.verdict
            && let Some(&image) = closer.used_by.get(&decision.snapshot.id)
        {
            decision.verdict = SnapshotVerdict::Keep(KeepReason::UsedByImage { image, otherwise });
        }
    }
}

/// Nothing goes for the sake of a source that no listing shows before EC2 has said that it is gone. Adds those to ask for.
pub(super) fn keep_unproved(
    decisions: &mut [SnapshotDecision<'_>],
    missing: impl Fn(&SnapshotDecision<'_>) -> Option<SourceId>,
    asks: &mut Asks,
) {
    for decision in decisions {
        let SnapshotVerdict::Delete(otherwise) = decision.verdict else { continue };
        // What failed holds nothing, whatever it was made of.
        if let DeleteReason::Failed { .. } = otherwise {
            continue;
        }
        if let Some(source) = missing(decision) {
            asks.sources.insert(source);
            decision.verdict = SnapshotVerdict::Keep(KeepReason::AbsenceUnproved { otherwise });
        }
    }
}

/// So many complete snapshots of each volume stay beside every rule: the newest of those that would go are kept until
/// there are enough. Members of sets that are not whole make up the number only where there are no better ones: each
/// can be restored by itself all the same. What `is_exempt` says is left to the rules that decided about it.
///
/// `decisions` are those about [`Ours`](super::ours::Ours), in their order.
pub(super) fn keep_minimum(
    decisions: &mut [SnapshotDecision<'_>],
    minimum: usize,
    broken: &BrokenSets,
    is_exempt: impl Fn(&SnapshotDecision<'_>) -> bool,
) {
    let is_restorable = |_: Place, decision: &SnapshotDecision<'_>| {
        decision.snapshot.state == SnapshotState::Completed && decision.snapshot.tier == Tier::Standard
    };
    let is_whole =
        |place: Place, decision: &SnapshotDecision<'_>| is_restorable(place, decision) && broken.is_whole(place);
    let mut first = 0;
    for of_volume in decisions.chunk_by_mut(|one, other| one.snapshot.volume_id == other.snapshot.volume_id) {
        if of_volume.iter().any(|decision| matches!(decision.verdict, SnapshotVerdict::Delete(_))) {
            keep_minimum_of(of_volume, minimum, |place, decision| is_whole(first + place, decision), &is_exempt);
            keep_minimum_of(of_volume, minimum, |place, decision| is_restorable(first + place, decision), &is_exempt);
        }
        first += of_volume.len();
    }
}

/// Keeps the minimum of one volume, whose decisions are sorted by scheduled time.
fn keep_minimum_of(
    of_volume: &mut [SnapshotDecision<'_>],
    minimum: usize,
    counts: impl Fn(Place, &SnapshotDecision<'_>) -> bool,
    is_exempt: &impl Fn(&SnapshotDecision<'_>) -> bool,
) {
    let is_to_go = |decision: &SnapshotDecision<'_>| matches!(decision.verdict, SnapshotVerdict::Delete(_));
    let is_kept = |(place, decision): &(Place, &SnapshotDecision<'_>)| counts(*place, decision) && !is_to_go(decision);
    let mut kept = of_volume.iter().enumerate().filter(is_kept).count();
    for (place, decision) in of_volume.iter_mut().enumerate().rev() {
        let SnapshotVerdict::Delete(otherwise) = decision.verdict else { continue };
        if kept < minimum && counts(place, decision) && !is_exempt(decision) {
            kept += 1;
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

/// How many snapshots are to go.
pub(super) fn to_go(decisions: &[SnapshotDecision<'_>]) -> usize {
    decisions.iter().filter(|decision| matches!(decision.verdict, SnapshotVerdict::Delete(_))).count()
}

fn deletions<'d, 'a>(
    decisions: &'d mut [SnapshotDecision<'a>],
) -> impl Iterator<Item = (&'d mut SnapshotVerdict<'a>, DeleteReason)> {
    decisions.iter_mut().filter_map(|decision| match decision.verdict {
        SnapshotVerdict::Delete(reason) => Some((&mut decision.verdict, reason)),
        SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => None,
    })
}
