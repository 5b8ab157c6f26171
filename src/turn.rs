//! What to do now and when to look again, as values.
//!
//! [`select`] takes from a plan the actions of this turn; the shell (or the simulator) carries them out; [`conclude()`]
//! takes what came of them and says whether the run is done, and if not, after how many seconds to look again.
//!
//! What travels from turn to turn ([`Progress`]) may postpone or stop; it never decides what is made or deleted.

pub mod closer;
mod conclude;
pub mod copies;
pub mod deadline;
mod deletions;
pub mod lifetime;
pub mod look;
pub mod missed;
pub mod progress;
mod remaining;
mod run_wide;
pub mod subject;
#[cfg(test)]
mod tests;
pub mod unsettled;
mod window;

use crate::action::Action;
use crate::options::Options;
use crate::pace::{Api, ByApi};
use crate::place::Region;
use crate::plan::{self, Brake, Plan, TargetDecision, TargetVerdict};
use crate::policy::Policy;
use crate::world::SnapshotState;
pub(crate) use conclude::lacks_backups;
pub use conclude::{Conclusion, RunOutcome, Status, WAITS_SECONDS, conclude};
use jiff::Timestamp;
pub use lifetime::TURNS_MAX;
pub use progress::Progress;
use std::collections::BTreeSet;
use subject::Subject;
pub use window::Window;

/// How many calls of each kind fit into a turn.
pub type Budget = ByApi<usize>;

/// The actions of a turn, and how much is left for the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "actions that nobody carries out are no backup"]
pub struct Selection {
    /// What to do now: creations by target, then deletions, the oldest first.
    pub actions: Vec<Action>,
    /// How many more were ready but did not fit.
    pub left_over: usize,
    /// Set when the run would delete more than it may: it deletes nothing (more).
    pub brake: Option<Brake>,
}

/// Takes this turn's actions from a plan for what a look shows that began at `now`.
pub fn select(
    policy: &Policy,
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    now: Timestamp,
    budget: Budget,
) -> Selection {
    let mut selection = Selection { actions: Vec::new(), left_over: 0, brake: plan.brake };
    if options.dry_run || progress.hidden.is_some() {
        return selection;
    }
    let unsettled = progress.unsettled_at(now, options.settling);
    let mut ready = ready(plan, progress, now, &unsettled);
    let mut budget = budget;
    if progress.is_account_full() {
        // Which one changes from turn to turn, since a set may be too large for the room that there is.
        let place = usize::try_from(progress.turns).unwrap_or(0).checked_rem(ready.len());
        ready.rotate_left(place.unwrap_or(0));
        budget = budget.map(|api, &calls| if api.makes() { calls.min(1) } else { calls });
    }
    let making = Making { policy, options, now };
    select_creations(making, plan, progress, (ready, &unsettled), budget, &mut selection);
    leave_what_cannot_be_remembered(options, &mut selection);
    let is_unsettled = |at: Timestamp| look::may_hide(now, at, options.settling);
    let bound = deletions::Bound::of(options, plan, progress);
    selection.brake = bound.brake().or(selection.brake);
    if bound.brake().is_some() && progress.deleted_at.is_some_and(is_unsettled) {
        // What went may be shown still, and would be counted twice. Nothing goes until the lists must show how it is.
        selection.brake = plan.brake;
        return selection;
    }
    let only_failed = progress.failed_member_deleted.is_some_and(is_unsettled);
    select_deletions(policy, plan, progress, bound, (budget[Api::DeleteSnapshot], only_failed), &mut selection);
    selection
}

/// Adds to a turn's actions those in the Regions that copies go to, for a home Region in which nothing stands against them.
pub fn select_copies(
    policy: &Policy,
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    (home, now): (Option<&Region>, Timestamp),
    selection: &mut Selection,
) {
    if !options.dry_run && progress.hidden.is_none() {
        let deletions = selection.actions.iter().filter(|action| action.api() == Api::DeleteSnapshot).count();
        selection.actions.extend(copies::select(policy, options, plan, progress, (home, now), deletions));
    }
}

/// Leaves creations to a later turn that the next one would not remember: what EC2 does not show then would be made twice. What
/// an earlier turn made is older by the time that this one takes. The actions are creations only.
fn leave_what_cannot_be_remembered(options: &Options, selection: &mut Selection) {
    if options.settling.is_zero() {
        return;
    }
    let mut room = unsettled::UNSETTLED_MAX;
    let fits = selection.actions.iter().take_while(|action| {
        let fits = room > 0;
        room = room.saturating_sub(usize::from(action.is_creation()));
        fits
    });
    let fits = fits.count();
    selection.left_over += selection.actions.len() - fits;
    selection.actions.truncate(fits);
}

/// The creations that may be tried now. Conclude says what becomes of the others, and of what finds no room in the window.
fn ready<'p, 'a>(
    plan: &'p Plan<'a>,
    progress: &Progress,
    now: Timestamp,
    unsettled: &BTreeSet<&str>,
) -> Vec<&'p TargetDecision<'a>> {
    let due = remaining::due_targets(plan);
    let is_ready = |decision: &&TargetDecision<'_>| {
        let TargetVerdict::Create { until, .. } = decision.verdict else { return false };
        let subject = Subject::of_decision(decision);
        !unsettled.contains(subject.hash().as_str()) && progress.may_create(&subject, due, until, now)
    };
    plan.targets.iter().filter(is_ready).collect()
}

/// What creations are planned by.
#[derive(Debug, Clone, Copy)]
struct Making<'a> {
    policy: &'a Policy,
    options: &'a Options,
    now: Timestamp,
}

fn select_creations(
    making: Making<'_>,
    plan: &Plan<'_>,
    progress: &Progress,
    (mut ready, unsettled): (Vec<&TargetDecision<'_>>, &BTreeSet<&str>),
    budget: Budget,
    selection: &mut Selection,
) {
    if let Some(window) = progress.pending_window {
        let pending = window::pending(plan, unsettled);
        ready = window.let_through(&ready, |decision| window::snapshots_of(decision.target), pending, progress.turns);
    }
    let calls_max = budget[plan::call::api(making.policy)];
    selection.left_over += ready.len().saturating_sub(calls_max);
    let ready = ready.into_iter().take(calls_max);
    selection
        .actions
        .extend(ready.filter_map(|decision| plan::call::creation(making.policy, making.options, making.now, decision)));
}

fn select_deletions(
    policy: &Policy,
    plan: &Plan<'_>,
    progress: &Progress,
    bound: deletions::Bound,
    (calls_max, only_failed): (usize, bool),
    selection: &mut Selection,
) {
    let mut to_go = bound.to_go(plan, |subject| !progress.is_deletion_given_up(subject));
    if only_failed {
        let ready = to_go.len();
        to_go.retain(|snapshot| snapshot.state == SnapshotState::Error);
        selection.left_over += ready - to_go.len();
    }
    selection.left_over += to_go.len().saturating_sub(calls_max);
    let deletions = to_go.into_iter().take(calls_max).map(|snapshot| plan::call::deletion(policy, snapshot));
    selection.actions.extend(deletions);
}
