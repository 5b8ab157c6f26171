//! Tables: a plan, what came of its actions, and what the turn leads to.

mod failed;
mod waits;

use super::*;
use crate::action::{Failed, FailedKind, Outcome};
use crate::fixtures::*;
use crate::options::Start;
use crate::world::{Coverage, CutShort, Snapshot, SnapshotId, Volume, World};
use jiff::SignedDuration;

const NOW: &str = "2026-11-22T17:00:00Z";
/// When EC2 shows all that was begun at `NOW`.
const SETTLED: &str = "2026-11-22T17:02:00Z";

fn failed(kind: FailedKind) -> Outcome {
    Outcome::Failed(Failed { kind, code: "Code".to_owned(), message: "why".to_owned() })
}

fn created() -> Outcome {
    Outcome::Created(vec![SnapshotId::parse("snap-00000000000000001").unwrap()])
}

/// One turn of the sample policy at `now`, in which every action has the same outcome.
/// So many creations and deletions.
fn budget(creations: usize, deletions: usize) -> Budget {
    let mut budget = Budget::default();
    (budget[Api::CreateSnapshot], budget[Api::DeleteSnapshot]) = (creations, deletions);
    budget
}

fn turn_at(now: Timestamp, world: &World, progress: Progress, budget: Budget, outcome: &Outcome) -> Conclusion {
    let (policy, options) = (sample(), Options::default());
    let plan = plan::plan(&policy, &options, &progress.start(), now, world);
    let selection = select(&policy, &options, &plan, &progress, now, budget);
    let outcomes = selection.actions.iter().map(|_| outcome.clone()).collect();
    conclude(&options, &plan, progress, selection, outcomes, now)
}

fn first_turn(world: &World, outcome: &Outcome) -> Conclusion {
    turn_at(at(SETTLED), world, Progress::new(&start(NOW)), Budget::UNBOUNDED, outcome)
}

#[track_caller]
fn check(world: &World, outcome: &Outcome, expected: Status) {
    assert_eq!(first_turn(world, outcome).status, expected);
}

#[test]
fn a_turn_that_created_looks_again_after_a_second() {
    check(&world([volume(1)], []), &created(), Status::Waiting { seconds: 1 });
}

#[test]
fn a_failure_that_may_pass_is_tried_again() {
    for kind in [FailedKind::Refused, FailedKind::Throttled, FailedKind::Unclear] {
        check(&world([volume(1)], []), &failed(kind), Status::Waiting { seconds: 1 });
    }
}

#[test]
fn with_everything_complete_the_run_succeeded() {
    let world = world([volume(1)], [snapshot(1, 1, NOW)]);
    check(&world, &created(), Status::Done(RunOutcome::Succeeded));
}

#[test]
fn with_nobody_targeted_nothing_was_done() {
    check(&world([], []), &created(), Status::Done(RunOutcome::Skipped));
}

#[test]
fn the_waits_are_those_of_amazon_dlm() {
    let world = world([volume(1)], [snapshot(1, 1, NOW).pending()]);
    let mut progress = Progress::new(&start(NOW));
    let mut waits = Vec::new();
    for _ in 0..6 {
        let conclusion = turn_at(at(NOW), &world, progress, Budget::UNBOUNDED, &created());
        let Status::Waiting { seconds } = conclusion.status else { panic!("{:?}", conclusion.status) };
        waits.push(seconds);
        progress = conclusion.progress;
    }
    assert_eq!(waits, [1, 15, 25, 60, 60, 60]);
}

#[test]
fn work_that_did_not_fit_into_the_turn_goes_on_at_once() {
    let world = world([volume(1), volume(2), volume(3)], []);
    let budget = budget(2, 0);
    let conclusion = turn_at(at(NOW), &world, Progress::new(&start(NOW)), budget, &created());
    assert_eq!(conclusion.done.len(), 2);
    assert_eq!(conclusion.status, Status::Waiting { seconds: 0 });
}

#[test]
fn a_turn_that_could_begin_nothing_does_not_spin() {
    check(&world([volume(1)], []), &Outcome::NotStarted, Status::Waiting { seconds: 1 });
}

#[test]
fn what_was_created_is_not_created_again_while_ec2_may_not_list_it() {
    let world = world([volume(1)], []);
    for outcome in [created(), failed(FailedKind::Unclear)] {
        let progress = first_turn(&world, &outcome).progress;
        let soon = at(SETTLED) + SignedDuration::from_secs(120);
        let unlisted = turn_at(soon, &world, progress.clone(), Budget::UNBOUNDED, &created());
        assert_eq!(unlisted.done, vec![]);
        assert!(matches!(unlisted.status, Status::Waiting { seconds: 1.. }));
        let later = at(SETTLED) + SignedDuration::from_secs(121);
        assert_eq!(turn_at(later, &world, progress, Budget::UNBOUNDED, &created()).done.len(), 1);
    }
}

#[test]
fn what_had_no_time_goes_on_at_once_unless_ec2_has_had_enough() {
    let status = |second: Outcome| {
        let (policy, options, progress) = (sample(), Options::default(), Progress::new(&start(NOW)));
        let world = world([volume(1), volume(2), volume(3)], []);
        let plan = plan::plan(&policy, &options, &progress.start(), at(SETTLED), &world);
        let selection = select(&policy, &options, &plan, &progress, at(SETTLED), Budget::UNBOUNDED);
        let outcomes = vec![created(), second, Outcome::NotStarted];
        conclude(&options, &plan, progress, selection, outcomes, at(SETTLED)).status
    };
    assert_eq!(status(created()), Status::Waiting { seconds: 0 });
    assert_eq!(status(failed(FailedKind::Refused)), Status::Waiting { seconds: 0 });
    assert_eq!(status(failed(FailedKind::Throttled)), Status::Waiting { seconds: 1 });
}

#[test]
fn five_tries_for_each_target_are_counted_for_all_targets_together() {
    let (policy, options) = (sample(), Options::default());
    let world = world([volume(1), volume(2), volume(3)], []);
    let selected = |creations| {
        let progress = Progress { creations, ..Progress::new(&start(NOW)) };
        let plan = plan::plan(&policy, &options, &progress.start(), at(SETTLED), &world);
        select(&policy, &options, &plan, &progress, at(SETTLED), Budget::UNBOUNDED).actions.len()
    };
    assert_eq!((selected(14), selected(15)), (3, 0));
}

#[test]
fn a_throttled_creation_is_no_failure_and_an_unclear_deletion_is_no_creation() {
    let throttled = first_turn(&world([volume(1)], []), &failed(FailedKind::Throttled));
    assert_eq!((throttled.progress.failures.len(), throttled.progress.creations), (0, 0));
    let old = (19..=22).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z")));
    for kind in [FailedKind::Unclear, FailedKind::TooSoon, FailedKind::Throttled] {
        let progress = first_turn(&world([volume(1)], old.clone()), &failed(kind)).progress;
        assert_eq!((progress.creations, progress.unsettled.len(), progress.failures.len()), (0, 0, 1));
    }
}

#[test]
fn a_creation_begins_the_ladder_of_waits_anew_and_nothing_else_does() {
    let with_waits = |world: &World, outcome: &Outcome| {
        let progress = Progress { waits: 3, ..Progress::new(&start(NOW)) };
        turn_at(at(SETTLED), world, progress, Budget::UNBOUNDED, outcome).status
    };
    let due = world([volume(1)], []);
    assert_eq!(with_waits(&due, &created()), Status::Waiting { seconds: 1 });
    assert_eq!(with_waits(&due, &failed(FailedKind::TooSoon)), Status::Waiting { seconds: 60 });
}

#[test]
fn what_was_left_out_of_the_failures_stays_counted_until_all_are_mended() {
    let left_out = |failures: Vec<progress::Failure>, world: &World| {
        let before = Progress { failures, failures_left_out: 4, ..Progress::new(&start(NOW)) };
        turn_at(at(SETTLED), world, before, Budget::UNBOUNDED, &failed(FailedKind::Refused)).progress.failures_left_out
    };
    assert_eq!(left_out(vec![], &world([volume(1)], [])), 4);
    assert_eq!(left_out(vec![], &world([volume(1)], [snapshot(1, 1, NOW)])), 0);
}

#[test]
fn calls_that_do_not_fit_are_counted_for_creations_and_deletions_together() {
    let old = (17..=22).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z")));
    let world = world([volume(1), volume(2), volume(3)], old);
    let (policy, options, progress) = (sample(), Options::default(), Progress::new(&start(NOW)));
    let plan = plan::plan(&policy, &options, &progress.start(), at(SETTLED), &world);
    let budget = budget(1, 1);
    let selection = select(&policy, &options, &plan, &progress, at(SETTLED), budget);
    // Two creations and three deletions, one of each goes now.
    assert_eq!((selection.actions.len(), selection.left_over), (2, 3));
}

#[test]
fn a_run_without_a_backup_succeeds_only_when_it_deleted_something() {
    let (policy, options) = (sample(), Options::default());
    let done = |deleted| {
        let start = Start { at: at("2026-11-22T12:00:00Z"), ..start("2026-11-22T12:00:00Z") };
        let progress = Progress { deleted, ..Progress::new(&start) };
        let world = world([], []);
        let plan = plan::plan(&policy, &options, &start, start.begun, &world);
        let selection = select(&policy, &options, &plan, &progress, start.begun, Budget::UNBOUNDED);
        conclude(&options, &plan, progress, selection, vec![], start.begun).status
    };
    assert_eq!(done(0), Status::Done(RunOutcome::Skipped));
    assert_eq!(done(1), Status::Done(RunOutcome::Succeeded));
}

#[test]
fn a_role_that_may_delete_but_not_create_goes_on() {
    let old = (17..=21).map(|day| snapshot(day, 2, &format!("2026-11-{day}T17:00:00Z")));
    let world = world([volume(1), volume(2)], old);
    let (policy, options, progress) = (sample(), Options::default(), Progress::new(&start(NOW)));
    let plan = plan::plan(&policy, &options, &progress.start(), at(SETTLED), &world);
    let selection = select(&policy, &options, &plan, &progress, at(SETTLED), Budget::UNBOUNDED);
    let answer = |action: &Action| if action.is_creation() { failed(FailedKind::Denied) } else { Outcome::Deleted };
    let outcomes = selection.actions.iter().map(answer).collect();
    assert_eq!(conclude(&options, &plan, progress, selection, outcomes, at(SETTLED)).denied, None);
}

#[test]
fn a_volume_that_somebody_else_just_made_a_snapshot_of_is_looked_at_again_before_it_is_tried_again() {
    let world = world([volume(1)], []);
    let first = first_turn(&world, &failed(FailedKind::TooSoon));
    assert_eq!((first.progress.creations, first.progress.failures.len()), (0, 1));
    let tried = |seconds: i64| {
        let now = at(SETTLED) + SignedDuration::from_secs(seconds);
        turn_at(now, &world, first.progress.clone(), Budget::UNBOUNDED, &created()).done.len()
    };
    assert_eq!((tried(120), tried(121)), (0, 1));
}

#[test]
fn a_run_is_not_over_before_ec2_shows_all_that_was_begun() {
    let complete = world([volume(1)], [snapshot(1, 1, NOW)]);
    let status =
        |now: &str| turn_at(at(now), &complete, Progress::new(&start(NOW)), Budget::UNBOUNDED, &created()).status;
    assert_eq!(status("2026-11-22T17:01:59Z"), Status::Waiting { seconds: 1 });
    assert_eq!(status(SETTLED), Status::Done(RunOutcome::Succeeded));
}

#[test]
fn a_run_is_not_over_before_its_own_second_snapshot_must_be_listed() {
    let cut_short = World { coverage: Coverage::Partial(CutShort::TooManyPages), ..world([volume(1)], []) };
    let first = first_turn(&cut_short, &created());
    let complete = world([volume(1)], [snapshot(1, 1, NOW)]);
    let status = |seconds: i64| {
        let now = at(SETTLED) + SignedDuration::from_secs(seconds);
        turn_at(now, &complete, first.progress.clone(), Budget::UNBOUNDED, &created()).status
    };
    assert!(matches!(status(120), Status::Waiting { .. }));
    assert_eq!(status(121), Status::Done(RunOutcome::Succeeded));
}

#[test]
fn a_run_waits_for_a_second_snapshot_of_the_same_time_and_then_deletes_it() {
    let second = Snapshot { start_time: at("2026-11-22T17:00:20Z"), ..snapshot(2, 1, NOW) };
    let under_way = world([volume(1)], [snapshot(1, 1, NOW), second.clone().pending()]);
    assert!(matches!(
        turn_at(at("2026-11-22T17:05:00Z"), &under_way, Progress::new(&start(NOW)), Budget::UNBOUNDED, &created())
            .status,
        Status::Waiting { .. }
    ));
    let complete = world([volume(1)], [snapshot(1, 1, NOW), second.clone()]);
    let last = turn_at(
        at("2026-11-22T17:05:00Z"),
        &complete,
        Progress::new(&start(NOW)),
        Budget::UNBOUNDED,
        &Outcome::Deleted,
    );
    assert!(
        matches!(&last.done[..], [(Action::DeleteSnapshot(delete), _)] if delete.snapshot.id == second.id),
        "{:?}",
        last.done
    );
    assert_eq!(last.status, Status::Done(RunOutcome::Succeeded));
}

#[test]
fn deletions_begin_with_the_oldest() {
    let old = [22, 18, 20, 19, 21].map(|day| snapshot(40 - day, 1, &format!("2026-11-{day}T17:00:00Z")));
    let first = first_turn(&world([volume(1)], old), &Outcome::Deleted);
    let days: Vec<String> = first
        .done
        .iter()
        .map(|(action, _)| match action {
            Action::DeleteSnapshot(delete) => delete.snapshot.marks.scheduled_time.value().unwrap().to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(days, ["2026-11-18T17:00:00Z", "2026-11-19T17:00:00Z"]);
    assert_eq!(first.status, Status::Done(RunOutcome::Succeeded));
}

#[test]
fn a_role_that_may_do_nothing_cannot_go_on() {
    let conclusion = first_turn(&world([volume(1), volume(2)], []), &failed(FailedKind::Denied));
    assert_eq!(conclusion.denied.map(|failed| failed.code).as_deref(), Some("Code"));
    let with_backup = world([volume(1), volume(2)], [snapshot(1, 1, NOW)]);
    assert_eq!(first_turn(&with_backup, &failed(FailedKind::Denied)).denied, None);
}

#[test]
fn a_run_ends_even_when_a_snapshot_is_pending_for_ever() {
    let world = world([volume(1)], [snapshot(1, 1, NOW).pending()]);
    let progress = Progress { turns: TURNS_MAX - 1, ..Progress::new(&start(NOW)) };
    let last = turn_at(at(NOW), &world, progress, Budget::UNBOUNDED, &created());
    assert_eq!(last.status, Status::Done(RunOutcome::Partial));
}

#[test]
fn a_run_does_not_wait_for_snapshots_of_a_later_start() {
    let later = snapshot(2, 1, "2026-11-22T17:30:00Z").pending();
    let world = world([volume(1)], [snapshot(1, 1, NOW), later]);
    check(&world, &created(), Status::Done(RunOutcome::Succeeded));
}

#[test]
fn progress_is_bounded_and_survives_the_way_through_json() {
    let volumes = (1..=5_000).map(volume);
    let conclusion = first_turn(&world(volumes, []), &failed(FailedKind::Unclear));
    let text = serde_json::to_string(&conclusion.progress).unwrap();
    assert!(text.len() < 80_000, "{} bytes", text.len());
    assert_eq!(conclusion.progress.failures.len(), progress::FAILURES_MAX);
    assert_eq!(conclusion.progress.failures_left_out, 1_140, "of as many as are remembered until they are settled");
    assert_eq!(serde_json::from_str::<Progress>(&text).unwrap(), conclusion.progress);
    let _: Start = conclusion.progress.start();
}

#[test]
fn a_dry_run_does_nothing() {
    let (policy, options) = (sample(), Options { dry_run: true, ..Options::default() });
    let world = world([volume(1)], []);
    let progress = Progress::new(&start(NOW));
    let plan = plan::plan(&policy, &options, &progress.start(), at(NOW), &world);
    let selection = select(&policy, &options, &plan, &progress, at(NOW), Budget::UNBOUNDED);
    assert_eq!(selection.actions, vec![]);
    let conclusion = conclude(&options, &plan, progress, selection, vec![], at(NOW));
    assert_eq!(conclusion.status, Status::Done(RunOutcome::Skipped));
}

#[test]
fn a_default_policys_own_snapshot_is_waited_for_although_it_makes_the_volume_look_backed_up() {
    let (policy, options) = (default_policy(1, 7), Options::default());
    let turn = |world: &World, progress: Progress, now: Timestamp| {
        let plan = plan::plan(&policy, &options, &progress.start(), now, world);
        let selection = select(&policy, &options, &plan, &progress, now, Budget::UNBOUNDED);
        let outcomes = selection.actions.iter().map(|_| created()).collect();
        conclude(&options, &plan, progress, selection, outcomes, now)
    };
    let first = turn(&world([volume(1)], []), Progress::new(&start(NOW)), at(NOW));
    assert_eq!(first.done.len(), 1);
    // One list of EC2 shows the new snapshot, the other does not yet.
    let recent = Volume { last_snapshot: Some(at(NOW)), ..volume(1) };
    let second = turn(&world([recent], []), first.progress, at(NOW) + SignedDuration::from_secs(1));
    assert_eq!(second.status, Status::Waiting { seconds: 15 });
}
