//! Runs that overlap all day: hourly starts whose snapshots take three hours. Only the newest run deletes (R1), and retention is left
//! to nobody all the same.

use super::Account;
use crate::fixtures::*;
use crate::options::Options;
use crate::plan::due::saturating_add;
use crate::policy::Policy;
use crate::turn::{Progress, Status};
use crate::world::{SnapshotState, SourceId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

const FIRST: &str = "2026-11-16T00:00:00Z";
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const HOURS: i32 = 7 * 24;
/// So far apart are two turns of a run at least, so that a week is simulated within seconds.
const TURNS_APART: SignedDuration = SignedDuration::from_mins(10);

/// What becomes of the run of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It goes on to its end.
    Ends,
    /// It ends after its first turn, as where Step Functions gives up or somebody stops it.
    Breaks,
    /// It does not begin.
    NeverBegins,
}

/// A week of hourly starts, all turns in the order of their times. Returns the scheduled times of complete snapshots for each volume.
fn week(policy: &Policy, fate: impl Fn(i32) -> Fate) -> BTreeMap<SourceId, Vec<String>> {
    let mut account = Account::new(2, HOUR * 3);
    let options = Options::default();
    let mut turns: BTreeMap<(Timestamp, u32), (Progress, Fate)> = BTreeMap::new();
    let mut number = 0;
    for hour in 0..HOURS {
        let start = start(&(at(FIRST) + HOUR * hour).to_string());
        if fate(hour) != Fate::NeverBegins {
            number += 1;
            turns.insert((start.at, number), (Progress::new(&start), fate(hour)));
        }
    }
    let mut now = at(FIRST);
    // Bounded by turn::TURNS_MAX of each run.
    while let Some(((at, _), (progress, fate))) = turns.pop_first() {
        now = at;
        let conclusion = account.turn(policy, &options, progress, now);
        if let (Status::Waiting { seconds }, Fate::Ends) = (conclusion.status, fate) {
            number += 1;
            let next = saturating_add(now, SignedDuration::from_secs(i64::from(seconds)).max(TURNS_APART));
            turns.insert((next, number), (conclusion.progress, Fate::Ends));
        }
    }
    let mut held: BTreeMap<SourceId, Vec<String>> = BTreeMap::new();
    for snapshot in account.observe(now).snapshots {
        assert_eq!(snapshot.state, SnapshotState::Completed, "the last run waits for its own");
        let time = snapshot.marks.scheduled_time.value().unwrap().to_string();
        held.entry(SourceId::Volume(snapshot.volume_id)).or_default().push(time);
    }
    held
}

/// The last so many hours of the week, and days of it, sorted.
fn expected(hours: i32, days: i32) -> Vec<String> {
    let last = at(FIRST) + HOUR * (HOURS - 1);
    let hourly = (0..hours).map(|hour| last - HOUR * hour);
    let daily = (0..days).map(|day| at("2026-11-22T17:00:00Z") - HOUR * 24 * day);
    let times: BTreeSet<Timestamp> = hourly.chain(daily).collect();
    times.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(policy: &Policy, fate: impl Fn(i32) -> Fate, expected: &[String]) {
    let held = week(policy, fate);
    assert_eq!(held.len(), 2);
    for (source, mut times) in held {
        times.sort();
        assert_eq!(times, expected, "{source}");
    }
}

#[test]
fn a_week_of_hourly_runs_whose_snapshots_take_three_hours_ends_with_exactly_the_counts() {
    check(&policy(vec![every(1, "Hourly", count(5))]), |_| Fate::Ends, &expected(5, 0));
    let two = policy(vec![every(1, "Hourly", count(5)), daily("Daily", count(3))]);
    check(&two, |_| Fate::Ends, &expected(5, 3));
}

#[test]
fn so_does_one_in_which_every_second_run_breaks_off() {
    let breaks = |hour: i32| if hour % 2 == 0 { Fate::Breaks } else { Fate::Ends };
    check(&policy(vec![every(1, "Hourly", count(5))]), breaks, &expected(5, 0));
}

#[test]
fn one_in_which_every_second_run_never_begins_keeps_as_many_of_the_others() {
    let fails = |hour: i32| if hour % 2 == 0 { Fate::NeverBegins } else { Fate::Ends };
    let every_second: Vec<String> = expected(9, 0).into_iter().step_by(2).collect();
    check(&policy(vec![every(1, "Hourly", count(5))]), fails, &every_second);
}
