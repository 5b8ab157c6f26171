//! No backup where one was due is a failure: situations and the outcome of a start in each.
//!
//! Our own rules; of AWS they rest on nothing but what snapshots, volumes and tags are.

use super::*;
use crate::options::WhenStopped;
use crate::policy::{PolicyState, RetainRule};
use crate::report;
use crate::turn::Status;
use crate::world::{Instance, InstanceState, Tier};
use std::collections::BTreeSet;

/// A situation before a start. The first lines of a row say what is there, the last ones what differs from the ordinary.
struct Situation {
    policy: Policy,
    options: Options,
    volumes: Vec<Volume>,
    instances: Vec<Instance>,
    untargeted: BTreeSet<SourceId>,
    held: Vec<Snapshot>,
}

/// Policy with volume 1, targeted, and these snapshots.
fn there(policy: Policy, held: impl IntoIterator<Item = Snapshot>) -> Situation {
    Situation {
        policy,
        options: Options::default(),
        volumes: vec![volume(1)],
        instances: vec![],
        untargeted: BTreeSet::new(),
        held: held.into_iter().collect(),
    }
}

/// A start at `at`, and how it ended: the outcome and the codes of what failed.
#[track_caller]
fn check(situation: Situation, at_text: &str, expected: &str) {
    let Situation { policy, options, volumes, instances, untargeted, held } = situation;
    let mut account = Account::new(0, 10 * SECOND);
    (account.volumes, account.instances, account.untargeted) = (volumes, instances, untargeted);
    held.into_iter().for_each(|snapshot| account.add_snapshot(snapshot));
    let (start, ended) = (starting(at(at_text)), account.run(&policy, &options, starting(at(at_text))));
    let world = account.observe(ended.at);
    let plan = plan(&policy, &options, &start, ended.at, &world);
    let report = report::report(&policy, &options, &plan, &ended.progress, Status::Done(ended.outcome), &[]);
    let codes: BTreeSet<&str> = report.failures.iter().map(|failure| failure.code.as_str()).collect();
    let words: Vec<&str> = report.outcome.into_iter().chain(codes).collect();
    assert_eq!(words.join(" "), expected, "{}", report.summary);
}

fn keeps() -> RetainRule {
    count(30)
}

/// Every day at 17:00.
fn each_day() -> Policy {
    policy(vec![daily("Default Schedule", keeps())])
}

/// Every hour, and every day at 17:00.
fn each_hour_and_day() -> Policy {
    policy(vec![every(1, "Hourly", keeps()), daily("Default Schedule", keeps())])
}

/// Every day at 17:00, and on 1 January at 19:00.
fn each_day_and_year() -> Policy {
    policy(vec![daily("Default Schedule", keeps()), by_cron("Yearly", "cron(0 19 1 1 ? *)", keeps())])
}

fn of_day(number: u32, day: u32) -> Snapshot {
    snapshot(number, 1, &format!("2026-11-{day:02}T17:00:00Z"))
}

fn of_hour(number: u32, hour: u32) -> Snapshot {
    snapshot(number, 1, &format!("2026-11-22T{hour:02}:00:00Z")).of_schedule("Hourly")
}

fn revised(situation: Situation, revision: &str) -> Situation {
    let options = Options { revision: Some(at(revision)), ..situation.options };
    Situation { options, ..situation }
}

fn told_only(situation: Situation) -> Situation {
    Situation { options: Options { stopped: WhenStopped::Tell, ..situation.options }, ..situation }
}

fn targeting(situation: Situation, volumes: impl IntoIterator<Item = Volume>) -> Situation {
    Situation { volumes: volumes.into_iter().collect(), ..situation }
}

#[test]
fn a_newest_backup_older_than_the_shortest_period_and_the_window_fails_a_run() {
    let stopped = || there(each_day(), [of_day(1, 20), of_day(2, 21)]);
    // A start every minute: from the end of the window on every start says so, before it none does.
    check(stopped(), "2026-11-22T16:59:00Z", "SKIPPED");
    check(stopped(), "2026-11-22T18:01:00Z", "PARTIAL BackupsStopped");
    check(stopped(), "2026-11-23T03:17:00Z", "PARTIAL BackupsStopped");
    check(told_only(stopped()), "2026-11-23T03:17:00Z", "SKIPPED");
    // The ordinary run, and a minute driver between two scheduled times.
    check(stopped(), "2026-11-22T17:00:00Z", "SUCCEEDED");
    check(there(each_day(), [of_day(1, 21), of_day(2, 22)]), "2026-11-22T22:22:00Z", "SKIPPED");
    // An hour off in both directions. A driver that is an hour early meets the day before until somebody looks.
    check(stopped(), "2026-11-22T18:00:01Z", "PARTIAL BackupsStopped");
    check(there(each_day(), [of_day(1, 20)]), "2026-11-22T16:00:00Z", "PARTIAL BackupsStopped");
    // A disabled policy, a new volume, an archived backup, a failed one, one under way for three hours, one that hangs.
    let disabled = Policy { state: PolicyState::Disabled, ..each_day() };
    check(there(disabled, [of_day(1, 1)]), "2026-11-22T20:00:00Z", "SKIPPED");
    let tagged_today = targeting(there(each_day(), [of_day(1, 22)]), [volume(1), volume(2)]);
    check(tagged_today, "2026-11-22T20:00:00Z", "SKIPPED");
    let archived = Snapshot { tier: Tier::Archive, ..of_day(2, 22) };
    check(there(each_day(), [of_day(1, 1), archived]), "2026-11-22T20:00:00Z", "SKIPPED");
    let failed = of_day(2, 22).in_state(SnapshotState::Error);
    check(there(each_day(), [of_day(1, 21), failed]), "2026-11-22T20:00:00Z", "PARTIAL BackupsStopped");
}

#[test]
fn what_is_under_way_counts_for_a_day() {
    let plan_at = |held: Vec<Snapshot>, policy: Policy, now: &str| {
        let (options, world) = (Options::default(), world([volume(1)], held));
        plan(&policy, &options, &start(now), at(now), &world).stopped
    };
    let hourly = || policy(vec![every(1, "Hourly", keeps())]);
    let slow = vec![of_hour(1, 5), of_hour(2, 6).pending(), of_hour(3, 7).pending(), of_hour(4, 8).pending()];
    assert_eq!(plan_at(slow.clone(), hourly(), "2026-11-22T09:01:00Z"), 0);
    assert_eq!(plan_at(slow, hourly(), "2026-11-22T10:00:01Z"), 1);
    let hangs = vec![of_day(1, 20), of_day(2, 21).pending()];
    assert_eq!(plan_at(hangs.clone(), each_day(), "2026-11-22T16:59:59Z"), 0);
    assert_eq!(plan_at(hangs, each_day(), "2026-11-22T17:00:00Z"), 1);
}

#[test]
fn a_source_that_is_skipped_is_no_stopped_one_and_a_stopped_instance_is_a_source() {
    let held = |day: u32| [of_day(1, day).of_instance(1)];
    let in_state = |state: InstanceState, day: u32| {
        let there = there(instance_policy(keeps()), held(day));
        Situation { volumes: vec![], instances: vec![Instance { state, ..instance(1, 1, []) }], ..there }
    };
    check(in_state(InstanceState::Hibernated, 1), "2026-11-22T20:00:00Z", "SKIPPED");
    check(in_state(InstanceState::Terminated, 1), "2026-11-22T17:00:00Z", "SKIPPED");
    check(in_state(InstanceState::Stopped, 21), "2026-11-22T20:00:00Z", "PARTIAL BackupsStopped");
    check(in_state(InstanceState::Stopped, 21), "2026-11-22T17:00:00Z", "SUCCEEDED");
}

#[test]
fn a_missed_time_fails_the_first_run_after_it_and_no_other() {
    // The day of the 21st was missed; the start of the 22nd tells it, the one after it in the same window does not.
    let missed = || there(each_day(), [of_day(1, 19), of_day(2, 20)]);
    check(missed(), "2026-11-22T17:00:00Z", "PARTIAL Missed");
    check(told_only(missed()), "2026-11-22T17:00:00Z", "SUCCEEDED");
    check(there(each_day(), [of_day(2, 20), of_day(3, 22)]), "2026-11-22T17:01:00Z", "SUCCEEDED");
    check(there(each_day(), [of_day(2, 20), of_day(3, 22)]), "2026-11-23T17:00:00Z", "SUCCEEDED");
    check(revised(missed(), "2026-11-21T18:00:00Z"), "2026-11-22T17:00:00Z", "SUCCEEDED");
    check(revised(missed(), "2026-11-21T16:00:00Z"), "2026-11-22T17:00:00Z", "PARTIAL Missed");
    // What this run itself has deleted was there.
    let by_count =
        |keep| there(policy(vec![daily("Default Schedule", count(keep))]), [of_day(1, 19).held("true"), of_day(2, 21)]);
    check(by_count(1), "2026-11-22T17:00:00Z", "SUCCEEDED");
    check(by_count(2), "2026-11-22T17:00:00Z", "SUCCEEDED");
    // And what was missed before that stays told.
    let last = there(policy(vec![daily("Default Schedule", count(1))]), [of_day(1, 20)]);
    check(last, "2026-11-22T17:00:00Z", "PARTIAL Missed");
    // A run of an old version, whose schedule is no more, told nothing of this one.
    let by_old_version = snapshot(4, 1, "2026-11-22T05:00:00Z").of_schedule("Gone");
    check(there(each_day(), [of_day(2, 20), by_old_version]), "2026-11-22T17:00:00Z", "PARTIAL Missed");
    // A new volume has nothing earlier; a schedule that starts at another time of the day since yesterday has missed nothing.
    let replaced = targeting(there(each_day(), [of_day(1, 20)]), [volume(2)]);
    check(replaced, "2026-11-22T17:00:00Z", "SUCCEEDED");
    let moved = there(each_day(), [of_day(1, 20), snapshot(2, 1, "2026-11-21T18:00:00Z")]);
    check(moved, "2026-11-22T17:00:00Z", "SUCCEEDED");
    // Hourly and daily, off from 16:30 to 19:30: 20:00 tells both, 21:00 nothing.
    let hours = |last: u32| (10..=last).filter(|hour| !(17..=19).contains(hour)).map(|hour| of_hour(hour, hour));
    let with_day = |last: u32| there(each_hour_and_day(), hours(last).chain([of_day(1, 21)]));
    check(with_day(16), "2026-11-22T20:00:00Z", "PARTIAL Missed");
    check(with_day(20), "2026-11-22T21:00:00Z", "SUCCEEDED");
    // Put at 10:00: no daily one exists, and the hourly ones have just begun.
    check(there(each_hour_and_day(), []), "2026-11-22T11:00:00Z", "SUCCEEDED");
    let widened = there(each_hour_and_day(), [of_day(1, 21)]);
    check(revised(widened, "2026-11-22T10:00:00Z"), "2026-11-22T11:00:00Z", "SUCCEEDED");
}

#[test]
fn a_yearly_time_makes_no_daily_backup_old() {
    let of = |number, time: &str| snapshot(number, 1, time);
    let days = || [of(1, "2026-12-31T17:00:00Z"), of(2, "2027-01-01T17:00:00Z")];
    check(there(each_day_and_year(), days()), "2027-01-01T21:00:00Z", "SKIPPED");
    check(there(each_day_and_year(), days()), "2027-01-02T17:00:00Z", "SUCCEEDED");
    let yearly = of(3, "2026-01-01T19:00:00Z").of_schedule("Yearly");
    let with_year = || there(each_day_and_year(), days().into_iter().chain([yearly.clone()]));
    check(with_year(), "2027-01-02T17:00:00Z", "PARTIAL Missed");
    let told = Situation {
        held: with_year().held.into_iter().chain([of(4, "2027-01-02T17:00:00Z")]).collect(),
        ..with_year()
    };
    check(told, "2027-01-03T17:00:00Z", "SUCCEEDED");
}

#[test]
fn a_start_that_meets_no_time_fails_where_there_is_no_backup_at_all() {
    let nothing = || there(each_day(), []);
    check(nothing(), "2026-11-22T16:00:00Z", "PARTIAL NothingDue");
    check(nothing(), "2026-11-22T18:01:00Z", "PARTIAL NothingDue");
    check(nothing(), "2026-11-22T17:59:59Z", "SUCCEEDED");
    check(told_only(nothing()), "2026-11-22T16:00:00Z", "SKIPPED");
    // With a revision a minute driver is quiet until the first time of the new policy is over.
    check(revised(nothing(), "2026-11-22T10:00:00Z"), "2026-11-22T16:00:00Z", "SKIPPED");
    check(revised(nothing(), "2026-11-22T10:00:00Z"), "2026-11-22T18:01:00Z", "PARTIAL NothingDue");
    // Nobody is there in an empty account.
    check(targeting(nothing(), []), "2026-11-22T16:00:00Z", "SKIPPED");
    check(targeting(nothing(), []), "2026-11-22T17:00:00Z", "SKIPPED");
}

#[test]
fn nothing_targeted_fails_only_beside_a_source_of_a_backup_and_after_a_second_look() {
    let fleet = |untargeted: &[u32]| Situation {
        volumes: vec![],
        untargeted: untargeted.iter().map(|&number| SourceId::Volume(volume_id(number))).collect(),
        ..there(each_day(), [of_day(1, 20), of_day(2, 21)])
    };
    // A mistyped tag; a fleet scaled to zero; another volume without a tag; a minute driver between two times.
    check(fleet(&[1]), "2026-11-22T17:00:00Z", "PARTIAL NoTargets");
    check(fleet(&[]), "2026-11-22T17:00:00Z", "SKIPPED");
    check(fleet(&[7]), "2026-11-22T17:00:00Z", "SKIPPED");
    check(fleet(&[1]), "2026-11-22T20:00:00Z", "PARTIAL NoTargets");
    check(told_only(fleet(&[1])), "2026-11-22T17:00:00Z", "SKIPPED");
    let mut account = Account::new(0, 10 * SECOND);
    account.untargeted.insert(SourceId::Volume(volume_id(1)));
    account.add_snapshot(of_day(1, 21));
    let (policy, options, now) = (each_day(), Options::default(), at("2026-11-22T17:00:00Z"));
    let first = account.turn(&policy, &options, crate::turn::Progress::new(&starting(now)), now);
    assert_eq!(first.status, Status::Waiting { seconds: 1 });
    account.volumes.push(volume(1));
    account.untargeted.clear();
    let second = account.turn(&policy, &options, first.progress, now + 15 * SECOND);
    assert_eq!(second.progress.created, 1, "the tag was there at the second look");
}

#[test]
fn an_hour_late_since_the_clocks_went_back_is_told_with_the_nearest_times() {
    let policy = policy(vec![by_cron("default", "cron(0 5 * * ? *)", keeps())]);
    let start = Start { begun: at("2026-11-02T06:00:02Z"), ..starting(at("2026-11-02T06:00:00Z")) };
    let mut account = Account::new(1, 10 * SECOND);
    let options = Options::default();
    let ended = account.run(&policy, &options, start);
    let world = account.observe(ended.at);
    let plan = plan(&policy, &options, &start, ended.at, &world);
    let report = report::report(&policy, &options, &plan, &ended.progress, Status::Done(ended.outcome), &[]);
    assert_eq!(
        report.failures[0].message,
        "the start 2026-11-02T06:00:00Z meets no scheduled time and there is no backup at all: the last one was \
         2026-11-02T05:00:00Z, 1 h 0 min before, the next one is 2026-11-03T05:00:00Z, 23 h 0 min after; start the function at a \
         scheduled time"
    );
}
