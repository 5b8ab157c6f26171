//! Which snapshots stay: E1, E7 to E10, E17 to E20, E22, E28, E47 to E49, E52, E54, E55.

use super::*;
use crate::tags::Mark;
use crate::world::{Origin, Tier};

fn by_age(number: u32, made: &str, expires: &str) -> Snapshot {
    snapshot(number, 1, made).expiring(expires)
}

#[test]
fn e1_an_expired_monthly_snapshot_stays_until_the_next_monthly_one_exists() {
    let policy = policy(vec![by_cron("Default Schedule", "cron(0 9 1 * ? *)", days(7))]);
    let mut account = Account::new(1, 10 * SECOND);
    assert_eq!(run(&mut account, &policy, &Options::default(), "2026-01-01T09:00:00Z"), (1, 0, RunOutcome::Succeeded));
    assert_eq!(run(&mut account, &policy, &Options::default(), "2026-01-08T10:00:00Z").1, 0);
    assert_eq!(run(&mut account, &policy, &Options::default(), "2026-02-01T09:00:00Z"), (1, 1, RunOutcome::Succeeded));
    assert_eq!(held(&account, at("2026-02-02T00:00:00Z")), ["2026-02-01T09:00:00Z"]);
}

#[test]
fn e7_what_expired_while_the_policy_was_disabled_goes_once_it_is_enabled_again() {
    let policy = policy(vec![daily("Default Schedule", days(7))]);
    let world = world(
        [volume(1)],
        [
            by_age(1, "2026-11-14T17:00:00Z", "2026-11-21T17:00:00Z"),
            by_age(2, "2026-11-22T17:00:00Z", "2026-11-29T17:00:00Z"),
        ],
    );
    let disabled = Policy { state: PolicyState::Disabled, ..policy.clone() };
    check_fates(&disabled, &world, "2026-11-22T20:00:00Z", "");
    check_fates(&policy, &world, "2026-11-22T20:00:00Z", "1 delete, 2 keep");
}

#[test]
fn e8_a_count_policy_that_is_enabled_again_deletes_its_surplus_once_the_next_one_is_complete() {
    let policy = sample();
    let mut account = Account::new(1, 10 * SECOND);
    for day in 1..=3 {
        run(&mut account, &policy, &Options::default(), &format!("2026-11-0{day}T17:00:00Z"));
    }
    let disabled = Policy { state: PolicyState::Disabled, ..policy.clone() };
    assert_eq!(run(&mut account, &disabled, &Options::default(), "2026-11-04T17:00:00Z"), (0, 0, RunOutcome::Skipped));
    // The day that was missed meanwhile is told once.
    assert_eq!(run(&mut account, &policy, &Options::default(), "2026-11-05T17:00:00Z"), (1, 1, RunOutcome::Partial));
    assert_eq!(run(&mut account, &policy, &Options::default(), "2026-11-06T17:00:00Z"), (1, 1, RunOutcome::Succeeded));
}

#[test]
fn e9_a_changed_age_holds_for_new_snapshots_only() {
    let mut account = Account::new(1, 10 * SECOND);
    let two_weeks = policy(vec![daily("Default Schedule", days(14))]);
    let one_week = policy(vec![daily("Default Schedule", days(7))]);
    run(&mut account, &two_weeks, &Options::default(), "2026-11-01T17:00:00Z");
    for day in 2..=14 {
        run(&mut account, &one_week, &Options::default(), &format!("2026-11-{day:02}T17:00:00Z"));
    }
    let held = held(&account, at("2026-11-14T18:00:00Z"));
    assert_eq!(held.first().map(String::as_str), Some("2026-11-01T17:00:00Z"), "stamped for 14 days");
    assert_eq!(held.get(1).map(String::as_str), Some("2026-11-08T17:00:00Z"), "2 to 7 November are over after 7 days");
}

#[test]
fn e10_a_smaller_count_lets_the_surplus_go_at_once_unless_it_is_more_than_the_brake_allows() {
    let ten = (1..=10).map(|day| snapshot(day, 1, &format!("2026-11-{day:02}T17:00:00Z")));
    let world = world([volume(1)], ten);
    let fates_of = |options: Options| fates(&sample(), &options, "2026-11-10T20:00:00Z", &world);
    let surplus_goes = "1 delete, 2 delete, 3 delete, 4 delete, 5 delete, 6 delete, 7 delete, 8 keep, 9 keep, 10 keep";
    assert_eq!(fates_of(Options::default()), surplus_goes);
    let braked =
        fates_of(Options { maximum_deletions: crate::options::MaximumDeletions::Number(6), ..Options::default() });
    assert!(!braked.contains("delete"), "{braked}");
}

#[test]
fn e17_a_newest_one_that_failed_or_is_pending_costs_no_complete_one() {
    let with = |state| {
        let old = (18..=20).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z")));
        let newest = snapshot(21, 1, "2026-11-21T17:00:00Z").in_state(state);
        world([volume(1)], old.chain([newest]))
    };
    let now = "2026-11-21T18:30:00Z";
    check_fates(&sample(), &with(SnapshotState::Error), now, "18 keep, 19 keep, 20 keep, 21 keep");
    let pending = with(SnapshotState::Pending);
    check_fates(&sample(), &pending, now, "18 keep, 19 keep, 20 keep, 21 wait");
    // Within its start window the run waits for it, and says what goes then.
    check_fates(&sample(), &pending, "2026-11-21T17:30:00Z", "18 delete later, 19 keep, 20 keep, 21 wait");
}

#[test]
fn e18_and_e19_an_undeletable_snapshot_is_told_and_nothing_newer_goes_instead() {
    let policy = policy(vec![daily("Default Schedule", count(2))]);
    let mut account = Account::new(1, 10 * SECOND);
    for day in 1..=3 {
        account.add_snapshot(snapshot(day, 1, &format!("2026-11-0{day}T17:00:00Z")));
    }
    account.undeletable.insert(snapshot(1, 1, "2026-11-01T17:00:00Z").id);
    let (creations, deletions, outcome) = run(&mut account, &policy, &Options::default(), "2026-11-04T17:00:00Z");
    assert_eq!((creations, outcome), (1, RunOutcome::Partial));
    assert_eq!(deletions, 2, "one of them refused, tried once");
    let now = at("2026-11-04T18:00:00Z");
    assert_eq!(held(&account, now), ["2026-11-01T17:00:00Z", "2026-11-03T17:00:00Z", "2026-11-04T17:00:00Z"]);
}

#[test]
fn e20_and_e21_a_restored_snapshot_that_a_person_wants_to_keep_carries_a_hold() {
    let policy = policy(vec![daily("Default Schedule", days(7))]);
    let newest = by_age(2, "2026-11-22T17:00:00Z", "2026-11-29T17:00:00Z");
    let restored = by_age(1, "2026-11-01T17:00:00Z", "2026-11-08T17:00:00Z");
    let now = "2026-11-22T20:00:00Z";
    check_fates(&policy, &world([volume(1)], [restored.clone(), newest.clone()]), now, "1 delete, 2 keep");
    check_fates(&policy, &world([volume(1)], [restored.held("after the fire"), newest]), now, "1 keep, 2 keep");
}

#[test]
fn a_hold_until_a_date_ends_after_that_day() {
    let policy = policy(vec![daily("Default Schedule", count(1))]);
    let world = world(
        [volume(1)],
        [snapshot(1, 1, "2026-11-21T17:00:00Z").held("until=2026-11-22"), snapshot(2, 1, "2026-11-22T17:00:00Z")],
    );
    check_fates(&policy, &world, "2026-11-22T23:59:59Z", "1 keep, 2 keep");
    check_fates(&policy, &world, "2026-11-23T00:00:00Z", "1 delete, 2 keep");
}

#[test]
fn e22_a_snapshot_that_somebody_archived_is_not_managed_and_counts_for_nothing() {
    let policy = policy(vec![daily("Default Schedule", count(1))]);
    let archived = Snapshot { tier: Tier::Archive, ..snapshot(2, 1, "2026-11-21T17:00:00Z") };
    let standard = snapshot(2, 1, "2026-11-21T17:00:00Z");
    let others = [snapshot(1, 1, "2026-11-20T17:00:00Z"), snapshot(3, 1, "2026-11-22T17:00:00Z")];
    let now = "2026-11-22T20:00:00Z";
    check_fates(
        &policy,
        &world([volume(1)], others.clone().into_iter().chain([archived])),
        now,
        "1 delete, 2 keep, 3 keep",
    );
    check_fates(&policy, &world([volume(1)], others.into_iter().chain([standard])), now, "1 delete, 2 delete, 3 keep");
}

#[test]
fn e28_the_snapshot_of_a_cron_that_fires_once_is_never_deleted() {
    let policy = policy(vec![by_cron("Default Schedule", "cron(0 12 1 1 ? 2026)", days(7))]);
    let mut account = Account::new(1, 10 * SECOND);
    run(&mut account, &policy, &Options::default(), "2026-01-01T12:00:00Z");
    for year in 2026..=2036 {
        run(&mut account, &policy, &Options::default(), &format!("{year}-06-01T00:00:00Z"));
    }
    assert_eq!(held(&account, at("2036-06-02T00:00:00Z")), ["2026-01-01T12:00:00Z"]);
}

#[test]
fn e47_what_is_not_listed_yet_is_not_made_again() {
    // turn::tests::what_was_created_is_not_created_again_while_ec2_may_not_list_it holds the memory; here: the plan
    // itself deletes nothing because of a snapshot that is missing from the list.
    let old = [snapshot(1, 1, "2026-11-20T17:00:00Z"), snapshot(2, 1, "2026-11-21T17:00:00Z")];
    check_fates(
        &policy(vec![daily("Default Schedule", count(2))]),
        &world([volume(1)], old),
        "2026-11-22T17:00:01Z",
        "1 delete later, 2 keep",
    );
}

#[test]
fn e48_our_tags_on_a_foreign_snapshot_do_not_make_it_ours() {
    let forged = Snapshot { description: "nightly by hand".into(), ..snapshot(1, 1, "2026-01-01T17:00:00Z") };
    check_fates(
        &policy(vec![daily("Default Schedule", count(1))]),
        &world([volume(1)], [forged]),
        "2026-11-22T20:00:00Z",
        "",
    );
}

#[test]
fn e49_a_copy_that_took_our_tags_along_is_not_managed() {
    let copy = Snapshot { origin: Origin::Copied, ..snapshot(1, 1, "2026-01-01T17:00:00Z") };
    let with_copy = world([volume(1)], [copy, snapshot(2, 1, "2026-11-22T17:00:00Z")]);
    check_fates(&policy(vec![daily("Default Schedule", count(1))]), &with_copy, "2026-11-22T20:00:00Z", "2 keep");
}

#[test]
fn e54_a_run_neither_waits_for_nor_deletes_what_a_later_run_has_under_way() {
    let policy = policy(vec![every(1, "Default Schedule", count(2))]);
    let mut account = Account::new(1, 3 * HOUR);
    for hour in [17, 18, 19] {
        let now = at(&format!("2026-11-22T{hour}:00:00Z"));
        let _ = account.turn(&policy, &Options::default(), crate::turn::Progress::new(&starting(now)), now);
    }
    assert_eq!((account.calls.creations, account.calls.deletions), (3, 0));
    let ended = account.run(&policy, &Options::default(), starting(at("2026-11-22T17:00:30Z")));
    assert!(ended.at < at("2026-11-22T20:02:00Z"), "{}", ended.at);
}

#[test]
fn e55_when_backups_fail_for_longer_than_the_retention_the_newest_complete_one_stays() {
    let policy = policy(vec![daily("Default Schedule", days(2))]);
    let old = (1..=5).map(|day| {
        let expires = at(&format!("2026-11-0{day}T17:00:00Z")) + 2 * DAY;
        by_age(day, &format!("2026-11-0{day}T17:00:00Z"), &expires.to_string())
    });
    let world = world([volume(1)], old);
    check_fates(&policy, &world, "2026-11-20T20:00:00Z", "1 keep, 2 keep, 3 keep, 4 keep, 5 keep");
    let dlm_way = Options { age_without_new_backups: true, ..Options::default() };
    let fates = fates(&policy, &dlm_way, "2026-11-20T20:00:00Z", &world);
    assert_eq!(fates, "1 delete, 2 delete, 3 delete, 4 delete, 5 keep");
}

#[test]
fn age_goes_on_for_a_schedule_whose_backups_a_longer_one_makes() {
    // On Fridays the weekly schedule's snapshot serves the daily one too; it is Saturday noon.
    let weekly = by_cron("Weekly", "cron(0 17 ? * FRI *)", days(60));
    let policy = policy(vec![daily("Default Schedule", days(2)), weekly]);
    let friday = by_age(3, "2026-11-20T17:00:00Z", "2027-01-19T17:00:00Z").of_schedule("Weekly");
    let world = world(
        [volume(1)],
        [
            by_age(1, "2026-11-18T17:00:00Z", "2026-11-20T17:00:00Z"),
            by_age(2, "2026-11-19T17:00:00Z", "2026-11-21T17:00:00Z"),
            friday,
        ],
    );
    check_fates(&policy, &world, "2026-11-21T12:00:00Z", "1 delete, 2 keep, 3 keep");
}

#[test]
fn backups_that_stopped_are_counted_for_the_report() {
    let policy = policy(vec![daily("Default Schedule", days(2))]);
    let world = world([volume(1)], [by_age(1, "2026-11-01T17:00:00Z", "2026-11-03T17:00:00Z")]);
    let options = Options::default();
    let stopped = |now: &str| plan(&policy, &options, &start(now), at(now), &world).stopped;
    assert_eq!(stopped("2026-11-02T18:00:00Z"), 0);
    assert_eq!(stopped("2026-11-02T18:00:01Z"), 1);
}

#[test]
fn the_floor_keeps_so_many_complete_ones_beside_every_rule() {
    let five = (18..=22).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z")));
    let world = world([volume(1)], five);
    let policy = policy(vec![daily("Default Schedule", count(1))]);
    let options = Options { minimum_kept: 3, ..Options::default() };
    let fates = fates(&policy, &options, "2026-11-22T20:00:00Z", &world);
    assert_eq!(fates, "18 delete, 19 delete, 20 keep, 21 keep, 22 keep");
}

#[test]
fn a_failed_snapshot_is_cleaned_up_after_its_grace() {
    let failed = snapshot(1, 1, "2026-11-21T17:00:00Z").in_state(SnapshotState::Error);
    let world = world([volume(1)], [failed, snapshot(2, 1, "2026-11-20T17:00:00Z")]);
    check_fates(&sample(), &world, "2026-11-22T16:59:59Z", "1 keep, 2 keep");
    check_fates(&sample(), &world, "2026-11-22T17:00:00Z", "1 delete, 2 keep");
}

#[test]
fn a_count_rule_waits_for_an_expiry_that_was_promised() {
    let policy = policy(vec![daily("Default Schedule", count(1))]);
    let promised = by_age(1, "2026-11-20T17:00:00Z", "2026-12-20T17:00:00Z");
    let world = world([volume(1)], [promised, snapshot(2, 1, "2026-11-22T17:00:00Z")]);
    check_fates(&policy, &world, "2026-11-22T20:00:00Z", "1 keep, 2 keep");
}

#[test]
fn a_snapshot_without_an_expiry_outlives_a_rule_by_age() {
    let policy = policy(vec![daily("Default Schedule", days(1))]);
    let mut unmarked = snapshot(1, 1, "2026-01-01T17:00:00Z");
    unmarked.marks.expiration_time = Mark::Absent;
    let newest = by_age(2, "2026-11-22T17:00:00Z", "2026-11-23T17:00:00Z");
    check_fates(&policy, &world([volume(1)], [unmarked, newest]), "2026-11-22T20:00:00Z", "1 keep, 2 keep");
}
