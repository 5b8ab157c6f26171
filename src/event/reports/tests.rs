//! Tables: what the state machine hands over is read, and nothing else.

use super::*;
use crate::policy::decode::IdRule;
use serde_json::json;

fn split() -> Value {
    json!({
        "Summary": "2 targets, a run for each", "PolicyId": "policy-1", "Start": "2026-11-22T17:00:00Z", "Turns": 0,
        "DryRun": false, "Schedules": [{ "Name": "Default Schedule", "Due": "DUE" }], "Volumes": {}, "Snapshots": {},
        "Created": 0, "Deleted": 0, "Orphans": {}, "Stopped": 0, "Foreign": 0, "Failed": 0, "Failures": [],
        "Warnings": ["of the event"]
    })
}

fn part(number: u32) -> Value {
    json!({
        "Number": number,
        "Outcome": "SUCCEEDED", "Summary": "1 of 1 due snapshots are complete", "Turns": 2, "Volumes": { "exists: Complete": 1 },
        "Snapshots": {}, "Created": 1, "Deleted": 0, "Orphans": { "Snapshots": 0, "WithoutSchedule": 0, "OfGoneSources": 0,
        "OfUntargetedSources": 0, "WithoutExpiration": 0, "FullSizeBytes": 0 }, "Stopped": 0, "Foreign": 0, "Failed": 0,
        "Failures": [], "Warnings": []
    })
}

fn event(targets: &Value, reports: &Value) -> Value {
    json!({ "Split": split(), "Targets": targets, "Reports": reports })
}

fn two() -> Value {
    json!([
        { "Target": { "Region": "eu-west-1" } },
        { "Target": { "RoleArn": "arn:aws:iam::111122223333:role/a", "Region": "eu-west-1" } },
    ])
}

#[test]
fn each_report_belongs_to_the_target_whose_number_it_has() {
    let cause = json!({ "errorType": "AccessDenied", "errorMessage": "the role cannot be assumed" }).to_string();
    let event =
        event(&two(), &json!([{ "Number": 1, "Failure": { "Error": "AccessDenied", "Cause": cause } }, part(0)]));
    assert!(is_of_reports(&event));
    let Reports { split, told } = read_reports(&event).value.unwrap();
    assert_eq!((split.policy_id.as_str(), split.warnings.len(), split.schedules.len()), ("policy-1", 1, 1));
    let [(own, Told::Part(part)), (theirs, Told::Failed { error, cause })] = &told[..] else { panic!("{told:?}") };
    assert_eq!((own.to_string().as_str(), part.created), ("own account in eu-west-1", 1));
    assert_eq!(theirs.to_string(), "account 111122223333 in eu-west-1");
    assert_eq!((error.as_str(), cause.as_str()), ("AccessDenied", "the role cannot be assumed"));
}

#[test]
fn a_target_of_which_nothing_came_has_failed() {
    #[track_caller]
    fn check(reports: &Value, expected: [&str; 2]) {
        let told = read_reports(&event(&two(), reports)).value.unwrap().told;
        let words = told.iter().map(|(_, told)| match told {
            Told::Failed { error, .. } => error.clone(),
            Told::Part(_) => "part".to_owned(),
        });
        assert_eq!(words.collect::<Vec<_>>(), expected, "{reports}");
    }
    let failed =
        json!({ "ExecutionArn": "arn", "Input": "{}", "Status": "FAILED", "Error": "States.Runtime", "Cause": "why" });
    check(&json!([]), ["NoReport", "NoReport"]);
    check(&json!([part(1)]), ["NoReport", "part"]);
    check(&json!([null, part(0)]), ["part", "NoReport"]);
    check(&json!([{ "Error": "UnexpectedAnswer", "Cause": "versions" }, part(0)]), ["part", "UnexpectedAnswer"]);
    check(&json!([failed, part(1)]), ["States.Runtime", "part"]);
    check(&json!([{ "Status": "TIMED_OUT" }, {}]), ["NoReport", "NoReport"]);
    check(&json!([{ "Error": 1 }, part(0)]), ["part", "NoReport"]);
}

#[test]
fn a_cause_that_is_no_json_is_told_as_it_is() {
    for cause in ["RequestId: 1 Error: Runtime exited", "{}", "null", ""] {
        let target = json!([{ "Target": { "Region": "eu-west-1" } }]);
        let failure = json!({ "Number": 0, "Failure": { "Error": "Runtime.ExitError", "Cause": cause } });
        let told = read_reports(&event(&target, &json!([failure]))).value.unwrap().told;
        assert_eq!(told[0].1, Told::Failed { error: "Runtime.ExitError".to_owned(), cause: cause.to_owned() });
    }
}

#[track_caller]
fn check_refused(event: &Value, path: &str) {
    let reading = read_reports(event);
    assert!(reading.value.is_none(), "{event}");
    assert_eq!(reading.errors.first().map(|finding| finding.path.as_str()), Some(path), "{:?}", reading.errors);
    assert!(reading.refusal().unwrap().len() < 1_000);
}

#[test]
fn what_no_state_machine_hands_over_is_refused() {
    check_refused(&json!({ "Reports": [] }), "");
    check_refused(&event(&two(), &json!([part(0), part(1), part(1)])), "Reports");
    check_refused(&event(&two(), &json!([part(0), part(0)])), "Reports[1]");
    check_refused(&event(&two(), &json!([part(0), part(2)])), "Reports[1]");
    check_refused(&event(&two(), &json!([part(0), { "Number": 1 }])), "Reports[1]");
    check_refused(&event(&two(), &json!([part(0), { "Number": 1, "Failure": { "Error": 1 } }])), "Reports[1]");
    check_refused(&event(&two(), &json!([part(0), { "Failure": { "Error": "Lost" } }])), "Reports[1]");
    check_refused(
        &event(&json!([{ "Target": { "Region": "Ireland" } }]), &json!([part(0)])),
        "Targets[0].Target.Region",
    );
    check_refused(&event(&json!("x".repeat(300_000)), &json!([])), "");
    let many: Value = vec![json!({ "Target": { "Region": "eu-west-1" } }); 201].into();
    check_refused(&event(&many, &json!([])), "Reports");
    let mut more = event(&two(), &json!([part(0), part(1)]));
    more["Policy"] = json!({});
    check_refused(&more, "");
}

#[test]
fn reports_are_no_event_of_a_run() {
    assert!(super::super::read(&event(&two(), &json!([part(0), part(1)])), IdRule::Required).value.is_none());
    assert!(!is_of_reports(&json!({ "Policy": {} })));
}
