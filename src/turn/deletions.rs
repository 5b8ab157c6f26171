//! Which deletions of a plan a run may still make: its bounds hold for the whole run, and the plan knows of this turn only.

use super::progress::Progress;
use super::subject::Subject;
use crate::options::{MaximumDeletions, Options};
use crate::plan::brakes::{self, Word};
use crate::plan::{Bounds, Brake, KeepReason, Plan, SnapshotDecision, SnapshotVerdict};
use crate::world::Snapshot;

/// What the run may still delete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// Of everything, where somebody set a bound.
    room: usize,
    /// Of orphans.
    orphans: usize,
    /// Set when the run as a whole would delete more than somebody allowed.
    brake: Option<Brake>,
}

impl Bound {
    /// What is left of the bounds after what the run has deleted.
    pub(super) fn of(options: &Options, plan: &Plan<'_>, progress: &Progress) -> Self {
        let wide = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        // One bound holds for all Regions.
        let deleted = wide(progress.deleted.saturating_add(progress.copies.deleted()));
        let older = |maximum: MaximumDeletions| {
            let snapshots = progress.older_snapshots.max(plan.older.snapshots);
            maximum.allowed(snapshots, progress.older_volumes.max(plan.older.volumes))
        };
        let orphans = older(MaximumDeletions::Default).saturating_sub(wide(progress.deleted_orphans));
        let maximum = options.maximum_deletions;
        if maximum == MaximumDeletions::Default {
            return Self { room: usize::MAX, orphans, brake: None };
        }
        let allowed = older(maximum);
        let planned = deleted.saturating_add(plan.snapshots.iter().filter(|decision| would_go(decision)).count());
        let brake = (planned > allowed).then_some(Brake { bounds: Bounds::Everything, planned, allowed });
        Self { room: allowed.saturating_sub(deleted), orphans, brake }
    }

    pub(super) fn brake(self) -> Option<Brake> {
        self.brake
    }

    /// What may go now of what is `open`, the oldest first.
    pub(super) fn to_go<'p>(self, plan: &'p Plan<'_>, is_open: impl Fn(&Subject) -> bool) -> Vec<&'p Snapshot> {
        let mut to_go: Vec<(&Snapshot, Word)> = Vec::new();
        for decision in &plan.snapshots {
            let SnapshotVerdict::Delete(reason) = decision.verdict else { continue };
            let word = brakes::word(decision.snapshot, reason);
            let is_held = self.brake.is_some_and(|brake| !brake.bounds.lets_go(word));
            if !is_held && is_open(&Subject::Deletion(decision.snapshot.id)) {
                to_go.push((decision.snapshot, word));
            }
        }
        to_go.sort_by_key(|(snapshot, _)| brakes::order(snapshot));
        let mut orphans = self.orphans;
        to_go.retain(|&(_, word)| {
            let has_room = word != Word::Orphans || orphans > 0;
            orphans -= usize::from(has_room && word == Word::Orphans);
            has_room
        });
        to_go.truncate(self.room);
        to_go.into_iter().map(|(snapshot, _)| snapshot).collect()
    }
}

/// Whether a snapshot goes, or would but for a brake.
fn would_go(decision: &SnapshotDecision<'_>) -> bool {
    let is_braked = matches!(decision.verdict, SnapshotVerdict::Keep(KeepReason::Brake { .. }));
    is_braked || brakes::goes(decision).is_some()
}
