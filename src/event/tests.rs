//! Tables: an event, and what it starts or why it is refused.

mod options;

use super::*;
use crate::fixtures::at;
use serde_json::json;

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
