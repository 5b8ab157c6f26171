//! The words of whole turns, and that a report stays small.

use super::explain::explain;
use super::*;
use crate::fixtures::*;
use crate::options::MaximumDeletions;
use crate::plan;
use crate::sim::Account;
use crate::world::{Snapshot, SnapshotState, World};
use jiff::SignedDuration;

const NOW: &str = "2026-11-22T20:00:00Z";

/// The report of the last turn of a run, and the account after it.
fn last_report(account: &mut Account, policy: &Policy, options: &Options, at_text: &str) -> Report {
    let ended = account.run(policy, options, start(at_text));
    let world = account.observe(ended.at);
    let plan = plan::plan(policy, options, &ended.progress.start(), ended.at, &world);
    report(policy, options, &plan, &ended.progress, Status::Done(ended.outcome), &[])
}

fn with_history(volumes: u32, each: u32) -> Account {
    let mut account = Account::new(volumes, SignedDuration::from_secs(10));
    for volume in 1..=volumes {
        for age in 1..=each {
            let time = at("2026-11-22T17:00:00Z") - SignedDuration::from_hours(24 * i64::from(age));
            account.add_snapshot(snapshot(volume * 1000 + age, volume, &time.to_string()));
        }
    }
    account
}

#[test]
fn one_volume_of_two_hundred_that_fails_is_named_and_the_others_are_done() {
    let mut account = with_history(200, 4);
    account.broken_volumes.insert(volume_id(77));
    let options = Options { start_window: SignedDuration::from_mins(2), ..Options::default() };
    let report = last_report(&mut account, &sample(), &options, "2026-11-22T17:00:00Z");
    assert_eq!((report.outcome, report.created, report.failed), (Some("PARTIAL"), 199, 1));
    assert_eq!(report.counts, Counts { targeted: 200, completed: 199, not_created: 1, not_deleted: 0 });
    assert!(report.summary.contains(&format!("1 failed: CreateSnapshot {}", volume_id(77))), "{}", report.summary);
    let is_good = |s: &Snapshot| s.volume_id == volume_id(77) && s.state == SnapshotState::Completed;
    let kept = account.observe(at(NOW)).snapshots.into_iter().filter(is_good);
    assert_eq!(kept.count(), 3, "as many good ones as its count, and the surplus is gone");
}

#[test]
fn a_count_that_was_cut_by_mistake_deletes_nothing_and_names_the_brake() {
    let mut account = with_history(3, 100);
    let report = last_report(&mut account, &sample(), &Options::default(), "2026-11-22T17:00:00Z");
    assert_eq!((report.outcome, report.created, report.deleted), (Some("PARTIAL"), 3, 0));
    let [failure] = &report.failures[..] else { panic!("{report:?}") };
    assert_eq!(failure.code, "MaximumDeletions");
    assert_eq!(
        failure.message,
        "the run would delete 294 snapshots that carry no opendlm:stamp and may delete 100, so it deleted none of them; opendlm plan lists them; if that is \
         right, set Options.MaximumDeletions to 294 or more"
    );
    let lifted = Options { maximum_deletions: MaximumDeletions::Number(300), ..Options::default() };
    let report = last_report(&mut account, &sample(), &lifted, "2026-11-22T17:00:00Z");
    assert_eq!((report.outcome, report.created, report.deleted), (Some("SUCCEEDED"), 0, 294));
}

#[test]
fn the_brake_counts_what_the_run_itself_will_push_out() {
    let mut account = with_history(1, 3);
    let options = Options { maximum_deletions: MaximumDeletions::Number(0), ..Options::default() };
    let report = last_report(&mut account, &sample(), &options, "2026-11-22T17:00:00Z");
    assert_eq!((report.outcome, report.created, report.deleted), (Some("PARTIAL"), 1, 0));
}

#[test]
fn the_ordinary_one_out_for_one_in_never_meets_the_brake() {
    let mut account = with_history(300, 3);
    let report = last_report(&mut account, &sample(), &Options::default(), "2026-11-22T17:00:00Z");
    assert_eq!((report.outcome, report.created, report.deleted), (Some("SUCCEEDED"), 300, 300));
    assert_eq!(report.counts, Counts { targeted: 300, completed: 300, ..Counts::default() });
}

#[test]
fn creation_that_is_broken_for_longer_than_the_retention_costs_no_newest_one_and_is_told() {
    let policy = policy(vec![daily("Default Schedule", days(2))]);
    let mut account = Account::new(2, SignedDuration::from_secs(10));
    account.run(&policy, &Options::default(), start("2026-11-01T17:00:00Z"));
    account.broken_volumes.extend([volume_id(1), volume_id(2)]);
    let mut last = None;
    for day in 2..=9 {
        last = Some(last_report(&mut account, &policy, &Options::default(), &format!("2026-11-0{day}T17:00:00Z")));
    }
    let report = last.unwrap();
    assert_eq!(account.observe(at(NOW)).snapshots.len(), 2);
    assert!(report.summary.contains("backups of 2 volumes have stopped"), "{}", report.summary);
}

#[test]
fn a_report_stays_small_whatever_the_number_of_volumes() {
    let world = world((1..=20_000).map(volume), []);
    let (policy, options) = (sample(), Options::default());
    let mut account = Account::holding(&world);
    account.broken_volumes.extend((1..=20_000).map(volume_id));
    let conclusion = account.turn(&policy, &options, Progress::new(&start(NOW)), at(NOW));
    let plan = plan::plan(&policy, &options, &start(NOW), at(NOW), &world);
    let report = report(&policy, &options, &plan, &conclusion.progress, conclusion.status, &[]);
    let bytes =
        serde_json::to_string(&report).unwrap().len() + serde_json::to_string(&conclusion.progress).unwrap().len();
    assert!(bytes < 100_000, "{bytes} bytes");
}

#[test]
fn a_dry_run_tells_what_goes_now_and_what_goes_once_the_new_one_is_complete() {
    let world = with_history(1, 4).observe(at("2026-11-22T17:00:00Z"));
    let (policy, options) = (sample(), Options { dry_run: true, ..Options::default() });
    let plan = plan::plan(&policy, &options, &start("2026-11-22T17:00:00Z"), at("2026-11-22T17:00:00Z"), &world);
    let lines: Vec<String> = decisions(&plan).map(|line| format!("{}: {}", line.decision, line.reason)).collect();
    assert_eq!(
        lines,
        [
            "create: no snapshot answers this time yet, to be begun until 2026-11-22T18:00:00Z",
            "delete: number 4 from the newest, the schedule keeps 3",
            "delete later: once the new snapshots of this run are complete: number 4 from the newest, the schedule keeps 3",
            "keep: number 2 from the newest, the schedule keeps 3",
            "keep: number 1 from the newest, the schedule keeps 3",
        ]
    );
}

/// A snapshot for 17:00 of the first volume that failed on its key, as EC2 says it of a copy (shared/wire/describe-snapshots/30).
fn failed_on_its_key(number: u32) -> Snapshot {
    let failed = snapshot(number, 1, "2026-11-22T17:00:00Z").in_state(SnapshotState::Error);
    Snapshot { state_message: Some("Given key ID is not accessible".into()), ..failed }
}

/// What is said at this time about an account with so many failed snapshots: every decision, and the failures.
fn told_of_failed(number: u32, now: &str) -> (Vec<String>, Vec<String>) {
    let world = world([volume(1)], (1..=number).map(failed_on_its_key));
    let (policy, options, start) = (sample(), Options::default(), start("2026-11-22T17:00:00Z"));
    let plan = plan::plan(&policy, &options, &start, at(now), &world);
    let progress = Progress::new(&start);
    let report = report(&policy, &options, &plan, &progress, Status::Waiting { seconds: 1 }, &[]);
    let lines = decisions(&plan).map(|line| format!("{}: {}", line.decision, line.reason));
    let failures = report.failures.iter().map(|f| format!("{} {}: {}: {}", f.action, f.resource, f.code, f.message));
    (lines.collect(), failures.collect())
}

#[test]
fn a_failed_snapshot_is_told_with_its_id_and_what_ec2_says_of_it() {
    let (lines, failures) = told_of_failed(1, "2026-11-22T17:01:00Z");
    let (snapshot, why) = ("snap-00000000000000001", "EC2 says: Given key ID is not accessible");
    assert_eq!(
        lines,
        [
            format!(
                "create: no snapshot answers this time yet, to be begun until 2026-11-22T18:00:00Z; {snapshot} went to error; {why}"
            ),
            format!("keep: it went to error and counts for nothing, to be deleted after 2026-11-23T17:00:00Z; {why}"),
        ]
    );
    let volume = "CreateSnapshot vol-00000000000000001";
    assert_eq!(failures, [format!("{volume}: SnapshotFailed: {snapshot} went to error; {why}")]);
    let (lines, failures) = told_of_failed(5, "2026-11-22T17:01:00Z");
    let reason = format!(
        "5 snapshots for this time went to error, another would as well; the last one: snap-00000000000000005 went to error; {why}"
    );
    assert_eq!(lines[0], format!("give up: {reason}"));
    assert_eq!(failures, [format!("{volume}: SnapshotsFailed: {reason}")]);
    let (lines, _) = told_of_failed(1, "2026-11-24T17:01:00Z");
    assert_eq!(
        lines[1],
        format!("delete: it failed, begun at 2026-11-22T17:00:00Z, and holds nothing that could be restored; {why}")
    );
}

#[test]
fn a_failed_snapshot_is_explained_with_what_ec2_says_of_it() {
    let world = world([volume(1)], [failed_on_its_key(1)]);
    let (policy, options) = (sample(), Options::default());
    let plan = plan::plan(&policy, &options, &start(NOW), at(NOW), &world);
    let explanation = explain(&policy, &options, at(NOW), &world, &plan, &world.snapshots[0].id);
    assert_eq!(
        explanation.decision.unwrap().reason,
        "it went to error and counts for nothing, to be deleted after 2026-11-23T17:00:00Z; EC2 says: Given key ID is not accessible"
    );
}

#[track_caller]
fn check_explanation(policy: &Policy, world: &World, wanted: &Snapshot, expected: [&str; 2]) {
    let options = Options::default();
    let plan = plan::plan(policy, &options, &start(NOW), at(NOW), world);
    let explanation = explain(policy, &options, at(NOW), world, &plan, &wanted.id);
    assert_eq!([explanation.rule.as_str(), explanation.goes.as_str()], expected);
}

#[test]
fn a_snapshot_is_explained_by_its_rule_and_when_it_goes() {
    let history: Vec<Snapshot> = (20..=22).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z"))).collect();
    let counted = world([volume(1)], history.clone());
    let rule = "schedule Default Schedule keeps the newest 3 of each volume";
    check_explanation(&sample(), &counted, &history[0], [rule, "once the backup of 2026-11-23T17:00:00Z is complete"]);
    check_explanation(&sample(), &counted, &history[2], [rule, "once the backup of 2026-11-25T17:00:00Z is complete"]);
    let aged = snapshot(1, 1, "2026-11-22T17:00:00Z").expiring("2026-11-29T17:00:00Z");
    check_explanation(
        &policy(vec![daily("Default Schedule", days(7))]),
        &world([volume(1)], [aged.clone()]),
        &aged,
        [
            "schedule Default Schedule keeps by age: 7 days",
            "at the first turn after 2026-11-29T17:00:00Z with a newer one complete",
        ],
    );
    let forged = Snapshot { description: "by hand".into(), ..snapshot(1, 1, "2026-11-22T17:00:00Z") };
    check_explanation(
        &sample(),
        &world([volume(1)], [forged.clone()]),
        &forged,
        ["it carries our tag but not our description, so somebody else made it", "opendlm never deletes it"],
    );
}

#[test]
fn what_waits_for_consent_is_told_at_each_run_which_succeeds_and_says_how_to_give_it() {
    let mut account = Account::new(2, SignedDuration::from_secs(10));
    for volume in 1..=2 {
        for age in 1..=10 {
            let time = at("2026-11-22T17:00:00Z") - SignedDuration::from_hours(24 * i64::from(age));
            account.add_snapshot(snapshot(volume * 1000 + age, volume, &time.to_string()).stamped(&[10]));
        }
    }
    let lowered = policy(vec![daily("Default Schedule", count(3))]);
    let report = last_report(&mut account, &lowered, &Options::default(), "2026-11-22T17:00:00Z");
    assert_eq!((report.outcome, report.created, report.deleted), (Some("SUCCEEDED"), 2, 2));
    let told = "Default Schedule keeps 3 now and kept more when 14 snapshots of 2 volumes were made, which stay; to let them go set \
                Options.AcceptCount to {\"Default Schedule\": 3}";
    assert_eq!(report.warnings, [told]);
    assert!(report.summary.contains(told), "{}", report.summary);
}
