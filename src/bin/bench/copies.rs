//! A run whose snapshots are copied to another Region, as long as EC2 takes for so many at a time.

use jiff::{SignedDuration, Timestamp};
use opendlm::options::{Options, Start, StartOrigin};
use opendlm::place::Region;
use opendlm::plan::copies::UNDER_WAY_MAX;
use opendlm::policy::{CopyRule, Policy};
use opendlm::sim::{Abroad, Account, fleet};
use opendlm::turn::RunOutcome;
use serde_json::json;

/// How long a snapshot is under way, and a copy (issue 15: ten minutes each).
const TAKES: SignedDuration = SignedDuration::from_mins(10);

/// One line of JSON: when the last copy of so many volumes was seen complete, and when EC2 could have completed it at the earliest.
/// More copies at once than EC2 allows end the benchmark.
pub(super) fn copies(volumes: u32) {
    let [home, london] = ["us-east-1", "eu-west-2"].map(|name| Region::parse(name).expect("a Region"));
    let mut account = Account::new(volumes, TAKES);
    account.abroad = Abroad::new(home, [london], TAKES);
    let at: Timestamp = "2026-11-22T17:00:00Z".parse().expect("a timestamp");
    let start = Start { at, origin: StartOrigin::Event, begun: at, came_back: false };
    let ended = account.run(&policy(), &Options::default(), start);
    let rounds = u64::from(volumes).div_ceil(u64::try_from(UNDER_WAY_MAX).unwrap_or(u64::MAX));
    println!(
        "{}",
        json!({
            "Volumes": volumes,
            "Succeeded": ended.outcome == RunOutcome::Succeeded,
            "Copies": account.abroad.copies,
            "CopiedAfterSeconds": ended.at.duration_since(at).saturating_sub(TAKES).as_secs_f64(),
            "BoundSeconds": TAKES.as_secs_f64() * f64::from(u32::try_from(rounds).unwrap_or(u32::MAX)),
            "Turns": ended.progress.turns,
        })
    );
}

fn policy() -> Policy {
    let mut policy = fleet::policy();
    let rule = CopyRule::parse("eu-west-2:7d:-").expect("a rule");
    for schedule in &mut policy.schedules {
        schedule.copies = vec![rule.clone()];
    }
    policy
}
