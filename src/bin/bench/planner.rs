//! How long a turn of a large account plans, and how much memory that takes.

use jiff::Timestamp;
use opendlm::options::{Options, Start, StartOrigin};
use opendlm::plan::{self, Plan, SnapshotVerdict, TargetVerdict, check};
use opendlm::policy::Policy;
use opendlm::sim::fleet::{self, Stage};
use opendlm::world::World;
use std::time::{Duration, Instant};

const STAGES: [(Stage, &str); 3] =
    [(Stage::Begun, "nothing made"), (Stage::UnderWay, "all under way"), (Stage::Complete, "all complete")];

/// One line of JSON for each stage of a run.
pub(super) fn planner(volumes: u32) {
    let (policy, options, start) = given();
    for (stage, name) in STAGES {
        let world = fleet::world(&policy, volumes, start.at, stage);
        let (planned, plan_takes) = timed(|| planned(&policy, &options, &start, &world));
        let (broken, check_takes) = timed(|| check::check(&policy, &options, start.at, &world, &planned));
        assert!(broken.is_empty(), "{:?}", broken.first());
        let creations = planned.targets.iter().filter(|d| matches!(d.verdict, TargetVerdict::Create { .. })).count();
        let deletions = planned.snapshots.iter().filter(|d| matches!(d.verdict, SnapshotVerdict::Delete(_))).count();
        println!(
            "{}",
            serde_json::json!({
                "Stage": name,
                "Volumes": volumes,
                "Snapshots": world.snapshots.len(),
                "Creations": creations,
                "Deletions": deletions,
                "PlanSeconds": plan_takes.as_secs_f64(),
                "CheckSeconds": check_takes.as_secs_f64(),
                "PeakMemoryMb": peak_memory_mb(),
            })
        );
    }
}

/// A single plan.
pub(super) fn plan_once(volumes: u32) {
    let (policy, options, start) = given();
    let world = fleet::world(&policy, volumes, start.at, Stage::Complete);
    let planned = planned(&policy, &options, &start, &world);
    println!("{}", planned.snapshots.len());
}

/// A function of its own, so that callgrind can tell it from what is around it.
#[inline(never)]
fn planned<'a>(policy: &'a Policy, options: &'a Options, start: &Start, world: &'a World) -> Plan<'a> {
    plan::plan(policy, options, start, start.begun, world)
}

fn given() -> (Policy, Options, Start) {
    let at: Timestamp = "2026-11-22T17:00:00Z".parse().expect("a timestamp");
    let begun = "2026-11-22T17:30:00Z".parse().expect("a timestamp");
    (fleet::policy(), Options::default(), Start { at, origin: StartOrigin::Event, begun, came_back: false })
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[allow(clippy::disallowed_methods, reason = "a benchmark holds a stopwatch")]
    let begin = Instant::now();
    let done = work();
    (done, begin.elapsed())
}

/// The most memory that this process ever had, in MB, as Linux tells it; `None` elsewhere.
fn peak_memory_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024)
}
