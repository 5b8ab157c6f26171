//! What came of a turn: whether the run is done, what it says, and when to look again.

use super::progress::{Failure, Progress};
use super::remaining::{self, Remaining};
use super::subject::Subject;
use super::unsettled::Begun;
use super::{Selection, copies, lifetime, missed, run_wide, window};
use crate::action::{Action, Failed, FailedKind, Outcome};
use crate::options::{Options, WhenStopped};
use crate::plan::copies::CopyVerdict;
use crate::plan::{
    DeleteReason, Due, Plan, SnapshotDecision, SnapshotVerdict, StandsBack, TargetDecision, TargetVerdict,
};
use crate::tags;
use crate::world::{SnapshotId, Unseen};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// How long to wait before each look while snapshots are pending, in seconds; the last one repeats. The cadence that
/// Amazon DLM shows in CloudTrail.
pub const WAITS_SECONDS: [u32; 4] = [1, 15, 25, 60];

/// The longest wait after a turn that deleted something when more will go: what becomes complete one after the other can be
/// deleted one after the other, and EC2's bucket overflows after 20 s.
const WAIT_BETWEEN_DELETIONS_SECONDS_MAX: u32 = 15;

/// What a turn leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Conclusion {
    /// Whether to call again.
    pub status: Status,
    /// What the next turn gets to know.
    pub progress: Progress,
    /// The actions of this turn with what came of them.
    pub done: Vec<(Action, Outcome)>,
    /// Set when nothing was allowed: the run cannot go on, and this is EC2's first refusal.
    pub denied: Option<Failed>,
}

impl Conclusion {
    /// The snapshots that EC2 deleted in this turn.
    #[must_use]
    pub fn deleted(&self) -> BTreeSet<SnapshotId> {
        let deleted = |(action, outcome): &(Action, Outcome)| match (action, outcome) {
            (Action::DeleteSnapshot(delete), Outcome::Deleted) if delete.of_copy.is_none() => Some(delete.snapshot.id),
            _ => None,
        };
        self.done.iter().filter_map(deleted).collect()
    }
}

/// Whether a run is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing is left to do.
    Done(RunOutcome),
    /// Call again after so many seconds.
    Waiting {
        /// Seconds, 0 when there is more work at once.
        seconds: u32,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOutcome {
    /// Some resource failed.
    Partial,
    /// There was nothing to do, or the time for it was over: nothing due, nobody targeted, missed, disabled, a dry run.
    Skipped,
    /// Every due volume that can have a snapshot has a complete one, and all that had to go went.
    Succeeded,
}

/// Draws the conclusion from a turn: `outcomes` are those of `selection.actions`, in their order.
pub fn conclude(
    options: &Options,
    plan: &Plan<'_>,
    mut progress: Progress,
    selection: Selection,
    outcomes: Vec<Outcome>,
    now: Timestamp,
) -> Conclusion {
    assert_eq!(selection.actions.len(), outcomes.len(), "every action has exactly one outcome");
    let left_over = selection.left_over;
    let done: Vec<(Action, Outcome)> = selection.actions.into_iter().zip(outcomes).collect();
    progress.brake = selection.brake;
    note_older(&mut progress, plan);
    let pending = window::pending(plan, &progress.unsettled_at(now, options.settling));
    progress.pending_window = window::after(progress.pending_window, pending, &done);
    let created_now = note_outcomes(&mut progress, plan, &done, now);
    copies::note(&mut progress, plan, &done, now);
    let left = copies::left(options, plan, &mut progress, &done);
    let remaining = remaining::after(options, plan, &progress, &done, left_over, now);
    progress.turns = progress.turns.saturating_add(1);
    let is_without_own = lacks_own(plan, &progress);
    progress.looks_without_own = if is_without_own { progress.looks_without_own.saturating_add(1) } else { 0 };
    progress.ended = Some(tags::to_the_second(now));
    lifetime::note(&mut progress, &done, remaining.pending + left.under_way);
    if created_now {
        progress.waits = 0;
    }
    let status = if options.dry_run {
        Status::Done(RunOutcome::Skipped)
    } else {
        status(options, plan, &progress, (remaining, left), &done)
    };
    if let Status::Waiting { seconds: seconds @ 1.. } = status {
        progress.waits = progress.waits.saturating_add(1);
        lifetime::note_wait(&mut progress, seconds);
    }
    let has_nothing = remaining.pending == 0 && progress.created == 0 && !plan.targets.iter().any(has_snapshot);
    let denied = if has_nothing { all_denied(&done) } else { None };
    Conclusion { status, progress, done, denied }
}

/// Remembers what was there when the run began, as far as the plan tells.
fn note_older(progress: &mut Progress, plan: &Plan<'_>) {
    progress.older_snapshots = progress.older_snapshots.max(plan.older.snapshots);
    progress.older_volumes = progress.older_volumes.max(plan.older.volumes);
}

/// Counts what was done and remembers what failed. Returns whether a snapshot was created, or perhaps was.
fn note_outcomes(progress: &mut Progress, plan: &Plan<'_>, done: &[(Action, Outcome)], now: Timestamp) -> bool {
    forget_mended(progress, plan);
    let done = || done.iter().filter(|(action, _)| action.region().is_none());
    missed::note(progress, plan);
    let orphans = orphans(plan);
    let left_out_before = std::mem::take(&mut progress.failures_left_out);
    let creations_left_out_before = std::mem::take(&mut progress.creations_left_out);
    let (mut made, mut created, mut postponed) = (0, Vec::new(), Vec::new());
    for (action, outcome) in done() {
        let (name, subject) = (action.api().name(), Subject::of(action));
        let is_creation = action.is_creation();
        if action.deletes_failed_member() && may_be_deleted(outcome) {
            progress.failed_member_deleted = Some(now);
        }
        match outcome {
            Outcome::Created(ids) => {
                progress.created = progress.created.saturating_add(u64::try_from(ids.len()).unwrap_or(u64::MAX));
                made += 1;
                created.extend(ids.iter().map(|&id| Begun::answered(subject.hash(), id)));
                progress.forget_failure(&subject);
                progress.remember_tags_left_out(&subject, action.tags_left_out());
            }
            Outcome::Deleted => {
                progress.deleted = progress.deleted.saturating_add(1);
                progress.deleted_orphans += u64::from(orphans.contains(&subject));
                progress.deleted_at = Some(now);
                progress.forget_failure(&subject);
            }
            // Nothing was changed and nothing is wrong with the resource: it is simply tried again.
            Outcome::Failed(Failed { kind: FailedKind::Throttled | FailedKind::TooManyPending, .. }) if is_creation => {
            }
            // What concerns the whole run is told once.
            Outcome::Failed(failed) if run_wide::is_run_wide(failed.kind) => {}
            Outcome::Failed(failed) => {
                match failed.kind {
                    FailedKind::Unclear if is_creation => {
                        made += 1;
                        created.push(Begun::unanswered(subject.hash()));
                    }
                    FailedKind::TooSoon if is_creation => postponed.push(Begun::unanswered(subject.hash())),
                    _ => {}
                }
                progress.remember_failure(name, subject, failed);
            }
            // Neither a failure nor a deletion: the next turn decides on what EC2 shows then.
            Outcome::Changed(_) | Outcome::NotStarted => {}
        }
    }
    run_wide::note(progress, done());
    if !progress.failures.is_empty() {
        progress.failures_left_out = progress.failures_left_out.max(left_out_before);
        progress.creations_left_out = progress.creations_left_out.max(creations_left_out_before);
    } else {
        // What was left out is told no more either.
        progress.copies.refused.clear();
    }
    created.append(&mut postponed);
    progress.remember_unsettled(created, made, now);
    made > 0
}

/// The deletions of orphans.
fn orphans(plan: &Plan<'_>) -> BTreeSet<Subject> {
    let is_orphan = |decision: &&SnapshotDecision<'_>| {
        matches!(decision.verdict, SnapshotVerdict::Delete(DeleteReason::Orphaned { .. }))
    };
    plan.snapshots.iter().filter(is_orphan).map(|decision| Subject::Deletion(decision.snapshot.id)).collect()
}

/// Whether the snapshot of a deletion may be gone: a lost answer says nothing.
fn may_be_deleted(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Deleted => true,
        Outcome::Failed(failed) => failed.kind == FailedKind::Unclear,
        Outcome::Changed(_) | Outcome::Created(_) | Outcome::NotStarted => false,
    }
}

/// A failure is mended when the plan shows nothing to do about its subject any more.
fn forget_mended(progress: &mut Progress, plan: &Plan<'_>) {
    if progress.failures.is_empty() {
        return;
    }
    let creations = plan
        .targets
        .iter()
        .filter(|d| matches!(d.verdict, TargetVerdict::Create { .. } | TargetVerdict::GiveUp { .. }));
    let creations = creations.map(Subject::of_decision);
    let deletions = plan.snapshots.iter().filter(|d| matches!(d.verdict, SnapshotVerdict::Delete(_)));
    let deletions = deletions.map(|d| Subject::Deletion(d.snapshot.id));
    let abroad = plan.regions.iter().flat_map(|region| {
        let is_told = |verdict: &CopyVerdict<'_>| matches!(verdict, CopyVerdict::GivenUp { is_news: true, .. });
        let wanted = region.wanted.iter().filter(move |wanted| wanted.is_open() || is_told(&wanted.verdict));
        let to_go = region.copies.iter().filter(|d| matches!(d.verdict, SnapshotVerdict::Delete(_)));
        let ids = wanted.map(|wanted| wanted.source.id).chain(to_go.map(|d| d.snapshot.id));
        ids.map(|id| Subject::of_copy(&id, &region.region))
    });
    let open: BTreeSet<Subject> = creations.chain(deletions).chain(abroad).collect();
    let (stay, mended): (Vec<Failure>, Vec<Failure>) =
        std::mem::take(&mut progress.failures).into_iter().partition(|failure| {
            if run_wide::is_of_run(failure) {
                return run_wide::matters(failure, plan, !open.is_empty());
            }
            open.contains(&failure.subject)
        });
    progress.failures = stay;
    for failure in mended {
        progress.copies.forget_refusal(&failure.subject);
    }
}

fn status(
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    (remaining, left): (Remaining, copies::Left),
    done: &[(Action, Outcome)],
) -> Status {
    // That nobody carries a target tag is believed after a second look only.
    let looks_again = plan.lacks_targets && progress.turns < 2 && options.stopped == WhenStopped::Fail;
    let looks_again = looks_again || (1..LOOKS_WITHOUT_OWN_MAX).contains(&progress.looks_without_own);
    let is_open = remaining.is_open() || left.is_open() || looks_again;
    if is_open && lifetime::has_another_turn(options, progress) {
        return Status::Waiting { seconds: seconds(options, plan, progress, (remaining, left), done) };
    }
    // Of what was not observed nobody knows whether it has a backup.
    let is_stale = plan.stands_back.is_some_and(StandsBack::is_failure);
    let has_stopped = progress.brake.is_some() || progress.hidden.is_some() || is_stale;
    let has_stopped = has_stopped || lacks_backups(options, plan, progress);
    let has_failed = is_open || remaining.has_failed() || left.has_failed() || has_stopped || plan.cut_short.is_some();
    let has = |is_wanted: fn(&TargetVerdict<'_>) -> bool| plan.targets.iter().any(|d| is_wanted(&d.verdict));
    let has_backup = has(|verdict| matches!(verdict, TargetVerdict::Exists(_)));
    let has_missed = has(|verdict| matches!(verdict, TargetVerdict::Missed(_)));
    Status::Done(if has_failed {
        RunOutcome::Partial
    } else if has_backup || (progress.deleted + progress.copies.worked() > 0 && !has_missed) {
        RunOutcome::Succeeded
    } else {
        RunOutcome::Skipped
    })
}

/// How many looks in a row have to show nothing of what the run made before it believes them: somebody deleted it.
const LOOKS_WITHOUT_OWN_MAX: u64 = 3;

/// By how much EC2's clock may be behind the function's, where a recent snapshot may be the run's own.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);

/// Whether a recent snapshot explains why a volume of a default policy needs none that may be the run's own, which no list shows: one is
/// empty by mistake then. What others have made for the same start may be shown, so their number tells nothing.
fn lacks_own(plan: &Plan<'_>, progress: &Progress) -> bool {
    let may_be_own = |d: &TargetDecision<'_>| matches!(d.verdict, TargetVerdict::HasRecent { began } if began.duration_since(progress.start) >= -CLOCKS_DIFFER);
    progress.creations > 0 && plan.targets.iter().any(may_be_own)
}

/// Whether backups are missing that were due, so that the run fails. What other runs have made is theirs to tell: of several
/// starts for one time, the one at that very time tells what was missed before, and one that makes its snapshots. Not that one
/// alone: a turn that crashed after its calls leaves nobody who remembers them.
pub(crate) fn lacks_backups(options: &Options, plan: &Plan<'_>, progress: &Progress) -> bool {
    let has_own = plan.due.iter().any(|(_, due)| due.is_now());
    let is_at_its_time =
        |due: &Due| matches!(due, Due::Now { scheduled_time, .. } if *scheduled_time == progress.start);
    let is_first = plan.due.iter().any(|(_, due)| is_at_its_time(due)) || progress.creations > 0;
    let tells_missed = !missed::missed(progress, plan).is_empty() && (!has_own || is_first);
    // Whoever presses the button is no schedule that could be late.
    let is_late = !options.run_now && (plan.stopped > 0 || tells_missed);
    let is_lacking = is_late || plan.meets_nothing.is_some() || plan.lacks_targets;
    options.stopped == WhenStopped::Fail && !options.dry_run && !plan.is_disabled && is_lacking
}

/// How long to wait until the next look.
fn seconds(
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    (remaining, left): (Remaining, copies::Left),
    done: &[(Action, Outcome)],
) -> u32 {
    let is_advancing = done.iter().any(|(_, outcome)| matches!(outcome, Outcome::Created(_) | Outcome::Deleted));
    let has_deleted = done.iter().any(|(_, outcome)| *outcome == Outcome::Deleted);
    if remaining.not_started > 0 && is_advancing && !remaining.was_throttled {
        return 0;
    }
    // The first turn has looked at the home Region only.
    if plan.regions.iter().any(|region| region.unseen.as_ref().is_some_and(Unseen::is_not_yet)) {
        return 0;
    }
    let goes_later = |decision: &SnapshotDecision<'_>| decision.goes_later.is_some();
    let goes_on = has_deleted && plan.snapshots.iter().any(goes_later);
    let for_a_place =
        if waits_for_a_place(options, progress, left) { copies::WAIT_FOR_PLACE_SECONDS } else { u32::MAX };
    if waits_for_slow_copies(progress, (remaining, left)) {
        return copies::WAIT_FOR_SLOW_COPIES_SECONDS;
    }
    wait_seconds(progress.waits)
        .min(if goes_on { WAIT_BETWEEN_DELETIONS_SECONDS_MAX } else { u32::MAX })
        .min(for_a_place)
}

/// Whether copies become complete one after the other and others begin in their places. The run for one of several targets has not the
/// turns for it, and where nothing has moved for an hour a minute more is nothing.
fn waits_for_a_place(options: &Options, progress: &Progress, left: copies::Left) -> bool {
    let idle_max = 3_600 / copies::WAIT_FOR_PLACE_SECONDS;
    left.queued > 0 && left.under_way > 0 && progress.idle_turns < idle_max && !options.is_part()
}

/// Whether nothing is left but to see copies become complete, and none has for a quarter of an hour.
fn waits_for_slow_copies(progress: &Progress, (remaining, left): (Remaining, copies::Left)) -> bool {
    let has_only_copies = !remaining.is_open() && left.queued == 0 && left.deletions == 0;
    has_only_copies && progress.idle_turns >= copies::IDLE_TURNS_UNTIL_SLOW
}

fn wait_seconds(waits: u32) -> u32 {
    let step = usize::try_from(waits).unwrap_or(usize::MAX);
    *WAITS_SECONDS.get(step).or(WAITS_SECONDS.last()).expect("the ladder has steps")
}

fn has_snapshot(decision: &TargetDecision<'_>) -> bool {
    matches!(
        decision.verdict,
        TargetVerdict::Exists(_)
            | TargetVerdict::HasRecent { .. }
            | TargetVerdict::Settling { .. }
            | TargetVerdict::Wait(_)
    )
}

/// The first refusal when there were creations and no call at all was allowed: then it is the role that is wrong, and
/// no later turn will do better.
fn all_denied(done: &[(Action, Outcome)]) -> Option<Failed> {
    let done: Vec<&(Action, Outcome)> = done.iter().filter(|(action, _)| action.region().is_none()).collect();
    let is_denied = |failed: &&Failed| matches!(failed.kind, FailedKind::Denied | FailedKind::Expired);
    let refusals: Vec<&Failed> = done.iter().filter_map(|(_, outcome)| failure_of(outcome)).filter(is_denied).collect();
    let has_expired = refusals.iter().any(|failed| failed.kind == FailedKind::Expired);
    // An expired session begins no more calls.
    let is_tried = |outcome: &Outcome| !(has_expired && *outcome == Outcome::NotStarted);
    let tried = done.iter().filter(|(_, outcome)| is_tried(outcome));
    let (has_creation, tried) = tried.fold((false, 0), |(has, n), (action, _)| (has || action.is_creation(), n + 1));
    if has_creation && refusals.len() == tried { refusals.first().map(|&failed| failed.clone()) } else { None }
}

fn failure_of(outcome: &Outcome) -> Option<&Failed> {
    match outcome {
        Outcome::Failed(failed) => Some(failed),
        Outcome::Changed(_) | Outcome::Created(_) | Outcome::Deleted | Outcome::NotStarted => None,
    }
}
