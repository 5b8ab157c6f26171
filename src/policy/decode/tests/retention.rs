//! What is kept, and the rules that hang on it.

use super::*;
use crate::policy::{Age, AgeUnit, RetainRule};
use std::num::NonZeroU32;

#[track_caller]
fn check_retain(rule: Value, expected: Option<RetainRule>, said: &[Said]) {
    let change = json!({"RetainRule": rule});
    check(volumes(), SCHEDULE, change.clone(), said);
    let value = read(&edited(volumes(), SCHEDULE, &change)).value;
    assert_eq!(value.map(|policy| policy.schedules[0].retain), expected);
}

fn count(count: u32) -> Option<RetainRule> {
    NonZeroU32::new(count).map(RetainRule::Count)
}

fn age(interval: u32, unit: AgeUnit) -> Option<RetainRule> {
    NonZeroU32::new(interval).map(|interval| RetainRule::Age(Age { interval, unit }))
}

#[test]
fn v2_a_retain_rule_is_a_count_or_an_age() {
    check_retain(json!({"Count": 5}), count(5), &[]);
    check_retain(json!({"Count": 5, "Interval": 0}), count(5), &[]);
    check_retain(json!({"Count": 5, "Interval": null, "IntervalUnit": ""}), count(5), &[]);
    check_retain(json!({"Interval": 7, "IntervalUnit": "DAYS"}), age(7, AgeUnit::Days), &[]);
    check_retain(json!({"Interval": 3, "IntervalUnit": "MONTHS"}), age(3, AgeUnit::Months), &[]);
    let ignored = [warning("RetainRule.IntervalUnit", "ignored beside Count")];
    check_retain(json!({"Count": 5, "Interval": 0, "IntervalUnit": "DAYS"}), count(5), &ignored);
    let ignored = [warning("RetainRule.Count", "ignored beside Interval")];
    check_retain(json!({"Count": 0, "Interval": 7, "IntervalUnit": "DAYS"}), age(7, AgeUnit::Days), &ignored);
    let either = || [error("RetainRule", "expected either Count, or Interval and IntervalUnit")];
    check_retain(json!({"Count": 5, "Interval": 7, "IntervalUnit": "DAYS"}), None, &either());
    check_retain(json!({"Count": 5, "Interval": 7}), None, &either());
    check_retain(json!({"Count": 5, "IntervalUnit": "DAYS"}), None, &either());
    check_retain(json!({}), None, &either());
    check_retain(json!({"Interval": 7}), None, &[error("RetainRule.IntervalUnit", "missing")]);
    check_retain(json!({"IntervalUnit": "DAYS"}), None, &[error("RetainRule.Interval", "missing")]);
}

#[test]
fn a_retention_is_never_assumed() {
    check_retain(json!(null), None, &[error("RetainRule", "missing, expected an object with Count")]);
    check_retain(json!(7), None, &[error("RetainRule", "expected an object but got 7")]);
}

#[test]
fn counts_end_at_a_thousand() {
    check_retain(json!({"Count": 1}), count(1), &[]);
    check_retain(json!({"Count": 1000}), count(1000), &[]);
    for wrong in [json!(1001), json!(-1), json!(3.0), json!(1e300), json!("5"), json!(true), json!([5])] {
        let said = [error("RetainRule.Count", "expected a whole number from 1 to 1000 but got")];
        check_retain(json!({"Count": wrong}), None, &said);
    }
}

#[test]
fn a_count_in_quotes_is_told_to_lose_them() {
    let told = "expected a whole number from 1 to 1000 but got \"3\": take the quotes away";
    check_retain(json!({"Count": "3"}), None, &[error("RetainRule.Count", told)]);
    check_retain(json!({"Count": "many"}), None, &[error("RetainRule.Count", "to 1000 but got \"many\"")]);
}

#[test]
fn v17_ages_end_at_a_hundred_years() {
    let units = [
        ("DAYS", 36_500, AgeUnit::Days),
        ("WEEKS", 5_200, AgeUnit::Weeks),
        ("MONTHS", 1_200, AgeUnit::Months),
        ("YEARS", 100, AgeUnit::Years),
    ];
    for (word, most, unit) in units {
        check_retain(json!({"Interval": most, "IntervalUnit": word}), age(most, unit), &[]);
        let said = [error("RetainRule.Interval", "expected a whole number from 1 to")];
        check_retain(json!({"Interval": most + 1, "IntervalUnit": word}), None, &said);
    }
    let said = [error("RetainRule.IntervalUnit", "expected DAYS, WEEKS, MONTHS or YEARS but got \"HOURS\"")];
    check_retain(json!({"Interval": 7, "IntervalUnit": "HOURS"}), None, &said);
}

#[test]
fn v3_schedules_of_different_kinds_draw_a_warning() {
    let schedule = |name: &str, rule: Value| {
        edited(volumes()["PolicyDetails"]["Schedules"][0].clone(), "", &json!({"Name": name, "RetainRule": rule}))
    };
    let count = || schedule("a", json!({"Count": 3}));
    check(volumes(), DETAILS, json!({"Schedules": [count(), schedule("b", json!({"Count": 9}))]}), &[]);
    let mixed = json!({"Schedules": [count(), schedule("b", json!({"Interval": 9, "IntervalUnit": "DAYS"}))]});
    check(
        volumes(),
        DETAILS,
        mixed,
        &[warning("Schedules[1]", "retains by age where the first schedule retains by count")],
    );
}

fn fast(amount: Value) -> Value {
    edited(json!({"AvailabilityZones": ["us-east-1a"]}), "", &amount)
}

fn monthly(change: Value) -> Value {
    edited(json!({"CreateRule": {"CronExpression": "cron(0 9 1 * ? *)"}}), "", &change)
}

fn archive(tier: Value) -> Value {
    json!({"RetainRule": {"RetentionArchiveTier": tier}})
}

fn days(interval: u32) -> Value {
    json!({"Interval": interval, "IntervalUnit": "DAYS"})
}

#[test]
fn v4_companions_go_by_what_the_retain_rule_goes_by() {
    let like = "expected count as RetainRule does";
    check(volumes(), SCHEDULE, json!({"FastRestoreRule": fast(days(1))}), &[error("FastRestoreRule", like)]);
    check(images(), SCHEDULE, json!({"DeprecateRule": days(1)}), &[error("DeprecateRule", like)]);
    check(volumes(), SCHEDULE, monthly(json!({"ArchiveRule": archive(days(90))})), &[error("ArchiveRule", like)]);
    let by_age = json!({"RetainRule": days(9), "FastRestoreRule": fast(json!({"Count": 1}))});
    check(volumes(), SCHEDULE, by_age, &[error("FastRestoreRule", "expected age as RetainRule does")]);
}

#[test]
fn v5_nothing_is_retained_only_before_an_archive() {
    check_retain(json!({"Count": 0}), None, &[error("RetainRule", "0 needs an ArchiveRule")]);
    check_retain(json!({"Count": 0, "Interval": 0}), None, &[error("RetainRule", "0 needs an ArchiveRule")]);
    check_retain(days(0), None, &[error("RetainRule", "retains for 0 DAYS, expected at least 1")]);
    let archived = |retain: Value, tier: Value| monthly(json!({"RetainRule": retain, "ArchiveRule": archive(tier)}));
    check(volumes(), SCHEDULE, archived(json!({"Count": 0}), json!({"Count": 3})), &[]);
    check(volumes(), SCHEDULE, archived(days(0), days(90)), &[]);
    let zero_days = archived(json!({"Count": 0, "Interval": 0, "IntervalUnit": "DAYS"}), days(90));
    check(volumes(), SCHEDULE, zero_days, &[warning("RetainRule.Count", "Count 0 is ignored beside Interval")]);
    let weeks = archived(json!({"Interval": 0, "IntervalUnit": "WEEKS"}), days(90));
    check(volumes(), SCHEDULE, weeks, &[error("RetainRule", "expected 0 DAYS or at least one")]);
    let copies = json!([{"Target": "us-west-2", "Encrypted": false}]);
    let shares = json!([{"TargetAccounts": ["111122223333"]}]);
    let companions = [
        ("CrossRegionCopyRules", copies),
        ("ShareRules", shares),
        ("FastRestoreRule", json!(fast(json!({"Count": 1})))),
    ];
    for (name, rule) in companions {
        let change = edited(archived(json!({"Count": 0}), json!({"Count": 3})), "", &json!({name: rule}));
        let document = edited(volumes(), SCHEDULE, &change);
        let errors = lines(&read(&document).errors);
        assert!(errors.contains(&format!("together with {name}, expected at least 1")), "{name}: {errors}");
    }
}

#[test]
fn v6_archived_snapshots_are_of_volumes_and_made_every_28_days() {
    let rule = archive(json!({"Count": 3}));
    check(volumes(), SCHEDULE, monthly(json!({"ArchiveRule": rule})), &[]);
    check(volumes(), SCHEDULE, json!({"ArchiveRule": rule}), &[error("ArchiveRule", "every 1 days")]);
    let cron = |text: &str, tier: Value| json!({"CreateRule": {"CronExpression": text}, "ArchiveRule": archive(tier)});
    let weekly = cron("cron(0 9 ? * MON *)", json!({"Count": 20}));
    check(volumes(), SCHEDULE, weekly, &[error("ArchiveRule", "at least 28 days")]);
    let fourteenth = cron("cron(0 9 1,20 * ? *)", json!({"Count": 20}));
    check(volumes(), SCHEDULE, fourteenth, &[error("ArchiveRule", "at least 28 days")]);
    check(instances(), SCHEDULE, monthly(json!({"ArchiveRule": rule})), &[error("ArchiveRule", "expected only on")]);
    let schedule = |name: &str| {
        edited(
            volumes()["PolicyDetails"]["Schedules"][0].clone(),
            "",
            &monthly(json!({"Name": name, "ArchiveRule": rule})),
        )
    };
    let two = json!({"Schedules": [schedule("a"), schedule("b")]});
    check(volumes(), DETAILS, two, &[error("Schedules[1]", "expected it in one schedule")]);
}

#[test]
fn v6_archived_snapshots_stay_for_90_days() {
    let short = || [error("ArchiveRule", "expected enough for 90 days")];
    let counted = |cron: &str, count: u32| json!({"CreateRule": {"CronExpression": cron}, "ArchiveRule": archive(json!({"Count": count}))});
    check(volumes(), SCHEDULE, counted("cron(0 9 1 * ? *)", 2), &short());
    check(volumes(), SCHEDULE, counted("cron(0 9 1 * ? *)", 3), &[]);
    check(volumes(), SCHEDULE, counted("cron(0 9 ? * THU#2 *)", 3), &short());
    check(volumes(), SCHEDULE, counted("cron(0 9 ? * THU#2 *)", 4), &[]);
    check(volumes(), SCHEDULE, counted("cron(0 9 1 1 ? *)", 1), &[]);
    check(volumes(), SCHEDULE, counted("cron(0 9 1 1 ? 2030)", 1), &[]);
    let aged = |tier: Value| monthly(json!({"RetainRule": days(1), "ArchiveRule": archive(tier)}));
    check(volumes(), SCHEDULE, aged(days(89)), &short());
    check(volumes(), SCHEDULE, aged(days(90)), &[]);
    check(volumes(), SCHEDULE, aged(json!({"Interval": 12, "IntervalUnit": "WEEKS"})), &short());
    check(volumes(), SCHEDULE, aged(json!({"Interval": 13, "IntervalUnit": "WEEKS"})), &[]);
    check(volumes(), SCHEDULE, aged(json!({"Interval": 2, "IntervalUnit": "MONTHS"})), &short());
    check(volumes(), SCHEDULE, aged(json!({"Interval": 3, "IntervalUnit": "MONTHS"})), &[]);
    check(volumes(), SCHEDULE, aged(json!({"Interval": 1, "IntervalUnit": "YEARS"})), &[]);
}

#[test]
fn v7_images_are_deprecated_before_they_go() {
    check(images(), SCHEDULE, json!({"DeprecateRule": {"Count": 3}}), &[]);
    check(images(), SCHEDULE, json!({"DeprecateRule": {"Count": 4}}), &[error("DeprecateRule", "expected at most")]);
    check(
        images(),
        SCHEDULE,
        json!({"DeprecateRule": {"Count": 0}}),
        &[error("DeprecateRule.Count", "from 1 to 1000")],
    );
    let aged = |retain: Value, deprecate: Value| json!({"RetainRule": retain, "DeprecateRule": deprecate});
    let months = |interval: u32| json!({"Interval": interval, "IntervalUnit": "MONTHS"});
    let years = |interval: u32| json!({"Interval": interval, "IntervalUnit": "YEARS"});
    let late = || [error("DeprecateRule", "expected at most the RetainRule of")];
    check(images(), SCHEDULE, aged(days(28), months(1)), &[]);
    check(images(), SCHEDULE, aged(days(27), months(1)), &late());
    check(images(), SCHEDULE, aged(months(1), days(32)), &[]);
    check(images(), SCHEDULE, aged(months(1), days(33)), &late());
    check(images(), SCHEDULE, aged(days(363), years(1)), &[]);
    check(images(), SCHEDULE, aged(days(362), years(1)), &late());
    check(images(), SCHEDULE, aged(years(1), days(368)), &[]);
    check(images(), SCHEDULE, aged(years(1), days(369)), &late());
    check(images(), SCHEDULE, aged(years(1), months(12)), &[]);
    check(images(), SCHEDULE, aged(years(1), months(13)), &late());
    check(images(), SCHEDULE, aged(years(11), years(10)), &[]);
    check(images(), SCHEDULE, aged(years(12), years(11)), &[error("DeprecateRule.Interval", "from 1 to 10")]);
    let copy = |deprecate: u32| {
        json!({"CrossRegionCopyRules": [{
            "TargetRegion": "us-east-1", "Encrypted": true, "RetainRule": days(2), "DeprecateRule": days(deprecate)
        }]})
    };
    check(images(), SCHEDULE, copy(2), &[]);
    check(images(), SCHEDULE, copy(3), &[error("CrossRegionCopyRules[0].DeprecateRule", "expected at most that")]);
}

#[test]
fn v8_sharing_ends_before_the_snapshot_does() {
    let shared = |retain: Value, unshare: u32| {
        json!({
            "RetainRule": retain,
            "ShareRules": [{"TargetAccounts": ["111122223333"], "UnshareInterval": unshare, "UnshareIntervalUnit": "DAYS"}]
        })
    };
    let late = || [error("ShareRules", "expected less than the RetainRule of")];
    check(volumes(), SCHEDULE, shared(days(5), 4), &[]);
    check(volumes(), SCHEDULE, shared(days(5), 5), &late());
    check(volumes(), SCHEDULE, shared(json!({"Count": 5}), 4), &[]);
    check(volumes(), SCHEDULE, shared(json!({"Count": 5}), 5), &late());
    check(volumes(), SCHEDULE, edited(monthly(json!({})), "", &shared(json!({"Count": 3}), 91)), &[]);
    check(volumes(), SCHEDULE, edited(monthly(json!({})), "", &shared(json!({"Count": 3}), 92)), &late());
}

#[test]
fn share_rules_name_accounts() {
    let rule = |rule: Value| json!({"ShareRules": [rule]});
    check(volumes(), SCHEDULE, rule(json!({"TargetAccounts": ["111122223333"]})), &[]);
    check(
        volumes(),
        SCHEDULE,
        rule(json!({"TargetAccounts": []})),
        &[error("ShareRules[0].TargetAccounts", "missing")],
    );
    let said = [error("ShareRules[0].TargetAccounts[0]", "an account number of 12 digits but got \"12345678910\"")];
    check(volumes(), SCHEDULE, rule(json!({"TargetAccounts": ["12345678910"]})), &said);
    let half = rule(json!({"TargetAccounts": ["111122223333"], "UnshareInterval": 1}));
    check(volumes(), SCHEDULE, half, &[error("ShareRules[0]", "together or neither")]);
}

#[test]
fn fast_restore_names_zones_one_way() {
    let rule = |change: Value| json!({"FastRestoreRule": edited(json!({"Count": 1}), "", &change)});
    let at = "FastRestoreRule.AvailabilityZones";
    check(volumes(), SCHEDULE, rule(json!({"AvailabilityZones": ["us-west-2a"]})), &[]);
    check(volumes(), SCHEDULE, rule(json!({"AvailabilityZoneIds": ["use1-az1"]})), &[]);
    check(volumes(), SCHEDULE, rule(json!({})), &[error(at, "missing")]);
    let both = json!({"AvailabilityZones": ["us-west-2a"], "AvailabilityZoneIds": ["use1-az1"]});
    check(volumes(), SCHEDULE, rule(both), &[error("FastRestoreRule.AvailabilityZoneIds", "expected one of the two")]);
    let region = json!({"AvailabilityZones": ["us-west-2"]});
    check(volumes(), SCHEDULE, rule(region), &[error("FastRestoreRule.AvailabilityZones[0]", "such as us-west-2a")]);
    let more = json!({"FastRestoreRule": fast(json!({"Count": 4}))});
    check(volumes(), SCHEDULE, more, &[warning("FastRestoreRule", "expected at most the RetainRule of Count 3")]);
    let zero = json!({"FastRestoreRule": {"Interval": 0, "IntervalUnit": "HOURS"}});
    check(
        volumes(),
        SCHEDULE,
        zero,
        &[
            error("FastRestoreRule.Interval", "expected a whole number from 1"),
            error("FastRestoreRule.IntervalUnit", "but got \"HOURS\""),
            error(at, "missing"),
        ],
    );
}
