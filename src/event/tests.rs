//! Tables: an event, and what it starts or why it is refused.

use super::*;
use crate::fixtures::at;
use crate::options::{MaximumDeletions, Orphans};
use crate::policy::{Age, AgeUnit};
use serde_json::json;
use std::num::NonZeroU32;

pub(super) fn policy() -> Value {
    json!({
        "PolicyId": "policy-0123456789abcdef0",
        "Description": "Daily snapshots",
        "State": "ENABLED",
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/dlm",
        "PolicyDetails": {
            "ResourceTypes": ["VOLUME"],
            "TargetTags": [{ "Key": "auto-backup", "Value": "dlm" }],
            "Schedules": [{
                "Name": "Default Schedule",
                "CreateRule": { "Interval": 24, "IntervalUnit": "HOURS", "Times": ["17:00"] },
                "RetainRule": { "Count": 3 }
            }]
        }
    })
}

#[track_caller]
fn check_refused(event: &Value, expected: &[&str]) {
    let reading = read(event, IdRule::Required);
    let refusal = reading.refusal().unwrap_or_default();
    assert_eq!(refusal.lines().collect::<Vec<_>>(), expected);
    assert!(reading.value.is_none());
}

#[track_caller]
fn understood(event: &Value) -> Event {
    let reading = read(event, IdRule::Required);
    assert_eq!(reading.refusal(), None);
    reading.value.unwrap()
}

#[test]
fn a_constant_input_starts_at_the_clock_of_its_first_turn() {
    let event = understood(&json!({ "Policy": policy() }));
    let progress = event.progress_at(at("2026-11-22T17:00:03.456Z")).unwrap();
    assert_eq!(progress.start, at("2026-11-22T17:00:03Z"));
    assert!(progress.start_from_clock);
}

#[test]
fn the_scheduled_time_of_an_input_is_its_start() {
    let event = understood(&json!({ "Policy": policy(), "ScheduledTime": "2026-11-22T17:00:00Z" }));
    let progress = event.progress_at(at("2026-11-22T17:00:03Z")).unwrap();
    assert_eq!((progress.start, progress.start_from_clock), (at("2026-11-22T17:00:00Z"), false));
}

#[test]
fn the_time_of_an_envelope_is_the_start_unless_its_detail_says_otherwise() {
    let envelope = |detail: Value| {
        json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-11-22T17:00:00Z",
            "region": "us-east-1", "resources": [], "detail": detail
        })
    };
    let event = understood(&envelope(json!({ "Policy": policy() })));
    assert_eq!(event.scheduled_time, Some(at("2026-11-22T17:00:00Z")));
    let event = understood(&envelope(json!({ "Policy": policy(), "ScheduledTime": "2026-11-22T16:00:00Z" })));
    assert_eq!(event.scheduled_time, Some(at("2026-11-22T16:00:00Z")));
}

#[test]
fn the_next_of_an_answer_is_an_event_that_keeps_the_start() {
    let event = understood(&json!({ "Policy": policy(), "Options": { "RunNow": true } }));
    let first = event.progress_at(at("2026-11-22T17:00:00Z")).unwrap();
    let next = understood(&event.next(&first));
    assert_eq!(next.progress_at(at("2026-11-22T19:00:00Z")).unwrap(), first);
    assert_eq!((&next.policy, &next.options), (&event.policy, &event.options));
    assert_eq!(next.next(&first), event.next(&first));
}

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

#[test]
fn a_start_in_the_future_is_refused() {
    let event = understood(&json!({ "Policy": policy(), "ScheduledTime": "2026-11-22T18:00:00Z" }));
    let error = event.progress_at(at("2026-11-22T17:00:00Z")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ScheduledTime: 2026-11-22T18:00:00Z lies in the future, expected a time at or before now, 2026-11-22T17:00:00Z"
    );
}

#[test]
fn what_is_no_event_is_refused_with_what_was_expected() {
    check_refused(&json!([]), &[&format!("the event is no object, expected {SHAPES}")]);
    check_refused(&json!({}), &[&format!("Policy: missing, expected {SHAPES}")]);
    check_refused(
        &json!({ "detail-type": "Scheduled Event", "detail": {} }),
        &["detail.Policy: missing, expected the policy as aws dlm get-lifecycle-policy prints it"],
    );
    check_refused(
        &json!({ "detail-type": "Scheduled Event" }),
        &[&format!("detail: missing, expected the event: {SHAPES}")],
    );
}

#[test]
fn all_problems_are_told_at_once_with_their_paths() {
    let mut policy = policy();
    policy["PolicyDetails"]["Schedules"][0]["RetainRule"] = json!({ "Count": 0 });
    policy["PolicyId"] = json!("policy-*");
    let reading = read(
        &json!({
            "Policy": policy,
            "ScheduledTime": "<aws.scheduler.execution-id>",
            "Options": { "DryRum": true, "StartWindowMinutes": 100_000, "PreviousNames": { "Default Schedule": "Nightly" } },
            "Extra": 1
        }),
        IdRule::Required,
    );
    let paths: Vec<&str> = reading.errors.iter().map(|finding| finding.path.as_str()).collect();
    for path in [
        "ScheduledTime",
        "Extra",
        "Options.DryRum",
        "Options.StartWindowMinutes",
        "Options.PreviousNames.Default Schedule",
        "Policy.PolicyId",
    ] {
        assert!(paths.contains(&path), "{path} in {paths:?}");
    }
    assert!(paths.iter().any(|path| path.starts_with("Policy.PolicyDetails.Schedules[0].RetainRule")), "{paths:?}");
}

#[test]
fn previous_names_must_be_unambiguous() {
    check_refused(
        &json!({
            "Policy": policy(),
            "Options": { "PreviousNames": { "Default Schedule": ["Default Schedule", "Old", "Old"], "Other": [] } }
        }),
        &[
            "Options.PreviousNames.Default Schedule[0]: Default Schedule is the name of a schedule of the policy today",
            "Options.PreviousNames.Default Schedule[2]: Old is given as a previous name of Default Schedule already",
            "Options.PreviousNames.Other: no schedule of the policy is called Other",
        ],
    );
}

#[test]
fn batch_which_a_deployed_policy_may_still_have_is_told_to_mean_nothing() {
    check_refused(
        &json!({ "Policy": policy(), "Options": { "Batch": 1 } }),
        &["Options.Batch: expected true or false but got 1"],
    );
    let warned = |batch| read(&json!({ "Policy": policy(), "Options": { "Batch": batch } }), IdRule::Required).warned();
    let message =
        "Options.Batch: means nothing any more: each volume gets its snapshot by a call of its own, take it out";
    assert_eq!((warned(json!(true)), warned(json!(null))), (vec![message.to_owned()], vec![]));
}

#[test]
fn a_changed_progress_is_refused() {
    let event = understood(&json!({ "Policy": policy() }));
    let mut next = event.next(&event.progress_at(at("2026-11-22T17:00:00Z")).unwrap());
    next["Progress"]["Turns"] = json!("many");
    let reading = read(&next, IdRule::Required);
    assert_eq!(reading.errors.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["Progress"]);
}

/// What functions answered, unchanged: 0.2 after its first turn.
const REAL_NEXT: [&str; 2] =
    [include_str!("../../tests/next/0.2-instances.json"), include_str!("../../tests/next/0.2-volumes.json")];

#[test]
fn the_next_of_a_run_that_is_under_way_at_an_update_is_understood() {
    for text in REAL_NEXT {
        let next: Value = serde_json::from_str(text).unwrap();
        let event = understood(&next);
        let progress = event.progress.clone().expect("it is no first turn");
        assert!(progress.turns == 1 && progress.created > 0 && !progress.ids_begun().is_empty(), "{text}");
        let mut again = event.next(&progress);
        assert_eq!(again["Progress"]["Version"], json!(2));
        let mut then = next.clone();
        for each in [&mut again, &mut then] {
            each["Progress"].as_object_mut().unwrap().retain(|key, _| key != "Version");
        }
        assert_eq!(again, then, "nothing is lost on the way");
    }
}

#[test]
fn the_next_of_a_newer_opendlm_is_refused_and_says_what_to_do() {
    let mut next: Value = serde_json::from_str(REAL_NEXT[0]).unwrap();
    for version in [json!(4), json!("2"), json!(-1)] {
        next["Progress"]["Version"] = version;
        let refusal = read(&next, IdRule::Required).refusal().unwrap();
        assert!(refusal.contains("a newer one began the run, let that one end it"), "{refusal}");
    }
}

#[test]
fn a_bare_policy_is_read_at_the_command_line_only() {
    let reading = read_document(&policy(), IdRule::Optional);
    assert_eq!((reading.refusal(), reading.value.is_some()), (None, true));
    assert!(read(&policy(), IdRule::Required).value.is_none());
}

#[test]
fn a_key_that_is_nearly_right_draws_the_right_one() {
    let near = |options: Value| {
        let reading = read(&json!({ "Policy": policy(), "Options": options }), IdRule::Required);
        let refusal = reading.refusal().unwrap();
        refusal.split_once("; ").map(|(_, advice)| advice.to_owned()).unwrap_or_default()
    };
    assert_eq!(near(json!({ "Dryrun": true })), "did you mean DryRun?");
    assert_eq!(near(json!({ "dry_run": true })), "did you mean DryRun?");
    assert_eq!(near(json!({ "MaxDeletions": 3 })), "did you mean MaximumDeletions?");
    assert_eq!(near(json!({ "Xyzzy": 3 })), "");
}

#[test]
fn a_key_of_the_event_in_small_letters_is_one_mistake() {
    for document in [json!({ "policy": policy() }), json!({ "policy": policy(), "Options": {} })] {
        let refusal = read_document(&document, IdRule::Optional).refusal().unwrap();
        assert_eq!(
            refusal,
            "policy: unknown key, expected one of Event, Options, Policy, Progress, Revision, ScheduledTime, TargetsList; \
             did you mean Policy?"
        );
        assert_eq!(read(&with_bare_policy_wrapped(document), IdRule::Required).refusal(), Some(refusal));
    }
}
