//! Keys that Amazon DLM does not have, and the advice that comes with them.

use super::*;
use crate::policy::decode::hint;
use crate::policy::decode::shape;

#[test]
fn an_unknown_key_is_an_error_everywhere() {
    let objects = [
        "",
        "/PolicyDetails",
        "/PolicyDetails/TargetTags/0",
        "/PolicyDetails/Schedules/0",
        "/PolicyDetails/Schedules/0/CreateRule",
        "/PolicyDetails/Schedules/0/RetainRule",
    ];
    for pointer in objects {
        check(volumes(), pointer, json!({"Xyzzy": null}), &[error("Xyzzy", "unknown key, expected one of")]);
    }
    let objects = [
        "/PolicyDetails/EventSource",
        "/PolicyDetails/EventSource/Parameters",
        "/PolicyDetails/Actions/0",
        "/PolicyDetails/Actions/0/CrossRegionCopy/0",
        "/PolicyDetails/Actions/0/CrossRegionCopy/0/RetainRule",
        "/PolicyDetails/Actions/0/CrossRegionCopy/0/EncryptionConfiguration",
    ];
    for pointer in objects {
        check(events(), pointer, json!({"Xyzzy": 1}), &[error("Xyzzy", "unknown key, expected one of")]);
    }
}

#[track_caller]
fn check_advice(key: &str, shape: &'static shape::Shape, expected: &str) {
    let message = hint::unknown_key(key, shape);
    let advice = message.split_once("; ").map_or("", |(_, advice)| advice);
    assert_eq!(advice, expected, "{message}");
}

#[test]
fn a_key_that_is_near_to_a_known_one_is_taken_for_a_misspelling() {
    check_advice("RetentionRule", &shape::SCHEDULE, "did you mean RetainRule?");
    check_advice("retainRule", &shape::SCHEDULE, "did you mean RetainRule?");
    check_advice("copy_tags", &shape::SCHEDULE, "did you mean CopyTags?");
    check_advice("Encryption", &shape::COPY_ACTION, "did you mean EncryptionConfiguration?");
    check_advice("Encryption", &shape::ENCRYPTION, "did you mean Encrypted?");
    check_advice("Schedule", &shape::DETAILS, "did you mean Schedules?");
    check_advice("Cron", &shape::CREATE_RULE, "did you mean CronExpression?");
    check_advice("Cou", &shape::RETAIN_RULE, "did you mean Count?");
    check_advice("Co", &shape::RETAIN_RULE, "");
    // The longest of DLM's own keys, as the beginning of the longest key that is compared and of one that is not.
    let longest = |length: usize| format!("{:x<length$}", "ExecuteOperationOnScriptFailure");
    check_advice(&longest(64), &shape::SCRIPT, "did you mean ExecuteOperationOnScriptFailure?");
    check_advice(&longest(65), &shape::SCRIPT, "");
    check_advice("DayOfWeek", &shape::CREATE_RULE, "");
    check_advice("x", &shape::CREATE_RULE, "");
    check_advice("", &shape::CREATE_RULE, "");
}

#[test]
fn a_key_that_stands_elsewhere_is_sent_there() {
    check_advice("VariableTags", &shape::DETAILS, "VariableTags belongs in PolicyDetails.Schedules[]");
    check_advice("CrossRegionCopyRules", &shape::DETAILS, "CrossRegionCopyRules belongs in PolicyDetails.Schedules[]");
    check_advice("State", &shape::DETAILS, "State belongs in the policy itself, beside PolicyDetails");
    check_advice("Times", &shape::SCHEDULE, "Times belongs in PolicyDetails.Schedules[].CreateRule");
    check_advice(
        "CrossRegionCopy",
        &shape::SCHEDULE,
        "did you mean CrossRegionCopyRules? CrossRegionCopy itself belongs in PolicyDetails.Actions[]",
    );
    check_advice(
        "Tags",
        &shape::EXCLUSIONS,
        "did you mean ExcludeTags? Tags itself belongs in the policy itself, beside PolicyDetails",
    );
    check_advice(
        "Interval",
        &shape::SCHEDULE,
        "Interval belongs in PolicyDetails.Schedules[].CreateRule, PolicyDetails.Schedules[].RetainRule, \
         PolicyDetails.Schedules[].DeprecateRule or elsewhere",
    );
}

#[test]
fn where_there_is_one_key_it_alone_is_named() {
    assert_eq!(hint::unknown_key("Xyzzy", &shape::ARCHIVE_RULE), "unknown key, expected RetainRule");
}

#[test]
fn a_misspelling_of_amazons_own_is_not_advised() {
    let message = hint::unknown_key("Boot", &shape::EXCLUSIONS);
    assert!(message.contains("expected one of ExcludeBootVolumes, ExcludeVolumeTypes, ExcludeTags"), "{message}");
}

#[test]
fn a_policy_with_several_mistakes_hears_of_all_of_them_at_once() {
    let document = json!({
        "State": "ON",
        "PolicyDetails": {
            "ResourceTypes": ["VOLUMES"],
            "Schedules": [{
                "Name": "weekly",
                "CreateRule": {"Interval": 168, "IntervalUnit": "HOURS", "Times": ["3:00"]},
                "RetentionRule": {"Count": 4}
            }],
            "VariableTags": []
        }
    });
    insta::assert_snapshot!(lines(&read(&document).errors), @r#"
    State: expected DISABLED, ENABLED or ERROR but got "ON"
    PolicyDetails.ResourceTypes[0]: expected INSTANCE or VOLUME but got "VOLUMES"
    PolicyDetails.TargetTags: missing, expected 1 to 50 tags such as {"Key": "backup", "Value": "yes"}
    PolicyDetails.Schedules[0].CreateRule.Times[0]: expected a time in UTC such as 03:00 but got "3:00"
    PolicyDetails.Schedules[0].CreateRule.Interval: expected 1, 2, 3, 4, 6, 8, 12 or 24 but got 168
    PolicyDetails.Schedules[0].RetainRule: missing, expected an object with Count, or with Interval and IntervalUnit: how long snapshots stay is never assumed
    PolicyDetails.Schedules[0].RetentionRule: unknown key, expected one of Name, CreateRule, RetainRule, CopyTags, TagsToAdd, VariableTags, FastRestoreRule, CrossRegionCopyRules, ShareRules, DeprecateRule, ArchiveRule; did you mean RetainRule?
    PolicyDetails.VariableTags: unknown key, expected one of PolicyType, PolicyLanguage, ResourceTypes, ResourceType, ResourceLocations, TargetTags, Schedules, Parameters, EventSource, Actions, CreateInterval, RetainInterval, CopyTags, ExtendDeletion, CrossRegionCopyTargets, Exclusions; VariableTags belongs in PolicyDetails.Schedules[]
    "#);
}
