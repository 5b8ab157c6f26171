//! The event that a file means, and the one that a schedule gets.

use super::*;
use crate::live::document::{SCHEDULED_TIME, id_in, shown};

#[track_caller]
fn refused(event: &Value, expected: &str) {
    let refusal = wanted(event).refusal().unwrap_or_default();
    assert!(refusal.starts_with(expected), "{refusal}");
}

#[test]
fn a_bare_policy_and_an_event_mean_the_same_and_what_belongs_to_one_start_is_left_out() {
    let event = two(ID);
    let mut started = event.clone();
    started["ScheduledTime"] = json!("2026-11-22T17:00:00Z");
    started["Revision"] = json!("2026-11-20T17:00:00Z");
    let envelope = json!({ "detail-type": "Scheduled", "detail": started, "time": "2026-11-22T17:00:00Z" });
    for value in [&event, &event["Policy"], &started, &envelope] {
        let wanted = to_put(value);
        assert_eq!(wanted.document, document_of(&event));
        assert_eq!((wanted.event.scheduled_time, wanted.event.options.revision), (None, None));
    }
}

#[test]
fn what_no_schedule_shall_start_is_refused() {
    refused(
        &with_options(two(ID), json!({ "RunNow": true })),
        "Options.RunNow: each start of the schedule would be a run now",
    );
    let mut next = two(ID);
    next["Progress"] = json!({});
    refused(&next, "Progress: this is the state of a run");
    refused(&two(&"x".repeat(61)), "Policy.PolicyId: has 61 characters, expected at most 60");
    assert!(wanted(&two(&"x".repeat(60))).value.is_some());
    let mut without = two(ID);
    without["Policy"].as_object_mut().unwrap().remove("PolicyId");
    refused(&without, "Policy.PolicyId: missing");
    // All of it at once.
    let refusal = wanted(&with_options(two(&"x".repeat(61)), json!({ "RunNow": true }))).refusal().unwrap();
    assert_eq!(refusal.lines().count(), 2, "{refusal}");
}

#[test]
fn a_dry_run_may_be_deployed_with_a_warning() {
    let reading = wanted(&with_options(two(ID), json!({ "DryRun": true })));
    assert_eq!(reading.warned(), ["Options.DryRun: policy-0123456789abcdef0 makes no snapshot while this is set"]);
    assert!(reading.value.is_some());
}

#[test]
fn the_placeholder_has_the_characters_that_scheduler_looks_for() {
    let input = input(&document_of(&two(ID)), at(NOW));
    assert!(input.contains(&format!("\"ScheduledTime\":\"{SCHEDULED_TIME}\"")), "{input}");
    assert!(input.contains("\"Revision\":\"2026-11-26T10:00:00Z\""), "{input}");
}

#[test]
fn what_is_shown_is_ready_to_be_put_again_and_consents_to_nothing() {
    let policy = &two(ID)["Policy"];
    assert_eq!(shown(&document_of(&two(ID))), *policy);
    let consent = with_options(two(ID), json!({ "AcceptCount": { "Daily": 7 } }));
    assert_eq!(shown(&document_of(&consent)), *policy);
    let more = with_options(two(ID), json!({ "AcceptCount": { "Daily": 7 }, "StartWindowMinutes": 30 }));
    assert_eq!(shown(&document_of(&more)), with_options(two(ID), json!({ "StartWindowMinutes": 30 })));
}

#[test]
fn an_id_is_read_whatever_else_is_wrong() {
    let id = |value: Value| id_in(&value).map(|id| id.to_string());
    assert_eq!(id(json!({ "Policy": { "PolicyId": ID, "State": 7 } })).as_deref(), Some(ID));
    assert_eq!(id(json!({ "PolicyId": ID })).as_deref(), Some(ID));
    assert_eq!(id(json!({ "detail-type": "x", "detail": { "Policy": { "PolicyId": ID } } })).as_deref(), Some(ID));
    for nobodys in [json!({}), json!([]), json!("x"), json!({ "Policy": { "PolicyId": "a*" } })] {
        assert_eq!(id(nobodys), None);
    }
}
