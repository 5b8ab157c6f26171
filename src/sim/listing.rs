//! Runs against listings that show late, or never, what EC2 accepted.

use super::by_id;
use super::ec2::{Ec2, Faults};
use super::random::Random;
use super::shape::Shape;
use crate::options::{Options, Start, StartOrigin, WhenStopped};
use crate::plan::due::saturating_add;
use crate::plan::{self, check};
use crate::report::{self, Report};
use crate::turn::{self, Budget, Progress, RunOutcome, Status};
use crate::world::{Asks, SnapshotState, World};
use jiff::{SignedDuration, Timestamp};

/// 2026-11-22T17:00:00Z.
const START: i64 = 1_795_366_800;

fn account(shape: Shape) -> Ec2 {
    let mut ec2 = Ec2::new(Random::new(1));
    let started = Timestamp::from_second(START).unwrap() - SignedDuration::from_hours(24 * 30);
    shape.furnish(&mut ec2, &mut Random::new(2), started);
    ec2.faults = Faults::NONE;
    ec2
}

/// One run for the start of so many days later, and its last report.
fn run(ec2: &mut Ec2, shape: Shape, options: &Options, days: i64) -> (RunOutcome, Report) {
    let policy = shape.policy();
    let at = Timestamp::from_second(START).unwrap() + SignedDuration::from_hours(24 * days);
    let mut now = at;
    let mut progress = Progress::new(&Start { at, origin: StartOrigin::Event, begun: at, came_back: false });
    // Bounded by turn::TURNS_MAX.
    loop {
        let mut world = ec2.observe(&policy, &progress.ids_begun(), now).unwrap();
        progress.note_look(&policy.id, &world, now, options.settling);
        let looks = |asks: &Asks, world: &mut World| ec2.look_closer(asks, now, world);
        by_id::look_closer(&policy, options, (&progress.start(), now), &mut world, looks).unwrap();
        let plan = plan::plan(&policy, options, &progress.start(), now, &world);
        assert_eq!(check::check(&policy, options, now, &world, &plan), vec![]);
        let selection = turn::select(&policy, options, &plan, &progress, now, Budget::UNBOUNDED);
        let outcomes = selection.actions.iter().map(|action| ec2.apply(action, now)).collect();
        let conclusion = turn::conclude(options, &plan, progress, selection, outcomes, now);
        let report = report::report(&policy, options, &plan, &conclusion.progress, conclusion.status, &[]);
        match conclusion.status {
            Status::Done(outcome) => return (outcome, report),
            Status::Waiting { seconds } => {
                now = saturating_add(now, SignedDuration::from_secs(i64::from(seconds)));
                progress = serde_json::from_value(serde_json::to_value(conclusion.progress).unwrap()).unwrap();
            }
        }
    }
}

fn held(ec2: &Ec2) -> usize {
    ec2.records.iter().filter(|record| record.removed.is_none()).count()
}

#[test]
fn on_an_endpoint_that_never_lists_what_we_make_a_start_makes_one_snapshot_a_target_and_says_why_it_failed() {
    for settling in [SignedDuration::ZERO, Options::SETTLING_DEFAULT] {
        let shape = Shape::DailyByCount;
        let options = Options { settling, ..shape.options() };
        let mut ec2 = account(shape);
        let (before, targets) = (
            held(&ec2),
            ec2.volumes.iter().filter(|life| life.is_targeted(Timestamp::from_second(START).unwrap())).count(),
        );
        assert!(targets > 0);
        ec2.hides_for = Some(SignedDuration::MAX);
        for starts in 1..=3 {
            let (outcome, report) = run(&mut ec2, shape, &options, i64::try_from(starts).unwrap());
            assert_eq!((outcome, held(&ec2)), (RunOutcome::Partial, before + starts * targets));
            let told = report.failures.iter().find(|failure| failure.code == "NotListed").expect("the cause is told");
            assert!(told.message.contains("by its id but not by its tag opendlm:policy-id"), "{}", told.message);
        }
    }
}

#[test]
fn a_listing_that_is_ten_minutes_late_costs_neither_a_second_snapshot_nor_the_run() {
    for shape in [Shape::DailyByCount, Shape::Instances] {
        let mut ec2 = account(shape);
        // The snapshots take a day, so the newest complete one is old when the run ends: that is not what this is about.
        let options = Options { stopped: WhenStopped::Tell, ..shape.options() };
        let (outcome, _) = run(&mut ec2, shape, &options, 1);
        assert_eq!(outcome, RunOutcome::Succeeded);
        let made = |ec2: &Ec2| ec2.records.iter().filter(|record| record.is_ours).count();
        let one_start = made(&ec2);
        ec2.hides_for = Some(SignedDuration::from_mins(10));
        // A terabyte: the snapshots are under way for longer than the listing lags.
        ec2.faults = Faults { hangs: 10_000, ..Faults::NONE };
        let (outcome, report) = run(&mut ec2, shape, &options, 2);
        assert_eq!((outcome, report.failed), (RunOutcome::Succeeded, 0), "{}", report.summary);
        assert_eq!(made(&ec2), 2 * one_start);
        let complete = |record: &&crate::sim::life::Record| record.ends_as == SnapshotState::Completed;
        assert!(ec2.records.iter().all(|record| complete(&record)));
    }
}
