//! What the turns between the first and the last look at, as it travels from turn to turn.

use super::number_of;
use crate::action::{Action, Outcome};
use crate::options::{Options, Start};
use crate::plan::{Due, Plan, due};
use crate::policy::Policy;
use crate::turn::Progress;
use crate::turn::remaining::Remaining;
use crate::world::SourceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which scheduled times tell how far a run is. It postpones at most: what is made or deleted is decided by what EC2 shows, and
/// the run is not over before a look at everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Scope {
    /// The scheduled times that are due.
    pub due: BTreeSet<Timestamp>,
    /// The latest ones of schedules whose start window is over: whether a target missed one is told by its snapshots.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub late: BTreeSet<Timestamp>,
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
    /// All scheduled times that are asked for.
    #[must_use]
    pub fn times(&self) -> BTreeSet<Timestamp> {
        [&self.due, &self.late, &self.older].into_iter().flatten().copied().collect()
    }

    /// Whether every time is asked for by which the plan tells what to make. What travels must not decide: a scope without one
    /// of them would hide the snapshots that answer it, and they would be made again.
    pub(super) fn holds_what_is_due(&self, policy: &Policy, options: &Options, start: &Start) -> bool {
        policy.schedules.iter().all(|schedule| match due::of(schedule, options, start) {
            Due::Late { scheduled_time } => self.late.contains(&scheduled_time),
            Due::Nothing => true,
            Due::Now { scheduled_time, answered_from, .. } => {
                answered_from == scheduled_time && self.due.contains(&scheduled_time)
            }
        })
    }

    /// Whether snapshots that answer this time are asked for.
    #[must_use]
    pub fn asks_for(&self, time: &Timestamp) -> bool {
        [&self.due, &self.late, &self.older].into_iter().any(|times| times.contains(time))
    }

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
        let is_shown = |at: Option<&Timestamp>| at.is_some_and(|at| scope.asks_for(at));
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
        let mut scope = Self::default();
        for &(_, due) in &plan.due {
            match due {
                Due::Late { scheduled_time } => {
                    scope.late.insert(scheduled_time);
                }
                Due::Nothing => {}
                Due::Now { scheduled_time, answered_from, .. } if answered_from == scheduled_time => {
                    scope.due.insert(scheduled_time);
                }
                // Any time between the two may have been answered.
                Due::Now { .. } => return None,
            }
        }
        let later = plan.snapshots.iter().filter(|decision| decision.goes_later.is_some());
        let older: Option<BTreeSet<Timestamp>> =
            later.map(|decision| decision.snapshot.marks.scheduled_time.value().copied()).collect();
        scope.older = older?;
        let is_bounded = scope.due.len() + scope.late.len() + scope.older.len() <= TIMES_MAX;
        (!scope.due.is_empty() && is_bounded).then_some(scope)
    }
}
