//! Tables: which lists are read, and why others are refused with the path of what is wrong.

use super::*;
use crate::event::{Event, read as read_event};
use crate::fixtures::at;
use crate::policy::decode::IdRule;
use serde_json::json;

fn event(options: &Value, list: Option<&Value>) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("../../../events/sample.json")).unwrap();
    event["Options"] = options.clone();
    if let Some(list) = list {
        event["TargetsList"] = list.clone();
    }
    event
}

fn from() -> Value {
    json!({ "TargetsFrom": { "Bucket": "amzn-s3-demo-bucket", "Key": "opendlm/targets.json" } })
}

#[track_caller]
fn understood(list: Option<&str>) -> Event {
    let reading = read_event(&event(&from(), list.map(Value::from).as_ref()), IdRule::Required);
    assert_eq!(reading.refusal(), None);
    reading.value.unwrap()
}

#[track_caller]
fn check_refused(options: &Value, list: Option<&Value>, expected: &[&str]) {
    let reading = read_event(&event(options, list), IdRule::Required);
    assert_eq!(reading.refusal().unwrap_or_default().lines().collect::<Vec<_>>(), expected);
}

fn accounts(count: usize) -> Value {
    (0..count)
        .map(|number| json!({ "RoleArn": format!("arn:aws:iam::{number:012}:role/a"), "Regions": ["eu-west-1"] }))
        .collect()
}

#[test]
fn before_the_list_was_read_there_are_no_targets_and_no_run() {
    let event = understood(None);
    assert_eq!(event.options.targets, vec![]);
    assert!(event.options.has_several_targets());
    assert_eq!(event.targets_from(), from()["TargetsFrom"]);
}

#[test]
fn the_entries_of_a_list_are_those_of_an_event_and_there_may_be_more_of_them() {
    let targets = understood(Some(&accounts(PLACES_LISTED_MAX).to_string())).options.targets;
    assert_eq!(targets.len(), 200);
    let few = understood(Some("\n [{\"Regions\": [\"eu-west-1\", \"us-east-1\"]}] \n")).options.targets;
    assert_eq!(
        few.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["own account in eu-west-1", "own account in us-east-1"]
    );
}

#[test]
fn what_is_split_has_lost_the_list_and_kept_the_start() {
    let first = understood(None);
    let progress = first.progress_at(at("2026-11-22T17:00:00Z")).unwrap();
    let mut next = first.next(&progress);
    next["TargetsList"] = json!(accounts(41).to_string());
    let listed = read_event(&next, IdRule::Required).value.unwrap();
    assert_eq!(listed.progress_at(at("2026-11-22T19:00:00Z")).unwrap(), progress);
    let (common, targets) = listed.split(&progress);
    assert_eq!(targets.len(), 41);
    assert_eq!((&common["Options"], common.get("TargetsList")), (&json!({}), None));
    let length = common.to_string().len() + Value::from(targets).to_string().len();
    assert!(length < 105_000, "{length}");
}

#[test]
fn a_bad_entry_is_told_with_its_path_beside_all_others() {
    let list = json!([
        { "RoleArn": "opendlm", "Regions": ["eu-west-1"] },
        { "Regions": ["eu-west-1", "Ireland"] },
        { "Regions": ["eu-west-1"], "Account": "1" },
    ]);
    check_refused(
        &from(),
        Some(&json!(list.to_string())),
        &[
            "Options.TargetsFrom[0].RoleArn: expected the ARN of a role such as \
             arn:aws:iam::111122223333:role/opendlm-target but got \"opendlm\"",
            "Options.TargetsFrom[1].Regions[1]: expected a Region such as eu-west-1 but got \"Ireland\"",
            "Options.TargetsFrom[1].Regions[0]: own account in eu-west-1 is named by Options.TargetsFrom[0] already, \
             expected it once",
            "Options.TargetsFrom[2].Account: unknown key, expected one of ExternalId, Regions, RoleArn",
            "Options.TargetsFrom[2].Regions[0]: own account in eu-west-1 is named by Options.TargetsFrom[0] already, \
             expected it once",
        ],
    );
}

#[test]
fn what_is_no_list_is_refused() {
    let form = "expected a list such as [{\"RoleArn\": \"arn:aws:iam::111122223333:role/opendlm-target\", \"Regions\": \
                [\"eu-west-1\"]}] but got";
    let text = |text: &str| Some(json!(text));
    check_refused(&from(), text("[]").as_ref(), &[&format!("Options.TargetsFrom: {form} []")]);
    check_refused(&from(), text("{}").as_ref(), &[&format!("Options.TargetsFrom: {form} {{}}")]);
    check_refused(
        &from(),
        text("[{\"Regions\": [\"eu-west-1\"], \"Regions\": []}]").as_ref(),
        &[
            "Options.TargetsFrom[0].Regions: stands more than once, expected every key once: which one was meant is unknown",
        ],
    );
    check_refused(
        &from(),
        text("Account,Region").as_ref(),
        &["Options.TargetsFrom: not JSON that can be read: expected value at line 1 column 1"],
    );
    check_refused(
        &from(),
        text(&"x".repeat(LIST_LENGTH_MAX + 1)).as_ref(),
        &["Options.TargetsFrom: the list has 80001 bytes, expected at most 80000"],
    );
    check_refused(
        &from(),
        text(&accounts(201).to_string()).as_ref(),
        &[
            "Options.TargetsFrom: 201 pairs of account and Region, expected at most 200; start the policy with several events, \
           each with some of the targets",
        ],
    );
    check_refused(
        &from(),
        Some(&accounts(1)),
        &["TargetsList: expected the text that the state machine has read from S3, and nobody else writes"],
    );
    check_refused(
        &json!({}),
        text("[]").as_ref(),
        &["TargetsList: set without Options.TargetsFrom, expected what the state machine hands over"],
    );
}

#[test]
fn an_object_that_s3_cannot_have_is_refused() {
    let (bucket, key) = (ListObject::BUCKET_EXPECTED, ListObject::KEY_EXPECTED);
    check_refused(
        &json!({ "TargetsFrom": {} }),
        None,
        &[
            &format!("Options.TargetsFrom.Bucket: missing, expected {bucket}"),
            &format!("Options.TargetsFrom.Key: missing, expected {key}"),
        ],
    );
    check_refused(
        &json!({ "TargetsFrom": { "Bucket": "B", "Key": "", "Region": "eu-west-1" } }),
        None,
        &[
            &format!("Options.TargetsFrom.Bucket: expected {bucket} but got \"B\""),
            &format!("Options.TargetsFrom.Key: expected {key} but got \"\""),
            "Options.TargetsFrom.Region: unknown key, expected one of Bucket, Key",
        ],
    );
    check_refused(
        &json!({ "TargetsFrom": "s3://bucket/key" }),
        None,
        &[&format!("Options.TargetsFrom: expected an object such as {FORM} but got \"s3://bucket/key\"")],
    );
    let mut both = from();
    both["Targets"] = json!([{ "Regions": ["eu-west-1"] }]);
    check_refused(&both, None, &["Options.TargetsFrom: set beside Target or Targets, expected one of them"]);
}
