//! What the state machine hands over when a run could not go on: the error that ended it, and the event that it began with.
//!
//! Promise: whatever the event is, a failure that has a name is told. An event that was refused is one of them.

use super::refused;
use super::reports::{Caught, said};
use crate::policy::decode::{Reading, shown};
use crate::report::mail::CouldNotGoOn;
use serde::Deserialize;
use serde_json::Value;

/// Whether an event asks for the words about a run that could not go on. No other shape has this key.
#[must_use]
pub fn is_of_failure(value: &Value) -> bool {
    value.get("Failed").is_some()
}

/// How many characters of an id or a time are told: what was refused may be of any length.
const TOLD_LENGTH_MAX: usize = 100;

/// Reads the error that ended a run, and what of its event names it.
#[must_use]
pub fn read_failure(value: &Value) -> Reading<CouldNotGoOn> {
    let failed = value.get("Failed").unwrap_or(&Value::Null);
    let Ok(caught) = Caught::deserialize(failed) else {
        return refused("Failed", "not what the state machine hands over: expected Error and Cause".to_owned());
    };
    let (error, cause) = said(caught);
    let event = value.get("Event").unwrap_or(&Value::Null);
    // An EventBridge event has it one level deeper.
    let body = event.get("detail").filter(|_| event.get("Policy").is_none()).unwrap_or(event);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(|text| shown(text, TOLD_LENGTH_MAX));
    let progress = body.get("Progress").and_then(|progress| progress.get("Start"));
    let failure = CouldNotGoOn {
        policy_id: text(body.get("Policy").and_then(|policy| policy.get("PolicyId"))),
        start: text(progress.or_else(|| body.get("ScheduledTime")).or_else(|| event.get("time"))),
        error: shown(&error, TOLD_LENGTH_MAX),
        cause,
    };
    Reading { value: Some(failure), errors: vec![], not_supported: vec![], warnings: vec![] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(event: &Value, expected: [Option<&str>; 2]) {
        let value = json!({ "Failed": { "Error": "Throttled", "Cause": "busy" }, "Event": event });
        assert!(is_of_failure(&value));
        let failure = read_failure(&value).value.unwrap();
        assert_eq!((failure.error.as_str(), failure.cause.as_str()), ("Throttled", "busy"));
        assert_eq!([failure.policy_id.as_deref(), failure.start.as_deref()], expected);
    }

    #[test]
    fn the_policy_and_the_start_are_found_in_every_shape_of_event() {
        let start = "2026-11-22T17:00:00Z";
        let policy = json!({ "PolicyId": "policy-1" });
        check(&json!({ "Policy": policy, "ScheduledTime": start }), [Some("policy-1"), Some(start)]);
        check(&json!({ "time": start, "detail": { "Policy": policy } }), [Some("policy-1"), Some(start)]);
        let progress = json!({ "Start": start });
        check(
            &json!({ "Policy": policy, "Progress": progress, "ScheduledTime": "x" }),
            [Some("policy-1"), Some(start)],
        );
    }

    #[test]
    fn an_event_that_names_nothing_is_told_all_the_same() {
        for event in
            [json!(null), json!("text"), json!([1]), json!({ "Policy": 7, "time": {} }), json!({ "detail": [] })]
        {
            check(&event, [None, None]);
        }
    }

    #[test]
    fn the_function_s_own_words_are_taken_out_of_lambda_s() {
        let cause = json!({ "errorType": "PolicyInvalid", "errorMessage": "what is wrong" }).to_string();
        let value = json!({ "Failed": { "Error": "PolicyInvalid", "Cause": cause } });
        assert_eq!(read_failure(&value).value.unwrap().cause, "what is wrong");
    }

    #[test]
    fn a_failure_without_a_name_is_refused() {
        assert!(read_failure(&json!({ "Failed": "no" })).value.is_none());
    }
}
