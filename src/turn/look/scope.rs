//! What the turns between the first and the last look at, as it travels from turn to turn.

use super::number_of;
use crate::action::{Action, Outcome};
use crate::options::Options;
use crate::plan::{Due, Plan};
use crate::turn::Progress;
use crate::turn::remaining::Remaining;
use crate::world::SourceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which scheduled times tell how far a run is. It postpones at most: what is made or deleted is decided by what EC2 shows, and
/// the run is not over before a look at everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Scope {
    /// The scheduled times that are due.
    pub due: BTreeSet<Timestamp>,
    /// Those of the snapshots that go once the new ones are complete.
    pub older: BTreeSet<Timestamp>,
    /// How many snapshots that answer them the last turn left behind.
    pub shown: u64,
    /// How many volumes are targeted.
    pub volumes: u64,
}

/// How many scheduled times may be asked for. A run pushes out one of each schedule, of which there are four, and those of runs
/// that failed before it. EC2 takes 200 values in a filter.
const TIMES_MAX: usize = 20;

impl Scope {
    /// What the next turn looks at when the run goes on: `None` for everything. `before` is what was known before this turn,
    /// which has `done` something.
    pub(in crate::turn) fn after(
        before: &Progress,
        options: &Options,
        plan: &Plan<'_>,
        remaining: Remaining,
        done: &[(Action, Outcome)],
    ) -> Option<Self> {
        let has_work = remaining.creations > 0 || remaining.pending > 0;
        let is_sure = plan.cut_short.is_none() && plan.brake.is_none() && before.brake.is_none();
        if !is_sure {
            return None;
        }
        let mut scope = match plan.excerpt {
            None => Self::of_everything(options, plan).filter(|_| has_work && remaining.deletions == 0)?,
            Some(excerpt) => {
                let has_deleted = done.iter().any(|(_, outcome)| *outcome == Outcome::Deleted);
                let has_more = remaining.deletions > 0 || (excerpt.left_out > 0 && has_deleted);
                before.scope.clone().filter(|_| has_work || has_more)?
            }
        };
        let is_shown = |at: Option<&Timestamp>| at.is_some_and(|at| scope.due.contains(at) || scope.older.contains(at));
        let shown = plan.snapshots.iter().filter(|decision| is_shown(decision.snapshot.marks.scheduled_time.value()));
        let is_deleted = |(action, outcome): &&(Action, Outcome)| {
            let Action::DeleteSnapshot(delete) = action else { return false };
            *outcome == Outcome::Deleted && is_shown(delete.snapshot.marks.scheduled_time.value())
        };
        scope.shown = number_of(shown.count().saturating_sub(done.iter().filter(is_deleted).count()));
        let volumes: BTreeSet<SourceId> = plan.targets.iter().map(|decision| decision.target.id()).collect();
        scope.volumes = number_of(volumes.len());
        Some(scope)
    }

    /// What a plan for everything leaves to be seen.
    fn of_everything(options: &Options, plan: &Plan<'_>) -> Option<Self> {
        if plan.snapshots.len() <= options.whole_looks_up_to {
            return None;
        }
        let due: Option<Vec<Option<Timestamp>>> = plan.due.iter().map(|(_, due)| time_of(*due)).collect();
        let due: BTreeSet<Timestamp> = due?.into_iter().flatten().collect();
        let later = plan.snapshots.iter().filter(|decision| decision.goes_later.is_some());
        let older: Option<BTreeSet<Timestamp>> =
            later.map(|decision| decision.snapshot.marks.scheduled_time.value().copied()).collect();
        let older = older?;
        let is_bounded = !due.is_empty() && due.len() + older.len() <= TIMES_MAX;
        is_bounded.then_some(Self { due, older, shown: 0, volumes: 0 })
    }
}

/// The one scheduled time by which it shows whether a schedule has its snapshots, `Some(None)` where none is due; `None` where
/// there are several.
fn time_of(due: Due) -> Option<Option<Timestamp>> {
    match due {
        Due::Late { .. } => None,
        Due::Nothing => Some(None),
        Due::Now { scheduled_time, answered_from, .. } => {
            (answered_from == scheduled_time).then_some(Some(scheduled_time))
        }
    }
}
