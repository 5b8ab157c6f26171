//! What is left to do after a turn's actions, and what will not be done any more.

use super::deletions::Bound;
use super::progress::Progress;
use super::subject::Subject;
use crate::action::{Action, FailedKind, Outcome};
use crate::options::Options;
use crate::plan::{Plan, TargetVerdict};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What is still to be done after a turn's actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Remaining {
    /// Creations that another turn should try.
    pub(super) creations: usize,
    /// Creations that will not be tried again, and targets whose snapshots keep failing.
    pub(super) creations_failed: usize,
    /// Deletions that another turn should try.
    pub(super) deletions: usize,
    /// Deletions that will not be tried again in this run.
    pub(super) deletions_failed: usize,
    /// Due snapshots that are under way.
    pub(super) pending: usize,
    /// Calls that the turn had no time for, or that EC2 had no room for.
    pub(super) not_started: usize,
    /// Whether EC2 had too many calls, or too many pending snapshots.
    pub(super) was_throttled: bool,
}

impl Remaining {
    /// Whether another turn has something to do or to look at.
    pub(super) fn is_open(&self) -> bool {
        self.creations > 0 || self.deletions > 0 || self.pending > 0
    }

    /// Whether something was not done and will not be.
    pub(super) fn has_failed(&self) -> bool {
        self.creations_failed > 0 || self.deletions_failed > 0
    }
}

/// How many targets are due by the start, whatever was decided about them.
pub(super) fn due_targets(plan: &Plan<'_>) -> usize {
    plan.targets.iter().filter(|decision| !matches!(decision.verdict, TargetVerdict::Missed(_))).count()
}

/// What is left after the actions that were `done`, with so many more that did not fit into the turn.
pub(super) fn after(
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    done: &[(Action, Outcome)],
    left_over: usize,
    now: Timestamp,
) -> Remaining {
    let mut remaining = Remaining { not_started: left_over, ..Remaining::default() };
    let done = || done.iter().filter(|(action, _)| action.region().is_none());
    for (_, outcome) in done() {
        match outcome {
            Outcome::NotStarted => remaining.not_started += 1,
            Outcome::Failed(failed) => match failed.kind {
                FailedKind::Throttled | FailedKind::TooManyPending => remaining.was_throttled = true,
                FailedKind::AccountFull
                | FailedKind::Denied
                | FailedKind::Expired
                | FailedKind::Refused
                | FailedKind::TooSoon
                | FailedKind::Unclear => {}
            },
            Outcome::Created(ids) => remaining.pending += ids.len(),
            // What changed counts among the deletions that are left: another turn looks at it.
            Outcome::Changed(_) | Outcome::Deleted => {}
        }
    }
    let of = |is_wanted: fn(&Outcome) -> bool| -> BTreeSet<Subject> {
        let wanted = done().filter(|(_, outcome)| is_wanted(outcome));
        wanted.map(|(action, _)| Subject::of(action)).collect()
    };
    let finished = of(|outcome| matches!(outcome, Outcome::Created(_) | Outcome::Deleted));
    count_targets(options, plan, progress, &finished, now, &mut remaining);
    let refused = of(
        |outcome| matches!(outcome, Outcome::Failed(failed) if matches!(failed.kind, FailedKind::Denied | FailedKind::Refused)),
    );
    if progress.hidden.is_none() {
        // A call that was throttled in the end may have got no answer before: the SDK tries again by itself.
        let unclear = of(
            |outcome| matches!(outcome, Outcome::Failed(failed) if matches!(failed.kind, FailedKind::Throttled | FailedKind::Unclear)),
        );
        let bound = Bound::of(options, plan, progress);
        count_deletions(plan, progress, bound, &finished, (&refused, &unclear), &mut remaining);
    }
    remaining
}

fn count_targets(
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    finished: &BTreeSet<Subject>,
    now: Timestamp,
    remaining: &mut Remaining,
) {
    let unsettled = progress.unsettled_at(now, options.settling);
    let due = due_targets(plan);
    for decision in &plan.targets {
        match decision.verdict {
            TargetVerdict::Create { until, .. } => {
                let subject = Subject::of_decision(decision);
                if finished.contains(&subject) {
                    continue;
                }
                let may_come =
                    unsettled.contains(subject.hash().as_str()) || progress.may_create(&subject, due, until, now);
                if may_come && progress.hidden.is_none() {
                    remaining.creations += 1;
                } else {
                    remaining.creations_failed += 1;
                }
            }
            TargetVerdict::Fail(_) | TargetVerdict::GiveUp { .. } => remaining.creations_failed += 1,
            // Only what is due by this start: what an earlier run began is for the next one to see complete, or a
            // snapshot that hangs would hold up every run after it.
            TargetVerdict::Settling { .. } | TargetVerdict::Wait(_) => remaining.pending += 1,
            // The recent one may be the run's own, which the list of ours does not show yet. And beside one that is
            // there the run may have made another, when an earlier look was cut short.
            TargetVerdict::Exists(_) | TargetVerdict::HasRecent { .. } => {
                let subject = Subject::of_decision(decision);
                remaining.pending += usize::from(unsettled.contains(subject.hash().as_str()));
            }
            TargetVerdict::Coincides { .. } | TargetVerdict::Missed(_) | TargetVerdict::Skip(_) => {}
        }
    }
}

fn count_deletions(
    plan: &Plan<'_>,
    progress: &Progress,
    bound: Bound,
    finished: &BTreeSet<Subject>,
    (refused, unclear): (&BTreeSet<Subject>, &BTreeSet<Subject>),
    remaining: &mut Remaining,
) {
    let to_go = bound.to_go(plan, |subject| !finished.contains(subject));
    for subject in to_go.into_iter().map(|snapshot| Subject::Deletion(snapshot.id)) {
        // What was refused just now stays refused, remembered or not: with more failures than can be carried, a run
        // must end all the same.
        // And of what got no answer just now, the last try included, nobody knows before another look whether it is gone.
        let is_given_up = progress.is_deletion_given_up(&subject) && !unclear.contains(&subject);
        if refused.contains(&subject) || is_given_up {
            remaining.deletions_failed += 1;
        } else {
            remaining.deletions += 1;
        }
    }
}
