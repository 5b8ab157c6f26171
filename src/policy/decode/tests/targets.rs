//! What instance policies and default policies read to.

use super::*;
use crate::policy::{
    Age, AgeUnit, CreateRule, DefaultTargets, RetainRule, Schedule, ScheduleName, Tag, Targets, Variable, VariableTag,
};
use std::num::NonZeroU32;

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

#[track_caller]
fn right(document: &Value) -> Policy {
    let reading = read(document);
    assert_eq!((lines(&reading.errors), lines(&reading.not_supported)), (String::new(), String::new()));
    reading.value.expect("a policy without a finding has a value")
}

#[track_caller]
fn check_instances(parameters: Value, exclude_boot_volume: bool, exclude_data_volume_tags: Vec<Tag>) {
    let policy = right(&edited(instances(), DETAILS, &json!({"Parameters": parameters})));
    let any_of = vec![tag("auto-backup", "dlm")];
    assert_eq!(policy.targets, Targets::Instances { any_of, exclude_boot_volume, exclude_data_volume_tags });
}

#[test]
fn an_instance_policy_leaves_out_what_its_parameters_say() {
    check_instances(json!(null), false, vec![]);
    check_instances(json!({}), false, vec![]);
    check_instances(json!({"ExcludeBootVolume": null, "ExcludeDataVolumeTags": null, "NoReboot": null}), false, vec![]);
    check_instances(json!({"ExcludeBootVolume": false, "ExcludeDataVolumeTags": []}), false, vec![]);
    check_instances(json!({"ExcludeBootVolume": true}), true, vec![]);
    let tags = json!([{"Key": "scratch", "Value": ""}, {"Key": "aws:x", "Value": "y"}]);
    check_instances(json!({"ExcludeDataVolumeTags": tags}), false, vec![tag("scratch", ""), tag("aws:x", "y")]);
    let parameters = |change: Value| json!({"Parameters": change});
    let boot = parameters(json!({"ExcludeBootVolume": "yes"}));
    let said = [error("Parameters.ExcludeBootVolume", "expected true or false but got \"yes\"")];
    check(instances(), DETAILS, boot, &said);
    let many: Vec<Value> = (0..51).map(|n| json!({"Key": format!("k{n}"), "Value": ""})).collect();
    let said = [error("Parameters.ExcludeDataVolumeTags", "expected at most 50 but got 51 entries")];
    check(instances(), DETAILS, parameters(json!({"ExcludeDataVolumeTags": many})), &said);
}

#[test]
fn parameters_of_instances_change_nothing_on_volumes() {
    let parameters = json!({"Parameters": {"ExcludeBootVolume": true}});
    assert_eq!(right(&edited(volumes(), DETAILS, &parameters)), right(&volumes()));
}

#[track_caller]
fn check_copy_tags(sample: Value, copy_tags: Value, expected: bool) {
    let policy = right(&edited(sample, SCHEDULE, &json!({"CopyTags": copy_tags})));
    assert_eq!(policy.schedules[0].copy_tags, expected);
}

#[test]
fn tags_are_copied_only_where_a_schedule_says_so() {
    check_copy_tags(volumes(), json!(true), true);
    check_copy_tags(volumes(), json!(false), false);
    check_copy_tags(volumes(), json!(null), false);
    check_copy_tags(instances(), json!(true), true);
    check(volumes(), SCHEDULE, json!({"CopyTags": "true"}), &[error("CopyTags", "expected true or false but got")]);
}

#[test]
fn variable_tags_read_to_their_variables() {
    let tags =
        json!({"VariableTags": [{"Key": "i", "Value": "$(instance-id)"}, {"Key": "t", "Value": "$(timestamp)"}]});
    let policy = right(&edited(instances(), SCHEDULE, &tags));
    let variable = |key: &str, value| VariableTag { key: key.to_owned(), value };
    let expected = vec![variable("i", Variable::InstanceId), variable("t", Variable::Timestamp)];
    assert_eq!(policy.schedules[0].variable_tags, expected);
}

#[test]
fn variable_tags_leave_reserved_names_alone_and_stand_once() {
    let tag = |key: &str| json!({"VariableTags": [{"Key": key, "Value": "$(timestamp)"}]});
    check(instances(), SCHEDULE, tag("aws:x"), &[error("VariableTags[0]", "reserved for AWS")]);
    check(instances(), SCHEDULE, tag("opendlm:hold"), &[error("VariableTags[0]", "reserved for opendlm")]);
    check(instances(), SCHEDULE, tag("dlm:managed"), &[error("VariableTags[0]", "reserved for Amazon DLM")]);
    let twice = json!([{"Key": "a", "Value": "$(timestamp)"}, {"Key": "a", "Value": "$(instance-id)"}]);
    check(instances(), SCHEDULE, json!({"VariableTags": twice}), &[error("VariableTags", "\"a\" stands twice")]);
    let many: Vec<Value> = (0..46).map(|n| json!({"Key": format!("k{n}"), "Value": "$(timestamp)"})).collect();
    let said = [error("VariableTags", "expected at most 45 but got 46 entries")];
    check(instances(), SCHEDULE, json!({"VariableTags": many}), &said);
}

#[test]
fn a_tag_to_add_wins_over_a_variable_tag_of_the_same_key() {
    let change = json!({
        "TagsToAdd": [{"Key": "made", "Value": "by hand"}],
        "VariableTags": [{"Key": "made", "Value": "$(timestamp)"}, {"Key": "Made", "Value": "$(instance-id)"}]
    });
    let said = [warning("VariableTags", "\"made\" stands in TagsToAdd too")];
    check(instances(), SCHEDULE, change.clone(), &said);
    let policy = right(&edited(instances(), SCHEDULE, &change));
    let schedule = &policy.schedules[0];
    assert_eq!(schedule.tags_to_add, vec![tag("made", "by hand")]);
    assert_eq!(schedule.variable_tags, vec![VariableTag { key: "Made".to_owned(), value: Variable::InstanceId }]);
    let wrong = edited(change, "", &json!({"RetainRule": {"Count": 0}}));
    check(instances(), SCHEDULE, wrong, &[error("RetainRule", "0 needs an ArchiveRule"), said[0]]);
}

fn default_targets() -> DefaultTargets {
    DefaultTargets {
        create_interval_days: NonZeroU32::MIN,
        exclude_boot_volumes: false,
        exclude_volume_types: vec![],
        exclude_tags: vec![],
        extend_deletion: false,
    }
}

/// The fields read to the same beside `PolicyDetails` and inside, and however the policy says that it is a default one.
#[track_caller]
fn check_default(fields: Value, targets: DefaultTargets, retain_days: u32, copy_tags: bool) {
    let schedule = Schedule {
        name: ScheduleName::parse("Default policy").unwrap(),
        create: CreateRule::OnStart,
        retain: RetainRule::Age(Age { interval: NonZeroU32::new(retain_days).unwrap(), unit: AgeUnit::Days }),
        copy_tags,
        tags_to_add: vec![],
        variable_tags: vec![],
        copies: vec![],
    };
    let details = edited(json!({"PolicyLanguage": "SIMPLIFIED", "ResourceType": "VOLUME"}), "", &fields);
    let shorthand = edited(default_volumes(), "", &fields);
    let documents = [
        shorthand.clone(),
        edited(shorthand, "", &json!({"PolicyDetails": null})),
        json!({"State": "ENABLED", "DefaultPolicy": "VOLUME", "PolicyDetails": fields}),
        json!({"State": "ENABLED", "DefaultPolicy": "VOLUME", "PolicyDetails": details}),
        json!({"State": "ENABLED", "DefaultPolicy": true, "PolicyDetails": details}),
        json!({"State": "ENABLED", "PolicyDetails": details}),
    ];
    for document in documents {
        let policy = right(&document);
        assert_eq!(policy.targets, Targets::AllVolumes(targets.clone()), "{document}");
        assert_eq!(policy.schedules, vec![schedule.clone()], "{document}");
    }
}

#[test]
fn a_default_policy_reads_the_same_beside_its_details_and_inside() {
    check_default(json!({}), default_targets(), 7, false);
    let absent = json!({
        "CreateInterval": null, "RetainInterval": null, "CopyTags": null, "ExtendDeletion": null,
        "CrossRegionCopyTargets": [], "Exclusions": null
    });
    check_default(absent, default_targets(), 7, false);
    check_default(
        json!({"CreateInterval": 3, "RetainInterval": 14, "CopyTags": true, "ExtendDeletion": true}),
        DefaultTargets {
            create_interval_days: NonZeroU32::new(3).unwrap(),
            extend_deletion: true,
            ..default_targets()
        },
        14,
        true,
    );
}

#[test]
fn a_default_policy_leaves_out_what_its_exclusions_say() {
    let check = |exclusions: Value, targets| check_default(json!({"Exclusions": exclusions}), targets, 7, false);
    check(json!({}), default_targets());
    check(json!({"ExcludeBootVolumes": false, "ExcludeVolumeTypes": [], "ExcludeTags": []}), default_targets());
    let without_boot = || DefaultTargets { exclude_boot_volumes: true, ..default_targets() };
    check(json!({"ExcludeBootVolumes": true}), without_boot());
    check(json!({"ExcludeBootVolume": true}), without_boot());
    check(json!({"ExcludeBootVolume": true, "ExcludeBootVolumes": true}), without_boot());
    let types = vec!["st1".to_owned(), "standard".to_owned()];
    let without_types = DefaultTargets { exclude_volume_types: types, ..default_targets() };
    check(json!({"ExcludeVolumeTypes": ["st1", "standard"]}), without_types);
    let without_tag = DefaultTargets { exclude_tags: vec![tag("backup", "no")], ..default_targets() };
    check(json!({"ExcludeTags": [{"Key": "backup", "Value": "no"}]}), without_tag);
}

#[test]
fn what_a_default_policy_is_about_is_never_assumed() {
    let details = |change: Value| json!({"DefaultPolicy": null, "PolicyDetails": change});
    let said = error("PolicyDetails.ResourceType", "missing, expected INSTANCE or VOLUME");
    check(default_volumes(), POLICY, details(json!({"PolicyLanguage": "SIMPLIFIED"})), &[said]);
    let said = || error("DefaultPolicy", "expected INSTANCE or VOLUME where there are no PolicyDetails but got true");
    check(default_volumes(), POLICY, json!({"DefaultPolicy": true}), &[said()]);
    check(default_volumes(), POLICY, json!({"DefaultPolicy": true, "CreateInterval": 2}), &[said()]);
    let kind = json!({"PolicyLanguage": "SIMPLIFIED", "PolicyType": "EBS_SNAPSHOT_MANAGEMENT"});
    check(default_volumes(), POLICY, details(kind), &[]);
}
