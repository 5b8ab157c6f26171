//! Tables: an execution, and the line that tells it.

use super::*;
use crate::fixtures::at;
use serde_json::json;

fn execution(standing: Standing) -> Execution {
    Execution {
        arn: "arn:aws:states:us-east-1:123456789012:execution:opendlm:one".to_owned(),
        name: "0f3a9c1e-7d1b-4a52-9d0e-3f6f0e6f5a11".to_owned(),
        started: Some(at("2026-11-22T17:00:00Z")),
        standing,
        input: Some(json!({ "Policy": { "PolicyId": "policy-0aaaaaaaaaaaaaaaa" } })),
        output: None,
        error: None,
        cause: None,
    }
}

fn over(how: Ended) -> Standing {
    Standing::Over { how, at: Some(at("2026-11-22T17:02:41Z")) }
}

#[track_caller]
fn check(execution: &Execution, answer: Option<&Value>, outcome: &str, is_failure: bool, why: &str) {
    let run = Run::of(execution, answer);
    assert_eq!((run.outcome.as_str(), run.is_failure, run.why.as_str()), (outcome, is_failure, why));
}

#[test]
fn each_end_has_its_word_and_only_a_report_says_succeeded() {
    check(&execution(Standing::UnderWay), None, "RUNNING", false, "");
    for outcome in ["SUCCEEDED", "SKIPPED"] {
        let report = json!({ "PolicyId": "policy-0aaaaaaaaaaaaaaaa", "Outcome": outcome });
        check(&Execution { output: Some(report), ..execution(over(Ended::Succeeded)) }, None, outcome, false, "");
    }
    let went_on = json!({ "PolicyId": "policy-0aaaaaaaaaaaaaaaa", "Continued": { "ExecutionArn": "arn" } });
    check(&Execution { output: Some(went_on), ..execution(over(Ended::Succeeded)) }, None, "CONTINUED", false, "");
    check(&execution(over(Ended::Succeeded)), None, "?", false, "");
    let failed = |error: &str, cause: &str| Execution {
        error: Some(error.to_owned()),
        cause: Some(cause.to_owned()),
        ..execution(over(Ended::Failed))
    };
    check(&failed("Partial", "1 failed: vol-0a"), None, "PARTIAL", true, "1 failed: vol-0a");
    let lambda = r#"{"errorType": "PolicyInvalid", "errorMessage": "Policy: missing"}"#;
    check(&failed("PolicyInvalid", lambda), None, "FAILED", true, "PolicyInvalid: Policy: missing");
    check(&failed("States.Timeout", ""), None, "FAILED", true, "States.Timeout");
    check(&execution(over(Ended::Failed)), None, "FAILED", true, "");
    check(&failed_by(Ended::Stopped, "by hand"), None, "STOPPED", true, "Stopped: by hand");
    check(&execution(over(Ended::TimedOut)), None, "TIMED OUT", true, "");
}

fn failed_by(how: Ended, cause: &str) -> Execution {
    Execution { error: Some("Stopped".to_owned()), cause: Some(cause.to_owned()), ..execution(over(how)) }
}

#[test]
fn the_numbers_of_a_failed_run_are_those_of_its_last_answer() {
    let answer = json!({ "Status": "DONE", "Report": { "Created": 3, "Failed": 1 } });
    let run = Run::of(&execution(over(Ended::Failed)), Some(&answer));
    assert_eq!((run.number("Created"), run.number("Failed"), run.number("Deleted")), (Some(3), Some(1), None));
    assert_eq!(run.took.map(|took| took.as_secs()), Some(161));
    assert_eq!(run.policy.map(|id| id.to_string()).as_deref(), Some("policy-0aaaaaaaaaaaaaaaa"));
    let enveloped = json!({ "detail": { "Policy": { "PolicyId": "policy-0b" } }, "time": "2026-11-22T17:00:00Z" });
    let run = Run::of(&Execution { input: Some(enveloped), ..execution(Standing::UnderWay) }, None);
    assert_eq!((run.policy.map(|id| id.to_string()).as_deref(), run.is_under_way), (Some("policy-0b"), true));
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_name_where_only_one_begins_so() {
    let named = |name: &str| Run::of(&Execution { name: name.to_owned(), ..execution(Standing::UnderWay) }, None);
    let runs = ["0f3a", "0f3a9c1e-7d1b", "1b"].map(named);
    let found = |beginning: &str| by_name(&runs, beginning).map(|run| run.name.clone());
    assert_eq!(found("0f3a9"), Ok("0f3a9c1e-7d1b".to_owned()));
    assert_eq!(found("0f3a"), Ok("0f3a".to_owned()), "the whole name of one");
    assert!(found("0f").unwrap_err().contains("2 runs begin with 0f"));
    assert!(found("zz").unwrap_err().contains("opendlm runs lists them"));
    assert_eq!(runs[1].short_name(), "0f3a9c1e");
    assert_eq!(named("short").short_name(), "short");
}
