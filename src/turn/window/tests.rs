//! The window as tables, and a run against a limit that nobody knows.

use super::*;
use crate::action::Failed;
use crate::fixtures::*;
use crate::options::Options;
use crate::plan;
use crate::turn::{self, Budget, Conclusion, Progress, RunOutcome, Status, TURNS_MAX};
use crate::world::{Snapshot, SnapshotId, World};
use jiff::{SignedDuration, Timestamp};

const NOW: &str = "2026-11-22T17:00:00Z";

fn refused() -> Outcome {
    let code = "PendingSnapshotLimitExceeded".to_owned();
    Outcome::Failed(Failed { kind: FailedKind::TooManyPending, code, message: "why".to_owned() })
}

fn created() -> Outcome {
    Outcome::Created(vec![SnapshotId::parse("snap-00000000000000001").unwrap()])
}

/// Which of creations of so many snapshots each go.
#[track_caller]
fn check_let_through(window: u32, pending: usize, turn: u32, ready: &[usize], expected: &[usize]) {
    assert_eq!(Window(window).let_through(ready, |snapshots| snapshots, pending, turn), expected);
}

#[test]
fn what_fits_beside_the_pending_ones_goes() {
    check_let_through(5, 0, 0, &[1; 9], &[1; 5]);
    check_let_through(5, 3, 0, &[1; 9], &[1; 2]);
    check_let_through(5, 4, 0, &[1], &[1]);
    check_let_through(5, 0, 0, &[], &[]);
    check_let_through(5, 0, 0, &[3, 3, 2, 1], &[3, 2]);
    check_let_through(u32::MAX, 0, 0, &[128, 128], &[128, 128]);
}

#[test]
fn where_nothing_fits_one_is_tried_and_another_one_the_next_time() {
    check_let_through(5, 5, 0, &[1, 1, 1], &[1]);
    check_let_through(5, 9, 0, &[1, 1, 1], &[1]);
    check_let_through(0, 0, 0, &[1, 1, 1], &[1]);
    check_let_through(5, 0, 0, &[6, 7, 8], &[6]);
    check_let_through(5, 0, 1, &[6, 7, 8], &[7]);
    check_let_through(5, 0, 5, &[6, 7, 8], &[8]);
    check_let_through(5, 5, 7, &[], &[]);
}

fn action() -> Action {
    let (policy, options, world) = (sample(), Options::default(), world([volume(1)], []));
    let plan = plan::plan(&policy, &options, &start(NOW), at(NOW), &world);
    plan::call::creation(&policy, &options, at(NOW), &plan.targets[0]).unwrap()
}

#[track_caller]
fn check_after(before: Option<u32>, pending: usize, outcomes: &[Outcome], expected: Option<u32>) {
    let done: Vec<(Action, Outcome)> = outcomes.iter().map(|outcome| (action(), outcome.clone())).collect();
    assert_eq!(after(before.map(Window), pending, &done), expected.map(Window));
}

#[test]
fn a_refusal_says_how_many_fit_and_success_tries_one_more() {
    check_after(None, 0, &[created(), created()], None);
    check_after(None, 7, &[created(), created(), refused(), Outcome::NotStarted], Some(9));
    check_after(None, 0, &[refused()], Some(0));
    check_after(Some(9), 3, &[refused()], Some(3));
    check_after(Some(9), 8, &[created()], Some(10));
    check_after(Some(9), 9, &[], Some(9));
    check_after(Some(9), 9, &[Outcome::NotStarted, Outcome::Deleted], Some(9));
    check_after(Some(u32::MAX), 9, &[created()], Some(u32::MAX));
}

/// A turn in which EC2 has room for so many more snapshots.
fn turn_with_room(world: &World, progress: Progress, now: Timestamp, mut room: usize) -> Conclusion {
    let (policy, options) = (sample(), Options::default());
    let plan = plan::plan(&policy, &options, &progress.start(), now, world);
    let selection = turn::select(&policy, &options, &plan, &progress, now, Budget::UNBOUNDED);
    let mut is_closed = false;
    let mut answer = |_: &Action| {
        if is_closed {
            return Outcome::NotStarted;
        }
        is_closed = room == 0;
        room = room.saturating_sub(1);
        if is_closed { refused() } else { created() }
    };
    let outcomes = selection.actions.iter().map(&mut answer).collect();
    turn::conclude(&options, &plan, progress, selection, outcomes, now)
}

#[test]
fn a_refusal_is_no_failure_of_the_volume_and_the_run_waits_for_room() {
    let volumes = world((1..=9).map(volume), []);
    let first = turn_with_room(&volumes, Progress::new(&start(NOW)), at(NOW), 4);
    assert_eq!((first.progress.failures.len(), first.progress.creations), (0, 4));
    assert_eq!(first.progress.pending_window, Some(Window(4)));
    assert_eq!(first.status, Status::Waiting { seconds: 1 }, "not at once, although there is more to do");
    // After the start window it is tried all the same: it never failed.
    let later = at(NOW) + SignedDuration::from_mins(90);
    let shown = world((1..=9).map(volume), (1..=4).map(|number| snapshot(number, number, NOW).pending()));
    let second = turn_with_room(&shown, first.progress, later, 0);
    assert_eq!(second.done.len(), 1, "one is tried beside four that are pending");
    assert_eq!(second.progress.pending_window, Some(Window(4)));
    assert_eq!(second.denied, None);
}

#[test]
fn what_ec2_does_not_show_yet_is_pending_too() {
    let volumes = world((1..=9).map(volume), []);
    let first = turn_with_room(&volumes, Progress::new(&start(NOW)), at(NOW), 4);
    let soon = at(NOW) + SignedDuration::from_secs(1);
    let second = turn_with_room(&volumes, first.progress, soon, 0);
    assert_eq!(second.done.len(), 1, "four of the window of four are begun");
    assert_eq!(second.progress.pending_window, Some(Window(4)));
}

#[test]
fn a_run_that_ends_without_room_says_so() {
    let volumes = world([volume(1)], []);
    let (policy, options) = (sample(), Options::default());
    let progress = Progress { turns: TURNS_MAX - 1, ..Progress::new(&start(NOW)) };
    let last = turn_with_room(&volumes, progress, at(NOW), 0);
    assert_eq!(last.status, Status::Done(RunOutcome::Partial));
    let plan = plan::plan(&policy, &options, &start(NOW), at(NOW), &volumes);
    let report = crate::report::report(&policy, &options, &plan, &last.progress, last.status, &[]);
    let codes: Vec<&str> = report.failures.iter().map(|failure| failure.code.as_str()).collect();
    assert_eq!(codes, ["PendingSnapshotLimitExceeded"]);
}

#[test]
fn a_run_comes_to_its_end_below_a_limit_that_nobody_told_it() {
    const LIMIT: usize = 7;
    const VOLUMES: u32 = 60;
    let takes = SignedDuration::from_secs(170);
    let mut held: Vec<(Snapshot, Timestamp)> = Vec::new();
    let (mut now, mut progress, mut refusals, mut turns) = (at(NOW), Progress::new(&start(NOW)), 0, 0);
    // Bounded by TURNS_MAX.
    let outcome = loop {
        let seen = held.iter().map(
            |(snapshot, done_at)| {
                if *done_at <= now { snapshot.clone() } else { snapshot.clone().pending() }
            },
        );
        let world = world((1..=VOLUMES).map(volume), seen);
        let pending = held.iter().filter(|(_, done_at)| *done_at > now).count();
        let conclusion = turn_with_room(&world, progress, now, LIMIT - pending);
        for (action, outcome) in &conclusion.done {
            match (action, outcome) {
                (Action::CreateSnapshot(create), Outcome::Created(_)) => {
                    let number = u32::try_from(held.len()).unwrap() + 1;
                    let made = Snapshot { volume_id: create.volume_id, ..snapshot(number, 1, NOW) };
                    held.push((Snapshot { start_time: now, ..made }, now + takes));
                }
                (_, Outcome::Failed(_)) => refusals += 1,
                _ => {}
            }
        }
        turns += 1;
        progress = conclusion.progress;
        match conclusion.status {
            Status::Done(outcome) => break outcome,
            Status::Waiting { seconds } => now += SignedDuration::from_secs(i64::from(seconds)),
        }
    };
    assert_eq!(outcome, RunOutcome::Succeeded);
    assert_eq!(held.len(), usize::try_from(VOLUMES).unwrap(), "each is made once");
    assert_eq!(progress.failures, vec![]);
    assert!(refusals <= turns, "at most one a turn");
    // Nine rounds of 170 s, each found complete at most a minute late.
    assert!(now.duration_since(at(NOW)) <= SignedDuration::from_mins(45), "{now}");
}
