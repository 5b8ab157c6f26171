//! What is made, and when: E11, E12, E29, E30, E38, E42, E43, E46. (E44 is observe's, E52 and E53 are decode's.)

use super::*;
use crate::action::Action;
use crate::policy::{RetainRule, Tag};

/// Daily at 17:00, count 7, and Fridays at 17:00, count 4.
fn daily_and_weekly() -> Policy {
    let mut weekly = by_cron("Weekly", "cron(0 17 ? * FRI *)", count(4));
    weekly.tags_to_add = vec![tag("type", "weekly")];
    policy(vec![daily("Daily", count(7)), weekly])
}

fn calls(policy: &Policy, start: &Start, world: &World) -> Vec<Action> {
    let options = Options::default();
    let plan = plan(policy, &options, start, start.begun, world);
    plan.targets.iter().filter_map(|decision| call::creation(policy, &options, start.begun, decision)).collect()
}

fn tags_of(action: &Action) -> Vec<String> {
    let tags: &[Tag] = match action {
        Action::CreateSnapshot(create) => &create.tags,
        Action::CreateSnapshots(create) => &create.tags,
        Action::CopySnapshot(_) | Action::DeleteSnapshot(_) => panic!("{action:?}"),
    };
    // What the stamp says has tests of its own.
    let told = tags.iter().filter(|tag| tag.key != crate::tags::stamp::STAMP);
    told.map(|tag| format!("{}={}", tag.key, tag.value)).collect()
}

#[test]
fn e11_and_e12_schedules_that_coincide_make_one_snapshot_with_the_longest_retention_and_all_tags() {
    // 20 November 2026 is a Friday.
    let calls = calls(&daily_and_weekly(), &start("2026-11-20T17:00:00Z"), &world([volume(1)], []));
    let [call] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(
        tags_of(call),
        [
            "opendlm:policy-id=policy-0123456789abcdef0",
            "opendlm:schedule-name=Weekly",
            "opendlm:also=Daily",
            "opendlm:scheduled-time=2026-11-20T17:00:00Z",
            "type=weekly",
            "ss-lifecycle=true",
        ]
    );
}

#[test]
fn what_the_longer_schedule_made_answers_the_shorter_one_and_not_the_other_way_round() {
    let policy = daily_and_weekly();
    let start = start("2026-11-20T17:00:00Z");
    let of = |schedule: &str| world([volume(1)], [snapshot(1, 1, "2026-11-20T17:00:00Z").of_schedule(schedule)]);
    assert_eq!(calls(&policy, &start, &of("Weekly")).len(), 0);
    assert_eq!(calls(&policy, &start, &of("Daily")).len(), 1, "a daily one is gone after a week");
}

#[test]
fn e11_two_coinciding_schedules_over_sixty_days_leave_exactly_these() {
    let policy = daily_and_weekly();
    let mut account = Account::new(1, 10 * SECOND);
    for day in 0..60 {
        let start = starting(at("2026-10-01T17:00:00Z") + day * DAY);
        let ended = account.run(&policy, &Options::default(), start);
        assert_eq!(ended.outcome, RunOutcome::Succeeded);
    }
    assert_eq!(account.calls.creations, 60, "one snapshot a day, whatever coincides");
    let now = at("2026-11-29T18:00:00Z");
    let days: Vec<String> = held(&account, now).iter().map(|time| time[5..10].to_owned()).collect();
    // The last seven days, Friday the 27th among them, and the last four Fridays (6, 13, 20 and 27 November).
    assert_eq!(days, ["11-06", "11-13", "11-20", "11-23", "11-24", "11-25", "11-26", "11-27", "11-28", "11-29"]);
}

#[test]
fn by_age_the_longest_of_coinciding_schedules_is_stamped() {
    let policy = policy(vec![daily("Short", days(7)), daily("Long", age(1, crate::policy::AgeUnit::Months))]);
    let calls = calls(&policy, &start("2026-11-20T17:00:00Z"), &world([volume(1)], []));
    assert_eq!(calls.len(), 1);
    assert!(tags_of(&calls[0]).contains(&"opendlm:expiration-time=2026-12-20T17:00:00Z".to_owned()));
}

#[test]
fn e29_interval_slots_are_clock_times_whatever_the_time_of_creation() {
    let schedule = every(12, "Default Schedule", count(3));
    let slot = |text| crate::schedule::latest_at_or_before(&schedule.create, at(text)).unwrap().to_string();
    assert_eq!(slot("2026-11-22T16:59:59Z"), "2026-11-22T05:00:00Z");
    assert_eq!(slot("2026-11-22T17:00:00Z"), "2026-11-22T17:00:00Z");
}

#[test]
fn e30_an_omitted_start_time_is_chosen_once_and_for_all() {
    let one = crate::policy::StartTime::derived(&policy_id(), &name("Daily"));
    assert_eq!(one, crate::policy::StartTime::derived(&policy_id(), &name("Daily")));
    assert_ne!(one, crate::policy::StartTime::derived(&policy_id(), &name("Weekly")));
}

#[test]
fn e38_a_volume_whose_snapshot_is_still_under_way_is_tried_again_within_the_window_and_then_counts_as_failed() {
    let mut account = Account::new(1, 10 * SECOND);
    account.broken_volumes.insert(volume_id(1));
    let (creations, _, outcome) = run(&mut account, &sample(), &Options::default(), "2026-11-22T17:00:00Z");
    assert!(creations > 30, "{creations} tries in an hour");
    assert_eq!(outcome, RunOutcome::Partial);
}

#[test]
fn a_snapshot_that_fails_after_the_start_window_is_not_made_again() {
    let failed = snapshot(1, 1, "2026-11-22T17:00:00Z").in_state(SnapshotState::Error);
    let world = world([volume(1)], [failed]);
    let (policy, options) = (sample(), Options::default());
    let decided = |now: &str| {
        let plan = plan(&policy, &options, &start("2026-11-22T17:00:00Z"), at(now), &world);
        words::of_target(&plan.targets[0]).decision
    };
    assert_eq!(decided("2026-11-22T18:00:00Z"), "create");
    assert_eq!(decided("2026-11-22T18:00:01Z"), "give up");
}

#[test]
fn e42_a_default_policy_leaves_volumes_with_a_recent_snapshot_and_young_ones_alone() {
    let policy = default_policy(3, 7);
    let start = start("2026-11-22T17:00:00Z");
    let volume_with = |created: &str, last: Option<&str>| Volume {
        created: Some(at(created)),
        last_snapshot: last.map(at),
        ..volume(1)
    };
    let made = |volume: Volume| calls(&policy, &start, &world([volume], [])).len();
    assert_eq!(made(volume_with("2026-01-01T00:00:00Z", Some("2026-11-20T17:00:00Z"))), 0, "by hand two days ago");
    assert_eq!(made(volume_with("2026-01-01T00:00:00Z", Some("2026-11-19T17:00:05Z"))), 1, "three days ago");
    assert_eq!(made(volume_with("2026-01-01T00:00:00Z", None)), 1);
    assert_eq!(made(volume_with("2026-11-22T07:00:00Z", None)), 0, "ten hours old");
}

#[test]
fn e43_a_volume_that_another_policy_covered_is_not_backed_up_again() {
    let covered = Volume { last_snapshot: Some(at("2026-11-22T12:00:00Z")), ..volume(1) };
    assert_eq!(calls(&default_policy(1, 7), &start("2026-11-22T17:00:00Z"), &world([covered], [])), vec![]);
}

#[test]
fn a_default_policy_every_day_makes_one_snapshot_a_day_and_keeps_them_for_their_days() {
    let policy = default_policy(1, 2);
    let mut account = Account::new(2, 10 * SECOND);
    for day in 0..10 {
        let start = starting(at("2026-11-01T17:00:00Z") + day * DAY);
        assert_eq!(account.run(&policy, &Options::default(), start).outcome, RunOutcome::Succeeded);
    }
    assert_eq!(account.calls.creations, 20);
    assert_eq!(held(&account, at("2026-11-10T18:00:00Z")).len(), 4, "of 9 and 10 November, of two volumes");
}

#[test]
fn a_default_policy_excludes_boot_volumes_types_and_tags() {
    let mut policy = default_policy(1, 7);
    let Targets::AllVolumes(targets) = &mut policy.targets else { panic!("{policy:?}") };
    targets.exclude_boot_volumes = true;
    targets.exclude_volume_types = vec!["st1".to_owned()];
    targets.exclude_tags = vec![tag("backup", "no")];
    let volumes = [
        Volume { is_boot: true, ..volume(1) },
        Volume { volume_type: "st1".to_owned(), ..volume(2) },
        Volume { tags: vec![tag("backup", "no")], ..volume(3) },
        Volume { tags: vec![tag("backup", "No")], ..volume(4) },
    ];
    let calls = calls(&policy, &start("2026-11-22T17:00:00Z"), &world(volumes, []));
    let [Action::CreateSnapshot(call)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(call.volume_id, volume_id(4));
}

#[test]
fn e46_the_same_start_delivered_twice_makes_exactly_one_snapshot() {
    let mut account = Account::new(3, 10 * SECOND);
    for _ in 0..2 {
        run(&mut account, &sample(), &Options::default(), "2026-11-22T17:00:00Z");
    }
    assert_eq!(account.calls.creations, 3);
}

#[test]
fn copied_tags_come_last_and_none_of_aws_or_of_ours_is_copied() {
    let mut policy = sample();
    policy.schedules[0].copy_tags = true;
    let tags =
        ["Name=db", "ss-lifecycle=false", "aws:cloudformation:stack-name=x", "opendlm:hold=1", "dlm:managed=true"];
    let tags = tags.map(|text| text.split_once('=').unwrap()).map(|(key, value)| tag(key, value)).to_vec();
    let calls = calls(&policy, &start("2026-11-22T17:00:00Z"), &world([Volume { tags, ..volume(1) }], []));
    assert_eq!(tags_of(&calls[0])[3..], ["ss-lifecycle=true", "Name=db"]);
}

#[test]
fn tags_beyond_fifty_are_left_out_and_told_and_the_backup_is_made() {
    let mut policy = sample();
    policy.schedules[0].copy_tags = true;
    let tags = (0..50).map(|number| tag(&format!("user-{number:02}"), "x")).collect();
    let calls = calls(&policy, &start("2026-11-22T17:00:00Z"), &world([Volume { tags, ..volume(1) }], []));
    // The stamp is one of them.
    assert_eq!(tags_of(&calls[0]).len(), tagging::TAGS_MAX - 1);
    assert_eq!(calls[0].tags_left_out(), ["user-45", "user-46", "user-47", "user-48", "user-49"]);
}

#[test]
fn a_retention_by_count_is_compared_as_count_times_period() {
    let at = at("2026-11-20T17:00:00Z");
    let of = |hours, number| coincide::retention(&every(hours, "x", count(number)), at);
    assert_eq!(of(24, 5), 5 * DAY);
    assert!(of(24, 2) > of(1, 24));
    let by_age = |rule: RetainRule| coincide::retention(&daily("x", rule), at);
    assert_eq!(by_age(days(3)), 3 * DAY);
}
