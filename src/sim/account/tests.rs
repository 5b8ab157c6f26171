//! Whole runs in the simulated account.

use super::*;
use crate::fixtures::*;
use crate::options::StartOrigin;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn by_event(at: Timestamp) -> Start {
    Start { at, origin: StartOrigin::Event, begun: at, came_back: false }
}

/// The scheduled times of the snapshots that the account holds, each with how many there are.
fn held(account: &Account, now: Timestamp) -> Vec<(String, usize)> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for snapshot in account.observe(now).snapshots {
        let time = snapshot.marks.scheduled_time.value().map_or_else(String::new, ToString::to_string);
        *times.entry(time).or_default() += 1;
    }
    times.into_iter().collect()
}

#[test]
fn a_year_of_hourly_turns_makes_a_snapshot_a_day_and_keeps_three() {
    const VOLUMES: u32 = 3;
    let policy = sample();
    let options = Options::default();
    let mut account = Account::new(VOLUMES, SignedDuration::from_mins(30));
    let mut now = at("2026-01-01T00:00:00Z");
    let mut turns = 0;
    let end = at("2027-01-01T00:00:00Z");
    while now < end {
        let _ = account.turn(&policy, &options, Progress::new(&by_event(now)), now);
        turns += 1;
        now += HOUR;
    }
    assert_eq!(turns, 8_760);
    assert_eq!(account.calls, Calls { creations: 365 * u64::from(VOLUMES), deletions: 362 * u64::from(VOLUMES) });
    let expected = ["2026-12-29T17:00:00Z", "2026-12-30T17:00:00Z", "2026-12-31T17:00:00Z"];
    assert_eq!(held(&account, end), expected.map(|time| (time.to_owned(), 3)).to_vec());
}

#[test]
fn a_run_waits_as_amazon_dlm_does_and_deletes_once_the_new_snapshot_is_complete() {
    let policy = sample();
    let mut account = Account::new(1, 100 * SECOND);
    for (number, day) in [(1, 19), (2, 20), (3, 21)] {
        account.add_snapshot(snapshot(number, 1, &format!("2026-11-{day}T17:00:00Z")));
    }
    let start = by_event(at("2026-11-22T17:00:00Z"));
    let ended = account.run(&policy, &Options::default(), start);
    assert_eq!(ended.outcome, RunOutcome::Succeeded);
    assert_eq!(ended.waits, [1, 15, 25, 60, 60]);
    assert_eq!(ended.at, at("2026-11-22T17:02:41Z"));
    assert_eq!((ended.progress.created, ended.progress.deleted), (1, 1));
    let expected = ["2026-11-20T17:00:00Z", "2026-11-21T17:00:00Z", "2026-11-22T17:00:00Z"];
    assert_eq!(held(&account, ended.at), expected.map(|time| (time.to_owned(), 1)).to_vec());
}

#[test]
fn a_second_run_of_the_same_start_makes_and_deletes_nothing() {
    let policy = sample();
    let mut account = Account::new(5, 10 * SECOND);
    let start = by_event(at("2026-11-22T17:00:00Z"));
    let first = account.run(&policy, &run_now(), start);
    let calls = account.calls;
    let second = account.run(&policy, &run_now(), Start { begun: first.at, ..start });
    assert_eq!(second.outcome, RunOutcome::Succeeded);
    assert_eq!((second.waits, account.calls), (vec![], calls));
}

#[test]
fn a_volume_that_always_fails_keeps_what_it_has_and_makes_the_run_partial() {
    let policy = sample();
    let mut account = Account::new(3, 10 * SECOND);
    for volume in 1..=3 {
        for (number, day) in [(10, 19), (20, 20), (30, 21)] {
            account.add_snapshot(snapshot(number + volume, volume, &format!("2026-11-{day}T17:00:00Z")));
        }
    }
    account.broken_volumes.insert(volume_id(2));
    let options = Options { start_window: SignedDuration::from_mins(5), ..Options::default() };
    let ended = account.run(&policy, &options, by_event(at("2026-11-22T17:00:00Z")));
    assert_eq!(ended.outcome, RunOutcome::Partial);
    assert_eq!((ended.progress.created, ended.progress.deleted), (2, 2));
    let failure = ended.progress.failures.first().unwrap();
    assert_eq!((failure.subject.resource(), failure.code.as_str()), (volume_id(2).to_string(), "IncorrectState"));
    // Tried until the start window was over, and no longer.
    assert!(ended.at > at("2026-11-22T17:05:00Z") && ended.at <= at("2026-11-22T17:06:01Z"), "{}", ended.at);
    let of_broken = account.observe(ended.at).snapshots.into_iter().filter(|s| s.volume_id == volume_id(2));
    assert_eq!(of_broken.count(), 3);
}

#[test]
fn backups_that_fail_for_a_month_cost_no_good_snapshot() {
    let policy = policy(vec![daily("Default Schedule", days(2))]);
    let mut account = Account::new(1, 10 * SECOND);
    let first = at("2026-11-01T17:00:00Z");
    account.run(&policy, &Options::default(), by_event(first));
    account.broken_volumes.insert(volume_id(1));
    for day in 1..=30 {
        let start = by_event(first + day * 24 * HOUR);
        assert_eq!(account.run(&policy, &Options::default(), start).outcome, RunOutcome::Partial);
    }
    let now = first + 31 * 24 * HOUR;
    assert_eq!(held(&account, now), [("2026-11-01T17:00:00Z".to_owned(), 1)]);
}

#[test]
fn a_run_that_was_missed_while_the_function_was_off_is_made_up_for_within_the_window_only() {
    let policy = sample();
    let mut account = Account::new(1, 10 * SECOND);
    let late = by_event(at("2026-11-22T17:59:00Z"));
    assert_eq!(account.run(&policy, &Options::default(), late).progress.created, 1);
    let too_late = by_event(at("2026-11-23T18:01:00Z"));
    let ended = account.run(&policy, &Options::default(), too_late);
    assert_eq!((ended.outcome, ended.progress.created), (RunOutcome::Partial, 0), "no backup where one was due");
}

#[test]
fn a_lost_next_costs_nothing_because_ec2_shows_where_things_stand() {
    let policy = sample();
    let mut account = Account::new(2, 300 * SECOND);
    let start = at("2026-11-22T17:00:00Z");
    // The first execution is lost after its first turn; a rule of one minute drives on, each time from nothing.
    for minute in 0..10 {
        let now = start + SignedDuration::from_mins(minute);
        let _ = account.turn(&policy, &Options::default(), Progress::new(&by_event(now)), now);
    }
    assert_eq!(account.calls, Calls { creations: 2, deletions: 0 });
}

#[test]
fn a_volume_that_goes_away_during_a_run_is_no_failure() {
    let policy = sample();
    let mut account = Account::new(2, 10 * SECOND);
    account.broken_volumes.insert(volume_id(2));
    let start = by_event(at("2026-11-22T17:00:00Z"));
    let first = account.turn(&policy, &Options::default(), Progress::new(&start), start.at);
    assert_eq!(first.progress.failures.len(), 1);
    account.volumes.retain(|volume| volume.id != volume_id(2));
    let second = account.turn(&policy, &Options::default(), first.progress, start.at + 121 * SECOND);
    assert_eq!(second.status, Status::Done(RunOutcome::Succeeded));
}

// R3 of docs/promises.md: a RunNow is in no series and takes nobody's place.

fn names_and_times(account: &Account, now: Timestamp) -> Vec<String> {
    held(account, now).into_iter().map(|(time, _)| time).collect()
}

#[test]
fn three_run_nows_in_half_an_hour_cost_no_yearly_backup_and_go_after_seven_days() {
    let yearly = by_cron("Yearly", "cron(0 17 1 1 ? *)", count(3));
    let policy = policy(vec![yearly, daily("Default Schedule", count(7))]);
    let options = Options { stopped: crate::options::WhenStopped::Tell, ..Options::default() };
    let mut account = Account::new(1, 10 * SECOND);
    let years = ["2024-01-01T17:00:00Z", "2025-01-01T17:00:00Z", "2026-01-01T17:00:00Z"];
    for year in years {
        account.run(&policy, &options, by_event(at(year)));
    }
    let day = at("2026-11-01T17:00:00Z");
    let run_days = |account: &mut Account, days: std::ops::Range<i32>| {
        for number in days {
            account.run(&policy, &options, by_event(day + number * 24 * HOUR));
        }
    };
    run_days(&mut account, 0..10);
    let pressed = at("2026-11-10T18:00:00Z");
    for number in 0..3 {
        let ended = account.run(&policy, &run_now(), by_event(pressed + number * 15 * 60 * SECOND));
        assert_eq!((ended.outcome, ended.progress.created, ended.progress.deleted), (RunOutcome::Succeeded, 1, 0));
    }
    let of_button = |account: &Account, now: Timestamp| {
        let buttons =
            |time: &&String| time.as_str() >= "2026-11-10T18:00:00Z" && time.as_str() < "2026-11-10T19:00:00Z";
        names_and_times(account, now).iter().filter(buttons).count()
    };
    assert_eq!(of_button(&account, pressed + HOUR), 3);
    run_days(&mut account, 10..17);
    let before = pressed + 7 * 24 * HOUR - HOUR;
    assert_eq!(of_button(&account, before), 3, "seven days are not over");
    run_days(&mut account, 17..18);
    let end = day + 18 * 24 * HOUR;
    assert_eq!(of_button(&account, end), 0);
    let left = names_and_times(&account, end);
    assert!(years.iter().all(|year| left.contains(&(*year).to_owned())), "{left:?}");
    assert_eq!(left.len(), 3 + 7, "each series has its count: {left:?}");
}

#[test]
fn one_run_now_costs_a_cron_that_fires_once_nothing() {
    let policy = policy(vec![by_cron("Once", "cron(0 17 22 11 ? 2026)", count(1))]);
    let mut account = Account::new(1, 10 * SECOND);
    account.run(&policy, &Options::default(), by_event(at("2026-11-22T17:00:00Z")));
    let ended = account.run(&policy, &run_now(), by_event(at("2026-11-23T09:00:00Z")));
    assert_eq!((ended.progress.created, ended.progress.deleted), (1, 0));
    // Whoever starts it later cleans up what the button made, and nothing else.
    let retain = crate::policy::Age { interval: std::num::NonZeroU32::MIN, unit: crate::policy::AgeUnit::Days };
    let short = Options { run_now_retain: retain, ..run_now() };
    let later = account.run(&policy, &short, by_event(at("2026-12-01T09:00:00Z")));
    assert_eq!((later.progress.created, later.progress.deleted), (1, 1));
    assert_eq!(
        names_and_times(&account, later.at),
        ["2026-11-22T17:00:00Z".to_owned(), "2026-12-01T09:00:00Z".to_owned()]
    );
}

#[test]
fn a_run_now_answers_no_scheduled_time_and_no_scheduled_one_answers_it() {
    let policy = sample();
    let mut account = Account::new(1, 10 * SECOND);
    let due = by_event(at("2026-11-22T17:00:00Z"));
    for options in [run_now(), Options::default()] {
        let ended = account.run(&policy, &options, due);
        assert_eq!((ended.outcome, ended.progress.created), (RunOutcome::Succeeded, 1));
    }
    assert_eq!(held(&account, at("2026-11-22T17:05:00Z")), [("2026-11-22T17:00:00Z".to_owned(), 2)]);
    let again = account.run(&policy, &Options::default(), by_event(at("2026-11-22T17:10:00Z")));
    assert_eq!((again.progress.created, again.progress.deleted), (0, 0), "neither is a duplicate of the other");
}

#[test]
fn a_run_now_of_a_default_policy_is_an_ordinary_start() {
    let policy = default_policy(1, 7);
    let mut account = Account::new(1, 10 * SECOND);
    for each in &mut account.volumes {
        each.created = Some(at("2026-01-01T00:00:00Z"));
    }
    let ended = account.run(&policy, &run_now(), by_event(at("2026-11-22T17:00:00Z")));
    assert_eq!(ended.progress.created, 1);
    let made = account.observe(ended.at).snapshots.remove(0);
    assert!(!made.marks.is_run_now());
    assert_eq!(made.marks.expiration_time.value(), Some(&at("2026-11-29T17:00:00Z")));
}

// R1: no run makes what its own rule would delete at once.

#[test]
fn a_late_start_whose_count_is_full_of_newer_ones_makes_nothing_each_time_and_says_missed() {
    let policy = policy(vec![every(1, "Hourly", count(1))]);
    let mut account = Account::new(1, 10 * SECOND);
    account.run(&policy, &Options::default(), by_event(at("2026-11-22T17:00:00Z")));
    let calls = account.calls;
    // Delivered late, still within its window.
    let late = Start { begun: at("2026-11-22T17:05:00Z"), ..by_event(at("2026-11-22T16:10:00Z")) };
    for _ in 0..2 {
        let ended = account.run(&policy, &Options::default(), late);
        assert_eq!(ended.outcome, RunOutcome::Skipped, "it says of no backup that it exists");
    }
    assert_eq!((account.calls.creations, account.calls.deletions), (calls.creations, calls.deletions));
}

// opendlm 0.1 wrote neither a stamp nor the names of schedules that share a snapshot.

/// A snapshot as opendlm 0.1 made it, with the tags that it wrote.
fn of_version_0_1(number: u32, scheduled_time: &str, began: &str, more: &[(&str, &str)]) -> Snapshot {
    let own = [
        ("opendlm:policy-id", "policy-0123456789abcdef0"),
        ("opendlm:schedule-name", "Default Schedule"),
        ("opendlm:scheduled-time", scheduled_time),
        ("ss-lifecycle", "true"),
    ];
    let marks = crate::tags::Marks::read(own.iter().chain(more).copied());
    Snapshot { start_time: at(began), marks: marks.into(), ..snapshot(number, 1, scheduled_time) }
}

#[test]
fn snapshots_of_version_0_1_go_on_without_an_alarm_a_second_backup_or_a_lost_one() {
    let policy = sample();
    let mut account = Account::new(1, 10 * SECOND);
    for (number, scheduled_time, began) in [
        (1, "2026-11-19T17:00:00Z", "2026-11-19T17:00:09Z"),
        // Made up for at the end of its start window.
        (2, "2026-11-20T17:00:00Z", "2026-11-20T17:59:31Z"),
        (3, "2026-11-21T17:00:00Z", "2026-11-21T17:00:04Z"),
        // The last turn of 0.1 was before the upgrade.
        (4, "2026-11-22T17:00:00Z", "2026-11-22T17:00:05Z"),
    ] {
        account.add_snapshot(of_version_0_1(number, scheduled_time, began, &[]));
    }
    // The start that 0.1 had answered is delivered again, then come the days.
    let again = account.run(&policy, &Options::default(), by_event(at("2026-11-22T17:00:00Z")));
    assert_eq!((again.outcome, again.progress.created, again.progress.deleted), (RunOutcome::Succeeded, 0, 1));
    for day in 23..=27 {
        let start = by_event(at(&format!("2026-11-{day}T17:00:00Z")));
        let ended = account.run(&policy, &Options::default(), start);
        assert_eq!((ended.outcome, ended.progress.created, ended.progress.deleted), (RunOutcome::Succeeded, 1, 1));
        assert!(ended.progress.failures.is_empty() && ended.progress.brake.is_none());
        let expected: Vec<String> = (day - 2..=day).map(|day| format!("2026-11-{day:02}T17:00:00Z")).collect();
        assert_eq!(names_and_times(&account, ended.at), expected);
    }
}

#[test]
fn a_snapshot_of_version_0_1_with_an_age_goes_when_its_tag_says() {
    let policy = policy(vec![daily("Default Schedule", days(2))]);
    let mut account = Account::new(1, 10 * SECOND);
    let expires = [("opendlm:expiration-time", "2026-11-23T17:00:00Z")];
    account.add_snapshot(of_version_0_1(1, "2026-11-21T17:00:00Z", "2026-11-21T17:00:04Z", &expires));
    let before = account.run(&policy, &Options::default(), by_event(at("2026-11-22T17:00:00Z")));
    assert_eq!((before.outcome, before.progress.created, before.progress.deleted), (RunOutcome::Succeeded, 1, 0));
    let after = account.run(&policy, &Options::default(), by_event(at("2026-11-23T17:00:00Z")));
    assert_eq!((after.outcome, after.progress.created, after.progress.deleted), (RunOutcome::Succeeded, 1, 1));
}
