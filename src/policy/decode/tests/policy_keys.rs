//! The policy around `PolicyDetails`, and the tags.

use super::*;
use crate::policy::{
    CreateRule, IntervalHours, PolicyId, PolicyState, RetainRule, Schedule, ScheduleName, StartTime, StartTimeOrigin,
    Tag, Targets,
};
use std::num::NonZeroU32;

#[test]
fn the_sample_policy_reads_to_its_value() {
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    let tagged = edited(volumes(), SCHEDULE, &json!({"TagsToAdd": [{"Key": "ss-lifecycle", "Value": "true"}]}));
    let expected = Policy {
        id: PolicyId::parse("policy-0123456789abcdef0").unwrap(),
        description: "nightly".to_owned(),
        state: PolicyState::Enabled,
        targets: Targets::Volumes { any_of: vec![tag("auto-backup", "dlm")] },
        schedules: vec![Schedule {
            name: ScheduleName::parse("Default Schedule").unwrap(),
            create: CreateRule::Interval {
                hours: IntervalHours::new(24).unwrap(),
                at: StartTime { minute_of_day: 17 * 60, origin: StartTimeOrigin::Given },
            },
            retain: RetainRule::Count(NonZeroU32::new(3).unwrap()),
            copy_tags: false,
            tags_to_add: vec![tag("ss-lifecycle", "true")],
            variable_tags: vec![],
            copies: vec![],
        }],
    };
    let reading = Reading { value: Some(expected), errors: vec![], not_supported: vec![], warnings: vec![] };
    assert_eq!(read(&tagged), reading);
}

#[track_caller]
fn check_state(state: Value, expected: Option<PolicyState>, said: &[Said]) {
    let change = json!({"State": state});
    check(volumes(), POLICY, change.clone(), said);
    assert_eq!(read(&edited(volumes(), POLICY, &change)).value.map(|policy| policy.state), expected);
}

#[test]
fn a_state_is_enabled_or_disabled_and_an_error_disables() {
    check_state(json!("ENABLED"), Some(PolicyState::Enabled), &[]);
    check_state(json!("DISABLED"), Some(PolicyState::Disabled), &[]);
    check_state(json!("ERROR"), Some(PolicyState::Disabled), &[warning("State", "taken as DISABLED")]);
    check_state(json!(null), Some(PolicyState::Enabled), &[warning("State", "taken as ENABLED")]);
    check_state(json!(""), Some(PolicyState::Enabled), &[warning("State", "taken as ENABLED")]);
    let words = "expected DISABLED, ENABLED or ERROR but got";
    check_state(json!("enabled"), None, &[error("State", words)]);
    check_state(json!(true), None, &[error("State", "expected a text but got true")]);
}

#[track_caller]
fn check_id(id: Value, rule: IdRule, expected: Result<&str, &str>) {
    let reading = policy(&edited(volumes(), POLICY, &json!({"PolicyId": id})), "Policy", rule);
    match expected {
        Ok(id) => assert_eq!(reading.value.expect("the policy is right").id.as_str(), id),
        Err(part) => {
            assert_eq!(reading.errors.len(), 1);
            assert_eq!(reading.errors[0].path, "Policy.PolicyId");
            assert!(reading.errors[0].message.contains(part), "{:?}", reading.errors);
        }
    }
}

#[test]
fn a_policy_id_is_required_only_where_snapshots_will_carry_it() {
    check_id(json!("policy-0abc"), IdRule::Optional, Ok("policy-0abc"));
    check_id(json!("policy-0abc"), IdRule::Required, Ok("policy-0abc"));
    check_id(json!(null), IdRule::Optional, Ok(PolicyId::unassigned().as_str()));
    check_id(json!(null), IdRule::Required, Err("missing, expected an id such as policy-0123456789abcdef0: add one"));
    check_id(json!(""), IdRule::Required, Err("missing"));
    check_id(json!("policy-*"), IdRule::Optional, Err("holds '*'"));
    check_id(json!(7), IdRule::Optional, Err("expected a text but got 7"));
}

#[test]
fn what_only_amazon_dlm_minds_is_a_warning() {
    check(volumes(), POLICY, json!({"Description": null}), &[]);
    check(volumes(), POLICY, json!({"Description": "at 01:00"}), &[warning("Description", "Amazon DLM")]);
    check(volumes(), POLICY, json!({"Description": "a".repeat(501)}), &[warning("Description", "at most 500")]);
    check(volumes(), POLICY, json!({"Description": 1}), &[error("Description", "expected a text but got 1")]);
    let role = |arn: &str| json!({"ExecutionRoleArn": arn});
    check(volumes(), POLICY, role("arn:aws:iam::12345678910:role/service-role/dlm"), &[]);
    check(volumes(), POLICY, role("arn:aws-us-gov:iam::123456789012:role/dlm"), &[]);
    check(
        volumes(),
        POLICY,
        role("arn:aws:iam::123456789012:user/dlm"),
        &[warning("ExecutionRoleArn", "ARN of a role")],
    );
    check(volumes(), POLICY, json!({"ExecutionRoleArn": {}}), &[error("ExecutionRoleArn", "expected a text")]);
}

#[test]
fn a_policy_that_is_no_object_is_refused() {
    for (document, got) in [(json!(null), "nothing"), (json!([]), "a list of 0"), (json!("x"), "\"x\"")] {
        let reading = policy(&document, "Policy", IdRule::Optional);
        assert_eq!(lines(&reading.errors), format!("Policy: expected an object but got {got}\n"));
    }
    check(volumes(), POLICY, json!({"PolicyDetails": null}), &[error("PolicyDetails", "missing, expected an object")]);
}

#[test]
fn tags_of_the_policy_are_a_map_or_cloudformations_list() {
    check(volumes(), POLICY, json!({"Tags": {"team": "dev", "a:b/c-1": ""}}), &[]);
    check(volumes(), POLICY, json!({"Tags": [{"Key": "team", "Value": "dev"}]}), &[warning("Tags", "CloudFormation")]);
    check(
        volumes(),
        POLICY,
        json!({"Tags": {"aws:cloudformation:stack-name": "x"}}),
        &[warning("Tags", "begin with aws:")],
    );
    check(volumes(), POLICY, json!({"Tags": {"two words": "x"}}), &[warning("Tags", "two words")]);
    check(volumes(), POLICY, json!({"Tags": {"team": 1}}), &[error("Tags", "expected a text")]);
    check(volumes(), POLICY, json!({"Tags": "team"}), &[error("Tags", "expected a map")]);
    check(volumes(), POLICY, json!({"Tags": {"team": "ä".repeat(256)}}), &[]);
    check(volumes(), POLICY, json!({"Tags": {"team": "ä".repeat(257)}}), &[error("Tags", "at most 256 characters")]);
    let many = |count: usize| -> serde_json::Map<String, Value> {
        (0..count).map(|n| (format!("k{n}"), json!("v"))).collect()
    };
    check(volumes(), POLICY, json!({"Tags": many(200)}), &[]);
    check(volumes(), POLICY, json!({"Tags": many(201)}), &[error("Tags", "expected at most 200 tags but got 201")]);
}

#[test]
fn target_tags_are_one_to_fifty() {
    let tags = |tags: Value| json!({"TargetTags": tags});
    check(volumes(), DETAILS, tags(json!([])), &[error("TargetTags", "missing, expected 1 to 50 tags")]);
    check(volumes(), DETAILS, tags(json!(null)), &[error("TargetTags", "missing, expected 1 to 50 tags")]);
    check(volumes(), DETAILS, tags(json!({"Key": "a", "Value": "b"})), &[error("TargetTags", "expected a list")]);
    check(volumes(), DETAILS, tags(json!([{"Key": "a", "Value": ""}, {"Key": "a", "Value": "b"}])), &[]);
    check(volumes(), DETAILS, tags(json!([{"Key": "aws:cloudformation:stack-id", "Value": "x"}])), &[]);
    check(volumes(), DETAILS, tags(json!([{"Key": "a"}])), &[error("TargetTags[0].Value", "missing")]);
    check(volumes(), DETAILS, tags(json!([{"Value": "a"}])), &[error("TargetTags[0].Key", "missing")]);
    check(volumes(), DETAILS, tags(json!([null])), &[error("TargetTags[0]", "expected an entry but got nothing")]);
    let many: Vec<Value> = (0..51).map(|n| json!({"Key": format!("k{n}"), "Value": ""})).collect();
    check(volumes(), DETAILS, tags(json!(many)), &[error("TargetTags", "expected 1 to 50 but got 51 entries")]);
}

#[test]
fn tag_keys_hold_neither_backslash_nor_equals_sign_and_are_not_too_long() {
    let tag = |key: &str, value: &str| json!({"TargetTags": [{"Key": key, "Value": value}]});
    check(volumes(), DETAILS, tag("a=b", ""), &[error("TargetTags[0].Key", "holds '='")]);
    check(volumes(), DETAILS, tag("a\\b", ""), &[error("TargetTags[0].Key", "holds '\\\\'")]);
    check(volumes(), DETAILS, tag(&"ä".repeat(128), &"ä".repeat(256)), &[]);
    check(volumes(), DETAILS, tag(&"a".repeat(129), ""), &[error("TargetTags[0].Key", "at most 128")]);
    check(volumes(), DETAILS, tag("a", &"b".repeat(257)), &[error("TargetTags[0].Value", "at most 256")]);
}

#[test]
fn tags_to_add_leave_reserved_names_alone_and_stand_once() {
    let tag = |key: &str, value: &str| json!({"TagsToAdd": [{"Key": key, "Value": value}]});
    check(volumes(), SCHEDULE, tag("ss-lifecycle", "true"), &[]);
    check(volumes(), SCHEDULE, tag("aws:x", ""), &[error("TagsToAdd[0]", "reserved for AWS")]);
    check(volumes(), SCHEDULE, tag("AWS:x", ""), &[error("TagsToAdd[0]", "reserved for AWS")]);
    check(volumes(), SCHEDULE, tag("x", "aws:y"), &[error("TagsToAdd[0]", "reserved for AWS")]);
    check(volumes(), SCHEDULE, tag("dlm:managed", "true"), &[error("TagsToAdd[0]", "reserved for Amazon DLM")]);
    check(volumes(), SCHEDULE, tag("opendlm:hold", ""), &[error("TagsToAdd[0]", "reserved for opendlm")]);
    check(volumes(), SCHEDULE, tag("a=b", ""), &[error("TagsToAdd[0].Key", "holds '='")]);
    let literal = "taken literally here, expected it in VariableTags";
    check(volumes(), SCHEDULE, tag("t", "$(timestamp)"), &[warning("TagsToAdd[0]", literal)]);
    check(volumes(), SCHEDULE, tag("t", "on $$(instance-id)"), &[warning("TagsToAdd[0]", literal)]);
    let twice = json!({"TagsToAdd": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]});
    check(volumes(), SCHEDULE, twice, &[error("TagsToAdd", "\"a\" stands twice")]);
    let tags =
        |count: usize| -> Vec<Value> { (0..count).map(|n| json!({"Key": format!("k{n}"), "Value": ""})).collect() };
    check(volumes(), SCHEDULE, json!({"TagsToAdd": tags(45)}), &[]);
    check(volumes(), SCHEDULE, json!({"TagsToAdd": tags(46)}), &[error("TagsToAdd", "expected at most 45 but got 46")]);
}

#[test]
fn several_target_tags_are_alternatives() {
    let tags = json!({"TargetTags": [{"Key": "env", "Value": "prod"}, {"Key": "team", "Value": ""}]});
    let policy = read(&edited(volumes(), DETAILS, &tags)).value.expect("the policy is right");
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    assert_eq!(policy.targets, Targets::Volumes { any_of: vec![tag("env", "prod"), tag("team", "")] });
}
