//! What a plan comes to.

use super::*;
use crate::fixtures::*;
use crate::options::MaximumDeletions;
use crate::plan;
use crate::report;
use crate::turn::{Progress, Status};
use crate::world::{Snapshot, World};

const NOW: &str = "2026-11-22T17:00:30Z";

fn forecast(options: &Options, world: &World, start_text: &str, now: &str) -> Forecast {
    let (policy, start) = (sample(), start(start_text));
    let plan = plan::plan(&policy, options, &start, at(now), world);
    let report = report::report(&policy, options, &plan, &Progress::new(&start), Status::Waiting { seconds: 0 }, &[]);
    Forecast::of(options, &plan, &report)
}

/// Daily snapshots of a volume, the newest of 21 November.
fn history(volume: u32, count: u32) -> Vec<Snapshot> {
    let of_day = |day: u32| snapshot(volume * 100 + day, volume, &format!("2026-11-{day}T17:00:00Z"));
    (22 - count..22).map(of_day).collect()
}

#[test]
fn a_plan_is_one_line() {
    let foreign = (1..=5).map(|n| Snapshot { description: "by hand".into(), ..snapshot(n, 9, "2026-11-20T17:00:00Z") });
    let snapshots = (1..=3).flat_map(|volume| history(volume, 3)).chain(foreign);
    let world = world((1..=3).map(volume), snapshots);
    let forecast = forecast(&Options::default(), &world, "2026-11-22T17:00:00Z", NOW);
    assert_eq!(forecast.sentence(), "Plan: 3 to create, 3 to delete after that, 6 kept; 5 snapshots are not ours");
    assert_eq!((forecast.failures, forecast.notes), (vec![], vec![]));
}

#[test]
fn what_is_there_and_under_way_is_counted_apart() {
    let snapshots = history(1, 4).into_iter().chain([snapshot(7, 1, "2026-11-22T17:00:00Z").pending()]);
    let forecast = forecast(&Options::default(), &world([volume(1)], snapshots), "2026-11-22T17:00:00Z", NOW);
    assert_eq!(forecast.sentence(), "Plan: 0 to create, 1 to delete, 1 to delete after that, 2 kept, 1 under way");
}

#[test]
fn a_brake_is_a_failure_that_says_how_to_lift_it() {
    let options = Options { maximum_deletions: MaximumDeletions::Number(1), ..Options::default() };
    let snapshots = history(1, 8).into_iter();
    let forecast = forecast(&options, &world([volume(1)], snapshots), "2026-11-22T17:00:00Z", NOW);
    assert_eq!(
        forecast.failures,
        [
            "the run would delete 6 snapshots and may delete 1; if that is right, set Options.MaximumDeletions to 6 or more"
        ]
    );
}

#[test]
fn that_nothing_is_due_is_a_note_and_that_backups_have_stopped_a_failure() {
    let late = |world: &World| forecast(&Options::default(), world, "2026-11-25T12:00:00Z", "2026-11-25T12:00:00Z");
    let forecast = late(&world([volume(1)], history(1, 3)));
    assert!(forecast.failures.iter().any(|told| told.starts_with("backups of 1 volume have stopped")), "{forecast:?}");
    let fresh = late(&world([volume(1)], []));
    assert_eq!(fresh.sentence(), "Plan: 0 to create, 0 kept");
    assert_eq!(fresh.failures, Vec::<String>::new(), "somebody looks before the first backup");
    assert_eq!(fresh.notes, ["nothing is due: the start window after 2026-11-24T17:00:00Z is over"]);
}

#[test]
fn that_backups_have_stopped_is_a_note_where_this_run_begins_them_again() {
    let world = world([volume(1)], history(1, 3));
    let forecast = forecast(&Options::default(), &world, "2026-11-25T17:00:00Z", "2026-11-25T17:00:30Z");
    assert_eq!(forecast.create, 1);
    assert!(forecast.notes.iter().any(|note| note.starts_with("backups of 1 volume have stopped")), "{forecast:?}");
    assert!(!forecast.failures.iter().any(|told| told.starts_with("backups of")), "{forecast:?}");
}

#[test]
fn a_count_that_was_lowered_is_told_and_is_no_failure() {
    let snapshots = history(1, 5).into_iter().map(|snapshot| snapshot.stamped(&[7]));
    let forecast = forecast(&Options::default(), &world([volume(1)], snapshots), "2026-11-22T17:00:00Z", NOW);
    assert_eq!(forecast.failures, Vec::<String>::new());
    assert_eq!(
        forecast.notes,
        ["2 snapshots wait for somebody to agree to the lower count, as Options.AcceptCount"],
        "{}",
        forecast.sentence()
    );
}

#[test]
fn orphans_are_told_with_their_size() {
    let snapshots = history(1, 3).into_iter().chain([snapshot(90, 9, "2026-11-20T17:00:00Z")]);
    let forecast = forecast(&Options::default(), &world([volume(1)], snapshots), "2026-11-22T17:00:00Z", NOW);
    let [note] = &forecast.notes[..] else { panic!("{forecast:?}") };
    assert!(
        note.starts_with("orphans: 1 snapshot, 1 GiB at most, are managed by nothing any more: 1 of volumes"),
        "{note}"
    );
}
