//! Runs whose turns between the first and the last look only at what tells how far they are.

use super::*;
use crate::options::MaximumDeletions;
use crate::plan::{KeepReason, SnapshotVerdict};
use crate::sim::Account;
use crate::turn::look::{self, Scope};
use crate::world::Excerpt;
use std::collections::BTreeSet;

const OLD: &str = "2026-11-21T17:00:00Z";
const OLDER: &str = "2026-11-20T17:00:00Z";

fn narrow() -> Options {
    Options { whole_looks_up_to: 0, ..Options::default() }
}

#[test]
fn another_turn_takes_a_minute_of_the_functions_time() {
    let until = |text: &str| has_time_for_another(at(NOW), at(text));
    assert_eq!((until("2026-11-22T17:00:59Z"), until("2026-11-22T17:01:00Z")), (false, true));
    assert!(!has_time_for_another(Timestamp::MAX, Timestamp::MIN));
}

/// Two volumes with two snapshots each, of which a policy that keeps two lets one go.
fn account(takes: SignedDuration) -> Account {
    let mut account = Account::new(2, takes);
    for number in 1..=2 {
        account.add_snapshot(snapshot(number, number, OLDER));
        account.add_snapshot(snapshot(10 + number, number, OLD));
    }
    account
}

fn keeping_two() -> Policy {
    policy(vec![daily("Default Schedule", count(2))])
}

/// What the turn after one with `progress` is asked to see: the first way to look.
fn looks_at(progress: &Progress) -> Option<BTreeSet<Timestamp>> {
    look::sweeps(&keeping_two(), &narrow(), progress).remove(0).scheduled_times
}

#[test]
fn a_run_looks_at_everything_first_and_last_and_ends_as_any_other() {
    let (policy, takes) = (keeping_two(), SignedDuration::from_secs(90));
    let ends = [narrow(), Options::default()].map(|options| {
        let mut account = account(takes);
        let ended = account.run(&policy, &options, start(NOW));
        (ended.outcome, ended.progress.deleted, account.observe(ended.at).snapshots)
    });
    assert_eq!(ends[0], ends[1]);
    assert_eq!((ends[0].0, ends[0].1, ends[0].2.len()), (RunOutcome::Succeeded, 2, 4));

    let mut account = account(takes);
    let mut looks = Vec::new();
    let (mut progress, mut now) = (Progress::new(&start(NOW)), at(NOW));
    loop {
        looks.push(looks_at(&progress).is_some());
        let conclusion = account.turn(&policy, &narrow(), progress, now);
        let Status::Waiting { seconds } = conclusion.status else { break };
        progress = conclusion.progress;
        now += SignedDuration::from_secs(seconds.into());
    }
    assert!(!looks[0] && !looks[looks.len() - 1], "{looks:?}");
    assert!(looks[1..looks.len() - 1].iter().all(|is_excerpt| *is_excerpt), "{looks:?}");
}

/// What the next turn looks at after a first one in a world, whose calls all succeed.
fn scope_after(policy: &Policy, options: &Options, world: &World) -> Option<Scope> {
    let progress = Progress::new(&start(NOW));
    let plan = plan::plan(policy, options, &progress.start(), at(NOW), world);
    let selection = select(policy, options, &plan, &progress, at(NOW), Budget::UNBOUNDED);
    let outcome = |action: &Action| if action.is_creation() { created() } else { Outcome::Deleted };
    let outcomes = selection.actions.iter().map(outcome).collect();
    conclude(options, &plan, progress, selection, outcomes, at(NOW)).progress.scope
}

fn two_volumes() -> World {
    let of = |number: u32| [snapshot(number, number, OLDER), snapshot(10 + number, number, OLD)];
    world([volume(1), volume(2)], [of(1), of(2)].concat())
}

#[test]
fn the_scope_holds_the_due_time_and_those_of_what_goes_later() {
    let scope = scope_after(&keeping_two(), &narrow(), &two_volumes());
    let expected = Scope { due: [at(NOW)].into(), older: [at(OLDER)].into(), shown: 2, volumes: 2, ..Scope::default() };
    assert_eq!(scope, Some(expected));
}

#[test]
fn everything_is_looked_at_again_where_an_excerpt_would_not_tell() {
    let none = |policy: &Policy, options: &Options, world: &World| {
        assert_eq!(scope_after(policy, options, world), None);
    };
    let policy = keeping_two();
    none(&policy, &Options { whole_looks_up_to: 4, ..narrow() }, &two_volumes());
    let cut_short = World { coverage: Coverage::Partial(CutShort::TooManyPages), ..two_volumes() };
    none(&policy, &narrow(), &cut_short);
    none(&policy, &Options { maximum_deletions: MaximumDeletions::Number(1), ..narrow() }, &two_volumes());
    none(&policy, &Options { dry_run: true, ..narrow() }, &two_volumes());
    let mut unreadable = two_volumes();
    unreadable.snapshots[0].marks.scheduled_time = crate::tags::Mark::Absent;
    assert!(scope_after(&policy, &narrow(), &unreadable).is_some(), "what stays whatever happens tells nothing");
    let nothing_to_do = world([volume(1)], [snapshot(1, 1, NOW)]);
    let settled = Options { settling: SignedDuration::ZERO, ..narrow() };
    none(&policy, &settled, &nothing_to_do);
}

#[test]
fn too_many_times_take_a_look_at_everything() {
    let days = |number: u32| {
        let old = (1..=number).map(|day| snapshot(day, 1, &format!("2026-10-{day:02}T17:00:00Z")));
        world([volume(1), volume(2)], old)
    };
    // What goes at once is gone before the next look; what goes later is kept by the floor until the new one is complete.
    let counted = policy(vec![daily("Default Schedule", count(1))]);
    let times = |kept: usize, world: &World| {
        let options = Options { minimum_kept: kept, ..narrow() };
        scope_after(&counted, &options, world).map(|scope| scope.older.len())
    };
    assert_eq!((times(1, &days(3)), times(3, &days(3)), times(30, &days(25))), (Some(1), Some(1), Some(0)));
    let each_its_own = |number: u32| {
        let old = (1..=number).map(|day| snapshot(day, day, &format!("2026-10-{day:02}T17:00:00Z")));
        world((1..=number).map(volume), old)
    };
    assert_eq!((times(1, &each_its_own(19)), times(1, &each_its_own(20))), (Some(19), None), "20 with the due one");
}

#[test]
fn a_time_that_was_missed_is_asked_for_and_a_start_that_an_earlier_one_may_answer_takes_a_look_at_everything() {
    // At seven the daily time of five is missed, and that of the hourly schedule is due.
    let both = policy(vec![daily("Default Schedule", count(2)), every(1, "Hourly", count(2))]);
    let scope_of = |options: &Options, start: &Start| {
        let (progress, world) = (Progress::new(start), two_volumes());
        let plan = plan::plan(&both, options, start, start.begun, &world);
        let selection = select(&both, options, &plan, &progress, start.begun, Budget::UNBOUNDED);
        let outcomes = selection.actions.iter().map(|_| created()).collect();
        let conclusion = conclude(options, &plan, progress, selection, outcomes, start.begun);
        assert!(matches!(conclusion.status, Status::Waiting { .. }));
        conclusion.progress.scope.map(|scope| (scope.due, scope.late))
    };
    let seven = start("2026-11-22T19:00:00Z");
    assert_eq!(scope_of(&narrow(), &seven), Some(([seven.at].into(), [at(NOW)].into())));
    let now = Options { run_now: true, ..narrow() };
    assert_eq!(scope_of(&now, &seven), Some(([seven.at].into(), BTreeSet::new())));
    assert_eq!(scope_of(&now, &Start { origin: crate::options::StartOrigin::Clock, ..seven }), None);
}

#[test]
fn a_brake_waits_until_lists_show_what_went() {
    let one = Options { maximum_deletions: MaximumDeletions::Number(2), ..narrow() };
    // Two went a moment ago, and one of them is shown still.
    let went = |seconds: i64| Progress {
        deleted: 2,
        deleted_at: Some(at(SETTLED) - SignedDuration::from_secs(seconds)),
        ..Progress::new(&start(NOW))
    };
    let turn = |seconds: i64| {
        let mut world = complete(None);
        world.snapshots.remove(0);
        excerpt_turn(&one, &world, went(seconds))
    };
    let (selection, conclusion) = turn(119);
    assert_eq!((selection.actions.len(), selection.brake), (0, None));
    assert!(matches!(conclusion.status, Status::Waiting { .. }) && conclusion.progress.brake.is_none());
    let (selection, conclusion) = turn(120);
    assert_eq!(selection.brake, Some(Brake { planned: 3, allowed: 2 }));
    assert_eq!(conclusion.status, Status::Done(RunOutcome::Partial));
}

#[test]
fn no_more_is_made_at_once_than_is_remembered_until_it_is_settled() {
    let (policy, many) = (sample(), world((1..=3_000).map(volume), []));
    let turn = |options: &Options| {
        let progress = Progress::new(&start(NOW));
        let plan = plan::plan(&policy, options, &progress.start(), at(NOW), &many);
        let selection = select(&policy, options, &plan, &progress, at(NOW), Budget::UNBOUNDED);
        (selection.actions.len(), selection.left_over)
    };
    assert_eq!(turn(&Options::default()), (2_600, 400));
    assert_eq!(turn(&Options { settling: SignedDuration::ZERO, ..Options::default() }), (3_000, 0));
}

fn excerpt_of(volumes: &[u32], left_out: usize) -> Option<Excerpt> {
    Some(Excerpt { in_full: volumes.iter().map(|&number| volume_id(number)).collect(), left_out })
}

/// Both volumes have their new snapshot, and something to delete.
fn complete(excerpt: Option<Excerpt>) -> World {
    let mut world = two_volumes();
    world.snapshots.extend([snapshot(21, 1, NOW), snapshot(22, 2, NOW)]);
    World { excerpt, ..world }
}

fn in_scope() -> Progress {
    let scope = Scope { due: [at(NOW)].into(), older: [at(OLDER)].into(), shown: 4, volumes: 2, ..Scope::default() };
    Progress { scope: Some(scope), shown: 6, older_snapshots: 4, older_volumes: 2, ..Progress::new(&start(NOW)) }
}

/// A turn that looks at an excerpt, and what came of it.
fn excerpt_turn(options: &Options, world: &World, progress: Progress) -> (Selection, Conclusion) {
    let policy = keeping_two();
    let plan = plan::plan(&policy, options, &progress.start(), at(SETTLED), world);
    let selection = select(&policy, options, &plan, &progress, at(SETTLED), Budget::UNBOUNDED);
    let outcomes = selection.actions.iter().map(|_| Outcome::Deleted).collect();
    (selection.clone(), conclude(options, &plan, progress, selection, outcomes, at(SETTLED)))
}

#[test]
fn only_what_was_looked_at_in_full_goes() {
    let world = complete(excerpt_of(&[2], 0));
    let (policy, options) = (keeping_two(), narrow());
    let plan = plan::plan(&policy, &options, &start(NOW), at(SETTLED), &world);
    for decision in &plan.snapshots {
        let is_of_first = decision.snapshot.volume_id == volume_id(1);
        let is_unseen = decision.verdict == SnapshotVerdict::Keep(KeepReason::NotInFull);
        assert_eq!(is_of_first, is_unseen, "{decision:?}");
    }
    let (selection, conclusion) = excerpt_turn(&narrow(), &world, in_scope());
    assert_eq!(selection.actions.len(), 1);
    assert_eq!((conclusion.progress.shown, conclusion.progress.deleted), (5, 1));
}

#[test]
fn a_run_is_never_over_on_the_strength_of_an_excerpt() {
    let (_, last) = excerpt_turn(&narrow(), &complete(excerpt_of(&[1, 2], 0)), in_scope());
    assert_eq!((last.status, last.progress.scope), (Status::Waiting { seconds: 15 }, None));
    let settled = Options { settling: SignedDuration::ZERO, ..narrow() };
    let (_, last) = excerpt_turn(&settled, &complete(excerpt_of(&[1, 2], 0)), in_scope());
    assert_eq!(last.status, Status::Waiting { seconds: 0 }, "lists that lag by nothing show the end at once");
    let (_, more) = excerpt_turn(&narrow(), &complete(excerpt_of(&[1], 1)), in_scope());
    let left = Scope { shown: 3, ..in_scope().scope.unwrap() };
    assert_eq!((more.status, more.progress.scope), (Status::Waiting { seconds: 0 }, Some(left)));
}

#[test]
fn while_snapshots_are_under_way_excerpts_go_on() {
    let mut world = complete(excerpt_of(&[1], 0));
    world.snapshots[5].state = SnapshotState::Pending;
    let (_, conclusion) = excerpt_turn(&narrow(), &world, in_scope());
    assert!(conclusion.progress.scope.is_some());
    assert_eq!(conclusion.status, Status::Waiting { seconds: 1 });
    let later = Progress { waits: 9, ..in_scope() };
    assert_eq!(excerpt_turn(&narrow(), &world, later).1.status, Status::Waiting { seconds: 15 });
}

#[test]
fn an_excerpt_that_meets_the_brake_deletes_nothing_before_a_look_at_everything() {
    let one = Options { maximum_deletions: MaximumDeletions::Number(1), ..narrow() };
    let (selection, conclusion) = excerpt_turn(&one, &complete(excerpt_of(&[1, 2], 0)), in_scope());
    assert_eq!((selection.actions.len(), selection.needs_whole, selection.brake), (0, true, None));
    assert_eq!((conclusion.progress.scope, conclusion.progress.brake), (None, None));
    assert!(matches!(conclusion.status, Status::Waiting { .. }));
    // A per cent of what was there when the run began, of which an excerpt shows a part.
    let half = Options { maximum_deletions: MaximumDeletions::PerCent(50), ..narrow() };
    let gone = Progress { deleted: 5, older_snapshots: 12, ..in_scope() };
    assert!(excerpt_turn(&half, &complete(excerpt_of(&[1], 0)), gone.clone()).0.actions.len() == 1);
    assert!(excerpt_turn(&half, &complete(excerpt_of(&[1], 0)), Progress { deleted: 6, ..gone }).0.needs_whole);
}

#[test]
fn an_excerpt_forgets_no_failed_deletion_that_it_does_not_show() {
    let failure = |subject: Subject| progress::Failure {
        action: "DeleteSnapshot".to_owned(),
        subject,
        code: "Code".to_owned(),
        message: String::new(),
        attempts: 2,
        may_pass: true,
    };
    let unseen = Subject::deletion(&SnapshotId::parse("snap-0123456789abcdef0").unwrap());
    let failures = vec![failure(unseen.clone())];
    let progress = Progress { failures, ..in_scope() };
    let (_, after_excerpt) = excerpt_turn(&narrow(), &complete(excerpt_of(&[1], 1)), progress.clone());
    assert_eq!(after_excerpt.progress.failures.iter().map(|f| &f.subject).collect::<Vec<_>>(), [&unseen]);
    let (_, after_all) = excerpt_turn(&narrow(), &complete(None), progress);
    assert!(after_all.progress.failures.is_empty(), "a look at everything shows that there is nothing left to do");
}
