//! Each fault in an account is one wrong line, and a healthy one has none.

use super::*;
use crate::fixtures::*;
use crate::options::Options;
use crate::plan;
use crate::policy::Policy;
use crate::report;
use crate::tags::Stamp;
use crate::turn::{Progress, Status};
use crate::world::{Snapshot, World};

const NOW: &str = "2026-11-22T20:00:00Z";

/// What `opendlm doctor` says of an account at eight in the evening; the sample policy is due at five.
fn lines(policy: &Policy, world: &World) -> Vec<Line> {
    let options = Options::default();
    let plan = plan::plan(policy, &options, &start(NOW), at(NOW), world);
    let progress = Progress::new(&start(NOW));
    let report = report::report(policy, &options, &plan, &progress, Status::Waiting { seconds: 0 }, &[]);
    let looked = Looked { report, targeted: plan.targeted, is_enabled: !plan.is_disabled };
    examine(&Gathered { looked: Ok(looked) })
}

#[track_caller]
fn check(policy: &Policy, world: &World, wrong: &[&str]) {
    let lines = lines(policy, world);
    let found: Vec<&str> = lines.iter().filter(|line| line.health == Health::Wrong).map(|line| line.about).collect();
    assert_eq!(found, wrong, "{lines:#?}");
    assert_eq!(has_wrong(&lines), !wrong.is_empty());
    let silent: Vec<&Line> = lines.iter().filter(|line| line.cure.is_some() == (line.health == Health::Ok)).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

fn history() -> Vec<Snapshot> {
    (20..=22).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z")).stamped(&[3])).collect()
}

fn healthy() -> World {
    world([volume(1)], history())
}

#[test]
fn a_healthy_policy_has_no_wrong_line_and_what_nobody_looked_at_is_unknown() {
    check(&sample(), &healthy(), &[]);
    let unknown = lines(&sample(), &healthy()).into_iter().filter(|line| line.health == Health::Unknown).count();
    assert_eq!(unknown, UNSEEN.len());
}

#[test]
fn each_fault_is_named() {
    check(&sample(), &world([], []), &["targets"]);
    // The backup of today is missing.
    check(&sample(), &world([volume(1)], history().into_iter().take(2)), &["backups", "last time"]);
    let gone = snapshot(7, 2, "2026-11-20T17:00:00Z").stamped(&[3]);
    check(&sample(), &world([volume(1)], history().into_iter().chain([gone])), &["orphans"]);
    let edited =
        snapshot(8, 1, "2026-11-19T17:00:00Z").stamped(&[3]).with_stamp(|stamp: &mut Stamp| stamp.is_intact = false);
    check(&sample(), &world([volume(1)], history().into_iter().chain([edited])), &["tags", "orphans"]);
    let forged = Snapshot { description: "by hand".into(), ..snapshot(9, 1, "2026-11-18T17:00:00Z") };
    check(&sample(), &world([volume(1)], history().into_iter().chain([forged])), &["look-alikes"]);
}

#[test]
fn a_disabled_policy_is_wrong() {
    let policy = Policy { state: crate::policy::PolicyState::Disabled, ..sample() };
    let found = lines(&policy, &healthy());
    assert!(found.iter().any(|line| line.about == "policy" && line.health == Health::Wrong), "{found:#?}");
}

#[test]
fn who_could_not_look_says_why_and_nothing_is_ok() {
    let found = examine(&Gathered { looked: Err("AccessDenied: no".to_owned()) });
    assert_eq!((found[0].health, found[0].says.as_str()), (Health::Wrong, "AccessDenied: no"));
    assert!(found.iter().all(|line| line.health != Health::Ok));
}
