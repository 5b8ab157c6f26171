//! Tables: which targets are understood, why others are refused, and how an event is split.

use crate::event::{Event, read};
use crate::fixtures::at;
use crate::place::{OneOf, PLACES_MAX};
use crate::policy::decode::IdRule;
use serde_json::{Map, Value, json};

const ROLE: &str = "arn:aws:iam::111122223333:role/opendlm-target";

fn event(options: &Value) -> Value {
    let policy = json!({
        "PolicyId": "policy-0123456789abcdef0",
        "Description": "Daily snapshots",
        "State": "ENABLED",
        "PolicyDetails": {
            "ResourceTypes": ["VOLUME"],
            "TargetTags": [{ "Key": "auto-backup", "Value": "dlm" }],
            "Schedules": [{
                "Name": "Default Schedule",
                "CreateRule": { "Interval": 24, "IntervalUnit": "HOURS", "Times": ["17:00"] },
                "RetainRule": { "Count": 3 }
            }]
        }
    });
    json!({ "Policy": policy, "Options": options })
}

#[track_caller]
fn understood(options: &Value) -> Event {
    let reading = read(&event(options), IdRule::Required);
    assert_eq!(reading.refusal(), None);
    assert_eq!(reading.warnings, vec![]);
    reading.value.unwrap()
}

#[track_caller]
fn check(targets: &Value, expected: &[&str]) {
    let places = understood(&json!({ "Targets": targets })).options.targets;
    assert_eq!(places.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

#[track_caller]
fn check_refused(options: &Value, expected: &[&str]) {
    let reading = read(&event(options), IdRule::Required);
    assert_eq!(reading.refusal().unwrap_or_default().lines().collect::<Vec<_>>(), expected);
    assert!(reading.value.is_none());
}

#[test]
fn every_pair_of_account_and_region_is_a_place_of_its_own() {
    check(&json!([{ "Regions": ["eu-west-1"] }]), &["own account in eu-west-1"]);
    check(
        &json!([
            { "RoleArn": ROLE, "ExternalId": "shared-id", "Regions": ["eu-west-1", "us-east-1"] },
            { "RoleArn": "arn:aws:iam::444455556666:role/path/other", "Regions": ["eu-west-1"] },
            { "Regions": ["eu-west-1"] },
        ]),
        &[
            "account 111122223333 in eu-west-1",
            "account 111122223333 in us-east-1",
            "account 444455556666 in eu-west-1",
            "own account in eu-west-1",
        ],
    );
}

#[test]
fn one_target_has_one_region() {
    let place = understood(&json!({ "Target": { "RoleArn": ROLE, "ExternalId": "id", "Region": "eu-west-1" } }));
    let place = place.options.target.unwrap();
    assert_eq!(place.to_string(), "account 111122223333 in eu-west-1");
    assert_eq!(place.role.unwrap().external_id.unwrap().as_str(), "id");
    let own = understood(&json!({ "Target": { "Region": "eu-west-1" } })).options.target.unwrap();
    assert_eq!((own.role, own.region.as_str()), (None, "eu-west-1"));
}

#[test]
fn a_target_that_nobody_can_mean_is_refused_at_its_place() {
    let list = "expected a list such as [{\"RoleArn\": \"arn:aws:iam::111122223333:role/opendlm-target\", \
                \"Regions\": [\"eu-west-1\"]}]";
    let regions = "a list of at least one Region such as [\"eu-west-1\"]";
    check_refused(&json!({ "Targets": [] }), &[&format!("Options.Targets: {list} but got []")]);
    check_refused(
        &json!({ "Targets": { "Regions": ["eu-west-1"] } }),
        &[&format!("Options.Targets: {list} but got {{\"Regions\":[\"eu-west-1\"]}}")],
    );
    check_refused(&json!({ "Targets": [{}] }), &[&format!("Options.Targets[0].Regions: missing, expected {regions}")]);
    check_refused(
        &json!({ "Targets": [{ "Regions": [] }, { "Regions": "eu-west-1" }] }),
        &[
            &format!("Options.Targets[0].Regions: expected {regions} but got []"),
            &format!("Options.Targets[1].Regions: expected {regions} but got \"eu-west-1\""),
        ],
    );
    check_refused(
        &json!({ "Targets": [{ "Regions": ["eu-west-1", "Ireland", 1], "Account": "111122223333" }] }),
        &[
            "Options.Targets[0].Regions[1]: expected a Region such as eu-west-1 but got \"Ireland\"",
            "Options.Targets[0].Regions[2]: expected a Region such as eu-west-1 but got 1",
            "Options.Targets[0].Account: unknown key, expected one of ExternalId, Regions, RoleArn",
        ],
    );
}

#[test]
fn a_role_or_an_external_id_that_iam_would_not_take_is_refused() {
    check_refused(
        &json!({ "Targets": [{ "RoleArn": "opendlm", "ExternalId": "x", "Regions": ["eu-west-1"] }] }),
        &[
            "Options.Targets[0].RoleArn: expected the ARN of a role such as arn:aws:iam::111122223333:role/opendlm-target \
             but got \"opendlm\"",
            "Options.Targets[0].ExternalId: expected 2 to 1224 letters, digits and characters of _+=,.@:/- but got \"x\"",
        ],
    );
    let lonely = "set without RoleArn, expected the role whose trust policy asks for it";
    check_refused(
        &json!({ "Targets": [{ "ExternalId": "id", "Regions": ["eu-west-1"] }] }),
        &[&format!("Options.Targets[0].ExternalId: {lonely}")],
    );
    check_refused(
        &json!({ "Target": { "ExternalId": "id", "Region": "eu-west-1" } }),
        &[&format!("Options.Target.ExternalId: {lonely}")],
    );
}

#[test]
fn one_target_without_a_region_or_beside_several_is_refused() {
    check_refused(
        &json!({ "Target": { "RoleArn": ROLE } }),
        &["Options.Target.Region: missing, expected a Region such as eu-west-1"],
    );
    check_refused(
        &json!({ "Target": { "Regions": ["eu-west-1"] } }),
        &[
            "Options.Target.Region: missing, expected a Region such as eu-west-1",
            "Options.Target.Regions: unknown key, expected one of ExternalId, Number, Of, Region, RoleArn; did you mean Region?",
        ],
    );
    check_refused(
        &json!({ "Target": "eu-west-1" }),
        &["Options.Target: expected an object as in {\"RoleArn\": \"arn:aws:iam::111122223333:role/opendlm-target\", \
           \"Region\": \"eu-west-1\"} but got \"eu-west-1\""],
    );
    check_refused(
        &json!({ "Target": { "Region": "eu-west-1" }, "Targets": [{ "Regions": ["eu-west-1"] }] }),
        &["Options.Target: set beside Targets, expected one of them"],
    );
}

#[test]
fn one_account_in_one_region_is_named_once_whatever_its_role() {
    check_refused(
        &json!({ "Targets": [
            { "RoleArn": ROLE, "Regions": ["eu-west-1", "us-east-1"] },
            { "RoleArn": "arn:aws:iam::111122223333:role/another", "Regions": ["us-east-1"] },
            { "Regions": ["us-east-1", "us-east-1"] },
        ]}),
        &[
            "Options.Targets[1].Regions[0]: account 111122223333 in us-east-1 is named by Options.Targets[0] already, \
             expected it once",
            "Options.Targets[2].Regions[1]: own account in us-east-1 is named by Options.Targets[2] already, expected it once",
        ],
    );
}

/// So many accounts in one Region.
fn accounts(count: usize) -> Value {
    (0..count)
        .map(|number| json!({ "RoleArn": format!("arn:aws:iam::{number:012}:role/a"), "Regions": ["eu-west-1"] }))
        .collect()
}

#[test]
fn more_pairs_than_an_event_names_are_refused_with_what_to_do() {
    assert_eq!(understood(&json!({ "Targets": accounts(PLACES_MAX) })).options.targets.len(), 40);
    check_refused(
        &json!({ "Targets": accounts(PLACES_MAX + 1) }),
        &["Options.Targets: 41 pairs of account and Region, expected at most 40; put the list into S3 and name it as \
             Options.TargetsFrom, which takes 200, or start the policy with several events, each with some of the targets"],
    );
}

#[test]
fn targets_that_are_longer_together_than_a_state_has_room_for_are_refused() {
    let regions: Vec<String> = ('a'..='t').map(|letter| format!("eu-{letter}-1")).collect();
    let two = |id: usize| {
        let role = |account: u64| format!("arn:aws:iam::{account:012}:role/{}/a", "p".repeat(100));
        let one = |account| json!({ "RoleArn": role(account), "ExternalId": "x".repeat(id), "Regions": regions });
        json!({ "Targets": [one(1), one(2)] })
    };
    assert_eq!(understood(&two(1_000)).options.targets.len(), 40);
    check_refused(
        &two(1_200),
        &[
            "Options.Targets: the targets have 56030 bytes, each with its role and external id, expected at most 55000; start \
           the policy with several events, each with some of the targets",
        ],
    );
}

/// What the state machine makes of the common event and one target: a shallow merge of the options.
fn merged(common: &Value, target: &Value) -> Value {
    let mut event = common.clone();
    let options = event["Options"].as_object_mut().unwrap();
    options.extend(target.as_object().unwrap().clone());
    event
}

#[test]
fn a_split_event_is_the_same_run_once_for_each_target() {
    let options = json!({
        "Targets": [{ "RoleArn": ROLE, "ExternalId": "id", "Regions": ["eu-west-1", "us-east-1"] }, { "Regions": ["eu-west-1"] }],
        "RunNow": true,
        "MinimumKept": 2,
    });
    let whole = understood(&options);
    let progress = whole.progress_at(at("2026-11-22T17:00:00Z")).unwrap();
    let (common, targets) = whole.split(&progress);
    assert_eq!(targets.len(), 3);
    let mut numbers = Vec::new();
    for (target, place) in targets.iter().zip(&whole.options.targets) {
        let event = read(&merged(&common, target), IdRule::Required).value.unwrap();
        assert_eq!((event.options.target.as_ref(), event.options.targets.len()), (Some(place), 0));
        numbers.push(event.options.one_of.unwrap());
        assert_eq!((&event.policy, event.options.minimum_kept), (&whole.policy, 2));
        // One start for all, also of a run that was started without a time of its own.
        assert_eq!(event.progress_at(at("2026-11-22T19:00:00Z")).unwrap(), progress);
        // It travels with the run.
        let next = read(&event.next(&progress), IdRule::Required).value.unwrap();
        assert_eq!(next.options.target.as_ref(), Some(place));
    }
    assert_eq!(numbers, [0, 1, 2].map(|number| OneOf { number, of: 3 }));
}

#[test]
fn nobody_writes_the_number_of_a_target_by_hand() {
    let message =
        "Options.Target.Number: Number and Of belong together and are of an answer that splits a run, expected neither";
    for (number, of) in [(json!(3), Value::Null), (Value::Null, json!(3)), (json!(3), json!(3))] {
        check_refused(&json!({ "Target": { "Region": "eu-west-1", "Number": number, "Of": of } }), &[message]);
    }
    let own = understood(&json!({ "Target": { "Region": "eu-west-1" } })).options;
    assert!(!own.is_part());
}

#[test]
fn the_events_of_the_largest_split_fit_into_a_state() {
    let long = |number: usize| format!("arn:aws:iam::{number:012}:role/{}", "n".repeat(64));
    let external_id = "x".repeat(1000);
    let targets: Value = (0..PLACES_MAX)
        .map(|number| json!({ "RoleArn": long(number), "ExternalId": external_id, "Regions": ["ap-southeast-1"] }))
        .collect();
    let whole = understood(&json!({ "Targets": targets }));
    let (common, targets) = whole.split(&whole.progress_at(at("2026-11-22T17:00:00Z")).unwrap());
    let length = common.to_string().len() + Value::from(targets).to_string().len();
    assert!(length < 100_000, "{length}");
    assert_eq!(common["Options"], Value::Object(Map::new()));
}
