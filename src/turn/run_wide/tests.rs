use super::*;
use crate::fixtures::*;
use crate::options::Options;
use crate::report;
use crate::turn::{Budget, Conclusion, RunOutcome, Status, conclude, select};
use crate::world::{SnapshotId, World};
use crate::{plan, policy::Policy};
use jiff::Timestamp;

const NOW: &str = "2026-11-22T17:00:00Z";
const SETTLED: &str = "2026-11-22T17:02:00Z";
const AFTER_THE_WINDOW: &str = "2026-11-22T18:00:01Z";

/// What EC2 answers with each of these kinds. The words of the second are those of shared/wire/errors/17; nobody has seen the
/// first.
fn met(kind: FailedKind) -> Outcome {
    let (code, message) = match kind {
        FailedKind::AccountFull => ("SnapshotLimitExceeded", "Too many snapshots."),
        _ => ("RequestExpired", "Request has expired."),
    };
    Outcome::Failed(Failed { kind, code: code.to_owned(), message: message.to_owned() })
}

fn created() -> Outcome {
    Outcome::Created(vec![SnapshotId::parse("snap-00000000000000001").unwrap()])
}

/// One turn, in which `outcome` says what comes of each action, by its number.
fn turn(
    now: &str,
    world: &World,
    progress: Progress,
    outcome: impl Fn(usize, &Action) -> Outcome,
) -> (Conclusion, report::Report) {
    let (policy, options, now): (Policy, Options, Timestamp) = (sample(), Options::default(), at(now));
    let plan = plan::plan(&policy, &options, &progress.start(), now, world);
    let selection = select(&policy, &options, &plan, &progress, now, Budget::UNBOUNDED);
    let outcomes = selection.actions.iter().enumerate().map(|(number, action)| outcome(number, action)).collect();
    let conclusion = conclude(&options, &plan, progress, selection, outcomes, now);
    let report = report::report(&policy, &options, &plan, &conclusion.progress, conclusion.status, &[]);
    (conclusion, report)
}

fn first_turn(world: &World, outcome: impl Fn(usize, &Action) -> Outcome) -> (Conclusion, report::Report) {
    turn(SETTLED, world, Progress::new(&start(NOW)), outcome)
}

/// A hundred volumes, of which the first has more snapshots than the policy keeps.
fn account() -> World {
    let old = (17..=21).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z")));
    world((1..=100).map(volume), old)
}

/// The first ten creations are under way when the limit is met, and no more begin.
fn full(number: usize, action: &Action) -> Outcome {
    match action.is_creation() {
        true if number < 10 => met(FailedKind::AccountFull),
        true => Outcome::NotStarted,
        false => Outcome::Deleted,
    }
}

fn expired(number: usize, _: &Action) -> Outcome {
    if number < 10 { met(FailedKind::Expired) } else { Outcome::NotStarted }
}

#[test]
fn a_full_account_is_told_once_and_deletions_go_on() {
    let (conclusion, report) = first_turn(&account(), full);
    assert_eq!(conclusion.progress.deleted, 2);
    assert_eq!(conclusion.status, Status::Waiting { seconds: 0 }, "what went has made room");
    assert_eq!(report.failed, 1);
    let failure = &report.failures[0];
    assert_eq!(
        [&failure.action, &failure.resource, &failure.code],
        ["CreateSnapshot", "account", "SnapshotLimitExceeded"]
    );
    assert_eq!(
        failure.message,
        "the account has as many snapshots as its quota allows: delete some, or have the quota raised; EC2 says: Too many \
         snapshots."
    );
}

#[test]
fn one_creation_finds_out_whether_there_is_room_again() {
    let world = world((1..=100).map(volume), []);
    let (first, _) = first_turn(&world, full);
    assert!(matches!(first.status, Status::Waiting { seconds: 1.. }), "nothing went: {:?}", first.status);
    let tried = |conclusion: &Conclusion| match &conclusion.done[..] {
        [(Action::CreateSnapshot(create), _)] => create.volume_id,
        other => panic!("{other:?}"),
    };
    let (second, report) = turn(SETTLED, &world, first.progress, full);
    assert_eq!((report.failed, report.failures[0].attempts), (1, 2));
    let (third, report) = turn(SETTLED, &world, second.progress.clone(), |_, _| created());
    assert_ne!(tried(&second), tried(&third), "another one, since a set may be too large for the room");
    assert_eq!((report.failed, third.status), (0, Status::Waiting { seconds: 0 }));
    let (fourth, _) = turn(SETTLED, &world, third.progress, |_, _| created());
    assert_eq!(fourth.done.len(), 99);
}

#[test]
fn an_account_that_stays_full_ends_the_run_after_its_window_with_one_cause() {
    let world = world((1..=100).map(volume), []);
    let (first, _) = first_turn(&world, full);
    let (last, report) = turn(AFTER_THE_WINDOW, &world, first.progress, full);
    assert_eq!((last.done.len(), last.status), (0, Status::Done(RunOutcome::Partial)));
    assert_eq!((report.failed, report.failures[0].code.as_str()), (1, "SnapshotLimitExceeded"));
    assert!(report.summary.contains("0 of 100 due snapshots are complete"), "{}", report.summary);
}

#[test]
fn a_session_that_has_expired_before_anything_was_made_ends_the_run_with_its_cure() {
    let denied = first_turn(&account(), expired).0.denied.unwrap();
    assert_eq!(denied.cure(), Some("sign in again, or this machine's clock is off"));
    let slow = Failed { message: "Request has expired. Timestamp date is 2011-03-26T23:22:53Z".to_owned(), ..denied };
    assert_eq!(slow.cure(), Some("this machine's clock is off: set it"));
}

#[test]
fn a_session_that_expires_on_the_way_is_told_once_and_may_be_renewed() {
    let world = account();
    let half = |number, action: &Action| if number < 50 { created() } else { expired(number - 50, action) };
    let (first, report) = first_turn(&world, half);
    assert_eq!((first.denied, report.failed), (None, 1));
    assert_eq!([&report.failures[0].resource, &report.failures[0].code], ["session", "RequestExpired"]);
    assert!(report.failures[0].message.starts_with("sign in again, or "), "{:?}", report.failures);
    let (renewed, report) = turn("2026-11-22T17:03:00Z", &world, first.progress, |_, action| {
        if action.is_creation() { created() } else { Outcome::Deleted }
    });
    assert_eq!((renewed.done.len(), report.failed), (52, 0), "what was never tried, and the two that go");
}

#[test]
fn a_session_that_nobody_renews_ends_the_run_after_three_turns() {
    let world = account();
    let one = |number, action: &Action| if number == 0 { created() } else { expired(number - 1, action) };
    let (mut conclusion, _) = first_turn(&world, one);
    for _ in 0..2 {
        assert!(matches!(conclusion.status, Status::Waiting { .. }), "{:?}", conclusion.status);
        (conclusion, _) = turn(AFTER_THE_WINDOW, &world, conclusion.progress, expired);
    }
    let (conclusion, report) = turn(AFTER_THE_WINDOW, &world, conclusion.progress, expired);
    assert_eq!((conclusion.done.len(), conclusion.status), (0, Status::Done(RunOutcome::Partial)));
    assert_eq!((report.failed, report.failures[0].attempts), (1, 3), "{:?}", report.failures);
}
