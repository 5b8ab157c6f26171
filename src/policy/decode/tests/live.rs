//! The forms in which policies really come: read back from the API, from tools that print every field, from templates.

use super::*;
use crate::policy::RetainRule;
use std::num::NonZeroU32;

#[track_caller]
fn check_accepted(document: Value) {
    let reading = read(&document);
    assert_eq!(lines(&reading.errors), "");
    assert_eq!(lines(&reading.warnings), "");
}

#[test]
fn a_policy_read_back_from_the_api_is_the_policy_that_was_made() {
    let live = json!({
        "PolicyId": "policy-0123456789abcdef0",
        "Description": "nightly",
        "State": "ENABLED",
        "StatusMessage": "ENABLED",
        "ExecutionRoleArn": "arn:aws:iam::111122223333:role/AWSDataLifecycleManagerDefaultRole",
        "DateCreated": 1.656790738203E9,
        "DateModified": "2022-07-02T19:38:58.203000+00:00",
        "Tags": {},
        "PolicyArn": "arn:aws:dlm:us-east-1:111122223333:policy/policy-0123456789abcdef0",
        "DefaultPolicy": false,
        "PolicyDetails": {
            "PolicyType": "EBS_SNAPSHOT_MANAGEMENT",
            "PolicyLanguage": "STANDARD",
            "ResourceTypes": ["VOLUME"],
            "ResourceLocations": ["CLOUD"],
            "TargetTags": [{"Key": "auto-backup", "Value": "dlm"}],
            "Schedules": [{
                "Name": "Default Schedule",
                "CopyTags": false,
                "CreateRule": {"Location": "CLOUD", "Interval": 24, "IntervalUnit": "HOURS", "Times": ["17:00"]},
                "RetainRule": {"Count": 3, "Interval": 0}
            }]
        }
    });
    check_accepted(live.clone());
    assert_eq!(read(&live).value, read(&volumes()).value);
}

#[test]
fn every_field_may_be_there_without_a_value() {
    let absent = json!({
        "Tags": null, "StatusMessage": "", "DateCreated": null, "CreateInterval": null,
        "RetainInterval": null, "CopyTags": null, "ExtendDeletion": null, "CrossRegionCopyTargets": [], "Exclusions": null
    });
    let details = json!({
        "PolicyType": "", "PolicyLanguage": "", "ResourceType": "", "ResourceLocations": [], "Parameters": null,
        "EventSource": null, "Actions": [], "CreateInterval": null, "RetainInterval": null, "CopyTags": null,
        "ExtendDeletion": null, "CrossRegionCopyTargets": null, "Exclusions": null
    });
    let schedule = json!({
        "CopyTags": null, "TagsToAdd": null, "VariableTags": [], "FastRestoreRule": null, "CrossRegionCopyRules": [],
        "ShareRules": null, "DeprecateRule": null, "ArchiveRule": null
    });
    let rule = json!({"CronExpression": null, "Location": "", "Scripts": []});
    let document = edited(edited(edited(volumes(), POLICY, &absent), DETAILS, &details), SCHEDULE, &schedule);
    let document = edited(document, "/PolicyDetails/Schedules/0/CreateRule", &rule);
    let document =
        edited(document, "/PolicyDetails/Schedules/0/RetainRule", &json!({"Interval": null, "IntervalUnit": ""}));
    for default_policy in [json!(null), json!("")] {
        let document = edited(document.clone(), POLICY, &json!({"DefaultPolicy": default_policy}));
        check_accepted(document.clone());
        assert_eq!(read(&document).value, read(&volumes()).value);
    }
}

#[test]
fn a_default_policy_is_known_by_its_word_its_flag_or_its_language() {
    check_accepted(json!({"State": "ENABLED", "DefaultPolicy": "INSTANCE"}));
    for (kind, resource) in [("EBS_SNAPSHOT_MANAGEMENT", "VOLUME"), ("IMAGE_MANAGEMENT", "INSTANCE")] {
        let details = json!({
            "PolicyType": kind, "PolicyLanguage": "SIMPLIFIED", "ResourceType": resource, "CreateInterval": 1,
            "RetainInterval": 7, "CopyTags": false, "ExtendDeletion": false
        });
        check_accepted(json!({"State": "ENABLED", "DefaultPolicy": true, "PolicyDetails": details}));
        check_accepted(json!({"State": "ENABLED", "PolicyDetails": details}));
        check_accepted(json!({"State": "ENABLED", "DefaultPolicy": resource, "PolicyDetails": details}));
    }
}

#[test]
fn e52_a_count_with_an_interval_of_zero_beside_it_is_a_count() {
    let rule = json!({"RetainRule": {"Count": 5, "Interval": 0}});
    let document = edited(volumes(), SCHEDULE, &rule);
    let policy = policy(&document, "", IdRule::Optional).value.unwrap();
    assert_eq!(policy.schedules[0].retain, RetainRule::Count(NonZeroU32::new(5).unwrap()));
}

#[test]
fn e53_a_target_region_on_a_snapshot_policy_is_read_as_its_target() {
    let copy = json!({"CrossRegionCopyRules": [{"TargetRegion": "us-west-2", "Encrypted": true}]});
    let reading = policy(&edited(volumes(), SCHEDULE, &copy), "", IdRule::Optional);
    assert_eq!(reading.errors, vec![]);
    assert_eq!(reading.warnings.len(), 1);
    let policy = reading.value.expect("copies are carried out");
    assert_eq!(policy.schedules[0].copies[0].written(), "us-west-2:-:e");
}

#[test]
fn read_only_fields_have_their_types() {
    check(
        volumes(),
        POLICY,
        json!({"DateCreated": true}),
        &[error("DateCreated", "expected a time as text or as a number")],
    );
    check(volumes(), POLICY, json!({"PolicyArn": 1}), &[error("PolicyArn", "expected a text but got 1")]);
    check(volumes(), POLICY, json!({"DefaultPolicy": 1}), &[error("DefaultPolicy", "expected a text but got 1")]);
}

#[test]
fn paths_begin_where_the_policy_stands() {
    let document = edited(volumes(), SCHEDULE, &json!({"RetainRule": {"Count": 0}}));
    let reading = policy(&document, "detail.Policy", IdRule::Required);
    insta::assert_snapshot!(lines(&reading.errors), @"detail.Policy.PolicyDetails.Schedules[0].RetainRule: retains for Count 0, expected at least 1: 0 needs an ArchiveRule that takes the snapshots over");
}
