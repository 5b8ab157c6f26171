//! What to do now and when to look again, as values.
//!
//! [`select`] takes from a plan the actions of this turn; the shell (or the simulator) carries them out; [`conclude()`]
//! takes what came of them and says whether the run is done, and if not, after how many seconds to look again.
//!
//! What travels from turn to turn ([`Progress`]) may postpone or stop; it never decides what is made or deleted.

mod batch;
mod conclude;
pub mod lifetime;
pub mod look;
pub mod progress;
mod remaining;
mod run_wide;
#[cfg(test)]
mod tests;
mod window;

use crate::action::{Action, DeleteSnapshot};
use crate::options::Options;
use crate::plan::{self, Brake, Plan, SnapshotVerdict, TargetDecision, TargetVerdict};
use crate::policy::{Policy, Targets};
use crate::world::{Instance, InstanceId, SnapshotState};
pub use conclude::{Conclusion, RunOutcome, Status, WAITS_SECONDS, conclude};
use jiff::{SignedDuration, Timestamp};
pub use lifetime::TURNS_MAX;
pub use progress::Progress;
use progress::Subject;
use std::collections::BTreeSet;
pub use window::Window;

/// How many calls of each kind fit into the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// CreateSnapshot calls.
    pub creations_max: usize,
    /// CreateSnapshots calls.
    pub set_creations_max: usize,
    /// DeleteSnapshot calls.
    pub deletions_max: usize,
}

/// The actions of a turn, and how much is left for the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "actions that nobody carries out are no backup"]
pub struct Selection {
    /// What to do now: creations for several volumes, the most first, then those by target, then deletions, the oldest
    /// first.
    pub actions: Vec<Action>,
    /// How many more were ready but did not fit.
    pub left_over: usize,
    /// Set when the run would delete more than it may: it deletes nothing (more).
    pub brake: Option<Brake>,
    /// Set when what an excerpt shows would be more than it may: it deletes nothing before a look at everything.
    pub needs_whole: bool,
}

/// What an invocation must have left to begin another turn: a look at a large account takes half of it, and less than the
/// tokens that flow in meanwhile is not worth one.
const ANOTHER_TURN_MIN: SignedDuration = SignedDuration::from_secs(60);

/// Whether a turn that leaves work for at once is followed by another one in the same invocation, whose calls end by `until`.
#[must_use]
pub fn has_time_for_another(now: Timestamp, until: Timestamp) -> bool {
    until.duration_since(now) >= ANOTHER_TURN_MIN
}

/// The instances that have to be looked at before [`select_on`]: those whose volumes may get their snapshots together. None
/// without `Options.Batch`.
#[must_use]
pub fn hosts(
    policy: &Policy,
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    now: Timestamp,
    budget: Budget,
) -> Vec<InstanceId> {
    if options.dry_run || !batch::is_on(policy, options, progress) {
        return Vec::new();
    }
    let unsettled = progress.unsettled_at(now, options.settling);
    batch::hosts(policy, plan, progress, ready(plan, progress, now, &unsettled), budget)
}

/// Takes this turn's actions from a plan, each target's by itself.
pub fn select(
    policy: &Policy,
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    now: Timestamp,
    budget: Budget,
) -> Selection {
    select_on(policy, options, plan, progress, now, budget, &[])
}

/// Takes this turn's actions from a plan. `hosts` are the instances that [`hosts()`] asked for, as they were seen; what was
/// not seen is no obstacle, its volumes go one by one.
pub fn select_on(
    policy: &Policy,
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    now: Timestamp,
    budget: Budget,
    hosts: &[Instance],
) -> Selection {
    let mut selection = Selection { actions: Vec::new(), left_over: 0, brake: plan.brake, needs_whole: false };
    if options.dry_run {
        return selection;
    }
    let unsettled = progress.unsettled_at(now, options.settling);
    let mut ready = ready(plan, progress, now, &unsettled);
    let mut budget = budget;
    if progress.is_account_full() {
        // Which one changes from turn to turn, since a set may be too large for the room that there is.
        let place = usize::try_from(progress.turns).unwrap_or(0).checked_rem(ready.len());
        ready.rotate_left(place.unwrap_or(0));
        budget = Budget {
            creations_max: budget.creations_max.min(1),
            set_creations_max: budget.set_creations_max.min(1),
            ..budget
        };
    }
    if batch::is_on(policy, options, progress) {
        batch::select(policy, plan, progress, (ready, hosts), budget, &mut selection);
    } else {
        select_creations(policy, plan, progress, (ready, &unsettled), budget, &mut selection);
    }
    leave_what_cannot_be_remembered(options, &mut selection);
    // An instant far ahead of the clock says nothing, and nobody waits for it.
    let is_unsettled = |at: Timestamp| now.duration_since(at).abs() < options.settling;
    if selection.brake.is_none() {
        selection.brake = brake_of_run(options, plan, progress);
        if selection.brake.is_some() && progress.deleted_at.is_some_and(is_unsettled) {
            // What went may be shown still, and would be counted twice. Nothing goes until the lists must show how it is.
            selection.brake = None;
            selection.needs_whole = plan.excerpt.is_some();
            return selection;
        }
    }
    if plan.excerpt.is_some() && selection.brake.take().is_some() {
        selection.needs_whole = true;
        return selection;
    }
    if selection.brake.is_none() {
        let only_failed = progress.failed_member_deleted.is_some_and(is_unsettled);
        select_deletions(policy, plan, progress, (budget.deletions_max, only_failed), &mut selection);
    }
    selection
}

/// Leaves creations to a later turn that the next one would not remember: what EC2 does not show then would be made twice. What
/// an earlier turn made is older by the time that this one takes. The actions are creations only.
fn leave_what_cannot_be_remembered(options: &Options, selection: &mut Selection) {
    if options.settling.is_zero() {
        return;
    }
    let mut room = progress::UNSETTLED_MAX;
    let fits = selection.actions.iter().take_while(|action| {
        let subjects = Subject::all_of(action).len();
        let fits = subjects <= room;
        room = room.saturating_sub(subjects);
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

fn select_creations(
    policy: &Policy,
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
    let calls_max = match policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => budget.creations_max,
        Targets::Instances { .. } => budget.set_creations_max,
    };
    selection.left_over += ready.len().saturating_sub(calls_max);
    let ready = ready.into_iter().take(calls_max);
    selection.actions.extend(ready.filter_map(|decision| plan::call::creation(policy, decision)));
}

/// The plan's own brake sees what is there now; this one counts what the run has deleted already.
fn brake_of_run(options: &Options, plan: &Plan<'_>, progress: &Progress) -> Option<Brake> {
    let deleted = usize::try_from(progress.deleted).unwrap_or(usize::MAX);
    let goes =
        |d: &&plan::SnapshotDecision<'_>| matches!(d.verdict, SnapshotVerdict::Delete(_)) || d.goes_later.is_some();
    let planned = deleted.saturating_add(plan.snapshots.iter().filter(goes).count());
    let (snapshots, volumes) = older_of_run(plan, progress, deleted);
    let allowed = options.maximum_deletions.allowed(snapshots, volumes);
    (planned > allowed).then_some(Brake { planned, allowed })
}

/// How many snapshots and volumes of ours there were when the run began.
fn older_of_run(plan: &Plan<'_>, progress: &Progress, deleted: usize) -> (usize, usize) {
    if plan.excerpt.is_some() {
        // What the first look at everything showed, of volumes that are still targeted.
        return (progress.older_snapshots, progress.older_volumes.min(plan.targets.len()));
    }
    // A volume whose last older one has gone in this run is none that the plan counts; it took a deletion for each.
    let gone = progress.older_volumes.saturating_sub(plan.older.volumes).min(deleted);
    (plan.older.snapshots.saturating_add(deleted), plan.older.volumes.saturating_add(gone))
}

fn select_deletions(
    policy: &Policy,
    plan: &Plan<'_>,
    progress: &Progress,
    (calls_max, only_failed): (usize, bool),
    selection: &mut Selection,
) {
    let is_to_go = |decision: &&plan::SnapshotDecision<'_>| {
        matches!(decision.verdict, SnapshotVerdict::Delete(_))
            && !progress.is_deletion_given_up(&Subject::deletion(&decision.snapshot.id))
    };
    let mut to_go: Vec<_> = plan.snapshots.iter().filter(is_to_go).map(|decision| decision.snapshot).collect();
    if only_failed {
        let ready = to_go.len();
        to_go.retain(|snapshot| snapshot.state == SnapshotState::Error);
        selection.left_over += ready - to_go.len();
    }
    to_go.sort_by_key(|snapshot| (snapshot.marks.scheduled_time.value(), snapshot.start_time, &snapshot.id));
    selection.left_over += to_go.len().saturating_sub(calls_max);
    let deletions = to_go.into_iter().take(calls_max).map(|snapshot| {
        Action::DeleteSnapshot(DeleteSnapshot { policy_id: policy.id.clone(), snapshot: snapshot.clone() })
    });
    selection.actions.extend(deletions);
}
