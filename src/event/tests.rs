//! Tables: an event, and what it starts or why it is refused.

use super::*;
use crate::fixtures::at;
use serde_json::json;

fn policy() -> Value {
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
            "ScheduledTime": "<aws.scheduler.scheduled-time>",
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
fn what_is_not_built_yet_is_refused_by_name_and_told_apart() {
    let reading = read(&json!({ "Policy": policy(), "Options": { "Targets": [] } }), IdRule::Required);
    assert_eq!(reading.errors, vec![]);
    assert_eq!(
        reading.not_supported.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["Options.Targets: Targets: not supported yet"]
    );
    assert!(reading.value.is_none());
}

#[test]
fn a_changed_progress_is_refused() {
    let event = understood(&json!({ "Policy": policy() }));
    let mut next = event.next(&event.progress_at(at("2026-11-22T17:00:00Z")).unwrap());
    next["Progress"]["Turns"] = json!("many");
    let reading = read(&next, IdRule::Required);
    assert_eq!(reading.errors.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["Progress"]);
}

#[test]
fn a_bare_policy_is_read_at_the_command_line_only() {
    let reading = read_document(&policy(), IdRule::Optional);
    assert_eq!((reading.refusal(), reading.value.is_some()), (None, true));
    assert!(read(&policy(), IdRule::Required).value.is_none());
}
