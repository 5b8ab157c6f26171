//! The given/when/then cases of Amazon DLM's behaviour (reference E1 to E55), as far as they are about making and
//! keeping snapshots. Each test is named after what it says; docs/dlm-differences.md lists all of them.

mod boundaries;
mod creation;
mod doubt;
mod duplicates;
mod found;
mod instances;
mod missed;
mod promises;
mod retention;
mod sources;

use super::*;
use crate::fixtures::*;
use crate::options::StartOrigin;
use crate::policy::Targets;
use crate::report::words;
use crate::sim::Account;
use crate::turn::RunOutcome;
use crate::world::{SnapshotState, SourceId, Volume};
use jiff::SignedDuration;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A start that is delivered on time.
fn starting(at: Timestamp) -> Start {
    Start { at, origin: StartOrigin::Event, begun: at, came_back: false }
}

/// The number that `fixtures` made an id from.
fn number_of(id: SnapshotId) -> u32 {
    u32::from_str_radix(id.to_string().trim_start_matches("snap-"), 16).unwrap()
}

/// What is decided about each snapshot at `now`, as `1 keep, 2 delete`, by number.
fn fates(policy: &Policy, options: &Options, now: &str, world: &World) -> String {
    let start = start(now);
    let plan = plan(policy, options, &start, at(now), world);
    assert_eq!(check::check(policy, options, at(now), world, &plan), vec![], "a plan keeps every promise");
    let mut fates: Vec<(u32, &str)> = plan
        .snapshots
        .iter()
        .map(|decision| (number_of(decision.snapshot.id), words::of_snapshot(decision).decision))
        .collect();
    fates.sort_unstable();
    fates.iter().map(|(number, fate)| format!("{number} {fate}")).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check_fates(policy: &Policy, world: &World, now: &str, expected: &str) {
    assert_eq!(fates(policy, &Options::default(), now, world), expected);
}

/// The number of CreateSnapshot and DeleteSnapshot calls and the outcome of a run.
fn run(account: &mut Account, policy: &Policy, options: &Options, at_text: &str) -> (u64, u64, RunOutcome) {
    let before = account.calls;
    let ended = account.run(policy, options, starting(at(at_text)));
    let (creations, deletions) =
        (account.calls.creations - before.creations, account.calls.deletions - before.deletions);
    (creations, deletions, ended.outcome)
}

/// The scheduled times that the account holds complete snapshots of, sorted.
fn held(account: &Account, now: Timestamp) -> Vec<String> {
    let complete = account.observe(now).snapshots.into_iter().filter(|s| s.state == SnapshotState::Completed);
    let mut times: Vec<String> =
        complete.filter_map(|s| s.marks.scheduled_time.value().map(ToString::to_string)).collect();
    times.sort();
    times
}
