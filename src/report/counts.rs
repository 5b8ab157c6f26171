//! What a finished run comes to in numbers, beside what the report has always counted.
//!
//! Promise: they are zero as long as the run goes on, so whoever adds up reports adds each run once.

use super::FailureReport;
use crate::plan::{Plan, TargetVerdict};
use crate::turn::progress::Progress;
use crate::turn::{RunOutcome, Status};
use crate::world::{Snapshot, SnapshotState};
use serde::{Deserialize, Serialize};

/// What the metrics need of a run and the rest of its report does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Counts {
    /// How many volumes or instances carry a target tag.
    pub targeted: u64,
    /// How many of the snapshots that the run created are complete.
    pub completed: u64,
    /// How many due volumes or instances, for each of their schedules, have no complete snapshot at the end.
    pub not_created: u64,
    /// How many snapshots were to be deleted and could not be.
    pub not_deleted: u64,
}

impl Counts {
    /// The numbers of a run that has come so far; `failures` are all that are told one by one.
    pub(super) fn of(plan: &Plan<'_>, progress: &Progress, status: Status, failures: &[FailureReport]) -> Self {
        let Status::Done(outcome) = status else { return Self::default() };
        let not_created = match outcome {
            RunOutcome::Partial => plan.targets.iter().filter(|decision| lacks_snapshot(&decision.verdict)).count(),
            RunOutcome::Skipped | RunOutcome::Succeeded => 0,
        };
        let is_of_run = |snapshot: &Snapshot| {
            let called = snapshot.marks.stamp.value().map(|stamp| stamp.called);
            snapshot.state == SnapshotState::Completed && called.is_some_and(|called| called >= progress.begun)
        };
        let completed = plan.snapshots.iter().filter(|decision| is_of_run(decision.snapshot)).count();
        let deletions = failures.iter().filter(|failure| failure.is_of_one_deletion()).count();
        let left_out = progress.failures_left_out.saturating_sub(progress.creations_left_out);
        Self {
            targeted: number(plan.targeted),
            // Another run of the policy may have been at work at the same time.
            completed: number(completed).min(progress.created),
            not_created: number(not_created),
            not_deleted: number(deletions).saturating_add(left_out),
        }
    }

    /// These and those of another run.
    pub(super) fn add(&mut self, more: &Self) {
        let Self { targeted, completed, not_created, not_deleted } = more;
        self.targeted = self.targeted.saturating_add(*targeted);
        self.completed = self.completed.saturating_add(*completed);
        self.not_created = self.not_created.saturating_add(*not_created);
        self.not_deleted = self.not_deleted.saturating_add(*not_deleted);
    }
}

/// Whether a target that was due has no complete snapshot at the end of a run that did not come to its end.
fn lacks_snapshot(verdict: &TargetVerdict<'_>) -> bool {
    match verdict {
        TargetVerdict::Create { .. }
        | TargetVerdict::Fail(_)
        | TargetVerdict::GiveUp { .. }
        | TargetVerdict::Wait(_) => true,
        TargetVerdict::Coincides { .. }
        | TargetVerdict::Exists(_)
        | TargetVerdict::HasRecent { .. }
        | TargetVerdict::Missed(_)
        | TargetVerdict::Settling { .. }
        | TargetVerdict::Skip(_) => false,
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
