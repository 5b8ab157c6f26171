//! Which scheduled times a run has missed, also when what would tell has been deleted since.

use super::progress::{FAILURES_MAX, Progress};
use super::subject::Subject;
use crate::plan::{Plan, doubt};
use crate::world::{SnapshotState, SourceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A scheduled time that a target has no snapshot for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct MissedTime {
    /// The target and the schedule.
    pub subject: Subject,
    /// The time.
    pub scheduled_time: Timestamp,
}

/// Remembers what is missed by the first look that shows targets and snapshots from before the run: what it made itself it asks for by
/// its ids, and a list that is empty by mistake shows nothing else. With a count of one the run itself, or another for the
/// same start, deletes the snapshot of the time before, and nothing tells then that there was one.
pub(super) fn note(progress: &mut Progress, plan: &Plan<'_>) {
    let shows_older = || plan.snapshots.iter().any(|decision| decision.snapshot.start_time < progress.begun);
    if progress.missed.is_none() && plan.cut_short.is_none() && plan.targeted > 0 && shows_older() {
        progress.missed = Some(of_plan(plan));
    }
}

/// What a run that ends with this plan has missed, the first ones. What a later look shows was not, unless its tags are in doubt.
#[must_use]
pub fn missed(progress: &Progress, plan: &Plan<'_>) -> Vec<MissedTime> {
    let Some(missed) = &progress.missed else { return of_plan(plan) };
    let is_there = |missed: &&MissedTime| {
        let Subject::Creation { target, .. } = &missed.subject else { return false };
        plan.snapshots.iter().map(|decision| decision.snapshot).any(|snapshot| {
            let is_of_target = match target {
                SourceId::Instance(id) => snapshot.marks.instance_id.value() == Some(id),
                SourceId::Volume(id) => snapshot.volume_id == *id,
            };
            let is_for_time = snapshot.marks.scheduled_time.value() == Some(&missed.scheduled_time);
            is_of_target && is_for_time && snapshot.state != SnapshotState::Error && doubt(snapshot).is_none()
        })
    };
    let of_plan = of_plan(plan);
    missed.iter().filter(|missed| of_plan.contains(missed) || !is_there(missed)).cloned().collect()
}

fn of_plan(plan: &Plan<'_>) -> Vec<MissedTime> {
    let missed = plan.missed.iter().take(FAILURES_MAX).map(|missed| MissedTime {
        subject: Subject::creation(&missed.schedule.name, missed.source),
        scheduled_time: missed.scheduled_time,
    });
    missed.collect()
}
