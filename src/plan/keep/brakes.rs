//! What stops deletions beside the rules: a partial observation, the floor of each volume, the brake of the run.

use crate::plan::ours::Place;
use crate::plan::sets::BrokenSets;
use crate::plan::{Bounds, Brake, DeleteReason, KeepReason, SnapshotDecision, SnapshotVerdict, StandsBack};
use crate::tags::Mark;
use crate::world::{Asks, Closer, CutShort, Snapshot, SnapshotId, SourceId};
use jiff::Timestamp;

/// Nothing is deleted on the strength of an observation that was cut short.
pub(in crate::plan) fn keep_all(decisions: &mut [SnapshotDecision<'_>], cut: CutShort) {
    for (verdict, otherwise) in deletions(decisions) {
        *verdict = SnapshotVerdict::Keep(KeepReason::ObservationCutShort { cut, otherwise });
    }
}

/// Nothing is deleted by a run that stands back.
pub(in crate::plan) fn stand_back(decisions: &mut [SnapshotDecision<'_>], why: StandsBack) {
    for (verdict, otherwise) in deletions(decisions) {
        *verdict = SnapshotVerdict::Keep(KeepReason::RunStandsBack { why, otherwise });
    }
}

/// What an AMI uses stays: EC2 would not delete it.
pub(in crate::plan) fn keep_used(decisions: &mut [SnapshotDecision<'_>], closer: &Closer) {
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

/// Nothing goes for the sake of a source that no listing shows before EC2 has said that it is gone. Adds those to ask for, and the
/// volumes whose last ones [`Floor::Unproved`] keeps.
pub(in crate::plan) fn keep_unproved(
    decisions: &mut [SnapshotDecision<'_>],
    missing: impl Fn(&SnapshotDecision<'_>) -> Option<SourceId>,
    missing_volume: impl Fn(&SnapshotDecision<'_>) -> Option<SourceId>,
    asks: &mut Asks,
) {
    for decision in decisions {
        if let SnapshotVerdict::Keep(KeepReason::AbsenceUnproved { .. }) = decision.verdict {
            asks.sources.extend(missing(decision).into_iter().chain(missing_volume(decision)));
        }
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

/// Whether the floor of its volume keeps a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Floor {
    /// Its volume is gone, and something asks for the last one of it too.
    Exempt,
    /// It does.
    Holds,
    /// It does until EC2 has said that the volume is gone.
    Unproved,
}

/// So many complete snapshots of each volume stay beside every rule: the newest of those that would go are kept until
/// there are enough. Members of sets that are not whole make up the number only where there are no better ones: each
/// can be restored by itself all the same. What is exempt is left to the rules that decided about it.
///
/// `decisions` are those about [`Ours`](crate::plan::ours::Ours), in their order.
pub(in crate::plan) fn keep_minimum(
    decisions: &mut [SnapshotDecision<'_>],
    minimum: usize,
    broken: &BrokenSets,
    floor: impl Fn(&SnapshotDecision<'_>) -> Floor,
) {
    let is_restorable = |_: Place, decision: &SnapshotDecision<'_>| decision.snapshot.is_restorable();
    let is_whole =
        |place: Place, decision: &SnapshotDecision<'_>| is_restorable(place, decision) && broken.is_whole(place);
    let mut first = 0;
    for of_volume in decisions.chunk_by_mut(|one, other| one.snapshot.volume_id == other.snapshot.volume_id) {
        if of_volume.iter().any(|decision| matches!(decision.verdict, SnapshotVerdict::Delete(_))) {
            keep_minimum_of(of_volume, minimum, |place, decision| is_whole(first + place, decision), &floor);
            keep_minimum_of(of_volume, minimum, |place, decision| is_restorable(first + place, decision), &floor);
        }
        first += of_volume.len();
    }
}

/// Keeps the minimum of one volume, whose decisions are sorted by scheduled time.
fn keep_minimum_of(
    of_volume: &mut [SnapshotDecision<'_>],
    minimum: usize,
    counts: impl Fn(Place, &SnapshotDecision<'_>) -> bool,
    floor: &impl Fn(&SnapshotDecision<'_>) -> Floor,
) {
    let is_to_go = |decision: &SnapshotDecision<'_>| matches!(decision.verdict, SnapshotVerdict::Delete(_));
    let is_kept = |(place, decision): &(Place, &SnapshotDecision<'_>)| counts(*place, decision) && !is_to_go(decision);
    let mut kept = of_volume.iter().enumerate().filter(is_kept).count();
    for (place, decision) in of_volume.iter_mut().enumerate().rev() {
        let SnapshotVerdict::Delete(otherwise) = decision.verdict else { continue };
        if kept >= minimum || !counts(place, decision) {
            continue;
        }
        let keeps = match floor(decision) {
            Floor::Exempt => continue,
            Floor::Holds => KeepReason::MinimumKept { minimum, otherwise },
            Floor::Unproved => KeepReason::AbsenceUnproved { otherwise },
        };
        kept += 1;
        decision.verdict = SnapshotVerdict::Keep(keeps);
    }
}

/// On whose word a snapshot goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// Today's rule and its own stamp agree, or it failed and holds nothing.
    Both,
    /// A person has agreed to a lower count than the one that its stamp promised.
    Consent,
    /// `Options.Orphans`.
    Orphans,
    /// Today's rule alone: it has no stamp.
    Rule,
}

/// On whose word `snapshot` goes for `reason`.
pub(crate) fn word(snapshot: &Snapshot, reason: DeleteReason) -> Word {
    let promises = |rank: usize| {
        let counts = snapshot.marks.stamp.value().map(|stamp| &stamp.counts).into_iter().flatten().flatten();
        counts.map(|count| usize::try_from(count.get()).unwrap_or(usize::MAX)).any(|count| rank <= count)
    };
    match reason {
        DeleteReason::Failed { .. } => Word::Both,
        DeleteReason::Orphaned { .. } => Word::Orphans,
        _ if snapshot.marks.stamp == Mark::Absent => Word::Rule,
        DeleteReason::ExceedsCount { rank, .. } if promises(rank) => Word::Consent,
        DeleteReason::Duplicate { .. } | DeleteReason::ExceedsCount { .. } | DeleteReason::Expired { .. } => Word::Both,
    }
}

impl Bounds {
    /// Whether it counts a deletion on this word.
    pub(crate) fn counts(self, word: Word) -> bool {
        match self {
            Self::Everything => true,
            Self::Orphans => word == Word::Orphans,
            Self::Unstamped => word == Word::Rule,
        }
    }

    /// Whether a deletion on this word goes on up to the bound when there are more.
    pub(crate) fn lets_go(self, word: Word) -> bool {
        match self {
            Self::Everything => word == Word::Both,
            Self::Orphans => word == Word::Orphans,
            Self::Unstamped => false,
        }
    }
}

/// In which order snapshots go: the oldest first.
pub(crate) fn order(snapshot: &Snapshot) -> (Option<&Timestamp>, Timestamp, SnapshotId) {
    (snapshot.marks.scheduled_time.value(), snapshot.start_time, snapshot.id)
}

/// Where more would go than a bound allows, keeps what it does not let go and what is beyond it, now and later.
pub(in crate::plan) fn bound(decisions: &mut [SnapshotDecision<'_>], bounds: Bounds, allowed: usize) -> Option<Brake> {
    let mut counted: Vec<(usize, Word)> = Vec::new();
    for (place, decision) in decisions.iter().enumerate() {
        if let Some(reason) = goes(decision) {
            let word = word(decision.snapshot, reason);
            counted.extend(bounds.counts(word).then_some((place, word)));
        }
    }
    if counted.len() <= allowed {
        return None;
    }
    let brake = Brake { bounds, planned: counted.len(), allowed };
    // What goes now before what goes later, whatever its age: that one may never come to it.
    counted.sort_by_key(|&(place, _)| {
        let decision = &decisions[place];
        (decision.goes_later.is_some(), order(decision.snapshot))
    });
    let mut room = allowed;
    for (place, word) in counted {
        if bounds.lets_go(word) && room > 0 {
            room -= 1;
            continue;
        }
        let decision = &mut decisions[place];
        if let Some(otherwise) = goes(decision) {
            decision.goes_later = None;
            decision.verdict = SnapshotVerdict::Keep(KeepReason::Brake { brake, otherwise });
        }
    }
    Some(brake)
}

/// Why a snapshot goes, now or later.
pub(crate) fn goes(decision: &SnapshotDecision<'_>) -> Option<DeleteReason> {
    match decision.verdict {
        SnapshotVerdict::Delete(reason) => Some(reason),
        SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => decision.goes_later,
    }
}

fn deletions<'d, 'a>(
    decisions: &'d mut [SnapshotDecision<'a>],
) -> impl Iterator<Item = (&'d mut SnapshotVerdict<'a>, DeleteReason)> {
    decisions.iter_mut().filter_map(|decision| match decision.verdict {
        SnapshotVerdict::Delete(reason) => Some((&mut decision.verdict, reason)),
        SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => None,
    })
}
