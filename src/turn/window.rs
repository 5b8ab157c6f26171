//! How many snapshots of the run may be pending at once: a window that is learnt when EC2 refuses one more.
//!
//! EC2 lets an account have only so many pending snapshots in a Region (`PendingSnapshotLimitExceeded`); how many is
//! documented nowhere, and other policies and tools take part of them. So nothing is assumed before the first refusal;
//! then as many are pending as fit, and one more is tried each time that all were accepted.

use crate::action::{Action, FailedKind, Outcome};
use crate::plan::{Plan, Target, TargetVerdict};
use crate::turn::subject::Subject;
use crate::world::SnapshotState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// So many snapshots of the policy may be pending at once, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Window(u32);

impl Window {
    /// What a turn grows it by in which EC2 accepted all creations: one snapshot, so that at most one creation a turn is
    /// refused where the limit stays as it is. A limit that somebody else has left is taken up within as many turns.
    const STEP: u32 = 1;

    fn of(snapshots: usize) -> Self {
        Self(u32::try_from(snapshots).unwrap_or(u32::MAX))
    }

    /// Lets through what fits beside so many pending snapshots, in its order. Where nothing does, one is tried all the
    /// same: the limit may have been somebody else's, and a few snapshots of ours that hang must not keep all others
    /// from being made. Which one changes from turn to turn, since one set alone may be too large for ever.
    pub(super) fn let_through<T: Copy>(
        self,
        ready: &[T],
        snapshots_of: impl Fn(T) -> usize,
        pending: usize,
        turn: u32,
    ) -> Vec<T> {
        let mut room = usize::try_from(self.0).unwrap_or(usize::MAX).saturating_sub(pending);
        let mut let_through = Vec::new();
        for &next in ready {
            let snapshots = snapshots_of(next);
            if snapshots <= room {
                room -= snapshots;
                let_through.push(next);
            }
        }
        if let_through.is_empty() {
            let place = usize::try_from(turn).unwrap_or(0).checked_rem(ready.len());
            let_through.extend(place.and_then(|place| ready.get(place)));
        }
        let_through
    }
}

/// The window after a turn that began with so many pending snapshots.
pub(super) fn after(before: Option<Window>, pending: usize, done: &[(Action, Outcome)]) -> Option<Window> {
    let (mut made, mut is_refused) = (0, false);
    for (_, outcome) in done.iter().filter(|(action, _)| action.region().is_none()) {
        match outcome {
            Outcome::Created(ids) => made += ids.len(),
            Outcome::Failed(failed) => is_refused |= failed.kind == FailedKind::TooManyPending,
            Outcome::Changed(_) | Outcome::Deleted | Outcome::NotStarted => {}
        }
    }
    if is_refused {
        Some(Window::of(pending.saturating_add(made)))
    } else if made > 0 {
        before.map(|window| Window(window.0.saturating_add(Window::STEP)))
    } else {
        before
    }
}

/// How many snapshots of the policy are pending: those that EC2 shows, and those it may not show yet, whose subjects
/// have the hashes `unsettled`.
pub(super) fn pending(plan: &Plan<'_>, unsettled: &BTreeSet<&str>) -> usize {
    let is_pending = |state: &SnapshotState| matches!(state, SnapshotState::Pending);
    let shown = plan.snapshots.iter().filter(|decision| is_pending(&decision.snapshot.state)).count();
    if unsettled.is_empty() {
        return shown;
    }
    let begun = plan.targets.iter().filter(|decision| {
        matches!(decision.verdict, TargetVerdict::Create { .. })
            && unsettled.contains(Subject::of_decision(decision).hash().as_str())
    });
    shown + begun.map(|decision| snapshots_of(decision.target)).sum::<usize>()
}

/// How many snapshots a creation for a target makes at most.
pub(super) fn snapshots_of(target: Target<'_>) -> usize {
    match target {
        Target::Instance(instance) => instance.volumes.len(),
        Target::Volume(_) => 1,
    }
}

#[cfg(test)]
mod tests;
