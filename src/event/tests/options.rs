//! The options of an event: what is read, what is refused, and where.

use super::*;
use crate::options::{MaximumDeletions, Orphans};
use crate::policy::{Age, AgeUnit};
use std::num::NonZeroU32;

#[test]
fn options_are_read_with_their_defaults() {
    let event = understood(&json!({ "Policy": policy() }));
    assert_eq!(event.options, Options::default());
    let event = understood(&json!({
        "Policy": policy(),
        "Options": { "DryRun": true, "RunNow": true, "StartWindowMinutes": 5, "PreviousNames": { "Default Schedule": ["Nightly"] } }
    }));
    assert!(event.options.dry_run && event.options.run_now);
    assert_eq!(event.options.start_window, SignedDuration::from_mins(5));
    assert_eq!(event.options.previous_names.len(), 1);
}

/// The options that an event with these has.
#[track_caller]
fn options(options: Value) -> Options {
    understood(&json!({ "Policy": policy(), "Options": options })).options
}

#[track_caller]
fn check_options_refused(options: &Value, expected: &[&str]) {
    check_refused(&json!({ "Policy": policy(), "Options": options }), expected);
}

#[test]
fn how_long_the_snapshots_of_a_run_now_stay_is_read() {
    let retain = |options: Options| (options.run_now_retain.interval.get(), options.run_now_retain.unit);
    assert_eq!(retain(options(json!({}))), (7, AgeUnit::Days));
    assert_eq!(
        retain(options(json!({ "RunNowRetain": { "Interval": 2, "IntervalUnit": "WEEKS" } }))),
        (2, AgeUnit::Weeks)
    );
    check_options_refused(&json!({ "RunNowRetain": 7 }), &["Options.RunNowRetain: expected an object but got 7"]);
    check_options_refused(
        &json!({ "RunNowRetain": { "Interval": 0, "IntervalUnit": "DAYS", "Count": 1 } }),
        &[
            "Options.RunNowRetain.Interval: expected a whole number from 1 to 36500 but got 0",
            "Options.RunNowRetain.Count: unknown key, expected one of Interval, IntervalUnit",
        ],
    );
    check_options_refused(
        &json!({ "RunNowRetain": { "Interval": 7 } }),
        &["Options.RunNowRetain.IntervalUnit: missing, expected DAYS, WEEKS, MONTHS or YEARS"],
    );
}

#[test]
fn brakes_and_floors_are_read() {
    let expected = Options {
        age_without_new_backups: true,
        minimum_kept: 5,
        maximum_deletions: MaximumDeletions::Number(250),
        ..Options::default()
    };
    assert_eq!(options(json!({ "AgeWithoutNewBackups": true, "MinimumKept": 5, "MaximumDeletions": 250 })), expected);
    let absent =
        json!({ "AgeWithoutNewBackups": null, "MinimumKept": null, "MaximumDeletions": null, "Orphans": null });
    assert_eq!(options(absent), Options::default());
    assert_eq!(options(json!({ "MinimumKept": 0 })).minimum_kept, 0);
    assert_eq!(options(json!({ "MinimumKept": 1000 })).minimum_kept, 1000);
    check_options_refused(
        &json!({ "AgeWithoutNewBackups": "no", "MinimumKept": 1001 }),
        &[
            "Options.AgeWithoutNewBackups: expected true or false but got \"no\"",
            "Options.MinimumKept: expected a whole number from 0 to 1000 but got 1001",
        ],
    );
    check_options_refused(
        &json!({ "MinimumKept": -1 }),
        &["Options.MinimumKept: expected a whole number from 0 to 1000 but got -1"],
    );
}

#[test]
fn the_share_of_ec2s_limits_is_a_whole_per_cent() {
    for per_cent in [1, 50, 100] {
        assert_eq!(u32::from(options(json!({ "ApiShare": per_cent })).api_share.per_cent()), per_cent);
    }
    assert_eq!(options(json!({ "ApiShare": null })).api_share.per_cent(), 100);
    for (wrong, shown) in
        [(json!(0), "0"), (json!(101), "101"), (json!(-1), "-1"), (json!(0.5), "0.5"), (json!("50%"), "\"50%\"")]
    {
        let said = format!("Options.ApiShare: expected a whole per cent from 1 to 100 but got {shown}");
        check_options_refused(&json!({ "ApiShare": wrong }), &[&said]);
    }
}

#[track_caller]
fn check_maximum_deletions(value: Value, expected: Option<MaximumDeletions>) {
    if let Some(expected) = expected {
        assert_eq!(options(json!({ "MaximumDeletions": value })).maximum_deletions, expected);
        return;
    }
    let said = format!(
        "Options.MaximumDeletions: expected a whole number from 0 to 10000000, or a share of the snapshots from \"0%\" \
         to \"100%\" but got {value}"
    );
    check_options_refused(&json!({ "MaximumDeletions": value }), &[&said]);
}

#[test]
fn deletions_are_bounded_by_a_number_or_a_share() {
    for number in [0, 1, 10_000_000] {
        check_maximum_deletions(json!(number), Some(MaximumDeletions::Number(number)));
    }
    for (text, share) in [("0%", 0), ("10%", 10), ("100%", 100), ("007%", 7)] {
        check_maximum_deletions(json!(text), Some(MaximumDeletions::PerCent(share)));
    }
    for wrong in ["101%", "256%", "-1%", "+5%", "5 %", " 5%", "%", "", "10", "1.5%", "10%%", "0010%", "ten%", "١%"] {
        check_maximum_deletions(json!(wrong), None);
    }
    for wrong in [json!(10_000_001), json!(-1), json!(1.5), json!(1e300), json!(true), json!([5]), json!({})] {
        check_maximum_deletions(wrong, None);
    }
}

#[track_caller]
fn check_orphans(value: Value, expected: Orphans) {
    assert_eq!(options(json!({ "Orphans": value })).orphans, expected);
}

#[track_caller]
fn check_orphans_refused(value: Value, expected: &[&str]) {
    check_options_refused(&json!({ "Orphans": value }), expected);
}

#[test]
fn orphans_stay_or_stay_once_or_expire_at_an_age() {
    check_orphans(json!("KEEP"), Orphans::Keep);
    check_orphans(json!("KEEP_LAST"), Orphans::KeepLast);
    check_orphans(json!({ "Rule": "KEEP" }), Orphans::Keep);
    check_orphans(json!({ "Rule": "KEEP_LAST", "Interval": null, "IntervalUnit": null }), Orphans::KeepLast);
    let units = [
        ("DAYS", AgeUnit::Days, 36_500),
        ("WEEKS", AgeUnit::Weeks, 5200),
        ("MONTHS", AgeUnit::Months, 1200),
        ("YEARS", AgeUnit::Years, 100),
    ];
    for (word, unit, most) in units {
        let expire = |interval: &Value| json!({ "Rule": "EXPIRE", "Interval": interval, "IntervalUnit": word });
        for interval in [1, most] {
            let age = Age { interval: NonZeroU32::new(interval).unwrap(), unit };
            check_orphans(expire(&json!(interval)), Orphans::Expire(age));
        }
        for wrong in [json!(0), json!(most + 1), json!(-1), json!("90"), json!(1.5)] {
            let said = format!("Options.Orphans.Interval: expected a whole number from 1 to {most} but got {wrong}");
            check_orphans_refused(expire(&wrong), &[&said]);
        }
    }
}

const ORPHANS_EXPIRE: &str = r#"{"Rule": "EXPIRE", "Interval": 90, "IntervalUnit": "DAYS"}"#;

#[test]
fn an_age_of_orphans_is_never_assumed() {
    let alone =
        format!("Options.Orphans: EXPIRE needs an age, expected Interval and IntervalUnit as in {ORPHANS_EXPIRE}");
    check_orphans_refused(json!("EXPIRE"), &[&alone]);
    let missing = "Options.Orphans.IntervalUnit: missing, expected DAYS, WEEKS, MONTHS or YEARS";
    check_orphans_refused(
        json!({ "Rule": "EXPIRE" }),
        &[missing, "Options.Orphans.Interval: missing, expected a whole number from 1 to 36500"],
    );
    check_orphans_refused(json!({ "Rule": "EXPIRE", "Interval": 90 }), &[missing]);
    check_orphans_refused(
        json!({ "Rule": "EXPIRE", "IntervalUnit": "YEARS" }),
        &["Options.Orphans.Interval: missing, expected a whole number from 1 to 100"],
    );
    check_orphans_refused(
        json!({ "Rule": "EXPIRE", "Interval": 90, "IntervalUnit": "HOURS" }),
        &["Options.Orphans.IntervalUnit: expected DAYS, WEEKS, MONTHS or YEARS but got \"HOURS\""],
    );
}

#[test]
fn what_else_is_said_of_orphans_is_refused_at_its_path() {
    check_orphans_refused(
        json!({ "Interval": 90, "IntervalUnit": "DAYS" }),
        &["Options.Orphans.Rule: missing, expected KEEP, KEEP_LAST or EXPIRE"],
    );
    check_orphans_refused(
        json!({ "Rule": "KEEP", "Interval": 90, "Unit": "DAYS" }),
        &[
            "Options.Orphans.Interval: set beside the Rule KEEP, expected it with EXPIRE only",
            "Options.Orphans.Unit: unknown key, expected one of Interval, IntervalUnit, Rule",
        ],
    );
    check_orphans_refused(
        json!({ "Rule": "DELETE" }),
        &["Options.Orphans.Rule: expected KEEP, KEEP_LAST or EXPIRE but got \"DELETE\""],
    );
    for wrong in [json!("keep"), json!(""), json!(true), json!(90), json!(["KEEP"])] {
        let said = format!("Options.Orphans: expected \"KEEP\", \"KEEP_LAST\" or {ORPHANS_EXPIRE} but got {wrong}");
        check_orphans_refused(wrong, &[&said]);
    }
}

#[test]
fn the_schedule_of_a_default_policy_has_a_name_that_options_know() {
    let policy = json!({ "PolicyId": "policy-0123456789abcdef0", "State": "ENABLED", "DefaultPolicy": "VOLUME" });
    let options = json!({ "PreviousNames": { "Default policy": ["Nightly"] } });
    let event = understood(&json!({ "Policy": policy, "Options": options }));
    assert_eq!(event.options.previous_names.len(), 1);
}
