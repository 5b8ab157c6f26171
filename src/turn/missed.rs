//! Which scheduled times a run has missed, also when it has deleted since what would tell.

use super::progress::{FAILURES_MAX, Progress};
use super::subject::Subject;
use crate::plan::Plan;
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

/// Remembers what is missed by a look before the run deletes anything. With a count of one the run itself deletes the snapshot
/// of the time before, and nothing tells then that there was one.
pub(super) fn note(progress: &mut Progress, plan: &Plan<'_>, deletes: bool) {
    if deletes && progress.missed.is_none() {
        progress.missed = Some(of_plan(plan));
    }
}

/// What a run that ends with this plan has missed, the first ones.
#[must_use]
pub fn missed(progress: &Progress, plan: &Plan<'_>) -> Vec<MissedTime> {
    progress.missed.clone().unwrap_or_else(|| of_plan(plan))
}

fn of_plan(plan: &Plan<'_>) -> Vec<MissedTime> {
    let missed = plan.missed.iter().take(FAILURES_MAX).map(|missed| MissedTime {
        subject: Subject::creation(&missed.schedule.name, missed.source),
        scheduled_time: missed.scheduled_time,
    });
    missed.collect()
}
